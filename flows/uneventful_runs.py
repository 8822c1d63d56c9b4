"""Deletion of runs that found nothing to do.

With a schedule of seconds there are thousands of them per day. They would fill the database and
hide the runs that did something.
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
"""Names of their final states on the dashboard."""

_MOST_AT_ONCE = 200


async def forget_uneventful(
    client: PrefectClient, deployments: Collection[UUID], before: DateTime
) -> int:
    """Delete at most 200 runs that found nothing to do; return how many.

    Parameters
    ----------
    client
        A client of Prefect's server.
    deployments
        Ids of the deployments whose runs are deleted.
    before
        Only runs that ended before this time are deleted.
    """
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
