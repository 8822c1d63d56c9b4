"""What ``ffn serve`` would run, and when: the output of ``ffn serve --check``."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ffn.settings.pipeline import Pipeline
from ffn.settings.service_settings import When
from flows.service.deployments import takes_labels, triggers_in_words
from flows.service.run_schedules import next_times

__all__ = ["Plan", "of"]

_TIMES_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One pipeline's schedules with their next times, and its other triggers.

    Attributes
    ----------
    pipeline
        Name of the pipeline.
    retrain, score
        Schedules in words, and their next times in their own time zone.
    retrain_on, score_on
        Other triggers, in words.
    evaluate_on
        When labels are taken up, in words; empty if they are not.
    """

    pipeline: str
    retrain: tuple[tuple[str, list[datetime.datetime]], ...]
    score: tuple[tuple[str, list[datetime.datetime]], ...]
    retrain_on: str
    score_on: str
    evaluate_on: str = ""

    def __str__(self) -> str:
        return "\n".join(
            [
                self.pipeline,
                *_lines("retrain", self.retrain, self.retrain_on),
                *_lines("score", self.score, self.score_on),
                *([f"  {'evaluate':<8} {self.evaluate_on}"] if self.evaluate_on else []),
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Return one JSON object for machines."""
        return {
            "pipeline": self.pipeline,
            **{
                which: [
                    {"schedule": words, "next": [time.isoformat() for time in times]}
                    for words, times in getattr(self, which)
                ]
                for which in ("retrain", "score")
            },
            "retrain_on": self.retrain_on,
            "score_on": self.score_on,
            **({"evaluate_on": self.evaluate_on} if self.evaluate_on else {}),
        }


def of(pipeline: Pipeline, now: datetime.datetime | None = None) -> Plan:
    """Return the plan of ``pipeline`` from ``now`` on; None, the default, for the current time."""
    now = now or datetime.datetime.now(datetime.UTC)
    schedule = pipeline.settings.schedule
    retrain_on, score_on = triggers_in_words(pipeline)
    labels = f"new labels, checked every {pipeline.settings.inbox.look_every}"
    return Plan(
        pipeline=pipeline.name,
        retrain=_times(schedule.retrain, now),
        score=_times(schedule.score, now),
        retrain_on=retrain_on,
        score_on=score_on,
        evaluate_on=labels if takes_labels(pipeline) else "",
    )


def _times(
    whens: Sequence[When], now: datetime.datetime
) -> tuple[tuple[str, list[datetime.datetime]], ...]:
    return tuple((str(when), next_times(when, _TIMES_SHOWN, now)) for when in whens)


def _lines(
    what: str, schedules: Sequence[tuple[str, list[datetime.datetime]]], others: str
) -> list[str]:
    lines = [
        f"  {what:<8} {words}: {', '.join(f'{time:%a %Y-%m-%d %H:%M:%S %z}' for time in times)}"
        for words, times in schedules
    ]
    return [*lines, f"  {what:<8} {'also: ' if schedules else ''}{others}"]
