"""The course in ``docs/learn``: everything on its pages is so, and what is not would be noticed."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from examples.course.checking import MOST_WORDS, problems
from examples.course.equations import NoEquationError, equation
from examples.course.execution import Run, run_chapter, unstable_lines
from examples.course.page import CHAPTERS, Chapter, chapters, read_chapter
from examples.course.writing import with_equations, with_outputs, wrong_pictures

COURSE = chapters()
RUNS: dict[str, Run] = {}
each_chapter = pytest.mark.parametrize("chapter", COURSE, ids=lambda chapter: chapter.name[:2])


def run(chapter: Chapter) -> Run:
    """Run a chapter's blocks, once for all tests."""
    if chapter.name not in RUNS:
        RUNS[chapter.name] = run_chapter(chapter)
    return RUNS[chapter.name]


@each_chapter
def test_a_chapter_says_what_is_so(chapter: Chapter) -> None:
    assert problems(chapter, run(chapter).printed) == []


@each_chapter
def test_a_chapters_picture_is_what_its_blocks_compute(chapter: Chapter) -> None:
    assert wrong_pictures(chapter, run(chapter).names) == []


@pytest.mark.parametrize(
    ("number", "name", "changed"),
    [
        (3, "sizes", lambda sizes: {c: [1.2 * size for size in sizes[c]] for c in sizes}),
        (4, "slope", lambda slope: slope * [1, 1.1, 1]),
        (9, "speed", lambda speed: {**speed, "microseconds": 1.05 * speed["microseconds"]}),
        (10, "choosing", lambda found: {**found, "true": [found["true"][0] - 2, 0.4]}),
    ],
)
def test_a_picture_of_other_data_is_noticed(
    number: int, name: str, changed: Callable[[Any], Any]
) -> None:
    chapter = COURSE[number - 1]
    names = run(chapter).names
    (line,) = wrong_pictures(chapter, {**names, name: changed(names[name])})
    assert line.endswith("write it again")


@each_chapter
def test_writing_a_chapter_again_changes_nothing(chapter: Chapter) -> None:
    assert with_equations(with_outputs(chapter, run(chapter).printed)) == chapter.text


def test_the_contents_list_every_chapter() -> None:
    page = (CHAPTERS / "README.md").read_text("utf-8")
    listed = re.findall(r"^\| \[(\d+)\. (.+?)\]\(((\d\d)-.+?)\) \|", page, re.MULTILINE)
    assert [name for _, _, name, _ in listed] == [chapter.name for chapter in COURSE]
    for chapter, (number, title, _, _) in zip(COURSE, listed, strict=True):
        assert chapter.text.startswith(f"# {number}. {title}")
    assert len(COURSE) == 10


def mistakes(chapter: Chapter, chance: random.Random) -> list[tuple[str, str]]:
    """Return copies of a page with one mistake each, by kind: every place that a typo may hit."""
    text, found = chapter.text, []
    places: list[tuple[str, int, int]] = []
    code = [(b.start, b.end) for b in chapter.blocks if b.kind == "code"]
    for block in chapter.blocks:
        if block.kind == "output":
            places += [("output", block.start, block.end - 3)]
        elif block.kind == "excerpt":
            places += [("excerpt", block.start, block.end - 3)]
    places += [("equation", one.start, one.end) for one in chapter.equations]
    inside = sorted([(start, end) for _, start, end in places] + code)
    at = 0
    for start, end in [*inside, (len(text), len(text))]:
        places += [("prose", at, start)]
        at = end
    for kind, start, end in places:
        part = text[start:end]
        if kind in {"output", "prose"}:
            spots = [m.span() for m in re.finditer(r"\d+(?:\.\d+)?", part)]
        else:
            spots = [
                m.span() for m in re.finditer(r"\\?[A-Za-z_]\w*|[-+*/@<>]|\d+(?:\.\d+)?", part)
            ]
        for a, b in chance.sample(spots, min(len(spots), 6)):
            # Addresses of links and of pictures are checked with all other pages' links.
            before = part[:a].rpartition("\n")[2]
            if kind == "prose" and re.search(r"(\]\([^)]*|<!--.*|^)$", before):
                continue
            wrong = part[:a] + mistaken(part[a:b], chance) + part[b:]
            found.append((kind, text[:start] + wrong + text[end:]))
    return found


def mistaken(token: str, chance: random.Random) -> str:
    """Return a number, a name or an operator with a mistake in it."""
    if token[0].isdigit():
        place = chance.choice([i for i, c in enumerate(token) if c.isdigit()])
        digit = chance.choice([c for c in "0123456789" if c != token[place]])
        return token[:place] + digit + token[place + 1 :]
    if token in "+-*/@<>":
        return chance.choice([sign for sign in "+-*/@<>" if sign != token])
    return token[:-1] + chance.choice([c for c in "abcdefgh" if c != token[-1]])


