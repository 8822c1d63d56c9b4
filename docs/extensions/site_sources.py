"""How a page of the repository becomes a page of the site.

The Markdown stays as a reader of the repository expects it. For the site

- a comment ``<!-- from the code: NAME -->`` is replaced by what the code says;
- the sections of ``docs/index.md`` become the navigation, as do the chapters of a folder;
- a link to a folder leads to the page about it, and one to an HTML page opens that page.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any

from docs.extensions.command_line import command_line_page
from docs.extensions.decisions import decisions_page
from docs.extensions.public_names import public_names_page
from docs.extensions.refusals import refusals_page
from docs.extensions.settings_tables import settings_page

__all__ = ["FROM_THE_CODE", "filled_in", "navigation", "setup", "site_source", "with_links"]

ROOT = Path(__file__).resolve().parents[2]
FRONT = "docs/index"
FROM_THE_CODE: dict[str, Callable[[], str]] = {
    "command line": command_line_page,
    "decisions": decisions_page,
    "public names": public_names_page,
    "refusals": refusals_page,
    "settings": settings_page,
}
# Pages that lead to the pages of a folder.
CHAPTERS = {"docs/learn/README": "/docs/learn/[0-9]*", "docs/why/decisions": "/docs/decisions/*"}
FOLDERS = {"docs/decisions": "docs/why/decisions.md", "docs/learn": "docs/learn/README.md"}
_MARK = re.compile(r"^<!-- from the code: (.+) -->$", re.MULTILINE)
_LINK = re.compile(r"(?<=\]\()([^)\s#]+)(?=[)#])")


def filled_in(text: str) -> str:
    """Return a page's ``text`` with what the code says in place of each mark."""
    return _MARK.sub(lambda mark: FROM_THE_CODE[mark[1]](), text)


def with_links(text: str, page: str) -> str:
    """Return ``text`` with links to folders turned into links to the page about the folder.

    Parameters
    ----------
    text
        Markdown.
    page
        Name of the page, from the root of the repository.
    """
    folder = PurePosixPath(page).parent
    up = "../" * len(folder.parts)

    def link(found: re.Match[str]) -> str:
        about = FOLDERS.get(normpath(folder / found[1]))
        return found[1] if about is None else f"{up}{about}"

    return _LINK.sub(link, text)


def _tree(pages: Iterable[str], *, caption: str = "", pattern: bool = False) -> str:
    options = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    options += [":glob:"] if pattern else []
    return "\n".join(["", "```{toctree}", *options, "", *pages, "```", ""])


def navigation(text: str, page: str, known: Iterable[str]) -> str:
    """Return the front page with its lists of links as navigation, a part for each section.

    Parameters
    ----------
    text
        The front page's Markdown: sections with lists of links to pages.
    page
        Its name.
    known
        Names of all pages; those that nothing leads to become a part of their own.
    """
    folder = PurePosixPath(page).parent
    start, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    trees, listed = [], {page}
    for section in sections:
        links = re.findall(r"^- \[([^\]]+)\]\(([^)#]+)\.md\)", section, re.MULTILINE)
        names = {normpath(folder / link): title for title, link in links}
        listed |= set(names)
        caption = section.splitlines()[0].removeprefix("## ")
        entries = [f"{title} </{name}>" for name, title in names.items()]
        trees.append(_tree(entries, caption=caption))
    folders = tuple(pattern.rpartition("/")[0][1:] for pattern in CHAPTERS.values())
    rest = [
        n for n in sorted(known) if n not in listed and str(PurePosixPath(n).parent) not in folders
    ]
    if rest:
        trees.append(_tree([f"/{name}" for name in rest], caption="More"))
    return "".join([start, *sections, "\n", *trees])


def site_source(text: str, page: str, known: Iterable[str]) -> str:
    """Return the Markdown of a page as the site has it.

    Parameters
    ----------
    text
        The Markdown of the repository.
    page
        Name of the page, without ``.md``.
    known
        Names of all pages.
    """
    text = with_links(filled_in(text), page)
    if page == FRONT:
        return navigation(text, page, known)
    if page in CHAPTERS:
        return text + _tree([CHAPTERS[page]], pattern=True)
    return text


def _read(app: Any, name: str, source: list[str]) -> None:
    source[0] = site_source(source[0], name, app.project.docnames)


def _open_pages(app: Any, tree: Any, name: str) -> None:
    """Let a link to an HTML page of the repository open it, instead of saving a copy."""
    from docutils import nodes
    from sphinx import addnodes

    folder = PurePosixPath(name).parent
    for download in list(tree.findall(addnodes.download_reference)):
        target = normpath(folder / download["reftarget"])
        if not target.endswith(".html"):
            continue
        copy = Path(app.outdir, target)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(app.srcdir, target), copy)
        link = nodes.reference("", "", *download.children, refuri=download["reftarget"])
        download.replace_self(link)


def _first_page(app: Any, error: Exception | None) -> None:
    """Let the folder itself open the front page."""
    if error is None:
        Path(app.outdir, "index.html").write_text(
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>ffn-pipeline</title>'
            f'<meta http-equiv="refresh" content="0; url={FRONT}.html">'
            f'<a href="{FRONT}.html">ffn-pipeline</a></html>\n',
            encoding="utf-8",
        )


def setup(app: Any) -> dict[str, bool]:
    """Connect these to Sphinx's ``app``."""
    app.connect("source-read", _read)
    app.connect("doctree-resolved", _open_pages)
    app.connect("build-finished", _first_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
