"""Artifacts of a run on Prefect's dashboard, and the events it emits."""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from prefect import get_run_logger
from prefect.artifacts import (
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.events import emit_event
from prefect.exceptions import MissingContextError
from prefect.utilities.context import get_task_and_flow_run_ids

from ffn.pipelines.outcomes import ScoreOutcome
from ffn.promotion.register import Version
from ffn.reports.markup.escaping import escape
from ffn.reports.outcome_page import outcome_markdown, quality_in_production
from ffn.reports.retraining_page import leaderboard
from ffn.reports.retraining_report import Report
from ffn.reports.score_page import score_page, score_sentence, training_counts
from ffn.reports.score_rows import score_rows
from ffn.reports.status_page import read_status, status_markdown
from ffn.reports.verdict_section import verdict_markdown
from ffn.settings.pipeline import Pipeline
from ffn.training.selection.leaderboard import Selection

if TYPE_CHECKING:
    from ffn.monitoring.evaluate_outcome import EvaluateOutcome

__all__ = [
    "artifact_key",
    "show_outcomes",
    "show_retraining",
    "show_scoring",
    "show_status",
    "show_verdict",
    "unless_it_fails",
]

# An artifact is one row of a database and one page; further files have their manifests.
_FILES_SHOWN = 200
_REASONS_TOLD = 5


def artifact_key(*parts: str) -> str:
    """Return an artifact key: Prefect allows lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


@contextlib.contextmanager
def unless_it_fails() -> Iterator[None]:
    """Log errors in the block: a failing display must not change the result."""
    try:
        yield
    except Exception as error:
        # The service shows the status outside any run, where there is no logger.
        with contextlib.suppress(MissingContextError):
            get_run_logger().warning("not shown: %s", error)


def show_retraining(pipeline: str, selection: Selection, report: Report) -> None:
    """Show the leaderboard as a table, and the report with its pictures.

    Parameters
    ----------
    pipeline
        Name of the pipeline.
    selection
        The compared optimizers.
    report
        The written report.
    """
    create_table_artifact(
        _plain(leaderboard(selection)),
        key=artifact_key("leaderboard", pipeline),
        description=escape(selection.reason),
    )
    create_markdown_artifact(
        report.markdown,
        key=artifact_key("retrain", pipeline),
        description=f"Retraining of {pipeline}: verdict, curves, figures, calibration, baselines",
    )


def show_verdict(pipeline: str, version: Version) -> None:
    """Show why ``version`` of ``pipeline`` was or was not promoted, and emit the event."""
    verdict = version.verdict
    create_markdown_artifact(
        verdict_markdown(verdict, version.number),
        key=artifact_key("gate", pipeline),
        description=escape(verdict.sentence(version.number)),
    )
    emit_event(
        event="model.promoted" if verdict.promote else "model.kept",
        resource={
            "prefect.resource.id": f"ffn.pipeline.{pipeline}",
            "prefect.resource.name": pipeline,
        },
        payload={
            "version": version.number,
            "production": version.number if verdict.promote else verdict.production,
            # The text of notifications.
            "reason": ". ".join(filter(None, (verdict.reason, verdict.warnings))),
            "mode": verdict.mode,
            "bundle_sha256": version.sha256,
        },
    )


def show_scoring(pipeline: Pipeline, outcome: ScoreOutcome) -> None:
    """Show the files in ``outcome`` as a table, and a page with rejected rows and classes.

    Parameters
    ----------
    pipeline
        The pipeline.
    outcome
        Results of the scoring run.
    """
    refused = {refusal.source.name: refusal.reason for refusal in outcome.refusals}
    said = score_sentence(outcome.results, refused)
    page = score_page(
        outcome.results,
        refused,
        training_counts(pipeline.artifacts, outcome.version),
        quality_in_production(pipeline, outcome.version),
        outcome.shadow,
    )
    shown = score_rows(outcome.results[:_FILES_SHOWN], dict(islice(refused.items(), _FILES_SHOWN)))
    with unless_it_fails():
        create_markdown_artifact(
            page,
            key=artifact_key("scored", pipeline.name),
            description=f"Version {outcome.version} of {pipeline.name}: {said}",
        )
        create_table_artifact(
            _plain(shown),
            key=artifact_key("score", pipeline.name),
            description=f"Files scored with version {outcome.version} of {pipeline.name}",
        )
    if outcome.drift:
        _tell_drift(pipeline.name, outcome)


def _tell_drift(pipeline: str, outcome: ScoreOutcome) -> None:
    """Emit an event with the files and columns in which drift was detected."""
    columns = {name for report in outcome.drift.values() for name in report.drifted}
    told = {name: report.sentence for name, report in islice(outcome.drift.items(), _FILES_SHOWN)}
    emit_event(
        event="drift.detected",
        resource={
            "prefect.resource.id": f"ffn.pipeline.{pipeline}",
            "prefect.resource.name": pipeline,
        },
        payload={
            "version": outcome.version,
            "reason": "; ".join(islice(told.values(), _REASONS_TOLD)),
            "files": told,
            "columns": sorted(columns),
            "held": sum(refusal.drift is not None for refusal in outcome.refusals),
        },
    )


def show_outcomes(pipeline: Pipeline, outcome: EvaluateOutcome) -> None:
    """Show the realised quality of ``pipeline``, and emit an event the first time it falls.

    Parameters
    ----------
    pipeline
        The pipeline.
    outcome
        Result of the evaluation.
    """
    end = outcome.conclusion
    with unless_it_fails():
        create_markdown_artifact(
            outcome_markdown(end.qualities, end.challengers),
            key=artifact_key("outcomes", pipeline.name),
            description=escape(outcome.note()[2]),
        )
    if end.is_new or end.rolled_back:
        emit_event(
            event="quality.fell",
            resource={
                "prefect.resource.id": f"ffn.pipeline.{pipeline.name}",
                "prefect.resource.name": pipeline.name,
            },
            payload={
                "version": outcome.note()[1],
                "production": end.production,
                "reason": "; ".join(filter(None, (end.alert, end.rolled_back))),
            },
        )


def show_status(pipeline: Pipeline) -> None:
    """Show the current status of ``pipeline``; works inside and outside a run."""
    with unless_it_fails(), get_client(sync_client=True) as client:
        status = read_status(pipeline)
        # Prefect's functions for artifacts can be called only inside a run.
        task_run, flow_run = get_task_and_flow_run_ids()
        client.create_artifact(
            ArtifactCreate(
                type="markdown",
                key=artifact_key("status", pipeline.name),
                data=status_markdown(status),
                description=f"{pipeline.name}: {escape(status.production_sentence)}",
                task_run_id=task_run,
                flow_run_id=flow_run,
            )
        )


def _plain(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return cells escaped for Markdown as plain text, which the dashboard's tables need."""
    return [{name: html.unescape(cell) for name, cell in row.items()} for row in rows]
