"""Columns that say when a row was made: by their name, or because all cells are dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.splitting.points_in_time import fitting_forms, parse_time

__all__ = ["is_named_like_a_time", "points_of_texts"]

Array = npt.NDArray[Any]

_TIME_NAME = re.compile(
    r"(?i)(?:.*[_ .-])?(?:date|time|timestamp|datetime|year|month|week|day|epoch|period|when|ts)"
    r"(?:[_ .-].*)?|.*(?:date|time)"
)
_CELLS_TRIED = 200


def is_named_like_a_time(name: str) -> bool:
    """Return whether a column's ``name`` says that it is a time: ``day``, ``created_at_date``."""
    return bool(_TIME_NAME.fullmatch(name))


def points_of_texts(texts: Sequence[str], decimal: str) -> tuple[Array, bool] | None:
    """Return each text as a point in time or a number, and whether they are dates; else None.

    Parameters
    ----------
    texts
        Different cells of a column, trimmed, one or more.
    decimal
        Decimal mark of numbers.
    """
    form = None
    if not parse_time(texts[0], None, decimal):
        forms = fitting_forms(texts[:_CELLS_TRIED])
        # 03/04/2024 is in March or in April: without a day above 12, nobody knows.
        if len(forms) != 1:
            return None
        form = forms[0]
    values, kinds = np.empty(len(texts)), set()
    for place, text in enumerate(texts):
        if (point := parse_time(text, form, decimal)) is None:
            return None
        values[place] = point.value
        kinds.add(point.kind)
    return (values, kinds != {"number"}) if len(kinds) == 1 else None
