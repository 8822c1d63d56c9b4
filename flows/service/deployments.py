"""The Prefect deployments of a pipeline: retraining, scoring its inbox, evaluating labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger, DeploymentTriggerTypes, TriggerTypes
from prefect.types.entrypoint import EntrypointType

from ffn.settings.pipeline import Pipeline, reference
from flows.evaluate_flow import evaluate_outcomes
from flows.inbox_flow import score_inbox
from flows.retrain_flow import retrain
from flows.service.run_schedules import as_prefect

Trigger = DeploymentTriggerTypes | TriggerTypes

__all__ = ["deployments_of", "resource_of", "takes_labels", "triggers_in_words"]


def resource_of(pipeline: str) -> str:
    """Return the id of the resource of ``pipeline``, a name, in Prefect events."""
    return f"ffn.pipeline.{pipeline}"


def takes_labels(pipeline: Pipeline) -> bool:
    """Return whether the folder of labels of ``pipeline`` is to be watched.

    Without ``outcomes.id``, it is only if there is such a folder when the service starts.
    """
    settings = pipeline.settings.outcomes
    wanted = settings.id is not None or (pipeline.folder / "outcomes").is_dir()
    return settings.watch and wanted


def deployments_of(pipeline: Pipeline, root: Path) -> tuple[RunnerDeployment, ...]:
    """Return the deployments that retrain a pipeline, score its inbox, and evaluate its labels.

    There is the last one only if labels are taken up.

    Parameters
    ----------
    pipeline
        The pipeline.
    root
        The folder with ``data/`` and ``artifacts/``.
    """
    schedule = pipeline.settings.schedule
    common: dict[str, Any] = {
        "parameters": {"pipeline": reference(pipeline, root), "root": str(root)},
        "concurrency_limit": ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
        "entrypoint_type": EntrypointType.MODULE_PATH,
        # It may have been paused by hand, or by a service that did not serve it.
        "paused": False,
    }
    retraining = retrain.to_deployment(
        name=f"retrain-{pipeline.name}",
        description=_retrain_in_words(pipeline),
        tags=["retrain", pipeline.name],
        schedules=as_prefect(schedule.retrain),
        triggers=_reasons_to_retrain(pipeline),
        **common,
    )
    scoring = score_inbox.to_deployment(
        name=f"score-{pipeline.name}",
        description=_score_in_words(pipeline),
        tags=["score", pipeline.name],
        schedules=as_prefect(schedule.score),
        triggers=_promotion(pipeline),
        **common,
    )
    found = [retraining, scoring]
    if takes_labels(pipeline):
        found.append(
            evaluate_outcomes.to_deployment(
                name=f"evaluate-{pipeline.name}",
                description=_evaluate_in_words(pipeline),
                tags=["evaluate", pipeline.name],
                **common,
            )
        )
    # Called synchronously, `to_deployment` returns a deployment, not a coroutine.
    return tuple(cast(RunnerDeployment, one) for one in found)


def _reasons_to_retrain(pipeline: Pipeline) -> list[Trigger]:
    events = {"drift": "drift.detected", "quality": "quality.fell"}
    return [
        _on(events[reason], pipeline, f"{pipeline.name}: retrain on {reason}")
        for reason in pipeline.settings.schedule.retrain_on
        if reason in events
    ]


def _promotion(pipeline: Pipeline) -> list[Trigger]:
    if pipeline.settings.inbox.rescore == "none":
        return []
    return [_on("model.promoted", pipeline, f"{pipeline.name}: score again after a promotion")]


def _on(event: str, pipeline: Pipeline, name: str) -> DeploymentEventTrigger:
    return DeploymentEventTrigger(
        name=name, expect={event}, match={"prefect.resource.id": resource_of(pipeline.name)}
    )


def triggers_in_words(pipeline: Pipeline) -> tuple[str, str]:
    """Return in words which events start a retraining and a scoring run of ``pipeline``."""
    settings = pipeline.settings
    on = {
        "data": f"when {settings.data.source} changes",
        "drift": "on drift",
        "quality": "when quality is shown to be below what was promised",
    }
    retrain = [on[trigger] for trigger in settings.schedule.retrain_on]
    inbox = settings.inbox
    score = [f"new files, checked every {inbox.look_every}"] if inbox.watch else []
    score += ["all files after a promotion"] if inbox.rescore == "all" else []
    return ", ".join(retrain) or "nothing else", ", ".join(score) or "nothing else"


def _schedules_in_words(pipeline: Pipeline, which: str) -> str:
    schedules = getattr(pipeline.settings.schedule, which)
    return "; ".join(str(when) for when in schedules) or "no schedule"


def _retrain_in_words(pipeline: Pipeline) -> str:
    return (
        f"Trains the candidates of **{pipeline.name}** on `{pipeline.settings.data.source}`, "
        "selects the best, and promotes it only if it passes the gate.\n\n"
        f"Runs: {_schedules_in_words(pipeline, 'retrain')}; {triggers_in_words(pipeline)[0]}."
    )


def _evaluate_in_words(pipeline: Pipeline) -> str:
    return (
        f"Joins new labels in the outcomes folder of **{pipeline.name}** to predictions, and "
        "compares realised with promised quality.\n\n"
        f"Runs: new files, checked every {pipeline.settings.inbox.look_every}."
    )


def _score_in_words(pipeline: Pipeline) -> str:
    return (
        f"Labels the files in the inbox of **{pipeline.name}** with the version in "
        "production, each file once per version.\n\n"
        f"Runs: {_schedules_in_words(pipeline, 'score')}; {triggers_in_words(pipeline)[1]}."
    )
