"""Task runs whose process was terminated or killed, which the server would not learn of."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.futures import PrefectFuture
from prefect.states import Crashed

__all__ = ["marking_abandoned"]


@contextlib.contextmanager
def marking_abandoned(futures: Collection[PrefectFuture[Any]]) -> Iterator[None]:
    """If the block raises, mark unfinished task runs as crashed.

    A task in a process that a signal ends cannot report it and would stay in state Running.

    Parameters
    ----------
    futures
        The submitted task runs.
    """
    try:
        yield
    except BaseException:
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
