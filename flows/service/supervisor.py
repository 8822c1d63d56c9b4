"""The main loop of ``ffn serve``: deployments, runs and the watch, once a server answers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.deployments.runner import RunnerDeployment

from ffn.settings.pipeline import Pipeline
from flows.recorded_runs import SERVED
from flows.server.service_home import ServiceError, ServiceHome
from flows.service.database_watch import watch_database
from flows.service.deployments import deployments_of
from flows.service.missed_runs import make_up_for_outage
from flows.service.notifications import notify
from flows.service.patient_runner import PatientRunner
from flows.service.pools.lost_runs import LostRuns
from flows.service.pools.work_pool import deploy, find_or_make_pool, leave_pools
from flows.service.watcher import Watch

__all__ = ["Service", "take_signals"]

_POLL_SECONDS = 5
# A working scheduler has planned the next runs by then, even on a small machine.
_SECONDS_TO_SCHEDULE = 60
_SECONDS_TO_END = 4.5


class Service:
    """Serves deployments, starts their runs and watches inboxes and training data.

    Parameters
    ----------
    pipelines
        The pipelines to serve.
    root
        The folder with ``data/`` and ``artifacts/``.
    home
        The service's folder.
    tell
        Prints a line of the service's output.
    at_once
        Number of runs of one flow that the service executes at a time; None, the default, for any.
    work_pool
        Name of the work pool whose workers execute the runs; None, the default: the service does.
    watched_database
        URL of the API of a server of the service's own whose PostgreSQL is to be watched; None,
        the default, for none.
    """

    def __init__(
        self,
        pipelines: Sequence[Pipeline],
        root: Path,
        home: ServiceHome,
        tell: Callable[[str], None],
        *,
        at_once: int | None = None,
        work_pool: str | None = None,
        watched_database: str | None = None,
    ) -> None:
        self._pipelines = pipelines
        self._root = root
        self._work_pool = work_pool
        self._watched_database = watched_database
        self._home = home
        self._tell = tell
        # Inside an event loop Prefect would return coroutines.
        self._deployments = [
            deployment for pipeline in pipelines for deployment in deployments_of(pipeline, root)
        ]
        os.environ[SERVED] = "1"
        self._runner = PatientRunner(
            at_once,
            name="ffn-serve",
            pause_on_shutdown=False,
            query_seconds=_POLL_SECONDS,
            limit=None,
        )

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until a signal.

        Parameters
        ----------
        ready
            Called once everything is being served.

        Raises
        ------
        ServiceError
            The server plans no runs for a schedule.
        """
        ending = asyncio.Event()
        take_signals(ending)
        async with get_client() as client:
            ids = await self._deploy(client)
            await _pause_others(client, self._deployments, ids)
            await notify(client, self._pipelines)
            pooled = self._work_pool is not None
            for line in await make_up_for_outage(
                client, self._pipelines, ids, self._home, pooled=pooled
            ):
                self._tell(line)
            await _check_schedules(client, self._deployments, ids, self._home)
            runner = asyncio.create_task(self._run_or_wait_for_workers(client, ids))
            # The runner installs a SIGTERM handler before it first waits; ours must replace it.
            await asyncio.sleep(0)
            take_signals(ending)
            watch = asyncio.create_task(
                Watch(client, self._pipelines, ids, self._home, self._tell, pooled=pooled).run()
            )
            database = asyncio.create_task(self._watch_database())
            for pipeline in self._pipelines:
                self._tell(f"Serving {pipeline.name}.")
            ready()
            stopped = asyncio.create_task(ending.wait())
            await asyncio.wait({runner, watch, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not ending.is_set():
                # Raises the error of the task that failed.
                for task in (runner, watch):
                    if task.done():
                        task.result()
                raise ServiceError("the service ended unexpectedly. Start it again.")
            self._tell("Ending. Runs at work on workers go on." if pooled else "Ending.")
            watch.cancel()
            database.cancel()
            await self._end(runner)

    async def _deploy(self, client: PrefectClient) -> dict[str, UUID]:
        """Register the deployments, for the workers of a pool or for this process; return ids."""
        if self._work_pool is not None:
            pool, made = await find_or_make_pool(client, self._work_pool)
            self._tell(
                f'Runs are executed by workers of the pool "{pool.name}" (type {pool.type}'
                f"{', created now' if made else ''})."
            )
            return await deploy(self._deployments, pool, self._root)
        for name, pool_name in (await leave_pools(client, self._deployments)).items():
            self._tell(f'{name} is taken from the pool "{pool_name}" and executed here.')
        return {
            deployment.name: await self._runner.aadd_deployment(deployment)
            for deployment in self._deployments
        }

    async def _run_or_wait_for_workers(self, client: PrefectClient, ids: dict[str, UUID]) -> None:
        if self._work_pool is None:
            await self._runner.start()
        else:
            lost = LostRuns(client, self._pipelines, ids, self._work_pool, self._tell)
            await lost.watch()

    async def _watch_database(self) -> None:
        if self._watched_database is not None:
            await watch_database(self._watched_database, self._tell)

    async def _end(self, runner: asyncio.Task[None]) -> None:
        """Terminate the runs within seconds, and kill those that do not end."""
        self._runner.stopping = True
        _signal_runs(signal.SIGTERM)
        for _ in range(round(_SECONDS_TO_END / 0.1)):
            if not _run_processes():
                break
            await asyncio.sleep(0.1)
        _signal_runs(signal.SIGKILL)
        runner.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await asyncio.wait_for(runner, 1.5)


def take_signals(ending: asyncio.Event) -> None:
    """Let SIGINT, SIGTERM and SIGHUP set ``ending``, except those that are ignored."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            loop.add_signal_handler(number, ending.set)


def _run_processes() -> set[int]:
    """Return the processes of runs: children except the server, which has its own session."""
    found = set()
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            children = map(int, (thread / "children").read_text().split())
            found |= {pid for pid in children if os.getsid(pid) == os.getsid(0)}
    return found


def _signal_runs(number: signal.Signals) -> None:
    for pid in _run_processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


async def _pause_others(
    client: PrefectClient, deployments: Sequence[RunnerDeployment], ids: dict[str, UUID]
) -> None:
    """Pause deployments of this root that an earlier service served and this one does not.

    Their schedules would otherwise keep creating runs that nothing executes.
    """
    root = deployments[0].parameters["root"]
    for there in await client.read_deployments():
        ours = there.parameters.get("root") == root and there.entrypoint in {
            deployment.entrypoint for deployment in deployments
        }
        if ours and there.id not in ids.values() and not there.paused:
            await client.pause_deployment(there.id)


async def _check_schedules(
    client: PrefectClient,
    deployments: Sequence[RunnerDeployment],
    ids: dict[str, UUID],
    home: ServiceHome,
) -> None:
    """Check that the server plans runs: it may accept schedules and never act on them."""
    waiting = {deployment.name for deployment in deployments if deployment.schedules}
    deadline = time.monotonic() + _SECONDS_TO_SCHEDULE
    while True:
        for name in sorted(waiting):
            runs = await client.read_flow_runs(
                flow_run_filter=FlowRunFilter(
                    deployment_id=FlowRunFilterDeploymentId(any_=[ids[name]]),
                    state=FlowRunFilterState(
                        type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])
                    ),
                ),
                limit=1,
            )
            waiting -= {name} if runs else set()
        if not waiting:
            return
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(1)
    raise ServiceError(
        f"schedules do not fire: the server has scheduled no run of {', '.join(sorted(waiting))} "
        f"in {_SECONDS_TO_SCHEDULE} seconds. See its log ({home.log}, if ffn started it)."
    )
