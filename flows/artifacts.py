"""What a run shows on Prefect's dashboard."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast
from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from ffn.models.selection import Selection
from ffn.reports.escaping import escape
from ffn.reports.markdown import leaderboard
from ffn.reports.retrain import Report
from ffn.reports.scores import score_rows
from ffn.scoring.batch import Progress
from flows.outcomes import ScoreOutcome

__all__ = ["scoring_progress", "show_retraining", "show_scoring", "training_progress"]

# An update is a call to the server of 20 to 50 ms.
_SECONDS_BETWEEN_UPDATES = 1.0


def _key(*parts: str) -> str:
    """Return an artifact key: Prefect takes lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


@contextlib.contextmanager
def _progress(key: str, description: str) -> Iterator[Callable[[float], None]]:
    """Show a bar; the block is given a function that moves it to a percentage."""
    # Prefect's types say that a coroutine may come back; to a synchronous caller none does.
    bar = cast(UUID, create_progress_artifact(0.0, key=key, description=description))
    last = time.monotonic()

    def move(percent: float) -> None:
        nonlocal last
        if time.monotonic() - last >= _SECONDS_BETWEEN_UPDATES:
            update_progress_artifact(bar, percent)
            last = time.monotonic()

    yield move
    update_progress_artifact(bar, 100.0)


@contextlib.contextmanager
def training_progress(pipeline: str, optimizer: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show one optimizer's epochs; the block is given a listener for ``flows.progress``."""
    key = _key("training", pipeline, optimizer)
    with _progress(key, f"Epochs of {optimizer}") as move:
        yield lambda _label, done, epochs: move(100 * done / epochs)


@contextlib.contextmanager
def scoring_progress(pipeline: str, source: Path) -> Iterator[Callable[[Progress], None]]:
    """Show one file's bytes; the block is given a listener for ``score_csv``."""
    key = _key("scoring", pipeline, source.name)
    with _progress(key, f"Scoring {escape(source.name)}") as move:
        yield lambda at: move(100 * at.bytes_read / at.size if at.size else 0.0)


def show_retraining(pipeline: str, selection: Selection, report: Report) -> None:
    """Show the leaderboard as a table, and the report with its pictures."""
    create_table_artifact(
        leaderboard(selection),
        key=_key("leaderboard", pipeline),
        description=escape(selection.reason),
    )
    create_markdown_artifact(
        report.markdown,
        key=_key("retrain", pipeline),
        description=f"Retraining of {pipeline}: verdict, curves, confusion matrix",
    )


def show_scoring(outcome: ScoreOutcome) -> None:
    """Show the files, rows, rejects and class counts of a scoring run as a table."""
    refused = {str(refusal.source): refusal.reason for refusal in outcome.refusals}
    create_table_artifact(
        score_rows(outcome.results, refused),
        key=_key("score", outcome.pipeline),
        description=f"Files scored with version {outcome.version} of {outcome.pipeline}",
    )
