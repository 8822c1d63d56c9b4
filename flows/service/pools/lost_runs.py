"""Runs of a work pool that were lost with their worker: found by their silence, and run again.

A run sends a sign of life every half minute, and holds a lock file in the pipeline's folder. A run
without either is lost: its process was killed, its machine stopped, or its network is gone. It is
marked as crashed and scheduled again, three tries in all. Prefect's automations could do the same,
but know neither the lock nor a limit: a run that takes its worker down would come back for ever.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State, StateType, WorkPoolStatus
from prefect.events.filters import (
    EventFilter,
    EventNameFilter,
    EventOccurredFilter,
    EventResourceFilter,
)
from prefect.states import Cancelled, Scheduled
from prefect.types import DateTime

from ffn.registry.live_runs import lives
from ffn.settings.pipeline import Pipeline
from flows.service.missed_runs import crash, crash_tasks, runs_in
from flows.service.pools.work_pool import HEARTBEAT_SECONDS

__all__ = ["LostRuns", "Patience"]

_TRIES = 3
# Prefect's own name for it.
_AGAIN = "AwaitingRetry"
_HEARTBEAT = "prefect.flow-run.heartbeat"
# Crashes before that are history.
_RECENT = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class Patience:
    """How long to wait before a run counts as lost.

    Attributes
    ----------
    silence
        Without a sign of life: three of them missed, and a little.
    pending
        Between a worker's taking the run and its start; an image may have to be fetched.
    settling
        Between a crash and the next try. A worker reports a crash twice, the second time when it
        has cleaned up, and would end the new try with its second report.
    look_every
        Between two looks.
    """

    silence: datetime.timedelta = datetime.timedelta(seconds=3 * HEARTBEAT_SECONDS + 10)
    pending: datetime.timedelta = datetime.timedelta(minutes=10)
    settling: datetime.timedelta = datetime.timedelta(seconds=30)
    look_every: datetime.timedelta = datetime.timedelta(seconds=15)


class LostRuns:
    """Watches the runs of the pipelines' deployments in a work pool.

    Parameters
    ----------
    client
        A client of Prefect's server.
    pipelines
        The pipelines served.
    deployments
        Ids of their deployments by name.
    pool
        Name of the work pool.
    tell
        Prints a line of the service's output.
    patience
        How long to wait; the default fits Prefect's signs of life.
    """

    def __init__(
        self,
        client: PrefectClient,
        pipelines: Sequence[Pipeline],
        deployments: dict[str, UUID],
        pool: str,
        tell: Callable[[str], None],
        patience: Patience | None = None,
    ) -> None:
        self._client = client
        self._pipelines = pipelines
        self._deployments = deployments
        self._pool = pool
        self._tell = tell
        self._patience = patience or Patience()
        self._heard_since: datetime.datetime | None = None
        self._looked = _now()
        self._workers: WorkPoolStatus | None = None

    async def watch(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self.look()
            except httpx.HTTPError:
                self._heard_since = None
            await asyncio.sleep(self._patience.look_every.total_seconds())

    async def look(self) -> None:
        """Mark the runs that are lost, and schedule again those that crashed and have a try left.

        Raises
        ------
        httpx.HTTPError
            Prefect's server does not answer. Silence counts again from its next answer, because
            runs cannot be heard in the meantime.
        """
        now = _now()
        if self._heard_since is None or now - self._looked > 3 * self._patience.look_every:
            self._heard_since = now
        self._looked = now
        await self._look_at_workers()
        for pipeline in self._pipelines:
            for what in ("retrain", "score", "evaluate"):
                name = f"{what}-{pipeline.name}"
                if name in self._deployments:
                    await self._look_at(name, self._deployments[name], pipeline.artifacts, now)

    async def _look_at_workers(self) -> None:
        status = (await self._client.read_work_pool(self._pool)).status
        if status != self._workers and status is not None:
            if status == WorkPoolStatus.NOT_READY:
                self._tell(
                    f'No worker of the pool "{self._pool}" is online. Start one: '
                    f"prefect worker start --pool {self._pool}"
                )
            elif status == WorkPoolStatus.PAUSED:
                self._tell(f'The pool "{self._pool}" is paused: no run starts.')
            elif self._workers is not None:
                self._tell(f'A worker of the pool "{self._pool}" is online.')
        self._workers = status

    async def _look_at(
        self, name: str, deployment: UUID, artifacts: Path, now: datetime.datetime
    ) -> None:
        begun = [StateType.RUNNING, StateType.CANCELLING, StateType.PENDING]
        for run in await runs_in(self._client, deployment, begun):
            if await self._is_lost(run, artifacts, now):
                if run.state and run.state.type == StateType.CANCELLING:
                    cancelled: State[None] = Cancelled(message="Its worker is gone.")
                    await self._client.set_flow_run_state(run.id, cancelled, force=True)
                else:
                    await crash(self._client, run, "Its worker is gone: no sign of life.")
        crashed = [StateType.CRASHED]
        for run in await runs_in(self._client, deployment, crashed, DateTime.now("UTC") - _RECENT):
            if run.state and now - run.state.timestamp > self._patience.settling:
                await self._try_again(name, run)

    async def _is_lost(self, run: FlowRun, artifacts: Path, now: datetime.datetime) -> bool:
        assert run.state is not None  # noqa: S101 - it was found by its state
        assert self._heard_since is not None  # noqa: S101 - set by `look`
        since = max(run.state.timestamp, self._heard_since)
        if run.state.type == StateType.PENDING:
            return now - since > self._patience.pending
        # A lock that is held is proof, whatever the network says.
        if now - since <= self._patience.silence or lives(artifacts, str(run.id)):
            return False
        heard = EventFilter(
            event=EventNameFilter(name=[_HEARTBEAT]),
            resource=EventResourceFilter(id=[f"prefect.flow-run.{run.id}"]),
            occurred=EventOccurredFilter(since=DateTime.now("UTC") - self._patience.silence),
        )
        return not (await self._client.read_events(heard, limit=1)).events

    async def _try_again(self, name: str, run: FlowRun) -> None:
        # Those of a killed process cannot report themselves, and a worker does not.
        await crash_tasks(self._client, run, "Its run crashed.")
        states = await self._client.read_flow_run_states(run.id)
        tried = 1 + sum(state.name == _AGAIN for state in states)
        if tried >= _TRIES:
            return
        said = f"Lost; try {tried + 1} of {_TRIES}."
        again: State[None] = Scheduled(name=_AGAIN, message=said)
        await self._client.set_flow_run_state(run.id, again, force=True)
        self._tell(f"{name}: a run was lost; it is tried again ({tried + 1} of {_TRIES}).")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
