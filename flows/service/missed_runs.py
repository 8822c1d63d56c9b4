"""Recovery after an outage of the service: dead runs, late runs and missed schedules."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterEndTime,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Cancelled, Crashed
from prefect.types import DateTime

from ffn.quantities import counted
from ffn.registry.live_runs import lives
from ffn.registry.run_log import Note, note_down, note_killed
from ffn.settings.pipeline import Pipeline
from flows.server.service_home import ServiceHome
from flows.service.run_schedules import times_between

__all__ = ["crash", "crash_tasks", "make_up_for_outage", "mark_dead", "runs_in"]

_STARTED = [StateType.RUNNING, StateType.CANCELLING]
_AT_WORK = [*_STARTED, StateType.PENDING]


async def make_up_for_outage(
    client: PrefectClient,
    pipelines: Sequence[Pipeline],
    deployments: dict[str, UUID],
    home: ServiceHome,
    grace: datetime.timedelta = datetime.timedelta(0),
    *,
    pooled: bool = False,
) -> list[str]:
    """Mark dead runs, cancel late ones, and start one run per deployment that missed any.

    Parameters
    ----------
    client
        A client of Prefect's server.
    pipelines
        The pipelines served.
    deployments
        Ids of their deployments by name.
    home
        Knows when the service was last alive.
    grace
        As for ``mark_dead``.
    pooled
        Whether workers of a pool execute the runs, which then survive the service: none is marked.

    Returns
    -------
    list of str
        A sentence for each deployment with dead or missed runs.
    """
    now = datetime.datetime.now(datetime.UTC)
    since, told = home.last_alive(), []
    for pipeline in pipelines:
        note_killed(pipeline.artifacts)
        for what in ("retrain", "score", "evaluate"):
            deployment = deployments.get(f"{what}-{pipeline.name}")
            if deployment is None:
                continue
            died = 0 if pooled else await mark_dead(client, deployment, pipeline.artifacts, grace)
            late = await _drop_late(client, deployment, now)
            missed = await asyncio.to_thread(_missed, pipeline, what, since, now)
            count = max(len(missed), len(late))
            if died or count:
                await client.create_flow_run_from_deployment(deployment)
            if died:
                text = f"{counted(died, 'run')} died with the service; started again"
                told.append(f"{what}-{pipeline.name}: {text}.")
            if count:
                first = min([*missed, *late])
                text = (
                    f"{counted(count, 'scheduled run')} missed since "
                    f"{first:%Y-%m-%d %H:%M %Z}; one run replaces them all"
                )
                note_down(pipeline.artifacts, what, Note(outcome="missed", text=text))
                told.append(f"{what}-{pipeline.name}: {text}.")
    return told


def _missed(
    pipeline: Pipeline, what: str, since: datetime.datetime | None, now: datetime.datetime
) -> list[datetime.datetime]:
    """Return the scheduled times since the service was last alive."""
    if since is None:
        return []
    # Labels have no schedule: they are taken up when they come.
    schedules = getattr(pipeline.settings.schedule, what, ())
    return [time for when in schedules for time in times_between(when, since, now)]


async def runs_in(
    client: PrefectClient,
    deployment: UUID,
    states: list[StateType],
    ended_after: DateTime | None = None,
) -> list[FlowRun]:
    """Return a deployment's runs in these states: one page, as only one runs at a time.

    Parameters
    ----------
    client
        A client of Prefect's server.
    deployment
        Id of the deployment.
    states
        The states.
    ended_after
        Leave out runs that ended earlier; None, the default, leaves out none.
    """
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(any_=[deployment]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=states)),
            end_time=FlowRunFilterEndTime(after_=ended_after) if ended_after else None,
        )
    )


async def mark_dead(
    client: PrefectClient,
    deployment: UUID,
    artifacts: Path,
    grace: datetime.timedelta = datetime.timedelta(0),
) -> int:
    """Mark active runs whose process is gone as crashed; return how many.

    Parameters
    ----------
    client
        A client of Prefect's server.
    deployment
        Id of the deployment whose runs are checked.
    artifacts
        Folder of the pipeline's artifacts, with a lock file for each active run.
    grace
        Time after its start in which a run may not have its lock file yet. Runs that have not
        started are then left alone. Zero is only for a service that has started none itself.
    """
    latest = datetime.datetime.now(datetime.UTC) - grace
    dead = [
        run
        for run in await runs_in(client, deployment, _STARTED if grace else _AT_WORK)
        if run.state and run.state.timestamp <= latest and not lives(artifacts, str(run.id))
    ]
    for run in dead:
        await crash(
            client, run, "Its process is gone: the process was killed, or the machine stopped."
        )
    return len(dead)


async def crash(client: PrefectClient, run: FlowRun, message: str) -> None:
    """Mark a run and its unfinished tasks as crashed.

    Parameters
    ----------
    client
        A client of Prefect's server.
    run
        The run.
    message
        Why.
    """
    await crash_tasks(client, run, message)
    crashed: State[None] = Crashed(message=message)
    await client.set_flow_run_state(run.id, crashed, force=True)


async def crash_tasks(client: PrefectClient, run: FlowRun, message: str) -> None:
    """Mark the unfinished tasks of a run as crashed; arguments as for `crash`."""
    for task in await client.read_task_runs(
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))
    ):
        if task.state and not task.state.is_final():
            crashed: State[None] = Crashed(message=message)
            await client.set_task_run_state(task.id, crashed, force=True)


async def _drop_late(
    client: PrefectClient, deployment: UUID, now: datetime.datetime
) -> list[datetime.datetime]:
    """Cancel runs whose scheduled time has passed; return their times."""
    times: list[datetime.datetime] = []
    for run in await runs_in(client, deployment, [StateType.SCHEDULED]):
        time = run.next_scheduled_start_time or run.expected_start_time
        if run.auto_scheduled and time and time < now:
            cancelled: State[None] = Cancelled(
                message="Missed: the service was not running at its time."
            )
            await client.set_flow_run_state(run.id, cancelled, force=True)
            times.append(time)
    return times
