"""A chapter, taken apart: blocks that are run, what they print, excerpts, equations, prose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CHAPTERS", "Block", "Chapter", "Equation", "chapters", "read_chapter"]

CHAPTERS = Path(__file__).parents[2] / "docs" / "learn"

_FENCE = re.compile(
    r"(?:<!-- excerpt: (?P<source>\S+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
# A table's row with an equation and the line of code that it is printed from.
_EQUATION = re.compile(r"^\| \$(?P<tex>[^$\n]*)\$ \| `(?P<line>[^`\n]*)` \|$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block.

    Attributes
    ----------
    kind
        ``code`` (it is run), ``output`` (what the code before it prints) or ``excerpt``.
    text
        What stands between the fences.
    source
        Of an excerpt, the file it is from, as a path from the root of the repository.
    start, end
        Where the block stands in the page; with ``start`` at the first character inside.
    """

    kind: str
    text: str
    source: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Equation:
    """An equation, the line of code beside it, and where the equation stands in the page."""

    tex: str
    line: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A page and its parts, in their order.

    Attributes
    ----------
    name
        File name, which starts with the chapter's number.
    text
        All of it.
    blocks, equations
        Its parts.
    stray
        What should be a part and is not: fences of another language, output without code.
    """

    name: str
    text: str
    blocks: tuple[Block, ...]
    equations: tuple[Equation, ...]
    stray: tuple[str, ...]

    @property
    def code(self) -> tuple[str, ...]:
        """The blocks that are run."""
        return tuple(block.text for block in self.blocks if block.kind == "code")

    def shown(self) -> list[str]:
        """Return what the page shows as printed by each block of code; "" where it shows none."""
        outputs: list[str] = []
        for block in self.blocks:
            if block.kind == "code":
                outputs.append("")
            elif block.kind == "output" and outputs:
                outputs[-1] = block.text
        return outputs


def read_chapter(name: str, text: str) -> Chapter:
    """Take a page apart.

    Parameters
    ----------
    name
        Its file name.
    text
        Its Markdown.
    """
    blocks: list[Block] = []
    stray: list[str] = []
    for found in _FENCE.finditer(text):
        kind = {"python": "code", "text": "output"}.get(found["language"], "")
        if found["source"]:
            kind = "excerpt" if kind == "code" else ""
        if kind == "output":
            between = text[blocks[-1].end : found.start()] if blocks else ""
            if not blocks or blocks[-1].kind != "code" or between.strip():
                kind = ""
        if not kind:
            stray.append(found[0].partition("\n")[0] + " …")
            continue
        blocks.append(
            Block(
                kind=kind,
                text=found["text"],
                source=found["source"] or "",
                start=found.start("text"),
                end=found.end(),
            )
        )
    equations = tuple(
        Equation(tex=row["tex"], line=row["line"], start=row.start("tex"), end=row.end("tex"))
        for row in _EQUATION.finditer(text)
    )
    return Chapter(
        name=name, text=text, blocks=tuple(blocks), equations=equations, stray=tuple(stray)
    )


def chapters() -> list[Chapter]:
    """Return the chapters of the course, in their order."""
    paths = sorted(CHAPTERS.glob("[0-9][0-9]-*.md"))
    return [read_chapter(path.name, path.read_text("utf-8")) for path in paths]
