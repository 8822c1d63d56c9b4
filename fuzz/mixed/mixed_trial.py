"""One table of columns of every kind, scored in every way, and judged."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from fuzz.files import Case, Layout, file_of
from fuzz.mixed.answers import Task, make_task
from fuzz.mixed.checksum_scorer import ChecksumScorer
from fuzz.mixed.columns import cell_of
from fuzz.mixed.typed_ways import try_tables
from fuzz.trial import try_file

__all__ = ["MIXED", "MixedCase", "make_mixed_case", "mixed_and_tried", "try_mixed_case"]

# Of the cases, so many have such a table beside them; and of these, so many go by way of the disk
# and through tables in memory.
MIXED, TABLES = 0.3, 0.1
_PASSED = ("007", "", "a,b", "two\nlines", "\u00e9", "=1+1", 'say "hi"')


@dataclass(frozen=True)
class MixedCase:
    """A file, the model that scores it, and what chooses the ways in which its rows come."""

    file: Case
    task: Task
    ways: int | None = None


def mixed_and_tried(seed: int, number: int) -> str:
    """Return what is wrong with the table that belongs to a case; of most there is none."""
    chance = random.Random(f"{seed}:{number}:mixed")  # noqa: S311
    if chance.random() >= MIXED:
        return ""
    case = make_mixed_case(chance)
    wrong = try_mixed_case(case)
    return f"{wrong} of {case}" if wrong else ""


def make_mixed_case(chance: random.Random) -> MixedCase:
    """Return a table of a model's columns, in a file that is damaged or not."""
    encoded = chance.random() < 0.05
    task = make_task(chance, ascii_only=encoded)
    delimiter = chance.choice(",,,;\t|:")
    decimal = chance.choice("..." if delimiter == "," else ".,")
    layout = Layout(delimiter, decimal, chance.choice(("\n", "\n", "\r\n", "\r")))
    own = {column.name: column for column in task.columns}
    names = [*own, *chance.choice(([], ["id"], ["id", "id"]))]
    chance.shuffle(names)

    def cell(name: str) -> str:
        if name == "id":
            return chance.choice(_PASSED)
        return cell_of(chance, own[name], decimal)

    file = file_of(chance, layout, names, cell)
    if file.encoding and not encoded:
        # Names of columns may have no character there.
        file = replace(file, encoding=None, content=b"")
        while not file.content or file.encoding:
            file = file_of(chance, layout, names, cell)
    return MixedCase(file, task, chance.randrange(10**9) if chance.random() < TABLES else None)


def try_mixed_case(case: MixedCase) -> str:
    """Return what is wrong with how a table is scored; nothing if all is well."""
    task, model = case.task, ChecksumScorer(case.task)
    options = {"on_unknown": task.on_unknown, "probabilities": task.probabilities}
    options |= {"explain": task.explain, "drift": "off"}
    wrong, expected = try_file(case.file, model, task, **options)
    if wrong or expected is None or case.ways is None:
        return wrong
    chance = random.Random(case.ways)  # noqa: S311
    return try_tables(chance, task, model, expected.readable, case.file.decimal)