def test_a_mistake_in_a_number_an_equation_or_an_excerpt_is_noticed() -> None:
    chance, made, noticed = random.Random(0), Counter[str](), Counter[str]()
    for chapter in COURSE:
        for kind, text in mistakes(chapter, chance):
            wrong = read_chapter(chapter.name, text)
            assert wrong.code == chapter.code
            made[kind] += 1
            noticed[kind] += bool(problems(wrong, run(chapter).printed))
    assert min(made.values()) > 20
    for kind, count in made.items():
        assert noticed[kind] >= 0.95 * count, f"{kind}: {noticed[kind]} of {count}"


GOOD = """# 1. A page

Its answers: [tests](../../tests/course/test_chapter_01.py). **B**

**Predict** it.

```python
print(0.5 + 0.25)
```

```text
0.75
```

That is 0.75.

<!-- excerpt: ffn/nn/reference.py -->
```python
*inputs, scores = activations
targets = np.eye(scores.shape[1])[labels]
```

| equation | line of code |
|---|---|
| $p \\leftarrow p - \\eta g$ | `return p - lr * g` |

![A picture](images/01-learning.png)

## Exercises

1. One.
2. Two.
3. Three.
"""


def found_in(text: str) -> list[str]:
    chapter = read_chapter("01-learning.md", text)
    return problems(chapter, run_chapter(chapter).printed)


def test_a_good_page_is_not_complained_of() -> None:
    assert found_in(GOOD) == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("# 1. A", "# 2. A", "the heading is not that of chapter 1"),
        ("0.75\n```", "0.76\n```", "block 1 prints '0.75'; the page shows '0.76'"),
        ("\n\n```text\n0.75\n```", "", "block 1 prints '0.75"),
        ("That is 0.75", "That is 0.57", "no block prints 0.57"),
        ("That is 0.75", "That is sixteen", "no block prints 16"),
        ("*inputs, scores", "*inputs, score", "not the text of ffn/nn/reference.py"),
        ("excerpt: ffn/nn/reference.py", "excerpt: ffn/nn/missing.py", "not the text of"),
        (r"p - \eta", r"p + \eta", "is printed as"),
        ("`return p - lr * g`", "`return p - lr * h`", "no line of reference.py or of the page"),
        ("One.", "One $x$.", "an equation outside a table"),
        ("One.", "One `reference.forwards`.", "found nowhere: `reference.forwards`"),
        ("One.", "Nobody and Noone 2015.", "cited in none of"),
        ("One.", "See [chapter 3](02-forward.md).", "linked to the page of number 2"),
        ("```text", "```json", "neither Python nor the output"),
        ("![A", "[A", "one picture a chapter, found 0"),
        ("**Predict** it.", "", "one prediction a chapter, found 0"),
        ("3. Three.\n", "", "three exercises under a heading of that name, found 2"),
        ("test_chapter_01", "test_chapter_02", "are not linked or not there"),
        ("One.", "One." + " word" * MOST_WORDS, "a chapter has at most 900"),
    ],
)
def test_what_is_wrong_is_named(right: str, wrong: str, said: str) -> None:
    assert GOOD.count(right) >= 1
    found = found_in(GOOD.replace(right, wrong, 1))
    assert any(said in line for line in found), found


def test_digits_that_depend_on_rounding_are_named() -> None:
    code = "from ffn.nn import reference\nimport numpy as np\nw = np.linspace(-1, 1, 12)\n"
    code += "s = reference.forward([w.reshape(4, 3), np.ones(3)], np.ones((2, 4)))[-1].std()\n"
    for printing, unstable in (("print(s)", 1), ("print(s.round(6))", 0)):
        text = GOOD.replace("print(0.5 + 0.25)", code + printing)
        chapter = read_chapter("01-learning.md", text)
        assert len(unstable_lines(chapter, run_chapter(chapter).printed)) == unstable


@pytest.mark.parametrize(
    ("line", "tex"),
    [
        ("a = b - (c - d)", r"a = b - \left(c - d\right)"),
        ("a = b - c - d", "a = b - c - d"),
        ("a = -(b + c) / d", r"a = \frac{-\left(b + c\right)}{d}"),
        ("v: Array = 0.9 * memory.get('v', 0) + g", r"v \leftarrow 0.9 v + g"),
        ("a = (b + c) ** 2", r"a = \left(b + c\right)^{2}"),
        ("epsilon = 1e-8", r"\varepsilon = 10^{-8}"),
        ("h = 2.5e-05", r"h = 2.5 \cdot 10^{-5}"),
        ("a = b @ w.T", r"a = b w^{\top}"),
        (
            "delta = (delta @ w.T) * (a > 0)",
            r"\delta \leftarrow \left(\delta w^{\top}\right) \odot [a > 0]",
        ),
    ],
)
def test_a_line_of_code_is_printed_as_mathematics_writes_it(line: str, tex: str) -> None:
    assert equation(line) == tex


@pytest.mark.parametrize("line", ["for x in y:", "a = [1]", "print(x)", "a = b if c else d", "a ="])
def test_what_is_no_equation_is_refused(line: str) -> None:
    with pytest.raises(NoEquationError, match=r"no equation|not one line"):
        equation(line)
