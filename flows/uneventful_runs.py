"""Runs that found nothing to do, and how long they are kept.

By a schedule of seconds they are thousands a day: those that did something could not be found among
them, and the database would be full of them.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateName,
)
from prefect.exceptions import ObjectNotFound
from prefect.types import DateTime

__all__ = ["NOTHING_NEW", "SKIPPED", "UNCHANGED", "forget_uneventful"]

UNCHANGED, SKIPPED, NOTHING_NEW = "Unchanged", "Skipped", "NothingNew"
"""What the dashboard calls their ends."""

_MOST_AT_ONCE = 200


async def forget_uneventful(
    client: PrefectClient, deployments: Collection[UUID], before: DateTime
) -> int:
    """Delete such runs that ended before a time, 200 at most; returns how many."""
    ended = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(any_=list(deployments)),
            state=FlowRunFilterState(
                name=FlowRunFilterStateName(any_=[UNCHANGED, SKIPPED, NOTHING_NEW])
            ),
            end_time=FlowRunFilterEndTime(before_=before),
        ),
        limit=_MOST_AT_ONCE,
    )
    for run in ended:
        try:
            await client.delete_flow_run(run.id)
        except ObjectNotFound:
            continue
    return len(ended)
