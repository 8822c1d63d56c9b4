"""One small, real retraining for all tests of its report."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from report_inputs import FIRST, Reported

from ffn.models.examination import examine
from ffn.models.serialisation import Version
from ffn.models.settings.pipeline import find_pipeline
from ffn.models.training import retraining
from ffn.models.training.selection import select_best


@pytest.fixture(scope="session")
def iris(repository: Path) -> Reported:
    """Iris with four networks for each optimizer and forty epochs, nothing written."""
    pipeline = find_pipeline("iris", repository)
    training = pipeline.settings.training.model_copy(update={"networks": 4, "epochs": 40})
    settings = pipeline.settings.model_copy(update={"training": training})
    pipeline = dataclasses.replace(pipeline, settings=settings)
    dataset = retraining.load(pipeline)
    held_out = retraining.split(dataset, pipeline)
    prepared = retraining.normalise(dataset, held_out, pipeline)
    candidates = [
        retraining.train_candidate(prepared.training, pipeline, name)
        for name in settings.optimizers.candidates()
    ]
    selection = select_best(candidates)
    refitted = retraining.refit(prepared.training, pipeline, selection, candidates)
    return Reported(
        pipeline=pipeline,
        prepared=prepared,
        candidates=candidates,
        selection=selection,
        refitted=refitted,
        evaluation=retraining.evaluate(refitted, prepared, pipeline),
        examination=examine(dataset, held_out, prepared, refitted, pipeline),
        version=Version(
            number=7,
            bundle=Path("artifacts/iris/models/0007/bundle"),
            sha256="ab" * 32,
            verdict=FIRST,
        ),
    )
