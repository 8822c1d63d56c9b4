"""The tables of the architecture page list the steps, in the order in which they run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ffn.pipelines import (
    batch_scoring,
    inbox_scoring,
    outcome_evaluation,
    retraining,
    retraining_steps,
)
from ffn.pipelines.execution import Gathered, InProcess, Step
from ffn.settings.decision_settings import DecisionSettings
from ffn.settings.pipeline import find_pipeline


class Recording(InProcess):
    """Runs steps in this process, and keeps their names."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def run(self, step: Step[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self.names.append(step.name)
        return super().run(step, *args, **kwargs)

    def run_each(
        self, step: Step[..., Any], items: Any, /, *args: Any, **kwargs: Any
    ) -> Gathered[Any, Any]:
        self.names.append(step.name)
        return super().run_each(step, items, *args, **kwargs)


@pytest.fixture(scope="session")
def documented(repository: Path) -> list[list[str]]:
    """The names in the first column of each table of steps."""
    page = (repository / "docs/architecture.md").read_text("utf-8")
    tables = re.findall(r"^\| step \|.*\n\|[-|]+\n((?:\|.*\n)+)", page, re.MULTILINE)
    return [re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE) for table in tables]


def declared(module: ModuleType) -> list[str]:
    return [value.name for value in vars(module).values() if isinstance(value, Step)]


def test_every_step_is_documented(documented: list[list[str]]) -> None:
    scoring = [*declared(batch_scoring), *declared(inbox_scoring)]
    assert documented == [declared(retraining_steps), scoring, declared(outcome_evaluation)]


def test_steps_run_in_the_order_that_is_documented(
    untrained: Path, documented: list[list[str]]
) -> None:
    executor, found = Recording(), find_pipeline("sizes", untrained)
    # With label sets no step is left out.
    settings = found.settings.model_copy(update={"decision": DecisionSettings(label_sets=0.5)})
    retraining.run_steps(replace(found, settings=settings), executor)
    assert executor.names == documented[0]
