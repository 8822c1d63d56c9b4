"""One small, real retraining for all tests of its report."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from ffn.pipelines import retraining, retraining_steps
from ffn.pipelines.execution import InProcess
from ffn.promotion.register import Version
from ffn.settings.pipeline import find_pipeline
from ffn.training.examination import examine
from tests.helpers.report_inputs import FIRST, Reported


@pytest.fixture(scope="session")
def iris(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """Iris with four networks for each optimizer and forty epochs, nothing registered."""
    pipeline = find_pipeline("iris", repository)
    training = pipeline.settings.training.model_copy(update={"networks": 4, "epochs": 40})
    settings = pipeline.settings.model_copy(update={"training": training})
    # The cache is written, and the repository's own is for its user.
    artifacts = tmp_path_factory.mktemp("reported") / "iris"
    pipeline = dataclasses.replace(pipeline, settings=settings, artifacts=artifacts)
    executor = InProcess()
    dataset = executor.run(retraining_steps.LOAD, pipeline)
    held_out, prepared = retraining.prepare(pipeline, dataset, executor)
    fitted = retraining.fit(pipeline, prepared, executor)
    return Reported(
        pipeline=pipeline,
        prepared=prepared,
        candidates=fitted.candidates,
        selection=fitted.selection,
        refitted=fitted.refitted,
        evaluation=fitted.evaluation,
        examination=examine(dataset, held_out, prepared, fitted.refitted, pipeline),
        version=Version(
            number=7,
            bundle=Path("artifacts/iris/models/0007/bundle"),
            sha256="ab" * 32,
            verdict=FIRST,
        ),
    )
