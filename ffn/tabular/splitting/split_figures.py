"""How the rows of a table were split, in figures and in words."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ffn.errors import quote
from ffn.quantities import counted
from ffn.tabular.splitting.division import Division
from ffn.tabular.splitting.points_in_time import TimeKind, time_text

__all__ = ["SplitFigures", "figures_of", "recorded_figures"]


@dataclass(frozen=True, kw_only=True)
class SplitFigures:
    """A division by time, by group or into two files, as it is recorded and reported.

    Attributes
    ----------
    time, group, test
        The columns, and the file of held-out rows; None where there is none.
    training, held_out, neither
        Numbers of rows.
    training_groups, held_out_groups
        Numbers of groups; 0 without groups.
    kind
        Kind of the times; None without times.
    until, since
        The latest time that is trained on, and the earliest held out, as numbers (dates in
        microseconds since 1970); None without times.
    limit
        Hash from which on a group is trained on, in hexadecimal; None without groups, or if the
        held-out rows were given.
    """

    time: str | None
    group: str | None
    test: str | None
    training: int
    held_out: int
    neither: int
    training_groups: int = 0
    held_out_groups: int = 0
    kind: TimeKind | None = None
    until: float | None = None
    since: float | None = None
    limit: str | None = None

    def sentence(self) -> str:
        """Return how rows were split and counted, as a sentence without a full stop."""
        by = [f"{name} {quote(column)}" for name, column in self._columns() if column]
        how = f"by {' and '.join(by)}" if by else f"as given by {quote(self.test)}"
        trained = counted(self.training, "row")
        judged = counted(self.held_out, "row")
        if self.test and by:
            judged += f" of {quote(self.test)}"
        if self.group:
            trained += f" of {counted(self.training_groups, 'group')}"
            judged += f" of {counted(self.held_out_groups, 'other group')}"
        if self.kind is not None and self.until is not None and self.since is not None:
            trained += f" up to {time_text(self.kind, self.until)}"
            judged += f" from {time_text(self.kind, self.since)} on"
        said = f"rows are split {how}: trained on {trained}, judged by {judged}"
        if self.neither:
            verb = "is" if self.neither == 1 else "are"
            said += f"; {counted(self.neither, 'row')} {verb} in neither part"
            if reasons := self._why_neither():
                said += f" ({reasons})"
        return said

    def _columns(self) -> tuple[tuple[str, str | None], ...]:
        return ("time", self.time), ("group", self.group)

    def _why_neither(self) -> str:
        if self.time and self.group:
            return "earlier rows of groups that judge, later rows of the others, and any embargo"
        if self.time and self.test:
            return "not earlier than the held-out rows by the embargo"
        if self.group:
            return "their groups judge"
        return "the embargo"


def figures_of(
    division: Division,
    *,
    time: str | None,
    group: str | None,
    test: str | None,
    kind: TimeKind | None,
) -> SplitFigures:
    """Return the figures of a division.

    Parameters
    ----------
    division
        The two sides of the rows; neither is empty.
    time, group, test, kind
        As in `SplitFigures`.
    """
    until = since = None
    if division.times is not None:
        until = float(division.times[division.training].max())
        since = float(division.times[division.held_out].min())
    return SplitFigures(
        time=time,
        group=group,
        test=test,
        training=int(np.count_nonzero(division.training)),
        held_out=int(np.count_nonzero(division.held_out)),
        neither=division.neither,
        training_groups=division.groups_of(division.training),
        held_out_groups=division.groups_of(division.held_out),
        kind=kind,
        until=until,
        since=since,
        limit=None if division.limit is None else f"{division.limit:x}",
    )


def recorded_figures(value: Any) -> SplitFigures | None:
    """Return figures that were recorded as JSON; None for anything else.

    Parameters
    ----------
    value
        Value of the key ``split`` in the provenance of a version.
    """
    texts, counts = ("time", "group", "test", "kind"), ("training", "held_out", "neither")
    if not isinstance(value, dict):
        return None
    numbers = [value.get(key) for key in ("until", "since")]
    limit = value.get("limit")
    sound = (
        all(value.get(key) is None or isinstance(value[key], str) for key in texts)
        and all(type(value.get(key)) is int for key in counts)
        and all(number is None or type(number) in (int, float) for number in numbers)
        and (limit is None or (isinstance(limit, str) and re.fullmatch(r"[0-9a-f]{1,17}", limit)))
    )
    return SplitFigures(**value) if sound and value.keys() == _FIELDS else None


_FIELDS = {field.name for field in fields(SplitFigures)}
