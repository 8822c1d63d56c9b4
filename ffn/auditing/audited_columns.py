"""Choose the columns whose values are kept apart once: those that look like a group or a time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ffn.errors import SettingsError, did_you_mean, quote
from ffn.leakage.group_names import is_named_like_a_group
from ffn.leakage.side_columns import SideColumn, read_held_out_columns, read_side_columns
from ffn.leakage.time_columns import is_named_like_a_time, points_of_texts
from ffn.settings.pipeline import SETTINGS_FILE, Pipeline
from ffn.tabular.columns.feature_columns import shown
from ffn.tabular.date_form import DateForm
from ffn.tabular.splitting.division import Division
from ffn.tabular.training_table.dataset import Dataset

__all__ = ["MOST_AUDITED", "AuditedColumn", "choose_audited"]

Array = npt.NDArray[Any]

MOST_AUDITED = 3
# A group: so many different values at least, of which none is in more than this share of the rows.
_FEWEST_GROUPS, _LARGEST_GROUP = 20, 0.1
# Rows that have company in their group: fewer are ids, which name a row each.
_TOGETHER = 0.5
# Of a category that is not named like an id: more rows each, on average, are towns or products,
# whose next rows are of the same ones.
_MOST_ROWS_OF_A_CATEGORY = 50
_FEWEST_TIMES = 20
# Names of groups only where the values are as those of groups are: more often they are counts.
_COUNTED_NAME = re.compile(r"(?i:(?:.*[_ .-])?(?:no|nr|number|(?:case|group|batch|lot)s?))")
# Labels that change so much more seldom along the rows than in random order are sorted: the order
# of such a table is not one of time.
_SORTED = 0.25


@dataclass(frozen=True, kw_only=True)
class AuditedColumn:
    """A column that could be a group or a time.

    Attributes
    ----------
    name
        Header of the column.
    kind
        ``group`` or ``time``.
    values
        Identifiers of the groups, or points in time, of the N rows.
    distinct
        Number of different ones among the training rows.
    feature
        Whether the model sees the column and it is not named like an id or a time. New rows may
        then well have known values, so nothing is refused for it.
    apart
        Whether the two sides of the table keep it apart already: no held-out row has a value of a
        training row, or all are later. Then the held-out figures owe nothing to it.
    """

    name: str
    kind: Literal["group", "time"]
    values: Array
    distinct: int
    feature: bool
    apart: bool = False


@dataclass(frozen=True)
class _Column:
    """A column to look at: codes [N] with their texts, or numbers [N], which may be dates.

    Only the first so many ``trained`` texts can be of training rows.
    """

    name: str
    codes: Array
    texts: Sequence[str] | None
    feature: bool
    dates: bool = False
    trained: int = 0


def choose_audited(
    dataset: Dataset, division: Division, pipeline: Pipeline
) -> tuple[AuditedColumn, ...]:
    """Return at most three columns to audit: one time, and the groups of the most rows each.

    Columns that are not features come first, then features that are named like an id or a time,
    then other categories. Of two columns that divide the rows alike, one is audited. Columns that
    the two sides keep `apart` already follow, three at most as well.

    Parameters
    ----------
    dataset
        The training table, N rows.
    division
        The two sides of its rows. Columns are chosen by those to train on; of the others it is
        only asked whether they are apart.
    pipeline
        Names the training CSV, and has the settings under ``[split]``.

    Raises
    ------
    SettingsError
        ``split.ignore`` names a column that does not exist.
    DataError
        A CSV file changed while it was read.
    """
    split, data = pipeline.settings.split, pipeline.settings.data
    if split.audit == "ignore":
        return ()
    aside = read_side_columns(dataset.path, dataset, data)
    beside = {one.name: one for one in read_held_out_columns(dataset, data)}
    _check_ignored(split.ignore, [*dataset.order, *(column.name for column in aside)], dataset)
    given = {split.time, split.group, data.weight, *split.ignore}
    times: list[AuditedColumn] = []
    groups: list[tuple[tuple[int, float], AuditedColumn]] = []
    for column in [*_of_sides(aside, beside, dataset), *_of_features(dataset)]:
        if column.name in given:
            continue
        if split.time is None and (found := _as_time(column, dataset, division, data.decimal)):
            times.append(found)
        elif group := _as_group(column, division, dataset.missing_values):
            rank = 0 if not column.feature else 1 if not group.feature else 2
            groups.append(((rank, group.distinct), group))
    ordered = [group for _, group in sorted(groups, key=lambda one: one[0])]
    audited: list[AuditedColumn] = []
    for apart in (False, True):
        chosen = [one for one in times if one.apart is apart][:1]
        for group in ordered:
            alike = any(_divide_alike(group, other, division.training) for other in chosen)
            if group.apart is apart and len(chosen) < MOST_AUDITED and not alike:
                chosen.append(group)
        audited += chosen
    return tuple(audited)


def _check_ignored(ignored: Sequence[str], names: Sequence[str], dataset: Dataset) -> None:
    for name in ignored:
        if name not in names:
            raise SettingsError(
                f"{SETTINGS_FILE}: split.ignore names {quote(name)}, and {dataset.file} has no "
                f"such column; its columns are: {shown(names)}.{did_you_mean(name, names)}"
            )


def _of_sides(
    aside: Sequence[SideColumn], beside: Mapping[str, SideColumn], dataset: Dataset
) -> list[_Column]:
    found = []
    for column in aside:
        # Held-out rows of the user's own file follow, which may lack the column.
        codes = np.full(dataset.rows, -1, dtype=np.int64)
        codes[: len(column.codes)] = column.codes
        place = {text: code for code, text in enumerate(column.texts)}
        if other := beside.get(column.name):
            own = np.array([place.setdefault(text, len(place)) for text in other.texts])
            codes[len(column.codes) :] = own[other.codes]
        trained = len(column.texts)
        found.append(_Column(column.name, codes, [*place], feature=False, trained=trained))
    return found


def _of_features(dataset: Dataset) -> list[_Column]:
    texts = dataset.category_texts()
    found = []
    for name in dataset.order:
        # Of numbers, only those that are named like an id or a time can be one.
        named = _is_named(name) or is_named_like_a_time(name)
        if name in texts:
            place = dataset.categorical_features.index(name)
            codes = np.concatenate([codes[place] for _, _, codes in dataset.groups()])
            own = texts[name]
            found.append(_Column(name, codes, own, feature=True, trained=len(own)))
        elif (dates := isinstance(dataset.form_of(name), DateForm)) or named:
            found.append(_Column(name, dataset.numeric[name], None, feature=True, dates=dates))
    return found


def _as_time(
    column: _Column, dataset: Dataset, division: Division, decimal: str
) -> AuditedColumn | None:
    """Return a column whose values are points in time or ascend along the rows; else None."""
    named, training = is_named_like_a_time(column.name), division.training
    if column.texts is None:
        values, dates = np.asarray(column.codes, dtype=float), column.dates
    else:
        # What a file of held-out rows has in it is not what decides about the training rows.
        read = points_of_texts(column.texts, decimal)
        read = read or points_of_texts(column.texts[: column.trained], decimal)
        if read is None or (column.codes[training] < 0).any():
            return None
        by_code, dates = read
        unread = np.full(len(column.texts) + 1 - len(by_code), np.nan)
        values = np.concatenate([by_code, unread])[column.codes]
    own = values[training]
    if np.isnan(own).any():
        return None
    distinct = len(np.unique(own))
    if distinct < _FEWEST_TIMES:
        return None
    ascends = bool((np.diff(own) >= 0).all())
    if not dates:
        if not (ascends and (named or not column.feature)):
            return None
        if _is_sorted(np.asarray(dataset.labels)[training][np.argsort(own, kind="stable")]):
            return None
    held_out = values[division.held_out]
    return AuditedColumn(
        name=column.name,
        kind="time",
        values=values,
        distinct=distinct,
        feature=False,
        # False where a time is not known.
        apart=bool(held_out.min(initial=np.inf) > own.max()),
    )


def _is_sorted(labels: Array) -> bool:
    """Return whether the label changes far more seldom along the rows than in random order."""
    shares = np.bincount(labels) / len(labels)
    expected = len(labels) * (1 - (shares**2).sum())
    return bool(np.count_nonzero(labels[1:] != labels[:-1]) < _SORTED * expected)


def _is_named(name: str) -> bool:
    return is_named_like_a_group(name) or bool(_COUNTED_NAME.fullmatch(name))


def _as_group(
    column: _Column, division: Division, missing_values: Sequence[str]
) -> AuditedColumn | None:
    """Return a column of many values with few rows each; else None."""
    training = division.training
    if column.texts is None:
        numbers = np.asarray(column.codes, dtype=float)
        gaps = np.isnan(numbers)
        if not (numbers[~gaps] % 1 == 0).all():
            return None
        codes = np.unique(numbers, return_inverse=True)[1]
    else:
        codes = np.asarray(column.codes, dtype=np.int64)
        gap = np.array([*(text in missing_values for text in column.texts), True])
        gaps = gap[codes]
    # A row without a value is a group of its own.
    values = np.where(gaps, -1 - np.arange(len(codes)), codes)
    own = values[training & ~gaps]
    if not len(own):
        return None
    sizes = np.unique(own, return_counts=True)[1]
    named = _is_named(column.name)
    plain = column.feature and not named
    if (
        len(sizes) < _FEWEST_GROUPS
        or sizes.max() > _LARGEST_GROUP * training.sum()
        or sizes[sizes > 1].sum() < _TOGETHER * training.sum()
        or (plain and sizes.mean() > _MOST_ROWS_OF_A_CATEGORY)
    ):
        return None
    # Of a row without a value it is not known of which group it is.
    known = not gaps[training | division.held_out].any()
    return AuditedColumn(
        name=column.name,
        kind="group",
        values=values,
        distinct=len(sizes),
        feature=plain,
        apart=known and not np.isin(values[division.held_out], own).any(),
    )


def _divide_alike(one: AuditedColumn, other: AuditedColumn, training: Array) -> bool:
    """Return whether two columns have the same rows together."""
    if one.kind != other.kind or one.distinct != other.distinct:
        return False
    return len(
        np.unique(np.stack([one.values[training], other.values[training]]), axis=1).T
    ) == len(np.unique(one.values[training]))
