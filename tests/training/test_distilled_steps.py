"""A pipeline with ``ensemble = "distilled"``: its student, from the table to the bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ffn.distillation import student as student_training
from ffn.distillation.student import distil
from ffn.errors import TrainingError
from ffn.training import steps
from tests.helpers.retrained import (
    InThreads,
    broken_training,
    bundle_bytes,
    candidates_of,
    run,
    shipped,
)

QUICK = {"epochs": 8, "networks": 4}


def distilled(repository: Path, tmp_path: Path, **training):
    pipeline = shipped(
        repository, "iris", tmp_path, **QUICK, ensemble="distilled", batch_size=2000, **training
    )
    shape = pipeline.settings.network.model_copy(update={"student_layers": (6,)})
    settings = pipeline.settings.model_copy(update={"network": shape})
    return replace(pipeline, settings=settings)


def test_a_student_learns_from_the_networks_of_the_resamples(repository, tmp_path) -> None:
    """It is the student of the very ensemble that ``resamples`` would have kept."""
    pipeline = distilled(repository, tmp_path)
    found = run(pipeline)
    assert found.refitted.bundle.network.widths == (4, 6, 3)
    assert len(found.refitted.bundle.network.parameters) == 1
    assert found.refitted.temperature is None
    training = pipeline.settings.training.model_copy(update={"ensemble": "resamples"})
    settings = pipeline.settings.model_copy(update={"training": training})
    teacher = run(replace(pipeline, settings=settings)).refitted.bundle.network
    student = distil(
        teacher,
        found.prepared.x_train,
        [[0], [1], [2], [3]],
        (6,),
        np.random.SeedSequence(training.seed, spawn_key=(6,)),
        batch_size=2000,
    )
    assert (
        found.refitted.bundle.network.parameters.tobytes() == student.network.parameters.tobytes()
    )
    assert found.refitted.student is not None
    assert found.refitted.student.teachers == 4
    # Its teachers' record stays what the gate compares recipes by.
    assert found.refitted.history.epochs_run.tolist() == [8] * 4


def test_without_layers_of_its_own_a_student_has_its_teachers(repository, tmp_path) -> None:
    pipeline = shipped(
        repository,
        "iris",
        tmp_path,
        epochs=2,
        networks=2,
        ensemble="distilled",
        batch_size=2000,
        members=1,
    )
    refitted = run(pipeline).refitted
    assert refitted.bundle.network.widths == (4, 16, 4, 3)
    assert refitted.student is not None
    assert refitted.student.teachers == 1


def test_a_student_that_diverges_is_said(repository, tmp_path, monkeypatch) -> None:
    pipeline = distilled(repository, tmp_path)
    prepared, candidates, selection = candidates_of(pipeline)
    monkeypatch.setattr(student_training, "train", broken_training(student_training.train, [0]))
    with pytest.raises(TrainingError, match=r"the student diverged .* 4 networks to learn from"):
        steps.refit(prepared.training, pipeline, selection, candidates)


def test_one_seed_gives_one_student_wherever_the_tasks_run(repository, tmp_path) -> None:
    pipeline = distilled(repository, tmp_path)
    first = bundle_bytes(run(pipeline), tmp_path / "one")
    assert bundle_bytes(run(pipeline, executor=InThreads()), tmp_path / "threads") == first
