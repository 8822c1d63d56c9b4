"""Compares a chapter with the code that it speaks of, and says in a line what does not agree."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from examples.course.equations import NoEquationError, equation
from examples.course.page import Chapter

__all__ = ["MOST_WORDS", "problems"]

MOST_WORDS = 900
_ROOT = Path(__file__).parents[2]
# Where a line or a name that a chapter quotes may come from.
_QUOTED = ("ffn/nn", "examples/course", "ffn/training", "ffn/bundles", "ffn/settings")
_QUOTED_PAGES = (
    "README.md",
    "Makefile",
    "docs/network.md",
    "docs/pipeline.md",
    "data/iris/pipeline.toml",
)
_CITED = ("ffn/nn/reference.py", "docs/network.md", "ffn/evaluation/inference/statistics.py")

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_TARGET = re.compile(r"\]\([^)\s]*\)")
_CITATION = re.compile(r"[A-Z]\w+(?:(?:,| and| et al\.) ?[A-Z]?\w*)* \d{4}\b")
_TO_CHAPTER = re.compile(r"\[(?:[Cc]hapter|decision) (\d+)\]\((?:\.\./decisions/)?(\d+)-[^)]*\)")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")
_WORDS = {
    "eleven": 11,
    "twelve": 12,
    "sixteen": 16,
    "twenty": 20,
    "thirty": 30,
    "fifty": 50,
    "sixty": 60,
    "a hundred": 100,
    "a thousand": 1000,
}


def problems(chapter: Chapter, printed: list[str]) -> list[str]:
    """Return a line for each thing on a page that is not so.

    Parameters
    ----------
    chapter
        The page.
    printed
        What its blocks of code print.
    """
    found = [
        *_form(chapter),
        *_outputs(chapter, printed),
        *_excerpts(chapter),
        *_equations(chapter),
        *_quotations(chapter),
        *_numbers(chapter),
    ]
    return [f"docs/learn/{chapter.name}: {line}" for line in found]


def _form(chapter: Chapter) -> Iterator[str]:
    """Look for what a chapter has: its number, few words, a picture, a prediction, exercises."""
    number = int(chapter.name[:2])
    if not chapter.text.startswith(f"# {number}. "):
        yield f"the heading is not that of chapter {number}"
    words = len(_without_equations(chapter).split())
    if words > MOST_WORDS:
        yield f"{words} words; a chapter has at most {MOST_WORDS}"
    for what, pattern in (("picture", r"^!\["), ("prediction", r"^\*\*Predict")):
        times = len(re.findall(pattern, chapter.text, re.MULTILINE))
        if times != 1:
            yield f"one {what} a chapter, found {times}"
    exercises = re.findall(
        r"^(\d)\. ", _hide(chapter).partition("\n## Exercises\n")[2], re.MULTILINE
    )
    if exercises != ["1", "2", "3"]:
        yield f"three exercises under a heading of that name, found {len(exercises)}"
    answers = _answers(chapter)
    if f"../../{answers}" not in chapter.text or not (_ROOT / answers).is_file():
        yield f"the answers, {answers}, are not linked or not there"
    else:
        numbered = re.findall(r"^def test_(\d)_\w+", (_ROOT / answers).read_text("utf-8"), re.M)
        if numbered != ["1", "2", "3"]:
            yield f"{answers} does not hold one test for each exercise"
    yield from (f"{line!r}: neither Python nor the output of a block" for line in chapter.stray)
    for said, target in _TO_CHAPTER.findall(chapter.text):
        if int(said) != int(target):
            yield f"number {said} is linked to the page of number {int(target)}"


def _outputs(chapter: Chapter, printed: list[str]) -> Iterator[str]:
    for number, (shown, really) in enumerate(zip(chapter.shown(), printed, strict=True), 1):
        if shown != really:
            pairs = zip(shown.splitlines(), really.splitlines(), strict=False)
            first = next(((a, b) for a, b in pairs if a != b), (shown[:60], really[:60]))
            yield f"block {number} prints {first[1]!r}; the page shows {first[0]!r}"


def _excerpts(chapter: Chapter) -> Iterator[str]:
    for block in chapter.blocks:
        if block.kind == "excerpt" and not _is_part(block.text, block.source):
            yield f"not the text of {block.source}: {block.text.splitlines()[0]!r} …"


def _is_part(excerpt: str, source: str) -> bool:
    """Say whether an excerpt is made of whole lines of a file, at any depth."""
    path = _ROOT / source
    if not path.is_file() or not excerpt.strip():
        return False
    lines = _read(path)
    return any(
        f"\n{textwrap.indent(excerpt, ' ' * depth)}" in f"\n{lines}" for depth in (0, 4, 8, 12)
    )


def _equations(chapter: Chapter) -> Iterator[str]:
    lines = {
        line.split("  #")[0].strip()
        for text in (_reference(), *chapter.code)
        for line in text.splitlines()
    }
    for one in chapter.equations:
        if one.line not in lines:
            yield f"no line of reference.py or of the page: `{one.line}`"
            continue
        try:
            tex = equation(one.line)
        except NoEquationError as error:
            yield str(error)
            continue
        if one.tex != tex:
            yield f"`{one.line}` is printed as ${tex}$; the page has ${one.tex}$"
    dollars = _without_blocks(chapter).count("$")
    if dollars != 2 * len(chapter.equations):
        yield "an equation outside a table of equations and their lines of code"


def _quotations(chapter: Chapter) -> Iterator[str]:
    """Inline code has to be somewhere: in the page's blocks, the network, or as a path."""
    own = "\n".join(block.text for block in chapter.blocks)
    for span in sorted(set(_SPAN.findall(_without_blocks(chapter)))):
        if not (span in own or span in _sources() or (_ROOT / span).exists()):
            yield f"found nowhere: `{span}`"
    for citation in _CITATION.findall(_prose(chapter)):
        if not any(citation in _read(_ROOT / path) for path in _CITED):
            yield f"cited in none of {', '.join(_CITED)}: {citation}"


