"""``[schedule]``, ``[inbox]``, ``[notify]``: what ``ffn serve`` does by itself, and when."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ffn.errors import quote
from ffn.models.settings.strict import StrictSettings

__all__ = ["InboxSettings", "NotifySettings", "ScheduleSettings", "When", "seconds_of"]

_DURATION = re.compile(r"([1-9][0-9]{0,8})(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LONGEST = 366 * 86_400
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Minute, hour, day, month, weekday (0 and 7 are Sunday), and the names allowed in the last two.
_CRON_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("weekday", 0, 7, _WEEKDAYS),
)
_CRON_PART = re.compile(r"(?:\*|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>[1-9][0-9]?))?")


def seconds_of(duration: str) -> int:
    """Return the seconds of a checked duration such as ``15m``."""
    return int(duration[:-1]) * _SECONDS[duration[-1]]


def _as_duration(text: str) -> str:
    if not _DURATION.fullmatch(text) or not seconds_of(text) <= _LONGEST:
        raise ValueError(
            'must be a whole number and a unit, such as "30s", "15m", "6h", "1d", "2w"'
        )
    return text


def _as_webhook(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]\S*|\$[A-Za-z_][A-Za-z0-9_]*", text):
        raise ValueError('must be an http(s) address, or "$NAME" of a variable that holds one')
    return text


def _as_cron(text: str) -> str:
    fields = text.split()
    if len(fields) != len(_CRON_FIELDS):
        raise ValueError('must be five fields, minute hour day month weekday, such as "0 3 * * *"')
    for field, (name, low, high, names) in zip(fields, _CRON_FIELDS, strict=True):
        for part in field.split(","):
            if not _is_cron_part(part, low, high, names):
                raise ValueError(f"must have its {name} from {low} to {high}, not {quote(part)}")
    day, month = fields[2:4]
    if fields[4] == "*" and day.isdecimal() and month in ("2", "feb") and int(day) > 29:
        raise ValueError("must have a day that exists")
    return text


def _is_cron_part(part: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    found = _CRON_PART.fullmatch(part)
    if found is None:
        return False
    first = 0 if names and names[0] == "sun" else 1
    numbers = {name: first + place for place, name in enumerate(names)}
    ends = [found[end] for end in ("low", "high") if found[end] is not None]
    values = [
        numbers.get(end.lower(), int(end) if end.isdecimal() and end.isascii() else -1)
        for end in ends
    ]
    # "5/10" means different things to different crons.
    bare_step = found["step"] is not None and len(ends) == 1
    return (
        all(low <= value <= high for value in values)
        and values == sorted(values)
        and not (bare_step)
    )


def _as_timezone(text: str) -> str:
    known = zoneinfo.available_timezones()
    if text not in known:
        near = difflib.get_close_matches(text, known, n=1) or ["Europe/Berlin"]
        raise ValueError(f"must be a time zone, such as {quote(near[0])}")
    return text


Duration = Annotated[str, AfterValidator(_as_duration)]


class When(StrictSettings):
    """One schedule: at times of the calendar, or at an interval.

    Attributes
    ----------
    cron
        Minute, hour, day of the month, month, day of the week.
    timezone
        Of ``cron``; its changes of clock are followed.
    every
        An interval, counted from midnight of the first of January 2024, UTC.
    """

    cron: Annotated[str, AfterValidator(_as_cron)] | None = None
    timezone: Annotated[str, AfterValidator(_as_timezone)] = "UTC"
    every: Duration | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> When:
        if (self.cron is None) == (self.every is None):
            raise ValueError('must have either "cron" or "every"')
        if self.every is not None and seconds_of(self.every) < 10:
            raise ValueError('must have an "every" of "10s" or more')
        return self

    def __str__(self) -> str:
        return f"every {self.every}" if self.every else f"cron {self.cron} in {self.timezone}"


class ScheduleSettings(StrictSettings):
    """``[schedule]``: when ``ffn serve`` retrains and scores.

    Attributes
    ----------
    retrain, score
        Schedules, any number of each.
    retrain_on
        ``data``: the content of the training CSV changed. ``drift``: scored rows differ from
        those of training.
    """

    retrain: tuple[When, ...] = ()
    score: tuple[When, ...] = ()
    retrain_on: tuple[Literal["data", "drift"], ...] = ()


class InboxSettings(StrictSettings):
    """``[inbox]``: how files put into the inbox are scored by themselves.

    Attributes
    ----------
    watch
        Look for new files while served.
    look_every
        How often.
    settle
        A file is left until it has not changed for this long.
    rescore
        ``all``: a newly promoted version scores every file of the inbox again. ``none``: a file
        is scored once.
    move
        Move files that were scored into ``inbox/done``, refused ones into ``inbox/refused``.
    """

    watch: bool = True
    look_every: Duration = "10s"
    settle: Duration = "5s"
    rescore: Literal["all", "none"] = "all"
    move: bool = False


class NotifySettings(StrictSettings):
    """``[notify]``: whom ``ffn serve`` tells, and of what.

    Attributes
    ----------
    webhook
        Address that gets a POST, or ``$NAME`` of a variable that holds it.
    on
        ``failure``: a run failed or crashed. ``kept``: a new version was not promoted.
        ``drift``: as in ``[schedule]``. ``promoted``: a new version scores.
    """

    webhook: Annotated[str, AfterValidator(_as_webhook)] | None = None
    on: tuple[Literal["failure", "kept", "drift", "promoted"], ...] = Field(
        default=("failure", "kept", "drift")
    )
