"""All results of a run, by table, side and seed, and their means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.jobs import Job
from benchmarks.accuracy.results import Result, Results
from benchmarks.accuracy.tables.splitting import Split

__all__ = ["Board", "What", "board_of"]

What = Literal["log_loss", "accuracy", "auc"]


@dataclass(frozen=True, kw_only=True)
class Board:
    """What there is, and what was asked for.

    Attributes
    ----------
    tables
        Names, each with its first split.
    sides
        Names, in the order of the page.
    seeds
        As asked for.
    found
        By table, side and seed; without those that were not measured.
    earlier
        Which of them are of an earlier version or of earlier code.
    """

    tables: dict[str, Split]
    sides: tuple[str, ...]
    seeds: tuple[int, ...]
    found: dict[tuple[str, str, int], Result]
    earlier: frozenset[tuple[str, str, int]] = frozenset()

    def common_seeds(self, table: str, sides: Iterable[str]) -> list[int]:
        """Return the seeds with which all these sides have figures of the table."""
        own = list(sides)
        return [s for s in self.seeds if all(self._has(table, side, s) for side in own)]

    def finished(self, sides: Sequence[str]) -> list[str]:
        """Return the tables of which all these sides have figures, with one seed at least."""
        return [table for table in self.tables if self.common_seeds(table, sides)]

    def whole(self) -> tuple[str, ...]:
        """Return the sides that have figures of every table."""
        return tuple(side for side in self.sides if len(self.finished([side])) == len(self.tables))

    def present(self) -> tuple[str, ...]:
        """Return the sides that have figures of a table at least."""
        return tuple(side for side in self.sides if self.finished([side]))

    def means(self, tables: Sequence[str], sides: Sequence[str], what: What) -> npt.NDArray[Any]:
        """Return means over the common seeds [tables, sides]; all must be `finished`."""
        return np.array(
            [
                np.mean(
                    [
                        [getattr(self.found[table, side, seed].figures, what) for side in sides]
                        for seed in self.common_seeds(table, sides)
                    ],
                    axis=0,
                )
                for table in tables
            ]
        )

    def seconds(self, tables: Sequence[str], sides: Sequence[str]) -> npt.NDArray[Any]:
        """Return CPU seconds [sides]: of each table the mean over common seeds, then the sum."""
        total = np.zeros(len(sides))
        for table in tables:
            seeds = self.common_seeds(table, sides)
            each = [[self.found[table, side, seed].cpu for side in sides] for seed in seeds]
            total += np.mean(each, axis=0)
        return total

    def lacking(self) -> list[tuple[str, str, int]]:
        """Return table, side and seed of what was asked for and has no figures."""
        return [
            (table, side, seed)
            for side in self.sides
            for table in self.tables
            for seed in self.seeds
            if not self._has(table, side, seed)
        ]

    def _has(self, table: str, side: str, seed: int) -> bool:
        result = self.found.get((table, side, seed))
        return result is not None and result.figures is not None


def board_of(jobs: Sequence[Job], results: Results) -> Board:
    """Return what there is of these jobs, their sides in the order of their first job.

    Of a side whose code has changed since, its last results count, and are known as earlier ones.
    """
    found = {}
    earlier = set()
    tables: dict[str, Split] = {}
    for job in sorted(jobs, key=lambda job: (job.key.table, job.key.seed)):
        tables.setdefault(job.key.table, job.split)
        if (result := results.latest(job.key)) is not None:
            place = job.key.table, job.key.side, job.key.seed
            found[place] = result
            if result.key != job.key:
                earlier.add(place)
    return Board(
        tables=tables,
        sides=tuple(dict.fromkeys(job.key.side for job in jobs)),
        seeds=tuple(sorted({job.key.seed for job in jobs})),
        found=found,
        earlier=frozenset(earlier),
    )
