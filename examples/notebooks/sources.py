"""What notebooks are made of: chapters in Markdown, and examples in py:percent format."""

from __future__ import annotations

import re
from pathlib import Path

from examples.course.page import CHAPTERS, Chapter, chapters
from examples.notebooks.cells import Cell

__all__ = ["EXAMPLES", "all_notebooks", "chapter_cells", "percent_cells"]

EXAMPLES = Path(__file__).parents[1]

_HEAD = re.compile(r"^# %%(?P<markdown> \[markdown\])?$", re.MULTILINE)
_CHAPTER_LINK = re.compile(r"(?<=\]\()(\d\d-[a-z-]+)\.md")


def chapter_cells(chapter: Chapter) -> list[Cell]:
    """Return a chapter as cells: its blocks of code, and the prose between them.

    What a block prints is left out, since running the cell prints it. Excerpts stay in the prose.

    Parameters
    ----------
    chapter
        The chapter.
    """
    cells, prose, at = [], "", 0
    for block in chapter.blocks:
        before = chapter.text[at : block.start]
        if block.kind == "excerpt":
            prose += before + block.text + "```"
        else:
            # Without the fence that opens the block.
            prose += before[: before.rindex("```")]
        if block.kind == "code":
            cells += [_prose(prose), Cell("code", block.text.rstrip("\n"))]
            prose = ""
        at = block.end
    cells.append(_prose(prose + chapter.text[at:]))
    return [cell for cell in cells if cell.source]


def _prose(text: str) -> Cell:
    # The next chapter is a notebook beside this one.
    return Cell("markdown", _CHAPTER_LINK.sub(r"\1.ipynb", text.strip()), CHAPTERS)


def percent_cells(text: str) -> list[Cell]:
    """Return the cells of a script in py:percent format, as Jupytext and editors read it.

    ``# %% [markdown]`` begins a cell of comments, ``# %%`` one of code.

    Parameters
    ----------
    text
        The script. What stands before the first cell is not part of the notebook.

    Raises
    ------
    ValueError
        A line of a Markdown cell is not a comment.
    """
    heads = list(_HEAD.finditer(text))
    cells = []
    for head, end in zip(heads, [*(one.start() for one in heads[1:]), len(text)], strict=True):
        source = text[head.end() : end].strip("\n")
        if head["markdown"]:
            lines = source.splitlines()
            if wrong := [line for line in lines if line != "#" and not line.startswith("# ")]:
                raise ValueError(f"not a comment in a Markdown cell: {wrong[0]!r}")
            cells.append(Cell("markdown", "\n".join(line[2:] for line in lines), EXAMPLES))
        else:
            cells.append(Cell("code", source.rstrip()))
    return cells


def all_notebooks() -> dict[str, list[Cell]]:
    """Return the cells of every notebook, by the name of its file without the suffix."""
    found = {Path(one.name).stem: chapter_cells(one) for one in chapters()}
    for path in sorted(EXAMPLES.glob("*.py")):
        if path.name != "__init__.py":
            found[path.stem] = percent_cells(path.read_text("utf-8"))
    return found
