"""Runs the training benchmark: every shape, the cold programs, whole retrainings."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.machine import describe_machine
from benchmarks.rounds import Measured, measure
from benchmarks.section import Section
from benchmarks.training.agreement import check_agreement
from benchmarks.training.commands import Commands, time_retraining
from benchmarks.training.contestant import Contestant, Ours, Outcome
from benchmarks.training.field import Entry, entries, missing_peers
from benchmarks.training.parts import parts_of
from benchmarks.training.programs import time_programs
from benchmarks.training.shapes import SHAPES
from benchmarks.training.tables import commands_table, full_table, parts_table, targets_table
from benchmarks.training.work import Work, create_work

__all__ = ["FULL", "QUICK", "Extent", "missing", "run"]

_IN_PARTS = ("iris", "iris-64", "digits", "100k-256")
_PACKAGES = ("numpy", "scikit-learn", "scipy", "torch", "jax", "jaxlib", "prefect")


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much is measured.

    Attributes
    ----------
    rounds
        Of each shape.
    least_seconds
        A measurement repeats what is shorter.
    program_rounds, program_epochs
        Of the cold programs.
    retrainings, own_servers
        Pairs of retrainings, and those with a server of their own; without pairs none at all.
    epochs, most_rows
        Fewer than a shape has.
    """

    rounds: int
    least_seconds: float
    program_rounds: int
    program_epochs: int
    retrainings: int
    own_servers: int
    epochs: int | None = None
    most_rows: int | None = None


FULL = Extent(
    rounds=15,
    least_seconds=0.3,
    program_rounds=5,
    program_epochs=150,
    retrainings=7,
    own_servers=3,
)
QUICK = Extent(
    rounds=1,
    least_seconds=0.0,
    program_rounds=1,
    program_epochs=2,
    retrainings=0,
    own_servers=0,
    epochs=2,
    most_rows=1_500,
)


def missing() -> list[str]:
    """Return the packages that a whole run needs and that are not installed."""
    return missing_peers()


def run(root: Path, extent: Extent, shapes: Sequence[str] = tuple(SHAPES)) -> Section:
    """Measure, check, and return tables and picture; without pairs of retrainings no picture.

    Raises
    ------
    DisagreementError
        Somebody did not learn what we did.
    ThreadsError
        Somebody used more than one processor.
    """
    measured: dict[str, Measured] = {}
    works: dict[str, Work] = {}
    parts: dict[str, dict[str, float]] = {}
    commands = None
    if extent.retrainings:
        _say("whole retrainings")
        commands = time_retraining(root, pairs=extent.retrainings, own_server=extent.own_servers)
    for key in shapes:
        shape = SHAPES[key]
        shape = replace(shape, epochs=extent.epochs or shape.epochs)
        works[key] = create_work(shape, most_rows=extent.most_rows)
        _say(shape.name)
        measured[key] = measure_work(works[key], extent)
        if key in _IN_PARTS:
            parts[key] = parts_of(
                works[key], rounds=extent.rounds, least_seconds=extent.least_seconds / 5
            )
    _say("cold processes")
    measured["cold"] = time_programs(
        root,
        works["iris"],
        rounds=extent.program_rounds,
        epochs=extent.program_epochs,
        least_accuracy=0.8 if extent.program_epochs >= 150 else 0.0,
    )
    return _section(measured, works, parts, commands)


def measure_work(work: Work, extent: Extent) -> Measured:
    """Measure everybody who learns what we learn."""
    ours = Ours(work)
    reference = ours.run()
    field: dict[str, tuple[Contestant, Entry]] = {ours.name: (ours, Entry(make=Ours))}
    for entry in entries(work):
        contestant = entry.make(work)
        field[contestant.name] = contestant, entry

    def check(name: str, outcome: Outcome | None) -> None:
        entry = field[name][1]
        if outcome is not None:
            check_agreement(
                f"{work.shape.name}: {name}",
                reference,
                outcome,
                loss=entry.loss,
                accuracy=entry.accuracy + 1 / len(work.validation_part[0]),
            )

    return measure(
        work.shape.name,
        {name: contestant.run for name, (contestant, _) in field.items()},
        check=check,
        rounds=extent.rounds,
        least_seconds=extent.least_seconds,
        may_use_threads=[name for name, (_, entry) in field.items() if entry.compiles],
    )


def _section(
    measured: dict[str, Measured],
    works: dict[str, Work],
    parts: dict[str, dict[str, float]],
    commands: Commands | None,
) -> Section:
    texts = [
        f"Measured on: {describe_machine(_PACKAGES)}.",
        targets_table(measured, commands),
        parts_table(parts, works),
        full_table(measured, works),
    ]
    pictures = {}
    if commands is not None:
        from benchmarks.training.picture import picture

        texts.insert(2, "![CPU time a step, each side of each work](training.png)")
        texts.append(commands_table(commands))
        pictures["training.png"] = picture(measured, works)
    return Section(text="\n\n".join(texts), pictures=pictures)


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")
