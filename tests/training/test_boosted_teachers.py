"""A pipeline with ``boosted_teachers``: which rows they see, their share, and the student."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from ffn.distillation.student_words import teachers_in_words
from ffn.distillation.teaching_trees import Beside
from ffn.errors import TrainingError
from ffn.settings.pipeline import Pipeline
from ffn.training import steps
from ffn.training.boosted_teachers import fit_boosted_teachers
from ffn.training.resampling import candidate_resamples
from tests.helpers.retrained import InThreads, Run, bundle_bytes, candidates_of, made, run

QUICK = """[network]
hidden_layers = [4]
[training]
epochs = 6
networks = 4
batch_size = 200
ensemble = "distilled"
boosted_teachers = {teachers}
[optimizers.adam]
learning_rate = 0.01
"""


def checkerboard(folder: Path, teachers: int, more: str = "", *, weigh: bool = False) -> Pipeline:
    """A table of which trees know more than small networks."""
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 2)).round(3)
    labels = ((x[:, 0] > 0) ^ (x[:, 1] > 0.3)).astype(int)
    wrong = random.random(400) < 0.1
    labels[wrong] = random.integers(3, size=wrong.sum())
    weights = random.integers(1, 4, size=400)
    rows = (
        f"{day},{p},{q},{w},{'abc'[label]}\n"
        for day, ((p, q), w, label) in enumerate(zip(x, weights, labels, strict=True))
    )
    exclude = ["day"] * ("time" not in more) + ["w"] * (not weigh)
    data = f"[data]\nexclude = {exclude}\n" + 'weight = "w"\n' * weigh
    return made(
        folder, "day,p,q,w,y\n" + "".join(rows), data + QUICK.format(teachers=teachers) + more
    )


def teachers_of(pipeline: Pipeline) -> tuple[Beside | None, Run]:
    done = run(pipeline)
    winner = done.candidates[0]
    return fit_boosted_teachers(done.prepared.training, pipeline, winner), done


@pytest.mark.parametrize("weigh", [False, True])
def test_their_share_is_that_of_lowest_loss_on_rows_that_neither_learnt_from(
    tmp_path: Path, weigh: bool
) -> None:
    """Computed again row by row with scikit-learn, and the root of the derivative."""
    pipeline = checkerboard(tmp_path, 2, weigh=weigh)
    beside, done = teachers_of(pipeline)
    assert beside is not None
    part, winner = done.prepared.training, done.candidates[0]
    x, labels = np.asarray(part.x), np.asarray(part.labels)
    weights = np.asarray(part.weights) if weigh else np.ones(len(x))
    train_rows, validation_rows = map(
        np.asarray, candidate_resamples(part, done.pipeline.settings.training)
    )
    said: dict[int, tuple[list[float], list[float]]] = {}
    for k in range(4):
        answers = winner.members.select([k]).predict_proba(x[validation_rows[k]])[0]
        for row, answer in zip(validation_rows[k], answers, strict=True):
            said.setdefault(row, ([], []))[0].append(answer[labels[row]])
    for model, k in zip(beside.trees.models, (2, 3), strict=True):
        again = HistGradientBoostingClassifier(**model.get_params())
        with threadpool_limits(1):
            again.fit(
                x[train_rows[k]],
                labels[train_rows[k]],
                sample_weight=weights[train_rows[k]] if weigh else None,
                X_val=x[validation_rows[k]],
                y_val=labels[validation_rows[k]],
                sample_weight_val=weights[validation_rows[k]] if weigh else None,
            )
            np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))
            answers = model.predict_proba(x[validation_rows[k]])
        for row, answer in zip(validation_rows[k], answers, strict=True):
            said[row][1].append(answer[labels[row]])
    judged = [row for row, (_, trees) in said.items() if trees]
    networks = np.array([np.mean(said[row][0]) for row in judged])
    trees = np.array([np.mean(said[row][1]) for row in judged])

    def slope(share: float) -> float:
        mixed = (1 - share) * networks + share * trees
        return float(np.sum(weights[judged] * (trees - networks) / mixed))

    assert 0.5 < beside.share < 1
    expected = 1.0 if slope(1 - 1e-9) > 0 else brentq(slope, 0, 1 - 1e-9)
    assert beside.share == pytest.approx(expected, abs=1e-3)


def test_the_student_learns_from_both_and_says_so(tmp_path: Path) -> None:
    pipeline = checkerboard(tmp_path, 2)
    beside, done = teachers_of(pipeline)
    student = done.refitted.student
    assert beside is not None
    assert student is not None
    assert (student.teachers, student.boosted, student.share) == (4, 2, beside.share)
    assert teachers_in_words(student) == "4 networks and 2 models of boosted trees"
    training = pipeline.settings.training.model_copy(update={"boosted_teachers": 0})
    settings = pipeline.settings.model_copy(update={"training": training})
    without = run(replace(pipeline, settings=settings))
    assert without.refitted.student is not None
    assert without.refitted.student.boosted == 0
    # Six epochs are too few for the networks, and trees know the board.
    assert done.evaluation.log_loss.value < 0.9 * without.evaluation.log_loss.value


def test_the_same_student_wherever_the_tasks_run(tmp_path: Path) -> None:
    pipeline = checkerboard(tmp_path, 2)
    first = bundle_bytes(run(pipeline), tmp_path / "one")
    assert bundle_bytes(run(pipeline, executor=InThreads()), tmp_path / "threads") == first


def test_under_a_split_by_time_they_are_refitted_on_the_newest_rows(tmp_path: Path) -> None:
    pipeline = checkerboard(tmp_path, 2, '[split]\ntime = "day"\n')
    beside, done = teachers_of(pipeline)
    assert beside is not None
    part = done.prepared.training
    first, second = beside.trees.models
    assert first.n_iter_ == second.n_iter_
    assert not first.do_early_stopping_
    with threadpool_limits(1):
        again = HistGradientBoostingClassifier(**first.get_params()).fit(part.x, part.labels)
        np.testing.assert_array_equal(again.predict_proba(part.x), first.predict_proba(part.x))


def test_trees_that_know_nothing_more_are_left_out(tmp_path: Path) -> None:
    pipeline = checkerboard(tmp_path, 4)
    prepared, candidates, selection = candidates_of(pipeline)
    winner = candidates[0]
    assert winner.answers is not None
    sure = np.where(np.eye(3)[winner.answers.labels], 0.0, -50.0)
    knowing = replace(winner, answers=replace(winner.answers, scores=sure))
    beside = fit_boosted_teachers(prepared.training, pipeline, knowing)
    assert beside is not None
    assert beside.share < 0.001
    training = pipeline.settings.training.model_copy(update={"boosted_teachers": 0})
    none = replace(pipeline, settings=pipeline.settings.model_copy(update={"training": training}))
    assert fit_boosted_teachers(prepared.training, none, winner) is None
    left_out, without = (
        steps.refit(prepared.training, one, selection, [knowing]) for one in (pipeline, none)
    )
    assert left_out.student is not None
    assert (left_out.student.boosted, left_out.student.share) == (4, 0.0)
    first, second = (one.bundle.network.parameters for one in (left_out, without))
    assert first.tobytes() == second.tobytes()


def test_what_scikit_learn_cannot_fit_is_one_line(tmp_path: Path, monkeypatch) -> None:
    pipeline = checkerboard(tmp_path, 2)
    prepared, candidates, _ = candidates_of(pipeline)

    def fail(*_: object, **__: object) -> None:
        raise MemoryError("no\nroom.")

    monkeypatch.setattr("sklearn.ensemble.HistGradientBoostingClassifier.fit", fail)
    with pytest.raises(
        TrainingError,
        match=r"could not be fitted \(MemoryError: no\\nroom\)\. Set training\.boosted_teachers = ",
    ):
        fit_boosted_teachers(prepared.training, pipeline, candidates[0])
