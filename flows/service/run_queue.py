"""Runs that are due at the same moment, started a few at a time.

Each run is a process, and writes to Prefect's database when it starts and ends. SQLite has one
writer at a time, so that with many pipelines a burst of runs would fail with "database is locked".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from prefect.client.schemas.objects import FlowRun

__all__ = ["RunQueue"]


class RunQueue:
    """Decides which of the runs that are due may start now, those due first before others.

    Runs of each flow are counted for themselves: retrainings of hours do not keep an inbox waiting.

    Parameters
    ----------
    at_once
        Number of runs of one flow that may be active at a time; None for any number.
    """

    def __init__(self, at_once: int | None) -> None:
        self._at_once = at_once
        self._started: dict[UUID, str | None] = {}

    def take(
        self,
        due: Sequence[FlowRun],
        active: Collection[UUID],
        entry_points: Mapping[UUID | None, str | None],
    ) -> list[FlowRun]:
        """Return the runs to start now.

        Parameters
        ----------
        due
            Runs that wait, in any order, possibly with active ones among them.
        active
            Ids of the runs that were started and have not ended.
        entry_points
            Entry points of the flows, by the ids of their deployments.
        """
        if self._at_once is None:
            return list(due)
        self._started = {run: flow for run, flow in self._started.items() if run in active}
        counts = Counter(self._started.values())
        chosen = []
        for run in sorted(due, key=_due_at):
            flow = entry_points.get(run.deployment_id)
            if run.id not in active and counts[flow] < self._at_once:
                counts[flow] += 1
                self._started[run.id] = flow
                chosen.append(run)
        return chosen


def _due_at(run: FlowRun) -> float:
    time = run.next_scheduled_start_time
    return time.timestamp() if time else float("inf")
