"""Prefect's runner, made to wait for a server that is away, and to run our flows alone."""

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

__all__ = ["PatientRunner"]


class PatientRunner(Runner):
    """A runner that a server's absence does not end, and that starts nothing but what it serves.

    Prefect's own gives up when three questions in a row had no answer, and kills the runs at work,
    which need no server to finish what they do. It starts them by ``python -m``, to which a module
    of the current folder comes first, and has them load the code that the server names. It has no
    settings for any of that, hence the reach into its insides; the version of Prefect is pinned.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._flows_of: dict[UUID | None, str | None] = {}

    async def aadd_deployment(self, deployment: RunnerDeployment) -> UUID:
        """Serve a deployment; its flow is the one it has here, whatever the server says later."""
        identity = await super().aadd_deployment(deployment)
        self._flows_of[identity] = deployment.entrypoint
        return identity

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        poller: Any = self._scheduled_run_poller
        observer: Any = self._cancelling_observer
        poller._get_scheduled_flow_runs = _patient(poller._get_scheduled_flow_runs)
        observer._check_for_cancelled_flow_runs = _patient(observer._check_for_cancelled_flow_runs)
        resolve = poller._resolve_starter

        def start_ours(flow_run: FlowRun) -> Any:
            starter = resolve(flow_run)
            starter._command = shlex.join(fresh("flows.service.served_run"))
            starter._entrypoint = self._flows_of[flow_run.deployment_id]
            return starter

        poller._resolve_starter = start_ours
        return self


def _patient(
    ask: Callable[[], Awaitable[list[FlowRun] | None]],
) -> Callable[[], Awaitable[list[FlowRun]]]:
    """Return a question that has the answer "none" where the server gives no answer."""

    async def ask_patiently() -> list[FlowRun]:
        try:
            return await ask() or []
        except httpx.HTTPError:
            return []

    return ask_patiently
