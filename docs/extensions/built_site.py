"""Checks of the built site: every link leads somewhere, and nothing is loaded from elsewhere.

python -m docs.extensions.built_site FOLDER
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["Page", "loads", "main", "problems"]

# What a browser fetches without being asked to; <a href> is followed only by a click.
LOADING = {
    *(("audio", "src"), ("embed", "src"), ("iframe", "src"), ("image", "href"), ("img", "src")),
    *(("img", "srcset"), ("input", "src"), ("link", "href"), ("object", "data"), ("script", "src")),
    *(("source", "src"), ("source", "srcset"), ("track", "src"), ("use", "href"), ("video", "src")),
    ("video", "poster"),
}
# Links that name and load nothing.
_NAMING = {"author", "canonical", "license", "next", "prev", "search", "index", "up"}
_IN_STYLE = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")
_IN_SCRIPT = re.compile(
    r"(?:\bfetch|\bimport|\bimportScripts|\.open|new (?:Worker|WebSocket|EventSource|Request))"
    r"\s*\(\s*(?:['\"]GET['\"]\s*,\s*)?['\"`]((?:https?:|wss?:)?//[^'\"`]+)"
    r"|\.(?:src|href)\s*=\s*['\"`]((?:https?:)?//[^'\"`]+)"
)


class Page(HTMLParser):
    """What an HTML page names: its anchors, its links, and what a browser loads for it.

    Parameters
    ----------
    text
        The page.

    Attributes
    ----------
    anchors
        Names within the page that links can lead to.
    links
        Where its links lead.
    loaded
        Addresses that a browser loads.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names.

        Parameters
        ----------
        tag
            Its name.
        attrs
            Its attributes, with their values.
        """
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        self._inside = tag
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "link" and set(found.get("rel", "").split()) <= _NAMING:
            return
        for name, value in found.items():
            if (tag, name.removeprefix("xlink:")) in LOADING:
                several = name == "srcset"
                self.loaded += [v.split()[0] for v in value.split(",")] if several else [value]
        self.loaded += _addresses(_IN_STYLE, found.get("style", ""))

    def handle_data(self, data: str) -> None:
        """Note what a style or a script in the page loads; ``data`` is its text."""
        if self._inside == "style":
            self.loaded += _addresses(_IN_STYLE, data)
        if self._inside == "script":
            self.loaded += _addresses(_IN_SCRIPT, data)

    def handle_endtag(self, tag: str) -> None:
        """Leave what ``tag`` began."""
        self._inside = "" if tag == self._inside else self._inside


def _addresses(pattern: re.Pattern[str], text: str) -> list[str]:
    return ["".join(groups) for groups in pattern.findall(text)]


def loads(path: Path) -> list[str]:
    """Return the addresses that a browser loads for a file of the site.

    Parameters
    ----------
    path
        An HTML page, an SVG picture, a style sheet or a script; other files load nothing.
    """
    if path.suffix in {".html", ".svg"}:
        return _page(path).loaded
    patterns = {".css": _IN_STYLE, ".js": _IN_SCRIPT}
    if path.suffix not in patterns:
        return []
    return _addresses(patterns[path.suffix], path.read_text("utf-8"))


@cache
def _page(path: Path) -> Page:
    return Page(path.read_text("utf-8"))


def _is_elsewhere(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc or parts.scheme) and parts.scheme not in {"data", "mailto"}


def problems(site: Path) -> Iterator[str]:
    """Yield what is wrong with a built site, a line each.

    Parameters
    ----------
    site
        Folder of the site.
    """
    for path in sorted(site.rglob("*")):
        if not path.is_file():
            continue
        name = path.relative_to(site).as_posix()
        for address in loads(path):
            if _is_elsewhere(address):
                yield f"{name}: loads {address}"
            elif path.suffix == ".html" and not _leads_somewhere(address, path):
                yield f"{name}: loads {address}, which is not there"
        if path.suffix == ".html":
            for link in _page(path).links:
                if not _is_elsewhere(link) and not _leads_somewhere(link, path):
                    yield f"{name}: the link {link} leads nowhere"


def _leads_somewhere(link: str, page: Path) -> bool:
    parts = urlsplit(link)
    if parts.scheme:
        return True
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    target = target / "index.html" if target.is_dir() else target
    if not target.is_file():
        return False
    if not parts.fragment or target.suffix != ".html":
        return True
    return unquote(parts.fragment) in _page(target).anchors


def main(site: Path) -> int:
    """Print what is wrong with ``site``; return 1 if anything is, else 0."""
    found = list(problems(site))
    pages = len(list(site.rglob("*.html")))
    megabytes = sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) / 1e6
    print(*found, sep="\n", end="\n" if found else "")  # noqa: T201
    print(f"{pages} pages, {megabytes:.1f} MB, {len(found)} problems: {site}/index.html")  # noqa: T201
    return 1 if found or not pages else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
