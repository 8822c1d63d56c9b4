"""``[split]``: which rows may judge a model that was trained on others."""

from __future__ import annotations

import datetime
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator

from ffn.errors import quote
from ffn.settings.service_settings import Duration, seconds_of
from ffn.settings.strict import Name, Positive, StrictSettings
from ffn.tabular.splitting.points_in_time import MICROSECONDS

__all__ = ["SplitSettings"]


def _as_time_format(form: str) -> str:
    # A format without the year, or of text alone, would read all rows of some years as one time.
    sample = datetime.datetime(2024, 12, 31, 23, 59, 58, tzinfo=datetime.UTC)
    try:
        read = datetime.datetime.strptime(sample.strftime(form), form)
    except ValueError:
        read = None
    if read is None or read.replace(tzinfo=None).date() != sample.date():
        raise ValueError(
            'must be a format with year, month and day, such as "%d/%m/%Y" or "%Y%m%d %H:%M"'
        )
    return form


def _as_inner_path(text: str) -> str:
    parts = {*PurePosixPath(text).parts, *PureWindowsPath(text).parts}
    if PurePosixPath(text).is_absolute() or PureWindowsPath(text).anchor or ".." in parts:
        raise ValueError("must be a file in the folder of pipeline.toml, or in a folder there")
    if "\0" in text:
        raise ValueError("must not contain NUL")
    return text


class SplitSettings(StrictSettings):
    """``[split]``: by what rows are divided into those trained on and those that judge.

    Attributes
    ----------
    time
        Header of a column of dates, date-times or numbers. The latest share of the rows is held
        out, and every resample goes forward in time. Default: rows have no order.
    time_format
        How the column writes a date, in the directives of Python's ``strptime``; default: ISO 8601,
        or plain numbers.
    embargo
        Time before the rows that judge from which no row is trained on: a duration such as ``7d``
        for dates, a number for numbers. Default: none.
    group
        Header of a column of which no value is on both sides, in no split. Default: none.
    test
        CSV file of held-out rows, in the folder of ``pipeline.toml``. Default: they are taken from
        ``data.source``.
    audit
        What to do with a version whose figures are shown to be too good because a column that
        looks like a group or a time is not kept apart: ``refuse`` keeps it back, ``warn`` says so
        wherever the version is shown, ``ignore`` does not look.
    ignore
        Headers of columns that need not be kept apart, because new rows have known values.
    """

    time: Name | None = None
    time_format: Annotated[str, AfterValidator(_as_time_format)] | None = None
    embargo: Duration | Positive | None = None
    group: Name | None = None
    test: Annotated[Name, AfterValidator(_as_inner_path)] | None = None

    audit: Literal["refuse", "warn", "ignore"] = "refuse"
    ignore: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _time_has_a_column(self) -> SplitSettings:
        for key in ("time_format", "embargo"):
            if self.time is None and getattr(self, key) is not None:
                raise ValueError(f'{key} needs the column of the time: add time = "COLUMN"')
        if self.time is not None and self.time == self.group:
            raise ValueError(
                f"time and group both name {quote(self.time)}: later rows of other groups would be "
                "later rows. Take out one"
            )
        return self

    def gap(self) -> float:
        """Return the embargo in the unit of the times: microseconds, or the number itself."""
        if isinstance(self.embargo, str):
            return seconds_of(self.embargo) * MICROSECONDS
        return self.embargo or 0

    def recorded(self) -> dict[str, Any]:
        """Return the table by its name as JSON values, without keys that change nothing."""
        if self == SplitSettings():
            return {}
        found = self.model_dump(mode="json", exclude_none=True)
        # Versions from before the audit must compare equal.
        for key in ("audit", "ignore"):
            if getattr(self, key) == SplitSettings.model_fields[key].default:
                del found[key]
        return {"split": found}
