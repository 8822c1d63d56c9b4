"""Mark task runs whose process was terminated or killed, which the server would not notice."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.futures import PrefectFuture
from prefect.states import Crashed
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner

__all__ = ["marking_abandoned"]


@contextlib.contextmanager
def marking_abandoned(
    futures: Collection[PrefectFuture[Any]], runner: TaskRunner[Any] | None
) -> Iterator[None]:
    """If a signal ends the block, mark unfinished task runs as crashed.

    A task in a process that the signal also ends cannot do so itself, and would stay in the state
    Running for ever. Tasks in threads of this process report their end themselves.

    Parameters
    ----------
    futures
        The task runs.
    runner
        Who runs them; None for the flow's own threads.
    """
    try:
        yield
    except Exception:
        # Tasks that have begun still run to their end.
        raise
    except BaseException:
        if isinstance(runner, ProcessPoolTaskRunner):
            _mark(futures)
        raise


def _mark(futures: Collection[PrefectFuture[Any]]) -> None:
    with get_client(sync_client=True) as client:
        for future in futures:
            # Task runs that had not started are unknown to the server.
            with contextlib.suppress(ObjectNotFound):
                state = client.read_task_run(future.task_run_id).state
                if state is None or not state.is_final():
                    crashed: State[Any] = Crashed(message="Ended before it was done.")
                    client.set_task_run_state(future.task_run_id, crashed, force=True)
