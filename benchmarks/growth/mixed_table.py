"""A training CSV as people have it: numbers of several shapes, categories, empty cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

__all__ = ["TARGET", "write_mixed_table"]

Array = npt.NDArray[Any]

TARGET = "label"
_CLASSES = ("high", "low", "middle")
# Three of five columns are numbers, of one shape after another; every fifth column has gaps.
_NUMBERS_IN_FIVE, _GAPS_EVERY, _GAP_SHARE = 3, 5, 0.1
_LEVELS = (3, 5, 8, 12, 30)
_ROWS_AT_ONCE = 100_000
# The label depends on as many columns of either kind, whatever the number of columns.
_TELLING = 6
_SHARPNESS = 2.0


def write_mixed_table(path: Path, rows: int, columns: int) -> None:
    """Write a table of three classes, the same for the same numbers of rows and columns.

    Three fifths of the columns are numbers (normal, log-normal, uniform with two decimals, counts),
    the rest categories of 3 to 30 values. In every fifth column a tenth of the cells are empty. The
    label is drawn from probabilities that depend on some columns smoothly, on some in steps, and on
    some in pairs.

    Parameters
    ----------
    path
        The new file.
    rows
        Number of rows.
    columns
        Number of columns beside the label.
    """
    # What the label depends on does not change with the number of rows.
    world = np.random.default_rng(columns)
    effects = [world.normal(size=(levels, len(_CLASSES))) for levels in _LEVELS]
    slopes = world.normal(size=(3, _TELLING, len(_CLASSES)))
    draw = np.random.default_rng([rows, columns])
    writer = None
    with path.open("xb") as file:
        for start in range(0, rows, _ROWS_AT_ONCE):
            n = min(_ROWS_AT_ONCE, rows - start)
            table = _part(n, columns, effects, slopes, draw)
            writer = writer or csv.CSVWriter(file, table.schema, write_options=_PLAIN)
            writer.write_table(table)
        if writer:
            writer.close()


_PLAIN = csv.WriteOptions(quoting_style="none")


def _part(
    n: int, columns: int, effects: list[Array], slopes: Array, draw: np.random.Generator
) -> pa.Table:
    found: dict[str, pa.Array] = {}
    signals: list[Array] = []
    steps: list[tuple[Array, Array]] = []
    for place in range(columns):
        gaps = draw.random(n) < _GAP_SHARE if place % _GAPS_EVERY == 0 else np.zeros(n, bool)
        if place % 5 < _NUMBERS_IN_FIVE:
            ranks = draw.normal(size=n)
            signals.append(np.where(gaps, 0, ranks))
            found[f"x{place}"] = pa.array(_shaped(ranks, len(signals) - 1), mask=gaps)
        else:
            kind = len(steps) % len(_LEVELS)
            codes = draw.integers(_LEVELS[kind], size=n)
            steps.append((np.where(gaps, 0, codes), effects[kind]))
            texts = pa.array([f"c{level}" for level in range(_LEVELS[kind])])
            found[f"k{place}"] = texts.take(pa.array(codes, mask=gaps))
    scores = np.zeros((n, len(_CLASSES)))
    for i in range(min(_TELLING, len(signals) - 1)):
        own, next_one = signals[i], signals[i + 1]
        scores += np.tanh(2 * own)[:, None] * slopes[0, i]
        scores += (np.abs(own) > 1)[:, None] * slopes[1, i]
        scores += (own * next_one > 0)[:, None] * slopes[2, i]
    for codes, effect in steps[:_TELLING]:
        scores += effect[codes] / 2
    # The highest score after adding Gumbel noise is a draw from the softmax of the scores.
    noise = draw.gumbel(size=scores.shape)
    labels = (_SHARPNESS * (scores - scores.mean(axis=0)) + noise).argmax(axis=1)
    found[TARGET] = pa.array(_CLASSES).take(pa.array(labels))
    return pa.table(found)


def _shaped(ranks: Array, number: int) -> Array:
    """Return normal numbers as one of four shapes of column."""
    shape = number % 4
    if shape == 0:
        return np.round(ranks * 12 + 170, 1)
    if shape == 1:
        return np.round(np.exp(8 + 1.5 * ranks), 2)
    if shape == 2:
        return np.round(1 / (1 + np.exp(-1.7 * ranks)), 2)
    return np.floor(np.exp(1 + 0.8 * ranks))
