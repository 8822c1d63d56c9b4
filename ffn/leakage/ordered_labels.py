"""Look for a time that orders the label: a table sorted by label, or a label made of the date.

Rows of one label are then of one time, and rows of another label of another. Whatever else changed
between the two times (a sensor, a price, who typed) tells the labels apart, on random held-out rows
as well, and nothing of it will hold for later rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import wilson
from ffn.leakage.findings import LabelFollowsTime
from ffn.leakage.one_column_rule import predict_alone, skill
from ffn.leakage.sampled_columns import SampledColumn
from ffn.leakage.side_columns import SideColumn
from ffn.leakage.time_columns import is_named_like_a_time, points_of_texts
from ffn.tabular.date_form import DateForm

__all__ = ["find_ordered_label"]

Array = npt.NDArray[Any]

# A rule on the time avoids so large a share of the mistakes of always naming the most frequent
# class, and this bound of its interval: labels of neighbouring days that are merely alike do not.
_NEARLY_ALL, _AT_LEAST = 0.90, 0.80
_FEWEST_TIMES = 10
# A tree of few leaves finds few changes; the usual label of each stretch of time finds more.
_STRETCHES, _ROWS_OF_A_STRETCH = 100, 10


def find_ordered_label(
    features: Sequence[SampledColumn],
    aside: Sequence[tuple[SideColumn, Array]],
    labels: Array,
    n_classes: int,
    folds: Array,
    target: str,
    decimal: str,
) -> list[LabelFollowsTime]:
    """Return the columns of times along which the label changes a few times only.

    Of several that order the rows alike, such as a date and its year, the first is named.

    Parameters
    ----------
    features
        The features in n sampled rows, of which dates are looked at: for numbers there are the
        checks of features.
    aside
        Columns that are not features, each with its codes in these rows [n].
    labels
        Class indices [n].
    n_classes
        Number of classes.
    folds
        Fold of each row [n].
    target
        Header of the label.
    decimal
        Decimal mark of numbers.
    """
    usual = np.bincount(labels).max() / len(labels)
    for name, codes, texts in _candidates(features, aside):
        times = _times(name, codes, texts, decimal)
        if times is None or len(np.unique(times)) < _FEWEST_TIMES:
            continue
        rules = [
            predict_alone(
                SampledColumn(name=name, values=values), labels, n_classes, folds, _NEARLY_ALL
            )
            for values in (times, _stretches(times))
        ]
        hits = max(0 if rule is None else int((rule == labels).sum()) for rule in rules)
        right = wilson(hits, len(labels))
        if skill(right.value, usual) < _NEARLY_ALL or skill(right.low, usual) < _AT_LEAST:
            continue
        along = labels[np.argsort(times, kind="stable")]
        shares = np.bincount(labels) / len(labels)
        return [
            LabelFollowsTime(
                column=name,
                target=target,
                alone=right,
                rows=len(labels),
                changes=int(np.count_nonzero(along[1:] != along[:-1])),
                by_chance=float((len(labels) - 1) * (1 - np.square(shares).sum())),
            )
        ]
    return []


def _candidates(
    features: Sequence[SampledColumn], aside: Sequence[tuple[SideColumn, Array]]
) -> list[tuple[str, Array, Sequence[str]]]:
    found: list[tuple[str, Array, Sequence[str]]] = [
        (column.name, codes, column.texts) for column, codes in aside
    ]
    for feature in features:
        if np.isnan(feature.values).any():
            continue
        if isinstance(feature.form, DateForm):
            dates, places = feature.codes
            texts = tuple(map(feature.form.written, dates.tolist()))
            found.append((feature.name, places, texts))
        if feature.texts is not None:
            codes = feature.values.astype(np.int64)
            there, places = np.unique(codes, return_inverse=True)
            texts = tuple(feature.texts[code] for code in there.tolist())
            found.append((feature.name, places, texts))
    return found


def _times(name: str, codes: Array, texts: Sequence[str], decimal: str) -> Array | None:
    """Return a column as times [n]: dates, or numbers if its name says so; else None."""
    if not texts or (codes < 0).any():
        return None
    there, places = np.unique(codes, return_inverse=True)
    read = points_of_texts([texts[code] for code in there.tolist()], decimal)
    if read is None or not (read[1] or is_named_like_a_time(name)):
        return None
    values: Array = read[0][places]
    return values


def _stretches(times: Array) -> Array:
    """Return the number of the stretch of each time [n], of about equally many rows each."""
    count = min(_STRETCHES, max(1, len(times) // _ROWS_OF_A_STRETCH))
    _, place, sizes = np.unique(times, return_inverse=True, return_counts=True)
    before = np.cumsum(sizes) - sizes
    # Rows of equal time are in one stretch, that of the middle of them.
    found: Array = np.floor((before + sizes / 2) * count / len(times))[place]
    return found
