"""What every run does besides its work: shows that it lives, takes a name, leaves its story."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
from collections.abc import Iterator
from typing import Literal

import httpx
from prefect import get_run_logger, runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL
from prefect.states import Cancelled

from ffn.errors import BusyError, one_line
from ffn.registry.run_log import Note, running
from ffn.settings.pipeline import Pipeline
from flows import artifacts

__all__ = ["SERVED", "finished", "give_way", "name_run", "recorded"]

SERVED = "FFN_SERVED"
"""Set by ``ffn serve`` for its runs: one line about each goes to its output."""

finished: list[str] = []
"""What the runs of this process have done, whatever becomes of the record of it."""


@contextlib.contextmanager
def recorded(pipeline: Pipeline, what: Literal["retrain", "score"]) -> Iterator[Note]:
    """Let the block note what came of the run; write it down, and show the pipeline's status."""
    note, whole = Note(), False
    if os.environ.get(SERVED):
        # Of a server that is gone one line is told at the exit, and not one for each log line.
        logging.raiseExceptions = False
    try:
        # The end of a run of a service is reported after the block.
        served = bool(runtime.deployment.id)
        run = str(runtime.flow_run.id)
        with running(pipeline.artifacts, what, run, until_exit=served) as note:
            yield note
        whole = True
        if note.outcome:
            finished.append(note.text)
    finally:
        if note.version:
            name_run(what, pipeline.name, note.version)
        if note.outcome:
            artifacts.show_status(pipeline)
            if os.environ.get(SERVED):
                told = f"{pipeline.name}: {one_line(note.text)}"
                print(told, flush=True)  # noqa: T201
                told += " That is on the disk and whole; its" if whole else " Its"
                atexit.register(_tell_if_lost, told, str(PREFECT_API_URL.value()))


def give_way(busy: BusyError) -> State[None]:
    """Return the end of a run that met another of its kind, as Prefect ends those that it sees.

    A slot of Prefect's may be given twice: it is leased, and a busy server forgets to renew.

    Raises
    ------
    BusyError
        At a terminal, where it is a refusal.
    """
    if not runtime.deployment.id:
        raise busy
    return Cancelled(message=str(busy))


def _tell_if_lost(told: str, api: str) -> None:
    """Say at the exit of a served run if the server is gone, and with it the record.

    By then Prefect has given up to report the run's end.
    """
    try:
        httpx.get(f"{api}/health")
    except httpx.HTTPError:
        print(f"{told} record is missing: Prefect's server at {api} is gone.", flush=True)  # noqa: T201


def name_run(what: str, pipeline: str, version: int) -> None:
    """Name this run after what it made or used: ``retrain-iris-v0012``."""
    name = f"{what}-{pipeline}-v{version:04d}"
    # A name is a help; a server that is gone must not cost the result.
    try:
        with get_client(sync_client=True) as client:
            client.update_flow_run(runtime.flow_run.id, name=name)
    except Exception as error:
        get_run_logger().warning("the run keeps its first name: %s", error)
