"""One small, real retraining for all tests of its report."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from ffn.promotion.register import Version
from ffn.settings.pipeline import find_pipeline
from ffn.training import steps
from ffn.training.examination import examine
from ffn.training.selection import select_best
from tests.helpers.report_inputs import FIRST, Reported


@pytest.fixture(scope="session")
def iris(repository: Path) -> Reported:
    """Iris with four networks for each optimizer and forty epochs, nothing written."""
    pipeline = find_pipeline("iris", repository)
    training = pipeline.settings.training.model_copy(update={"networks": 4, "epochs": 40})
    settings = pipeline.settings.model_copy(update={"training": training})
    pipeline = dataclasses.replace(pipeline, settings=settings)
    dataset = steps.load(pipeline)
    held_out = steps.split(dataset, pipeline)
    prepared = steps.normalise(dataset, held_out, pipeline)
    candidates = [
        steps.train_candidate(prepared.training, pipeline, name)
        for name in settings.optimizers.candidates()
    ]
    selection = select_best(candidates)
    refitted = steps.refit(prepared.training, pipeline, selection, candidates)
    return Reported(
        pipeline=pipeline,
        prepared=prepared,
        candidates=candidates,
        selection=selection,
        refitted=refitted,
        evaluation=steps.evaluate(refitted, prepared, pipeline),
        examination=examine(dataset, held_out, prepared, refitted, pipeline),
        version=Version(
            number=7,
            bundle=Path("artifacts/iris/models/0007/bundle"),
            sha256="ab" * 32,
            verdict=FIRST,
        ),
    )
