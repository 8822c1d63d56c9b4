"""Watches inboxes and training data, and starts runs for new files and changed data.

A scheduled flow could do the same, but each check would cost a process of two seconds and a run in
the database that found nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import time
from collections.abc import Callable, Sequence
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.types import DateTime

from ffn.errors import FFNError
from ffn.registry.live_runs import working
from ffn.registry.new_data import TrainingData, new_training_data, take_up
from ffn.registry.production import read_pointer
from ffn.registry.run_log import note_killed
from ffn.registry.versions import production_version, versions
from ffn.scoring.inbox.inbox_scan import scan_inbox
from ffn.scoring.inbox.labels_folder import scan_outcomes
from ffn.settings.pipeline import Pipeline
from ffn.settings.service_settings import seconds_of
from flows.artifacts import show_status
from flows.server.service_home import ServiceHome
from flows.service.missed_runs import make_up_for_outage, mark_dead
from flows.uneventful_runs import forget_uneventful

__all__ = ["Watch"]

_STEP_SECONDS = 1.0
# Far longer than one loop takes on a machine that is awake.
_ASLEEP = datetime.timedelta(seconds=30)
# Time until a started run has its lock file, even on a small machine.
_GRACE = datetime.timedelta(seconds=60)
# How long a run that found nothing to do is kept.
_USEFUL = datetime.timedelta(hours=1)
_ABOUT_TO = datetime.timedelta(seconds=5)
# From an event to the start of the run that it triggers.
_SECONDS_OF_AN_EVENT = 12


class Watch:
    """Watches all served pipelines.

    Parameters
    ----------
    client
        A client of Prefect's server.
    pipelines
        The pipelines served.
    deployments
        Ids of their deployments by name.
    home
        The service's folder.
    tell
        Prints a line of the service's output.
    pooled
        Whether workers of a pool execute the runs: `flows.service.pools.lost_runs` watches them.
    """

    def __init__(
        self,
        client: PrefectClient,
        pipelines: Sequence[Pipeline],
        deployments: dict[str, UUID],
        home: ServiceHome,
        tell: Callable[[str], None],
        *,
        pooled: bool = False,
    ) -> None:
        self._client = client
        self._pooled = pooled
        self._pipelines = pipelines
        self._deployments = deployments
        self._home = home
        self._tell = tell
        self._due = {pipeline.name: 0.0 for pipeline in pipelines}
        self._told: dict[str, str] = {}
        self._begun: dict[str, tuple[UUID, TrainingData]] = {}
        self._pointers = {
            pipeline.name: read_pointer(pipeline.artifacts).content for pipeline in pipelines
        }

    async def run(self) -> None:
        """Watch until cancelled."""
        loops = [self._beat(), self._look_at_all(), self._forget_uneventful()]
        if not self._pooled:
            loops.append(self._free_slots())
        await asyncio.gather(*loops)

    async def _beat(self) -> None:
        """Record that the service is alive, and recover as after an outage if the machine slept.

        A clock that was set forward is treated in the same way.
        """
        while True:
            before = datetime.datetime.now(datetime.UTC)
            await asyncio.to_thread(self._home.beat)
            await asyncio.sleep(_STEP_SECONDS)
            if datetime.datetime.now(datetime.UTC) - before > _ASLEEP:
                served = self._client, self._pipelines, self._deployments
                outage = make_up_for_outage(*served, self._home, grace=_GRACE, pooled=self._pooled)
                with contextlib.suppress(httpx.HTTPError):
                    for line in await outage:
                        self._tell(line)

    async def _free_slots(self) -> None:
        """Mark runs that died while the server was unreachable, which releases their slots.

        Otherwise the server would keep their concurrency slots. Runs that die while it is
        reachable are marked immediately by Prefect's runner.
        """
        while True:
            await asyncio.sleep(_GRACE.total_seconds())
            for pipeline in self._pipelines:
                for what in ("retrain", "score", "evaluate"):
                    deployment = self._deployments.get(f"{what}-{pipeline.name}")
                    if deployment is None:
                        continue
                    with contextlib.suppress(httpx.HTTPError):
                        await mark_dead(self._client, deployment, pipeline.artifacts, _GRACE)

    async def _forget_uneventful(self) -> None:
        while True:
            await asyncio.sleep(_GRACE.total_seconds())
            with contextlib.suppress(httpx.HTTPError):
                until = DateTime.now("UTC") - _USEFUL
                await forget_uneventful(self._client, self._deployments.values(), until)

    async def _look_at_all(self) -> None:
        while True:
            for pipeline in self._pipelines:
                await asyncio.to_thread(self._note_killed, pipeline)
                if time.monotonic() >= self._due[pipeline.name]:
                    pause = seconds_of(pipeline.settings.inbox.look_every)
                    if self._leaves_to_the_event(pipeline):
                        pause = max(pause, _SECONDS_OF_AN_EVENT)
                    else:
                        await self._look(pipeline)
                    self._due[pipeline.name] = time.monotonic() + pause
            await asyncio.sleep(_STEP_SECONDS)

    def _note_killed(self, pipeline: Pipeline) -> None:
        """Report runs that were killed, including those started in a terminal.

        Prefect's runner updates their state on the server.
        """
        try:
            found = note_killed(pipeline.artifacts)
        except OSError:
            return
        for entry in found:
            self._tell(f"{pipeline.name}: {entry.what} crashed: {entry.text}.")
        if found:
            show_status(pipeline)

    def _leaves_to_the_event(self, pipeline: Pipeline) -> bool:
        """Say whether a promotion has just happened, whose event starts the scoring of all files.

        The watch starts it only if no event does: a promotion on the command line emits none.
        """
        now = read_pointer(pipeline.artifacts).content
        promoted = now != self._pointers[pipeline.name]
        self._pointers[pipeline.name] = now
        return promoted and pipeline.settings.inbox.rescore == "all"

    async def _look(self, pipeline: Pipeline) -> None:
        trouble = ""
        try:
            await self._look_at_data(pipeline)
            if await asyncio.to_thread(_files_wait, pipeline):
                await self._start(f"score-{pipeline.name}")
            if f"evaluate-{pipeline.name}" in self._deployments and await asyncio.to_thread(
                _labels_wait, pipeline
            ):
                await self._start(f"evaluate-{pipeline.name}")
        except (FFNError, OSError) as error:
            trouble = str(error)
        except httpx.HTTPError as error:
            trouble = f"the server does not answer ({type(error).__name__})"
        # The same problem is reported only once in a row.
        if trouble and trouble != self._told.get(pipeline.name):
            self._tell(f"{pipeline.name}: {trouble}")
        self._told[pipeline.name] = trouble

    async def _look_at_data(self, pipeline: Pipeline) -> None:
        """Start a retraining for new data, and record the data as used once it has begun.

        The run may be cancelled if another one, with the earlier data, began at the same moment.
        """
        begun = self._begun.pop(pipeline.name, None)
        if begun:
            run, data = begun
            state = (await self._client.read_flow_run(run)).state
            if state and (state.is_running() or (state.is_final() and not state.is_cancelled())):
                await asyncio.to_thread(take_up, pipeline, data)
            elif state and not state.is_final():
                self._begun[pipeline.name] = begun
            return
        wanted = await asyncio.to_thread(_wanted, pipeline)
        run_id = await self._start(f"retrain-{pipeline.name}") if wanted else None
        if wanted and run_id:
            self._begun[pipeline.name] = run_id, wanted

    async def _start(self, deployment: str) -> UUID | None:
        """Start a run and return its id, unless there is one already."""
        if await self._at_work(self._deployments[deployment]):
            return None
        run = await self._client.create_flow_run_from_deployment(
            self._deployments[deployment], name=deployment
        )
        return run.id

    async def _at_work(self, deployment: UUID) -> bool:
        """Say whether a run is active or about to start."""
        unfinished = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING]
        runs = await self._client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                deployment_id=FlowRunFilterDeploymentId(any_=[deployment]),
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=unfinished)),
                expected_start_time=FlowRunFilterExpectedStartTime(
                    before_=DateTime.now("UTC") + _ABOUT_TO
                ),
            ),
            limit=1,
        )
        return bool(runs)


def _wanted(pipeline: Pipeline) -> TrainingData | None:
    """Return new training data; before the first version, any data is new."""
    asked = "data" in pipeline.settings.schedule.retrain_on
    if not asked and versions(pipeline.artifacts):
        return None
    return new_training_data(pipeline)


def _labels_wait(pipeline: Pipeline) -> bool:
    if read_pointer(pipeline.artifacts).missing:
        return False
    # Until it has ended, no row is appended, and one evaluation after another would find the same.
    if pipeline.settings.outcomes.append and any(
        run.what == "retrain" for run in working(pipeline.artifacts)
    ):
        return False
    return bool(scan_outcomes(pipeline).waiting)


def _files_wait(pipeline: Pipeline) -> bool:
    if not pipeline.settings.inbox.watch or read_pointer(pipeline.artifacts).missing:
        return False
    return bool(scan_inbox(pipeline, production_version(pipeline.artifacts)).waiting)
