"""Looks for new files in the inboxes and for changed training data, and starts the runs for them.

A scheduled flow could look as well, but would cost a process of two seconds for each look, and a
run in the database that says that there was nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient

from ffn.errors import FFNError
from ffn.models.changes import TrainingData, new_training_data, take_up
from ffn.models.pipeline import Pipeline
from ffn.models.registry import production_version, versions
from ffn.models.service_settings import seconds_of
from ffn.scoring.inbox import look
from flows.service_home import ServiceHome

__all__ = ["Watch"]

_STEP_SECONDS = 1.0


class Watch:
    """The looks at all pipelines served."""

    def __init__(
        self,
        client: PrefectClient,
        pipelines: Sequence[Pipeline],
        deployments: dict[str, UUID],
        home: ServiceHome,
        tell: Callable[[str], None],
    ) -> None:
        self._client = client
        self._pipelines = pipelines
        self._deployments = deployments
        self._home = home
        self._tell = tell
        self._due = {pipeline.name: 0.0 for pipeline in pipelines}
        self._started: dict[str, UUID] = {}
        self._told: dict[str, str] = {}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.to_thread(self._home.beat)
            for pipeline in self._pipelines:
                if time.monotonic() >= self._due[pipeline.name]:
                    await self._look(pipeline)
                    every = seconds_of(pipeline.settings.inbox.look_every)
                    self._due[pipeline.name] = time.monotonic() + every
            await asyncio.sleep(_STEP_SECONDS)

    async def _look(self, pipeline: Pipeline) -> None:
        trouble = ""
        try:
            data = await asyncio.to_thread(_wanted, pipeline)
            if data and await self._start(f"retrain-{pipeline.name}"):
                await asyncio.to_thread(take_up, pipeline, data)
            if await asyncio.to_thread(_files_wait, pipeline):
                await self._start(f"score-{pipeline.name}")
        except (FFNError, OSError) as error:
            trouble = str(error)
        except httpx.HTTPError as error:
            trouble = f"the server does not answer ({type(error).__name__})"
        # The same trouble is told once, however often it is met.
        if trouble and trouble != self._told.get(pipeline.name):
            self._tell(f"{pipeline.name}: {trouble}")
        self._told[pipeline.name] = trouble

    async def _start(self, deployment: str) -> bool:
        """Start a run, unless the one that was started last is not over; say whether it was."""
        last = self._started.get(deployment)
        if last is not None:
            state = (await self._client.read_flow_run(last)).state
            if state is None or not state.is_final():
                return False
        run = await self._client.create_flow_run_from_deployment(
            self._deployments[deployment], name=deployment
        )
        self._started[deployment] = run.id
        return True


def _wanted(pipeline: Pipeline) -> TrainingData | None:
    """Return training data to be taken up; where there is no version yet, any is."""
    asked = "data" in pipeline.settings.schedule.retrain_on
    if not asked and versions(pipeline.artifacts):
        return None
    return new_training_data(pipeline)


def _files_wait(pipeline: Pipeline) -> bool:
    if not pipeline.settings.inbox.watch or not (pipeline.artifacts / "production.json").exists():
        return False
    return bool(look(pipeline, production_version(pipeline.artifacts)).waiting)
