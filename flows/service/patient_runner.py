"""A Prefect runner that survives an unreachable server and runs only ffn's own flows."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable
from typing import Any, Self
from uuid import UUID

import httpx
from prefect.client.schemas.objects import FlowRun
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner

from ffn.interpreter import fresh
from flows.service.run_queue import RunQueue

__all__ = ["PatientRunner"]


class PatientRunner(Runner):
    """A runner that survives an unreachable server and starts only the flows it serves.

    Prefect's own runner gives up after three requests without an answer and kills the active runs,
    although they need no server to finish. It starts runs with ``python -m``, which imports modules
    of the current folder first, and lets them load whatever code the server names. There are no
    settings for any of this, so private attributes are replaced; the version of Prefect is pinned.

    Parameters
    ----------
    at_once
        Number of runs of one flow that may be active at a time, further ones wait; None, the
        default, for any number.
    **options
        Arguments of Prefect's ``Runner``.
    """

    def __init__(self, at_once: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._flows_of: dict[UUID | None, str | None] = {}
        self._queue = RunQueue(at_once)

    async def aadd_deployment(self, deployment: RunnerDeployment) -> UUID:
        """Serve ``deployment`` with its present entry point, whatever the server names later."""
        identity = await super().aadd_deployment(deployment)
        self._flows_of[identity] = deployment.entrypoint
        return identity

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        poller: Any = self._scheduled_run_poller
        observer: Any = self._cancelling_observer
        ask = _patient(poller._get_scheduled_flow_runs)

        async def ask_for_some() -> list[FlowRun]:
            return self._queue.take(await ask(), poller._submitting_flow_run_ids, self._flows_of)

        poller._get_scheduled_flow_runs = ask_for_some
        observer._check_for_cancelled_flow_runs = _patient(observer._check_for_cancelled_flow_runs)
        resolve = poller._resolve_starter

        def start_ours(flow_run: FlowRun) -> Any:
            starter = resolve(flow_run)
            starter._command = shlex.join(fresh(f"{__package__}.served_run"))
            starter._entrypoint = self._flows_of[flow_run.deployment_id]
            return starter

        poller._resolve_starter = start_ours
        return self


def _patient(
    ask: Callable[[], Awaitable[list[FlowRun] | None]],
) -> Callable[[], Awaitable[list[FlowRun]]]:
    """Wrap ``ask`` so that it returns no runs if the server does not answer."""

    async def ask_patiently() -> list[FlowRun]:
        try:
            return await ask() or []
        except httpx.HTTPError:
            return []

    return ask_patiently
