"""Writes into the chapters what their code prints, and draws their pictures."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from examples.course.equations import NoEquationError, equation
from examples.course.execution import run_chapter
from examples.course.page import CHAPTERS, Chapter, chapters
from examples.course.pictures import PICTURES
from ffn.reports.pictures.canvas import default_style, to_png
from ffn.storage.atomic import write_bytes

__all__ = ["draw", "with_equations", "with_outputs", "write_course", "wrong_pictures"]

# The last bit of a number may change the edge of a line by a few of 256 levels; a line that moved
# changes hundreds of pixels by many.
_LEVELS, _SHARE = 40, 0.0003


def write_course() -> None:
    """Write outputs, equations and pictures of every chapter."""
    for chapter in chapters():
        run = run_chapter(chapter)
        text = with_outputs(chapter, run.printed)
        write_bytes(CHAPTERS / chapter.name, with_equations(text).encode())
        if chapter.name in PICTURES:
            write_bytes(picture_of(chapter), draw(chapter, run.names))


def with_outputs(chapter: Chapter, printed: list[str]) -> str:
    """Return the page with what its blocks print below each.

    Parameters
    ----------
    chapter
        The page.
    printed
        What each block of code prints.
    """
    text = chapter.text
    pairs = list(zip(printed, (b for b in chapter.blocks if b.kind == "code"), strict=True))
    for said, block in reversed(pairs):
        following = [b for b in chapter.blocks if b.start > block.start]
        end = block.end
        if following and following[0].kind == "output":
            end = following[0].end
        output = f"\n\n```text\n{said}```" if said else ""
        text = text[: block.end] + output + text[end:]
    return text


def with_equations(text: str) -> str:
    """Return the page with each equation as printed from the line beside it.

    Parameters
    ----------
    text
        A row that has no equation yet is ``| $$ | `line` |``.
    """
    lines = []
    for line in text.split("\n"):
        if line.startswith("| $") and line.endswith("` |"):
            code = line.rpartition("| `")[2].removesuffix("` |")
            with contextlib.suppress(NoEquationError):
                line = f"| ${equation(code)}$ | `{code}` |"
        lines.append(line)
    return "\n".join(lines)


def picture_of(chapter: Chapter) -> Path:
    """Return where the picture of a chapter is.

    Parameters
    ----------
    chapter
        Any of them.
    """
    return CHAPTERS / "images" / chapter.name.replace(".md", ".png")


def draw(chapter: Chapter, names: dict[str, Any]) -> bytes:
    """Return a chapter's picture, drawn from what its blocks computed, as PNG.

    Parameters
    ----------
    chapter
        Whose picture to draw.
    names
        What its blocks defined.
    """
    with default_style():
        return to_png(PICTURES[chapter.name](names))


def wrong_pictures(chapter: Chapter, names: dict[str, Any]) -> list[str]:
    """Return a line if a chapter's picture is not what its blocks' data looks like.

    Parameters
    ----------
    chapter
        Whose picture to compare.
    names
        What its blocks defined.
    """
    from PIL import Image

    path = picture_of(chapter)
    name = path.relative_to(CHAPTERS.parents[1])
    if chapter.name not in PICTURES or not path.is_file():
        return [f"{name}: not drawn"]
    there, here = (
        np.asarray(Image.open(file).convert("RGB"), float)
        for file in (path, io.BytesIO(draw(chapter, names)))
    )
    if there.shape != here.shape or (np.abs(there - here).max(axis=2) > _LEVELS).mean() > _SHARE:
        return [f"{name}: not what the blocks of {chapter.name} compute; write it again"]
    return []
