"""Refusal of tables that cannot be split as the settings ask for."""

from __future__ import annotations

import numpy as np

from ffn.errors import DataError, SettingsError, quote
from ffn.quantities import counted
from ffn.tabular.splitting.division import Division
from ffn.tabular.splitting.points_in_time import parse_time
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.label_reading import toml_remedy

__all__ = ["check_division", "check_split_columns"]

# One to train on, one to validate on, one held out.
_LEAST_DIFFERENT = 3
_SHOWN = 5


def check_split_columns(dataset: Dataset, embargo: str | float | None) -> None:
    """Refuse columns that do not tell enough rows apart, and an embargo in another unit.

    Parameters
    ----------
    dataset
        The training table.
    embargo
        The setting ``split.embargo``.

    Raises
    ------
    DataError
        There are fewer than three different times or groups.
    SettingsError
        The embargo is a duration and the times are numbers, or the other way round.
    """
    for what, name, column in (
        ("time", dataset.time, dataset.times),
        ("group", dataset.group, dataset.group_ids),
    ):
        if column is None or dataset.given is not None:
            continue
        different = len(np.unique(column))
        if different < _LEAST_DIFFERENT:
            raise DataError(
                f"{dataset.file}, column {quote(name)}: {counted(different, f'different {what}')}; "
                f"a split by {what} needs {_LEAST_DIFFERENT}: to train on, to validate on and to "
                f"hold out. Name another column in split.{what}, or take it out."
            )
    if dataset.times is None or embargo is None:
        return
    where = f"{dataset.file}, column {quote(dataset.time)}"
    if dataset.time_kind != "number":
        if not isinstance(embargo, str):
            raise SettingsError(
                f"{where} holds dates, and split.embargo is the number {embargo:g}. Write a "
                f'duration, such as embargo = "{max(1, round(embargo))}d".'
            )
        return
    dates = _are_compact_dates(dataset)
    hint = ' They look like dates: set time_format = "%Y%m%d" in [split].' if dates else ""
    if isinstance(embargo, str):
        raise SettingsError(
            f"{where} holds numbers, and split.embargo is the duration {quote(embargo)}."
            f"{hint or ' Write a number in the unit of the column.'}"
        )
    if dates:
        raise SettingsError(
            f"{where}: its numbers do not pass evenly from month to month, so no number is an "
            f"embargo.{hint}"
        )


def check_division(dataset: Dataset, division: Division) -> None:
    """Refuse a division with an empty side, or with a class that is not in the training part.

    Parameters
    ----------
    dataset
        The training table.
    division
        The two sides of its rows.

    Raises
    ------
    DataError
        No row is left to train on or to be held out, or none of a class to train on.
    """
    if not division.held_out.any():
        raise DataError(
            f"{dataset.file}: no row is held out: no later row is of a group that is not trained "
            "on. Raise training.test_share, or split by time or by group alone."
        )
    there = np.bincount(dataset.labels[division.training], minlength=len(dataset.classes))
    if not there.any():
        raise DataError(f"{dataset.file}: no row is left to train on: {_what_is_lost(dataset)}")
    parts = ((dataset.time, division.times), (dataset.group, division.groups))
    for what, (name, column) in zip(("time", "group"), parts, strict=True):
        if column is not None and len(np.unique(column[division.training])) < 2:
            raise DataError(
                f"{dataset.file}, column {quote(name or what)}: all rows to train on have the same "
                f"{what}, so none of them can validate. Lower training.test_share, shorten "
                "split.embargo, or add rows."
            )
    if not there.all():
        lacking = [dataset.classes[c] for c in np.flatnonzero(there == 0)]
        shown = ", ".join(map(quote, lacking[:_SHOWN]))
        remedy = toml_remedy([(label, "") for label in lacking[:_SHOWN]])
        raise DataError(
            f"{dataset.file}, column {quote(dataset.target)}: no row to train on has the class "
            f"{shown}; its rows are held out or in neither part. Lower training.test_share, split "
            f"otherwise, or leave its rows out: {remedy}."
        )


def _what_is_lost(dataset: Dataset) -> str:
    if dataset.test_file is not None:
        return (
            f"each is of a group in {quote(dataset.test_file)}, or not earlier than its rows. "
            "Take rows out of it, or the column out of [split]."
        )
    return "the embargo covers all rows before the cut. Shorten split.embargo."


def _are_compact_dates(dataset: Dataset) -> bool:
    """Return whether all times are numbers such as 20241231."""
    times = np.unique(dataset.times if dataset.times is not None else [])
    whole = (times == np.floor(times)) & (times >= 1900_01_01) & (times <= 2100_12_31)
    return bool(whole.all()) and all(parse_time(f"{t:.0f}", "%Y%m%d") for t in times[:1_000])
