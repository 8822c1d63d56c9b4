"""What moves on Prefect's dashboard: bars of trainings and of files, and how a search stands."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterKey,
    ArtifactFilterType,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run

from ffn.pipelines.progress import Sink, listening
from ffn.racing.standings import Standing, standing_rows, standings_in_words
from ffn.reports.markup.escaping import escape
from flows.artifacts import artifact_key, unless_it_fails

__all__ = ["forget_progress", "live_leaderboard", "scoring_progress", "training_progress"]

# An update is a request of 20 to 50 ms, and an event that the server keeps for days: at most one
# per second and one per percent.
_SECONDS_BETWEEN_UPDATES = 1.0
_TRAINING, _SCORING, _SEARCHING = "training", "scoring", "candidates"
_ENDED = [StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED]


@contextlib.contextmanager
def _progress(key: str, description: str) -> Iterator[Sink]:
    """Show a progress bar while the block runs; without a server the work continues.

    Afterwards the bar says nothing that the state of the task does not say, and would stand among
    reports and status on Prefect's page of artifacts.
    """
    bar: UUID | None = None
    with unless_it_fails():
        # By its type it may return a coroutine, but not when called synchronously.
        bar = cast(UUID, create_progress_artifact(0.0, key=key, description=description))
    last, shown = time.monotonic(), 0

    def show(_label: str, done: int, total: int, note: str) -> None:
        nonlocal last, shown
        # The size of a pipe is unknown; then only the note changes.
        percent = 100 * done // total if total else 0
        told = f"{description}: {note}" if note else description
        news = percent > shown or not total
        if bar is not None and news and time.monotonic() - last >= _SECONDS_BETWEEN_UPDATES:
            with unless_it_fails():
                update_progress_artifact(bar, float(percent), told)
            last, shown = time.monotonic(), percent

    try:
        yield show
    finally:
        if bar is not None:
            with unless_it_fails(), get_client(sync_client=True) as client:
                client.delete_artifact(bar)


def forget_progress(pipeline: str) -> None:
    """Delete progress bars and live tables of ``pipeline`` that this run and ended ones left.

    Killed runs leave them, earlier releases did, and a busy server may not have deleted one.

    Parameters
    ----------
    pipeline
        Name of the pipeline.
    """
    ended = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_ENDED)))
    with unless_it_fails(), get_client(sync_client=True) as client:
        this = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(str(flow_run.id))]))
        for doing, runs in itertools.product((_TRAINING, _SCORING), (this, ended)):
            bars = ArtifactFilter(
                type=ArtifactFilterType(any_=["progress"]),
                key=ArtifactFilterKey(like_=f"{artifact_key(doing, pipeline)}-%"),
            )
            for bar in client.read_artifacts(artifact_filter=bars, flow_run_filter=runs):
                with contextlib.suppress(ObjectNotFound):
                    client.delete_artifact(bar.id)
        board = ArtifactFilter(
            type=ArtifactFilterType(any_=["table"]),
            key=ArtifactFilterKey(any_=[artifact_key(_SEARCHING, pipeline)]),
        )
        for runs in (this, ended):
            for one in client.read_artifacts(artifact_filter=board, flow_run_filter=runs):
                with contextlib.suppress(ObjectNotFound):
                    client.delete_artifact(one.id)


@contextlib.contextmanager
def training_progress(pipeline: str, optimizer: str) -> Iterator[Sink]:
    """Show the epochs of ``optimizer``, in a run of ``pipeline``, while the block runs."""
    key = artifact_key(_TRAINING, pipeline, optimizer)
    with _progress(key, f"Epochs of {optimizer}") as show:
        yield show


@contextlib.contextmanager
def scoring_progress(pipeline: str, source: Path) -> Iterator[Sink]:
    """Show the progress of scoring the file ``source`` for ``pipeline`` while the block runs."""
    key = artifact_key(_SCORING, pipeline, source.name)
    with _progress(key, f"Scoring {escape(source.name)}") as show:
        yield show


@contextlib.contextmanager
def live_leaderboard(pipeline: str) -> Iterator[None]:
    """Show how the candidates of a search stand, as a table, while the block runs.

    Afterwards the table is deleted: the leaderboard of the whole comparison takes its place.
    Without a server the work continues.

    Parameters
    ----------
    pipeline
        Name of the pipeline.
    """
    board = _LiveLeaderboard(pipeline, UUID(str(flow_run.id)))
    try:
        with listening(board):
            yield
    finally:
        board.close()


class _LiveLeaderboard:
    """A ``Listener`` with a table that it updates."""

    def __init__(self, pipeline: str, run: UUID) -> None:
        self._pipeline = pipeline
        self._run = run
        self._artifact: UUID | None = None
        self._last = float("-inf")
        # Candidates finish in several threads.
        self._lock = threading.Lock()

    def stage(self, text: str) -> None:
        """Do nothing: the state of the run says it."""

    def notice(self, text: str) -> None:
        """Do nothing: the log says it."""

    def step(self, label: str, done: int, total: int, note: str) -> None:
        """Do nothing: a progress bar says it."""

    def leaders(self, standings: Sequence[Standing]) -> None:
        with self._lock:
            if time.monotonic() - self._last < _SECONDS_BETWEEN_UPDATES:
                return
            with unless_it_fails(), get_client(sync_client=True) as client:
                rows = json.dumps(standing_rows(standings))
                said = escape(standings_in_words(standings))
                if self._artifact is None:
                    made = client.create_artifact(
                        ArtifactCreate(
                            type="table",
                            key=artifact_key(_SEARCHING, self._pipeline),
                            data=rows,
                            description=said,
                            flow_run_id=self._run,
                        )
                    )
                    self._artifact = made.id
                else:
                    new = ArtifactUpdate(data=rows, description=said)
                    client.update_artifact(self._artifact, new)
            self._last = time.monotonic()

    def close(self) -> None:
        if self._artifact is not None:
            with unless_it_fails(), get_client(sync_client=True) as client:
                client.delete_artifact(self._artifact)
