"""Prefect's runner, made to wait for a server that is away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Self

import httpx
from prefect.client.schemas.objects import FlowRun
from prefect.runner import Runner

__all__ = ["PatientRunner"]


class PatientRunner(Runner):
    """A runner that a server's absence does not end.

    Prefect's own gives up when three questions in a row had no answer, and kills the runs at work,
    which need no server to finish what they do. It has no setting for that, hence the reach into
    its insides; the version of Prefect is pinned.
    """

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        poller: Any = self._scheduled_run_poller
        observer: Any = self._cancelling_observer
        poller._get_scheduled_flow_runs = _patient(poller._get_scheduled_flow_runs)
        observer._check_for_cancelled_flow_runs = _patient(observer._check_for_cancelled_flow_runs)
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
