"""Files with and without drift, put before what scoring says of them: a table for docs/drift.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import wilson
from ffn.scoring.drift.drift_report import DriftReport, build_drift_report
from ffn.scoring.rows.drift_counts import DriftCounts
from ffn.settings.drift_settings import DriftSettings
from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.histograms import Histogram, Reference, histogram_of

__all__ = ["FULL", "KINDS", "QUICK", "Size", "Table", "draw_table", "drift_section", "report_on"]

Array = npt.NDArray[Any]

_NAMES = ("length_mm", "depth_mm", "mass_g", "count", "price", "score", "outdoor_c")
_COLOURS, _SITES, _CLASSES = 5, 40, 3
# Of texts never seen a run keeps so many.
_EXAMPLES = 10
SCHEMA = Schema(
    features=(
        *(Feature(name=name, kind="numeric", missing=name == "price") for name in _NAMES),
        Feature(
            name="colour", kind="categorical", missing=True, categories=tuple("abcde"[:_COLOURS])
        ),
        Feature(
            name="site", kind="categorical", categories=tuple(f"s{i:02d}" for i in range(_SITES))
        ),
    ),
    target="kind",
    classes=("x", "y", "z"),
)


@dataclass(frozen=True)
class Size:
    """How much is simulated: rows of the files, and files of each kind."""

    training_rows: int = 1_000
    rows: tuple[int, ...] = (30, 100, 1_000, 10_000)
    clean: int = 1_000
    drifted: int = 200


FULL = Size()
QUICK = Size(clean=20, drifted=5)


@dataclass(frozen=True)
class Table:
    """Numbers [n, F], codes [n, G], the classes that a model predicts [n], texts never seen."""

    numeric: Array
    codes: Array
    predicted: Array
    examples: dict[str, list[str]] = field(default_factory=dict)


def draw_table(rows: int, generator: np.random.Generator) -> Table:
    """Draw rows of the one population: related, skewed, discrete, with gaps, of rare categories."""
    kind = generator.choice(_CLASSES, size=rows, p=(0.5, 0.3, 0.2))
    size = generator.normal(size=rows) + kind
    noise = generator.normal(size=(len(_NAMES), rows))
    price = np.exp(noise[4])
    price[generator.random(rows) < 0.02] = np.nan
    numeric = np.stack(
        [
            190 + 12 * size + 4 * noise[0],
            17 + 2 * noise[1] - 0.5 * kind,
            4_000 + 500 * size + 300 * noise[2],
            generator.poisson(2, rows).astype(float),
            price,
            np.round(noise[5], 1),
            np.round(12 + 8 * noise[6], 1),
        ],
        axis=1,
    )
    shares = 1 / np.arange(1, _SITES + 1)
    codes = np.stack(
        [
            np.where(
                generator.random(rows) < 0.05, MISSING, generator.integers(_COLOURS, size=rows)
            ),
            generator.choice(_SITES, size=rows, p=shares / shares.sum()),
        ],
        axis=1,
    )
    return Table(numeric, codes, kind)


def _column(table: Table, f: int, change: Callable[[Array], Array]) -> Table:
    numeric = table.numeric.copy()
    numeric[:, f] = change(numeric[:, f])
    return replace(table, numeric=numeric)


def _swapped(table: Table) -> Table:
    return replace(table, numeric=table.numeric[:, [1, 0, *range(2, len(_NAMES))]])


def _swapped_categories(table: Table) -> Table:
    """Exchange colours and sites; a row without a colour would be rejected for want of a site."""
    kept = np.resize(np.flatnonzero(table.codes[:, 0] != MISSING), len(table.codes))
    colours, sites = (
        [feature.categories[code] for code in dict.fromkeys(column.tolist())][:_EXAMPLES]
        for feature, column in zip(SCHEMA.categorical, table.codes[kept].T, strict=True)
    )
    return Table(
        table.numeric[kept],
        np.full_like(table.codes, UNKNOWN),
        table.predicted[kept],
        {"colour": sites, "site": colours},
    )


def _unseen(table: Table) -> Table:
    codes = table.codes.copy()
    codes[: len(codes) // 5, 0] = UNKNOWN
    return replace(table, codes=codes, examples={"colour": ["f"]})


def _gaps(table: Table) -> Table:
    return _column(table, 4, lambda v: np.where(np.arange(len(v)) < len(v) // 4, np.nan, v))


def _one_class(table: Table) -> Table:
    """Keep the class that is rarest, of as many rows as can be had."""
    kept = np.flatnonzero(table.predicted == _CLASSES - 1)
    some = np.resize(kept, len(table.predicted)) if len(kept) else np.arange(len(table.predicted))
    return Table(table.numeric[some], table.codes[some], table.predicted[some])


def _season(table: Table) -> Table:
    """Take some column from one season of a year: elsewhere, and not so spread out."""
    generator = np.random.default_rng([1, *table.predicted.tolist()])
    f = int(generator.integers(len(_NAMES)))
    factor = generator.uniform(0.4, 1)
    offset = generator.uniform(0.7, 1.7) * generator.choice((-1, 1))

    def change(values: Array) -> Array:
        mean = np.nanmean(values)
        moved: Array = mean + factor * (values - mean) + offset * np.nanstd(values)
        return moved

    return _column(table, f, change)


def _anyhow(table: Table) -> Table:
    """Stretch some column, to 1/3 to 3 times, and move it by up to three deviations."""
    generator = np.random.default_rng(table.predicted.tolist())
    f = int(generator.integers(len(_NAMES)))
    factor, offset = 3 ** generator.uniform(-1, 1), generator.uniform(-3, 3)
    return _column(table, f, lambda v: factor * v + offset * np.nanstd(v))


KINDS: dict[str, tuple[Callable[[Table], Table], str]] = {
    "one column's mean half a standard deviation higher": (
        lambda t: _column(t, 1, lambda v: v + 1.0),
        "",
    ),
    "one column's mean a standard deviation higher": (
        lambda t: _column(t, 1, lambda v: v + 2.0),
        "",
    ),
    "one column's spread doubled": (lambda t: _column(t, 1, lambda v: 17 + 2 * (v - 17)), ""),
    "a fifth of the rows of an unseen category": (_unseen, ""),
    "a quarter of the rows without a value, before a fiftieth": (_gaps, ""),
    "rows of one class alone": (_one_class, ""),
    "any column of one season: moved by 0.7 to 1.7 deviations, its spread 0.4 to 1 times": (
        _season,
        "",
    ),
    "any column stretched to 1/3 to 3 times, and moved by up to three deviations": (_anyhow, ""),
    "two columns of numbers exchanged": (_swapped, "exchanged"),
    "two columns of categories exchanged": (_swapped_categories, "exchanged"),
    "a column in cm that was in mm": (
        lambda t: _column(t, 0, lambda v: v / 10),
        "cm instead of mm",
    ),
    "a column in kg that was in g": (
        lambda t: _column(t, 2, lambda v: v / 1_000),
        "kg instead of g",
    ),
    "a column in Fahrenheit that was in Celsius": (
        lambda t: _column(t, 6, lambda v: 1.8 * v + 32),
        "Fahrenheit instead of Celsius",
    ),
}
"""Kinds of drift: what is done to a file, and the word that names it."""


def reference_of(table: Table) -> Reference:
    """Learn what training would: the last fifth of the rows tells the predictions."""
    training = len(table.predicted) * 4 // 5
    codes = table.codes[:training]
    labels = np.bincount(table.predicted[:training], minlength=_CLASSES)
    said = np.bincount(table.predicted[training:], minlength=_CLASSES)
    categorical = []
    for g, feature in enumerate(SCHEMA.categorical):
        gaps, *counts = np.bincount(
            codes[:, g] - MISSING, minlength=1 + len(feature.categories)
        ).tolist()
        categorical.append(Histogram(counts=tuple(counts), missing=gaps))
    return Reference(
        numeric=tuple(histogram_of(column) for column in table.numeric[:training].T),
        categorical=tuple(categorical),
        labels=tuple(labels.tolist()),
        predicted=tuple(said.tolist()),
    )


def report_on(table: Table, reference: Reference) -> DriftReport:
    """Return what scoring says of a file, with the settings that a pipeline has by default."""
    settings = DriftSettings()
    counts = DriftCounts(reference)
    counts.count(table.numeric, table.codes)
    per_class = np.bincount(table.predicted, minlength=_CLASSES).tolist()
    return build_drift_report(
        SCHEMA,
        reference,
        counts,
        per_class,
        table.examples,
        threshold=settings.psi,
        min_rows=settings.min_rows,
    )


def drift_section(size: Size) -> str:
    """Simulate, and return the table for ``docs/drift.md``."""
    count = f"{size.clean:,}"
    lines = [
        f"Alarms of {count} files without drift, and of {size.drifted} with each kind of it, each "
        f"against a table of {size.training_rows:,} rows of its own; in brackets 95 % intervals. "
        "Named: of kinds that have a name the share that is given this one and no other, of the "
        "others the share that is given any.",
        "",
        f"| files | {' | '.join(f'{rows:,} rows' for rows in size.rows)} |",
        f"|---|{'---|' * len(size.rows)}",
    ]
    cells, plain, names = [], [], 0
    for rows in size.rows:
        seen = [_one(size, rows, seed, None) for seed in range(size.clean)]
        found = wilson(sum(report.detected for report in seen), size.clean)
        cells.append(f"**{found.value:.3f}** [{found.low:.3f}, {found.high:.4f}]")
        names += sum(bool(report.suspicions) for report in seen)
        plain.append(f"{sum(map(_beyond_threshold, seen)) / size.clean:.3f}")
    lines.append(f"| without drift | {' | '.join(cells)} |")
    lines.append(f"| the same, by the threshold alone | {' | '.join(plain)} |")
    for kind, (_, word) in KINDS.items():
        cells = []
        for rows in size.rows:
            seen = [_one(size, rows, seed, kind) for seed in range(size.drifted)]
            cell = f"{sum(report.detected for report in seen) / size.drifted:.2f}"
            named = sum(map(partial(_named, word), seen)) / size.drifted
            cells.append(f"{cell}, named {named:.2f}")
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    lines += [
        "",
        f"Of the {size.clean * len(size.rows):,} files without drift {names:,} were given a name.",
    ]
    return "\n".join(lines)


def _named(word: str, report: DriftReport) -> bool:
    """Say whether the name is given and no other; without a word, whether any is."""
    return bool(report.suspicions) and all(word in said for said in report.suspicions)


def _beyond_threshold(report: DriftReport) -> bool:
    """Say whether any PSI is above the threshold, as people ask who take it for a constant."""
    threshold = DriftSettings().psi
    found = [*report.columns, *([report.predictions] if report.predictions else [])]
    return any(column.distance.psi > threshold for column in found)


def _one(size: Size, rows: int, seed: int, kind: str | None) -> DriftReport:
    """Return what is said of one file."""
    generator = np.random.default_rng([seed, rows, 0 if kind is None else 1])
    reference = reference_of(draw_table(size.training_rows, generator))
    table = draw_table(rows, generator)
    return report_on(KINDS[kind][0](table) if kind else table, reference)
