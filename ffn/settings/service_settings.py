"""``[schedule]``, ``[inbox]``, ``[notify]``, ``[runner]``: what runs by itself, when and where."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ffn.errors import quote
from ffn.settings.cron import check_cron
from ffn.settings.strict import Name, StrictSettings

__all__ = [
    "Duration",
    "InboxSettings",
    "NotifySettings",
    "RunnerSettings",
    "ScheduleSettings",
    "When",
    "seconds_of",
]

_DURATION = re.compile(r"([1-9][0-9]{0,8})(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LONGEST = 366 * 86_400
_HOST_AND_PORT = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):[0-9]{1,5}"
# More is a mistake in the number: each is a process of this machine.
_MOST_WORKERS = 1_024
# The machine's own zone, none at all, and rules for zones: no place has them, nor does Prefect.
_NO_PLACES = {"Factory", "localtime", "posixrules"}
# Folders with all zones once more, without and with leap seconds.
_COPIES = ("posix/", "right/")


def seconds_of(duration: str) -> int:
    """Return a validated duration such as ``15m`` in seconds."""
    return int(duration[:-1]) * _SECONDS[duration[-1]]


def _as_duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        raise ValueError(
            'must be a whole number and a unit, such as "30s", "15m", "6h", "1d", "2w"'
        )
    if seconds_of(text) > _LONGEST:
        raise ValueError('must be no longer than "366d", "52w"')
    return text


def _as_webhook(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]\S*|\$[A-Za-z_][A-Za-z0-9_]*", text):
        raise ValueError('must be an http(s) address, or "$NAME" of a variable that holds one')
    return text


def _as_dask_address(text: str) -> str:
    if not re.fullmatch(rf"(tcp|tls)://{_HOST_AND_PORT}", text):
        raise ValueError(
            'must be the address of a Dask scheduler, such as "tls://scheduler.example:8786"'
        )
    return text


def _as_ray_address(text: str) -> str:
    if text != "auto" and not re.fullmatch(_HOST_AND_PORT, text):
        raise ValueError(
            'must be the address of a Ray cluster, such as "head.example:6379", or "auto" for the '
            "one that this machine belongs to"
        )
    return text


def _is_timezone(name: str) -> bool:
    """Tell whether ``name`` is one of ``zoneinfo.available_timezones()``, and of a place.

    That function opens the files of all zones, some 600: ten times the work of all other settings.
    """
    if name in _NO_PLACES or name.startswith(_COPIES):
        return False
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _as_timezone(text: str) -> str:
    if not _is_timezone(text):
        known = zoneinfo.available_timezones() - _NO_PLACES
        near = difflib.get_close_matches(text, known, n=1) or ["Europe/Berlin"]
        raise ValueError(f"must be a time zone, such as {quote(near[0])}")
    return text


Duration = Annotated[str, AfterValidator(_as_duration)]


class When(StrictSettings):
    """One schedule: a cron expression or an interval.

    Attributes
    ----------
    cron
        Minute, hour, day of the month, month, day of the week.
    timezone
        Time zone of ``cron``, daylight saving time included.
    every
        Interval, counted from 2024-01-01 00:00 UTC.
    """

    cron: Annotated[str, AfterValidator(check_cron)] | None = None
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
        Events that start a retraining. ``data``: the content of the training CSV changed.
        ``drift``: scored rows differ from the training rows. ``quality``: labels that came later
        show that the version in production is below what was promised.
    """

    retrain: tuple[When, ...] = ()
    score: tuple[When, ...] = ()
    retrain_on: tuple[Literal["data", "drift", "quality"], ...] = ()


class InboxSettings(StrictSettings):
    """``[inbox]``: how files in the inbox are scored automatically.

    Attributes
    ----------
    watch
        Look for new files while ``ffn serve`` runs.
    look_every
        Interval between two looks.
    settle
        A file is scored once it has not changed for this long.
    rescore
        ``all``: a newly promoted version scores every file in the inbox again. ``none``: each
        file is scored once.
    move
        Move scored files to ``inbox/done`` and refused ones to ``inbox/refused``.
    """

    watch: bool = True
    look_every: Duration = "10s"
    settle: Duration = "5s"
    rescore: Literal["all", "none"] = "all"
    move: bool = False


class NotifySettings(StrictSettings):
    """``[notify]``: notifications that ``ffn serve`` sends.

    Attributes
    ----------
    webhook
        URL that notifications are posted to, or ``$NAME`` of an environment variable that holds
        it.
    on
        Events to notify about. ``failure``: a run failed or crashed. ``kept``: a new version was
        not promoted. ``drift``: scored rows differ from the training rows. ``promoted``: a new
        version is in production. ``quality``: a version is shown to be below what was promised.
    """

    webhook: Annotated[str, AfterValidator(_as_webhook)] | None = None
    on: tuple[Literal["failure", "kept", "drift", "promoted", "quality"], ...] = Field(
        default=("failure", "kept", "drift", "quality")
    )


class RunnerSettings(StrictSettings):
    """``[runner]``: where candidates are trained, and long files scored, which changes no result.

    Attributes
    ----------
    kind
        ``thread`` or ``process``: in threads or worker processes of this machine. ``dask`` or
        ``ray``: as tasks of a cluster, whose workers need not share a disk with this machine.
    workers
        Number of threads or processes on this machine; None: one per core. A cluster under an
        address has its own.
    dask_address
        Address of a Dask scheduler; None: a cluster on this machine, for the time of the run.
    ray_address
        Address of a Ray cluster, or ``auto``; None: likewise.
    tls_ca, tls_certificate, tls_key
        PEM files, relative to the folder of the settings, with which Dask makes sure that both
        ends are who they say they are. Without them, Dask's own configuration holds.
    wait
        How long to wait for a worker: at the start, and when all have gone.
    payload_mb
        Most megabytes that a cluster is sent. Of a larger table to train on, its workers have to
        share the disk; of files to score, so much crosses at the same time, to and from workers
        that do not see the disk.
    trust_network
        Take a cluster on other machines without TLS. Who reaches its network can run programs
        there, and on this machine.
    """

    kind: Literal["thread", "process", "dask", "ray"] = "thread"
    workers: Annotated[int, Field(ge=1, le=_MOST_WORKERS)] | None = None
    dask_address: Annotated[str, AfterValidator(_as_dask_address)] | None = None
    ray_address: Annotated[str, AfterValidator(_as_ray_address)] | None = None
    tls_ca: Name | None = None
    tls_certificate: Name | None = None
    tls_key: Name | None = None
    wait: Duration = "30s"
    payload_mb: Annotated[int, Field(ge=1, le=2_000)] = 256
    trust_network: bool = False

    @model_validator(mode="after")
    def _all_of_tls(self) -> RunnerSettings:
        files = (self.tls_ca, self.tls_certificate, self.tls_key)
        if any(files) and not all(files):
            raise ValueError('must have all three of "tls_ca", "tls_certificate" and "tls_key"')
        if all(files) and not (self.dask_address or "").startswith("tls://"):
            raise ValueError('has the files of TLS, so "dask_address" must begin with "tls://"')
        return self
