"""Bookkeeping of every flow run: its lock file, its name, its log entry and its status."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
from collections.abc import Iterator
from http import HTTPStatus
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
from flows.progress_artifacts import forget_progress

__all__ = ["SERVED", "finished", "give_way", "name_run", "recorded"]

SERVED = "FFN_SERVED"
"""Variable set by ``ffn serve`` for its runs, each of which prints one line to its output."""

finished: list[str] = []
"""Results of the runs of this process, kept in case the server loses the record."""


@contextlib.contextmanager
def recorded(pipeline: Pipeline, what: Literal["retrain", "score", "evaluate"]) -> Iterator[Note]:
    """Yield a note for the result of the run; log it afterwards, and show the status.

    Parameters
    ----------
    pipeline
        The pipeline of the run.
    what
        The kind of run.
    """
    note, whole = Note(), False
    if os.environ.get(SERVED):
        # A lost server is reported once at the exit, not for each log line.
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
            forget_progress(pipeline.name)
            if os.environ.get(SERVED):
                told = f"{pipeline.name}: {one_line(note.text)}"
                print(told, flush=True)  # noqa: T201
                told += " That is on the disk and whole; its" if whole else " Its"
                atexit.register(_tell_if_lost, told, str(PREFECT_API_URL.value()))


def give_way(busy: BusyError) -> State[None]:
    """Return the state Cancelled for a run that found another one of its kind active.

    Prefect's concurrency slots are leased, and a busy server may fail to renew a lease and give
    the slot twice.

    Parameters
    ----------
    busy
        The error that names the other run.

    Raises
    ------
    BusyError
        If the run belongs to no deployment but was started in a terminal.
    """
    if not runtime.deployment.id:
        raise busy
    return Cancelled(message=str(busy))


def _tell_if_lost(told: str, api: str) -> None:
    """Report at the exit of a served run if the server, and so the record of the run, is lost.

    Prefect has stopped trying to report the end of the run by then.
    """
    lost = ""
    try:
        if httpx.get(f"{api}/ready").status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            lost = f"the database of Prefect's server at {api} is gone."
    except httpx.HTTPError:
        lost = f"Prefect's server at {api} is gone."
    if lost:
        print(f"{told} record is missing: {lost}", flush=True)  # noqa: T201


def name_run(what: str, pipeline: str, version: int) -> None:
    """Name this run after its kind, pipeline and version: ``retrain-iris-v0012``.

    Parameters
    ----------
    what
        Kind of the run, ``retrain``, ``score`` or ``evaluate``.
    pipeline
        Name of the pipeline.
    version
        Number of the version that the run created or used.
    """
    name = f"{what}-{pipeline}-v{version:04d}"
    # The name is optional; a lost server must not cost the result.
    try:
        with get_client(sync_client=True) as client:
            client.update_flow_run(runtime.flow_run.id, name=name)
    except Exception as error:
        get_run_logger().warning("the run keeps its first name: %s", error)
