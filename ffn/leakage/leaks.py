"""Look for leaks in the training rows, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import Interval, wilson
from ffn.leakage.findings import (
    AlonePredicts,
    KnownLate,
    LabelUnderAnotherName,
    Leak,
    NearRepeats,
)
from ffn.leakage.late_values import OneLabelValue, find_one_label_value
from ffn.leakage.near_repeats import find_near_repeats
from ffn.leakage.one_column_rule import draw_folds, predict_alone, skill
from ffn.leakage.ordered_labels import find_ordered_label
from ffn.leakage.other_columns import predict_by_others
from ffn.leakage.sampled_columns import SampledColumn, draw_sample, sample_features
from ffn.leakage.side_columns import SideColumn, read_side_columns
from ffn.settings.data_settings import DataSettings
from ffn.tabular.training_table.dataset import Dataset

__all__ = ["find_leaks"]

Array = npt.NDArray[Any]

# Below this, a perfect rule is no evidence.
_FEWEST_ROWS = 50
# A rule on one column is almost perfect if it avoids so large a share of the mistakes of always
# naming the most frequent class, and this bound of its interval; the other columns do not do it if
# the upper bound is below the last. On Iris, petal width alone avoids 0.94, and the others as many.
_NEARLY_ALL, _AT_LEAST, _OTHERS_AT_MOST = 0.98, 0.90, 0.90
_TOLD_APART = 0.95
# Values in fewer rows than this each, on average, and more than so many of them, name cases.
_ROWS_OF_A_CASE, _FEWEST_CASES = 200, 20
# Rows of the model of the other columns, which is made only where a column is suspicious.
_COMPARED = 2_000


def find_leaks(
    dataset: Dataset, training: Array, path: Path, data: DataSettings, seed: int
) -> tuple[Leak, ...]:
    """Return what makes the held-out figures of any model of these rows too good.

    Only training rows are looked at, a random sample of at most 10,000. A column is named once, by
    the first of the checks that finds it.

    Parameters
    ----------
    dataset
        The training table, N rows.
    training
        Booleans [N]: rows to train on.
    path, data
        The training CSV and how it is read, for its columns that are not features.
    seed
        Seed of sample and folds.

    Raises
    ------
    DataError
        The CSV changed while it was read.
    """
    rows = draw_sample(training, len(dataset.order), seed)
    if len(rows) < _FEWEST_ROWS:
        return ()
    labels = np.asarray(dataset.labels[rows]).astype(np.int64)
    if len(np.unique(labels)) < 2:
        return ()
    columns = sample_features(dataset, rows)
    found = _suspicious_columns(columns, labels, dataset, seed)
    repeats = find_near_repeats(columns, labels, seed)
    found = _cases_once(found, repeated=repeats is not None)
    aside: list[tuple[SideColumn, Array]] = []
    if repeats or dataset.time is None:
        aside = [(one, one.codes[rows]) for one in read_side_columns(path, dataset, data)]
    if dataset.time is None:
        known = _names(found)
        found += find_ordered_label(
            [column for column in columns if column.name not in known],
            [(one, codes) for one, codes in aside if one.name != data.weight],
            labels,
            len(dataset.classes),
            draw_folds(labels, seed),
            dataset.target,
            data.decimal,
        )
    if repeats:
        name = _differing_id(aside, repeats.partners)
        found.append(
            NearRepeats(
                column=name or repeats.differing[0],
                differing=repeats.differing,
                rows=repeats.rows,
                of=len(rows),
                same_label=repeats.same_label,
                by_chance=repeats.by_chance,
                id_differs=bool(name),
            )
        )
    return tuple(found)


def _suspicious_columns(
    columns: Sequence[SampledColumn], labels: Array, dataset: Dataset, seed: int
) -> list[Leak]:
    n_classes = len(dataset.classes)
    folds = draw_folds(labels, seed)
    usual = np.bincount(labels).max() / len(labels)
    found: list[Leak] = []
    late: dict[str, OneLabelValue] = {}
    alone: dict[str, Array] = {}
    other_words: set[str] = set()
    for column in columns:
        if column.distinct < 2:
            continue
        if pairs := _in_other_words(column, labels, n_classes):
            named = [(dataset.classes[label], column.named(value)) for label, value in pairs]
            found.append(
                LabelUnderAnotherName(
                    column=column.name, target=dataset.target, pairs=named, rows=len(labels)
                )
            )
            other_words.add(column.name)
            continue
        if event := find_one_label_value(column, labels, n_classes):
            late[column.name] = event
        predicted = predict_alone(column, labels, n_classes, folds, _NEARLY_ALL - 0.01)
        if predicted is not None:
            right = wilson(int((predicted == labels).sum()), len(labels))
            good = skill(right.value, usual) >= _NEARLY_ALL
            if good and skill(right.low, usual) >= _AT_LEAST:
                alone[column.name] = predicted
    suspects = other_words | set(late) | set(alone)
    rest = [column for column in columns if column.name not in suspects and column.distinct > 1]
    if not (late or alone) or not rest:
        return found
    some = _some_rows(len(labels), seed)
    told: list[AlonePredicts | KnownLate] = []
    compared = [_of_rows(column, some) for column in rest]
    for by_others in predict_by_others(compared, labels[some], folds[some]):
        told = []
        for column in columns:
            leak: AlonePredicts | KnownLate | None = None
            if column.name in late:
                leak = _known_late(column, late[column.name], labels, some, by_others, dataset)
            if column.name in alone and leak is None:
                leak = _alone(column, alone[column.name], labels, some, by_others, dataset)
            if leak:
                told.append(leak)
        # What one model explains needs no other: the columns it concerns are not looked at again.
        late = {name: event for name, event in late.items() if name in _names(told)}
        alone = {name: answers for name, answers in alone.items() if name in _names(told)}
        if not told:
            break
    return [*found, *told]


def _names(leaks: Sequence[Leak]) -> set[str]:
    return {leak.column for leak in leaks}


def _alone(
    column: SampledColumn,
    predicted: Array,
    labels: Array,
    some: Array,
    by_others: Array,
    dataset: Dataset,
) -> AlonePredicts | None:
    others = wilson(int((by_others == labels[some]).sum()), len(some))
    usual = np.bincount(labels[some]).max() / len(some)
    if skill(others.high, usual) >= _OTHERS_AT_MOST:
        return None
    few = column.distinct * _ROWS_OF_A_CASE > len(labels) and column.distinct > _FEWEST_CASES
    by_value = few and column.distinct * 2 <= len(labels)
    ordered = column.numeric and _few_changes(column, labels)
    return AlonePredicts(
        column=column.name,
        target=dataset.target,
        alone=wilson(int((predicted == labels).sum()), len(labels)),
        others=others,
        rows=len(labels),
        values=column.distinct if by_value and not ordered else 0,
    )


def _few_changes(column: SampledColumn, labels: Array) -> bool:
    """Return whether the label changes seldom along the values: a threshold, and no list of ids."""
    along = labels[np.argsort(column.values, kind="stable")]
    return bool(np.count_nonzero(along[1:] != along[:-1]) * 4 < column.distinct)


def _known_late(
    column: SampledColumn,
    event: OneLabelValue,
    labels: Array,
    some: Array,
    by_others: Array,
    dataset: Dataset,
) -> KnownLate | None:
    # On either side, for a label that most rows have is easily predicted for all of them.
    own, other = event.rows[some], labels[some] != event.label
    if not own.any() or not other.any():
        return None
    says = by_others == event.label
    one = wilson(int(says[own & ~other].sum()), int((own & ~other).sum()))
    two = wilson(int((~says[other]).sum()), int(other.sum()))
    both = _mean(one, two)
    if both.high >= _TOLD_APART:
        return None
    own_rows = int((event.rows & (labels == event.label)).sum())
    return KnownLate(
        column=column.name,
        target=dataset.target,
        label=dataset.classes[event.label],
        what=event.what,
        value="" if np.isnan(event.value) else column.named(event.value),
        own=own_rows,
        total=int(event.rows.sum()),
        of_label=int((labels == event.label).sum()),
        others=both,
    )


def _mean(one: Interval, two: Interval) -> Interval:
    """Return the mean of two independent shares.

    Its bounds combine theirs: Zou and Donner 2008, "Construction of confidence limits about effect
    measures", equation 5.
    """
    value = (one.value + two.value) / 2
    below = np.hypot(one.value - one.low, two.value - two.low) / 2
    above = np.hypot(one.high - one.value, two.high - two.value) / 2
    return Interval(value, float(value - below), float(value + above))


def _in_other_words(
    column: SampledColumn, labels: Array, n_classes: int
) -> list[tuple[int, float]] | None:
    """Return the value of each label, if values and labels correspond one by one; else None."""
    distinct, places = column.codes
    present = np.unique(labels)
    if len(distinct) != len(present) or np.isnan(distinct).any():
        return None
    cells = np.unique(places * n_classes + labels)
    if len(cells) != len(distinct):
        return None
    return sorted((int(cell % n_classes), float(distinct[cell // n_classes])) for cell in cells)


def _some_rows(n: int, seed: int) -> Array:
    if n <= _COMPARED:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, _COMPARED, replace=False))


def _of_rows(column: SampledColumn, rows: Array) -> SampledColumn:
    return SampledColumn(name=column.name, values=column.values[rows], texts=column.texts)


def _cases_once(found: Sequence[Leak], *, repeated: bool) -> list[Leak]:
    """Return the findings with one, at most, of the columns whose values name cases.

    The numbers of a case that do not change are all alike in this. Where whole rows repeat, that
    says it better.
    """
    cases = [leak for leak in found if isinstance(leak, AlonePredicts) and leak.values]
    kept = [leak for leak in found if leak not in cases]
    return kept if repeated else [*kept, *sorted(cases, key=lambda leak: leak.values)[:1]]


def _differing_id(aside: Sequence[tuple[SideColumn, Array]], partners: Array) -> str:
    """Return the column that differs in most rows that agree otherwise; empty if none does."""
    best, most = "", 0.5
    _, place, sizes = np.unique(partners, return_inverse=True, return_counts=True)
    repeated = sizes[place] > 1
    for column, codes in aside:
        both = place[repeated].astype(np.int64) * (len(column.texts) + 1) + codes[repeated]
        differing = len(np.unique(both)) / int(repeated.sum())
        if differing > most:
            best, most = column.name, differing
    return best
