"""A pipeline's schedules as Prefect schedules, and the times of their runs."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence

from prefect.schedules import Cron, Interval, Schedule
from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.types import DateTime

from ffn.settings.service_settings import When, seconds_of

__all__ = ["as_prefect", "next_times", "times_between"]

# Fixed, so that a restart does not shift an interval. A Monday.
_ANCHOR = DateTime(2024, 1, 1, tzinfo=datetime.UTC)
_MOST_TIMES = 1_000


def as_prefect(whens: Sequence[When]) -> list[Schedule]:
    """Return the schedules ``whens`` in the form that a Prefect deployment takes."""
    return [_as_prefect(when) for when in whens]


def _as_prefect(when: When) -> Schedule:
    if when.cron:
        return Cron(when.cron, timezone=when.timezone)
    return Interval(_interval(when), anchor_date=_ANCHOR, timezone="UTC")


def _interval(when: When) -> datetime.timedelta:
    return datetime.timedelta(seconds=seconds_of(when.every or "0s"))


def _clock(when: When) -> CronSchedule | IntervalSchedule:
    if when.cron:
        return CronSchedule(cron=when.cron, timezone=when.timezone)
    return IntervalSchedule(interval=_interval(when), anchor_date=_ANCHOR, timezone="UTC")


def next_times(when: When, count: int, after: datetime.datetime) -> list[datetime.datetime]:
    """Return the first ``count`` times from ``after`` on, in the schedule's time zone.

    They are computed by the code that Prefect's server uses. When clocks change, that code may
    return a time before ``after``, which is dropped.

    Parameters
    ----------
    when
        The schedule.
    count
        Number of times.
    after
        Earliest time, with a time zone.
    """
    found: Sequence[datetime.datetime]
    found = asyncio.run(_clock(when).get_dates(count + 1, start=after))
    return [time for time in found if time >= after][:count]


def times_between(
    when: When, after: datetime.datetime, until: datetime.datetime
) -> list[datetime.datetime]:
    """Return the times of ``when`` in ``(after, until]``, at most 1,000.

    Parameters
    ----------
    when
        The schedule.
    after, until
        Limits of the interval, with a time zone.
    """
    found = asyncio.run(_clock(when).get_dates(_MOST_TIMES, start=after, end=until))
    return [time for time in found if after < time <= until]