def _numbers(chapter: Chapter) -> Iterator[str]:
    """Every number of the prose is in a block of its section, or was printed in one before it.

    What stands before the first heading may speak of the whole page; exercises, of their answers.
    A single digit is found in any block by chance, so it has to stand in code that is looked up.
    """
    for heading, start, end in _sections(chapter):
        known: set[str] = set()
        for block in chapter.blocks:
            here = start <= block.start < end or start == 0
            if here or (block.kind == "output" and block.start < end):
                known |= _figures(block.text)
        for one in chapter.equations:
            if start <= one.start < end:
                known |= _figures(one.line)
        if heading == "Exercises":
            known |= _figures(_read(_ROOT / _answers(chapter)).replace("_", ""))
        prose = _CITATION.sub(" ", _prose(chapter, start, end))
        said = [found[0].replace(",", "") for found in _NUMBER.finditer(prose)]
        said += [
            str(number)
            for word, number in _WORDS.items()
            if re.search(rf"\b{word}\b", prose, re.IGNORECASE)
        ]
        for number in said:
            if len(number) == 1:
                yield f"section {heading!r}: {number} has to be a word, or a part of inline code"
            elif number not in known:
                yield f"section {heading!r}: no block prints {number}"


def _figures(text: str) -> set[str]:
    found = {one[0].replace(",", "") for one in _NUMBER.finditer(text)}
    return found | {one.lstrip("-") for one in found}


def _sections(chapter: Chapter) -> Iterator[tuple[str, int, int]]:
    """Yield each heading, and where its section begins and ends."""
    hidden = _hide(chapter)
    starts = [0, *(found.start() for found in re.finditer(r"^## ", hidden, re.MULTILINE))]
    for start, end in zip(starts, [*starts[1:], len(hidden)], strict=True):
        yield hidden[start:end].partition("\n")[0].lstrip("# "), start, end


def _answers(chapter: Chapter) -> str:
    return f"tests/course/test_chapter_{chapter.name[:2]}.py"


def _hide(chapter: Chapter) -> str:
    """Return the page with spaces in place of its blocks, of the same length."""
    text = chapter.text
    for block in chapter.blocks:
        text = text[: block.start] + " " * (block.end - block.start) + text[block.end :]
    return text


def _without_blocks(chapter: Chapter) -> str:
    return _COMMENT.sub(" ", _hide(chapter).replace("```", "   "))


def _without_equations(chapter: Chapter) -> str:
    """Return what is read as text: neither blocks nor the tables of equations and code."""
    text = _hide(chapter)
    for one in chapter.equations:
        line = text.index("\n", one.end)
        text = text[: one.start] + " " * (line - one.start) + text[line:]
    return _COMMENT.sub(" ", re.sub(r"^```(?:python|text)? *", "", text, flags=re.MULTILINE))


def _prose(chapter: Chapter, start: int = 0, end: int | None = None) -> str:
    """Return what is neither block, equation, inline code, link target nor a list's number."""
    text = _hide(chapter)
    for one in chapter.equations:
        text = text[: one.start] + " " * (one.end - one.start) + text[one.end :]
    text = (
        text[start:end].replace("\N{MINUS SIGN}", "-").replace("```python", "").replace("```", "")
    )
    # A number does not become code by standing in backquotes.
    text = re.sub(r"`(-?[\d.]+)`", r" \1 ", text)
    for hidden in (_COMMENT, _SPAN, _TO_CHAPTER, _TARGET):
        text = hidden.sub(" ", text)
    return re.sub(r"^# \d+\. |^\d\. ", "", text, flags=re.MULTILINE)


def _reference() -> str:
    return _read(_ROOT / "ffn/nn/reference.py")


@cache
def _read(path: Path) -> str:
    return path.read_text("utf-8")


@cache
def _sources() -> str:
    """Return all text that a chapter may quote."""
    files = [path for folder in _QUOTED for path in sorted((_ROOT / folder).rglob("*.py"))]
    return "\n".join(_read(path) for path in (*files, *(_ROOT / page for page in _QUOTED_PAGES)))
