"""How often a report names a slice though all are served alike, and how often it finds one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import wilson
from ffn.slices.row_slices import RowSlice
from ffn.slices.slice_search import SliceSearch, search_slices

__all__ = [
    "FULL_SLICES",
    "PLANTED",
    "QUICK_SLICES",
    "SERVED_ALIKE",
    "Counted",
    "SlicedTable",
    "SlicesSize",
    "count_tables",
    "draw_table",
    "slices_section",
]

Array = npt.NDArray[Any]

_SEED = 2027
# Numbers in quarters, and categories of which some are rare.
_COLUMNS = (4, 4, 4, 4, 4, 4, 2, 3, 6, 12)


@dataclass(frozen=True, kw_only=True)
class SlicesSize:
    """How much is simulated: ``tables`` of each kind."""

    tables: int


FULL_SLICES = SlicesSize(tables=200)
QUICK_SLICES = SlicesSize(tables=5)


@dataclass(frozen=True, kw_only=True)
class SlicedTable:
    """A kind of held-out rows.

    Attributes
    ----------
    rows
        Number of rows.
    errors
        Share of rows that are wrong. Confidences follow a beta distribution with this mean
        distance from 1, and are calibrated.
    a_group
        Rows of a group, which share the cells of all columns, and whose difficulty varies between
        groups; 1 for independent rows.
    weighted
        Whether rows have weights, from a lognormal distribution.
    planted
        Share of errors in the slice that is served worse, the fourth category of the last column
        but one; None if all are served alike.
    """

    rows: int
    errors: float
    a_group: int = 1
    weighted: bool = False
    planted: float | None = None


SERVED_ALIKE = {
    "200 rows, 20 % wrong": SlicedTable(rows=200, errors=0.2),
    "1,000 rows, 20 % wrong": SlicedTable(rows=1_000, errors=0.2),
    "1,000 rows, 2 % wrong": SlicedTable(rows=1_000, errors=0.02),
    "5,000 rows, 2 % wrong": SlicedTable(rows=5_000, errors=0.02),
    "1,000 rows in 100 groups, 20 % wrong": SlicedTable(rows=1_000, errors=0.2, a_group=10),
    "5,000 rows in 250 groups, 5 % wrong": SlicedTable(rows=5_000, errors=0.05, a_group=20),
    "1,000 rows of unequal weight, 20 % wrong": SlicedTable(
        rows=1_000, errors=0.2, weighted=True
    ),
    "1,000 rows of unequal weight, 2 % wrong": SlicedTable(
        rows=1_000, errors=0.02, weighted=True
    ),
}  # fmt: skip

PLANTED = {
    "1,000 rows, 10 % wrong, in the slice 20 %": SlicedTable(
        rows=1_000, errors=0.1, planted=0.2
    ),
    "1,000 rows, 10 % wrong, in the slice 30 %": SlicedTable(
        rows=1_000, errors=0.1, planted=0.3
    ),
    "5,000 rows, 10 % wrong, in the slice 20 %": SlicedTable(
        rows=5_000, errors=0.1, planted=0.2
    ),
    "5,000 rows in 250 groups, 10 % wrong, in the slice 30 %": SlicedTable(
        rows=5_000, errors=0.1, a_group=20, planted=0.3
    ),
}  # fmt: skip
_PLANTED_COLUMN, _PLANTED_VALUE = len(_COLUMNS) - 2, 3


def draw_table(kind: SlicedTable, generator: np.random.Generator) -> SliceSearch:
    """Draw a table, and search its slices.

    Parameters
    ----------
    kind
        What is drawn.
    generator
        Draws the rows.
    """
    cells, wrong, losses, worst = _draw_rows(kind, kind.rows, generator)
    rows = np.arange(kind.rows)
    slices = [
        RowSlice(f"column {c}", str(value), rows[cells[:, c] == value])
        for c, values in enumerate(_COLUMNS)
        for value in range(values)
    ]
    return search_slices(
        slices,
        wrong.astype(int),
        np.zeros(kind.rows, dtype=int),
        losses,
        worst,
        ("right", "wrong"),
        groups=rows // kind.a_group if kind.a_group > 1 else None,
        weights=generator.lognormal(0, 0.7, kind.rows) if kind.weighted else None,
    )


def _draw_rows(
    kind: SlicedTable, rows: int, generator: np.random.Generator
) -> tuple[Array, Array, Array, Array]:
    """Return cells [n, columns], mistakes, losses and the losses of the least probable label."""
    count = rows // kind.a_group
    cells = np.stack([_column(values, count, generator) for values in _COLUMNS], axis=1)
    bad = (cells[:, _PLANTED_COLUMN] == _PLANTED_VALUE) & (kind.planted is not None)
    mean = np.where(bad, kind.planted or 0.0, kind.errors)
    # Between groups the chance of an error varies with a deviation of half its mean.
    if kind.a_group > 1:
        mean = mean * generator.gamma(4.0, 0.25, count)
    chance = np.clip(np.repeat(mean, kind.a_group), 0, 0.45)
    # Skewed, as confidences are: most rows are all but certain.
    doubt = np.clip(generator.beta(0.5, 0.5 / np.maximum(chance, 1e-3) - 0.5), 1e-4, 0.9999)
    wrong = generator.random(len(doubt)) < doubt
    losses = -np.log(np.where(wrong, doubt, 1 - doubt))
    return (
        np.repeat(cells, kind.a_group, axis=0),
        wrong,
        losses,
        -np.log(np.minimum(doubt, 1 - doubt)),
    )


def _column(values: int, count: int, generator: np.random.Generator) -> Array:
    """Return a column of quarters, or of categories each rarer than the one before."""
    if values == 4:
        return generator.integers(0, values, count)
    shares = 0.7 ** np.arange(values)
    return generator.choice(values, count, p=shares / shares.sum())


class Counted(NamedTuple):
    """Numbers of simulated tables.

    Attributes
    ----------
    named, planted
        Tables in which a slice is named, and in which the planted one is.
    accuracies_hold, losses_hold
        Tables of which all intervals hold the true figure, if all slices are served alike.
    """

    named: int
    planted: int
    accuracies_hold: int
    losses_hold: int


def count_tables(
    kind: SlicedTable, tables: int, seed: int, *, population: int = 400_000
) -> Counted:
    """Draw tables, and count what the search says of them.

    Parameters
    ----------
    kind
        What is drawn.
    tables
        Number of tables.
    seed
        Seed of all draws.
    population
        Rows from which the true figures are computed. Default: enough for the third digit.
    """
    generator = np.random.default_rng(seed)
    _, wrong, losses, _ = _draw_rows(kind, population, generator)
    accuracy, log_loss = 1 - float(wrong.mean()), float(losses.mean())
    found = np.zeros(4, dtype=int)
    for _ in range(tables):
        search = draw_table(kind, generator)
        bad = f"column {_PLANTED_COLUMN}", str(_PLANTED_VALUE)
        found += (
            bool(search.worse),
            any((one.column, one.value) == bad for one in search.worse),
            all(one.accuracy.low <= accuracy <= one.accuracy.high for one in search.slices),
            all(one.log_loss.low <= log_loss <= one.log_loss.high for one in search.slices),
        )
    return Counted(*found.tolist())


def slices_section(size: SlicesSize) -> str:
    """Simulate, and return the tables of ``size`` simulated tables each."""
    lines = [
        f"Of {size.tables:,} sets of held-out rows of each kind, with ten columns and "
        f"{sum(_COLUMNS)} slices, in which every slice is served alike (share, 95 % interval):",
        "",
        "| held-out rows | a slice named | all intervals of accuracy right | of log-loss |",
        "|---|---|---|---|",
    ]
    for place, (name, kind) in enumerate(SERVED_ALIKE.items()):
        found = count_tables(kind, size.tables, _SEED + place)
        shares = (found.named, found.accuracies_hold, found.losses_hold)
        lines.append(f"| {name} | {' | '.join(_share(one, size.tables) for one in shares)} |")
    lines += [
        "",
        "Where an eighth of the rows, those of one slice, are wrong more often, it was named in:",
        "",
        "| held-out rows | the slice named |",
        "|---|---|",
    ]
    for place, (name, kind) in enumerate(PLANTED.items()):
        found = count_tables(kind, size.tables, _SEED + 100 + place, population=1_000)
        lines.append(f"| {name} | {_share(found.planted, size.tables)} |")
    return "\n".join(lines)


def _share(found: int, tables: int) -> str:
    share = wilson(found, tables)
    return f"**{share.value:.3f}** [{share.low:.3f}, {share.high:.3f}]"
