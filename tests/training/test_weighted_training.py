"""Retrainings with ``data.weight``: what rows of weight w are, and where weights count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import accuracy_score, log_loss

from ffn.checkpoints.candidate_files import read_candidate, write_candidate
from ffn.monitoring.promised_quality import read_promise
from ffn.pipelines.outcomes import RetrainOutcome
from ffn.pipelines.retraining import retrain
from ffn.promotion.comparison import compare
from ffn.promotion.overview import describe_version
from ffn.registry.pointer import promote
from ffn.reports.held_out import weight_note
from ffn.settings.pipeline import Pipeline
from ffn.training.candidate_training import train_candidate
from tests.helpers.retrained import Run, bundle_bytes, made, prepare, run

QUICK = "[training]\nepochs = 6\nnetworks = 4\n[optimizers.adam]\nlearning_rate = 0.02\n"
WEIGHTED = f'[data]\nweight = "w"\n{QUICK}'


def table(n: int = 160, times: int = 1, seed: int = 0, zero: float = 0.2) -> list[str]:
    """``p,q,w,y``: two classes that overlap; some rows weigh nothing."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    x = rng.normal(size=(n, 2)) + np.outer(labels, [1.5, 0])
    weights = rng.integers(1, 5, n) * (rng.random(n) >= zero) * times
    return [
        f"{p:.4f},{q:.4f},{w},{'ab'[y]}" for (p, q), w, y in zip(x, weights, labels, strict=True)
    ]


def pipeline(folder: Path, rows: list[str], toml: str = WEIGHTED) -> Pipeline:
    folder.mkdir(exist_ok=True)
    return made(folder, "p,q,w,y\n" + "\n".join(rows) + "\n", toml)


def files(found: Run, folder: Path) -> list[bytes]:
    folder.mkdir()
    return bundle_bytes(found, folder)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(pipeline(tmp_path_factory.mktemp("weighted"), table()))


def test_the_unit_of_weights_has_no_effect(plain: Run, tmp_path: Path) -> None:
    """Four times the weights, exactly representable: the same bytes."""
    other = run(pipeline(tmp_path / "t", table(times=4)))
    assert files(plain, tmp_path / "one") == files(other, tmp_path / "two")
    assert plain.evaluation == other.evaluation


def test_rows_of_weight_0_leave_no_trace(plain: Run, tmp_path: Path) -> None:
    kept = [row for row in table() if row.split(",")[2] != "0"]
    other = run(pipeline(tmp_path / "t", kept))
    assert files(plain, tmp_path / "one") == files(other, tmp_path / "two")


def test_equal_weights_train_the_network_that_none_train(tmp_path: Path) -> None:
    rows = [",".join([*row.split(",")[:2], "3", row[-1]]) for row in table()]
    weighted = run(pipeline(tmp_path / "one", rows))
    without = run(pipeline(tmp_path / "two", rows, f'[data]\nexclude = ["w"]\n{QUICK}'))
    ours, theirs = (found.refitted.bundle.network.parameters for found in (weighted, without))
    assert_allclose(ours, theirs, rtol=1e-9)
    assert weighted.evaluation.accuracy.value == without.evaluation.accuracy.value
    assert weighted.evaluation.effective_rows == pytest.approx(without.evaluation.rows)


def test_held_out_figures_and_validation_losses_are_weighted(plain: Run) -> None:
    part, held_out = plain.prepared.training, plain.prepared.held_out
    p = plain.refitted.bundle.probabilities(held_out.x)
    own = {"sample_weight": held_out.weights}
    found = plain.evaluation
    assert found.accuracy.value == pytest.approx(
        accuracy_score(held_out.labels, p.argmax(axis=1), **own)
    )
    assert found.log_loss.value == pytest.approx(log_loss(held_out.labels, p, **own))
    (candidate,) = plain.candidates
    answers = candidate.answers
    assert answers is not None
    assert answers.weights is not None
    for k in range(4):
        rows = answers.networks == k
        expected = log_loss(
            answers.labels[rows], answers.probabilities()[rows], sample_weight=answers.weights[rows]
        )
        assert candidate.validation_loss[k] == pytest.approx(expected, rel=1e-4)
    assert part.weights is not None


def test_balanced_classes_have_equal_total_weights(tmp_path: Path) -> None:
    """A model without signal gives each class its share of the weights, as without balance."""
    rng = np.random.default_rng(1)
    rows = [
        f"{p:.3f},1,{w},{y}"
        for p, w, y in zip(
            rng.normal(size=400),
            rng.integers(1, 9, 400),
            rng.choice(list("aaab"), 400),
            strict=True,
        )
    ]
    toml = (
        WEIGHTED.replace("epochs = 6", 'epochs = 60\nbatch_size = 400\nclass_weight = "balanced"')
        + "[network]\nhidden_layers = []\n"
    )
    found = run(pipeline(tmp_path / "t", rows, toml))
    p = found.refitted.bundle.probabilities(found.prepared.training.x)
    weights, labels = found.prepared.training.weights, found.prepared.training.labels
    share = np.bincount(labels, weights)[1] / weights.sum()
    # With classes of equal total weight it is 1/2 while it learns, and is then put back.
    assert np.average(p[:, 1], weights=weights) == pytest.approx(share, abs=0.02)
    assert share < 0.4


def test_a_candidate_s_weights_survive_an_interruption(tmp_path: Path) -> None:
    own = pipeline(tmp_path / "t", table())
    candidate = train_candidate(prepare(own).training, own, "adam")
    (tmp_path / "kept").mkdir()
    write_candidate(candidate, tmp_path / "kept")
    again = read_candidate(tmp_path / "kept", own.settings.optimizers.candidates()["adam"])
    assert again is not None
    assert candidate.answers is not None
    assert again.answers is not None
    assert_array_equal(again.answers.weights, candidate.answers.weights)


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pipeline, list[RetrainOutcome]]:
    """Version 1 on half of the rows, version 2 on all."""
    folder = tmp_path_factory.mktemp("twice")
    rows, done = table(700, seed=3), []
    for n in (350, 700):
        own = pipeline(folder, rows[:n], f"{WEIGHTED}[gate]\naccuracy_margin = 0.2\n")
        done.append(retrain(own))
    assert all(isinstance(one, RetrainOutcome) for one in done)
    return own, done


def test_the_gate_compares_weighted_accuracies(twice: Any) -> None:
    own, done = twice
    found = done[1].version.verdict.held_out
    assert found is not None
    assert found.accuracy is not None
    assert f"weighted accuracy {found.accuracy:+.4f}" in done[1].version.verdict.reason
    assert found.accuracy_bound >= -found.accuracy
    paired = compare(own, 1, 2).paired
    assert paired is not None
    assert paired.accuracy.low <= paired.accuracy.value <= paired.accuracy.high


def test_what_is_recorded_and_promised(twice: Any) -> None:
    own, done = twice
    detail = describe_version(own.artifacts, 1)
    rows = detail.provenance["rows"]
    assert rows["weightless"] == sum(row.split(",")[2] == "0" for row in table(700, seed=3)[:350])
    assert sum(rows.values()) == 350
    assert detail.metrics["test"]["effective_rows"] < rows["test"]
    assert detail.summary.held_out.classes[0].weighted_share is not None
    promised = read_promise(own.artifacts, 1)
    assert promised.weighted
    assert promised.floor(0.05) is None, "scored rows have no weights to compare it with"
    assert replace(promised, weighted=False).floor(0.05) is not None
    page = done[0].report.html.read_text()
    assert "by weight as many as" in page
    assert "rows are weighted by" in page
    said = weight_note(done[0].evaluation)
    assert (
        f"{rows['test']:,} rows say as much as {done[0].evaluation.effective_rows:,.1f} of" in said
    )
    assert weight_note(replace(done[0].evaluation, effective_rows=0.0)) == ""


def test_few_rows_are_compared_by_recipes_if_both_can_be_judged(tmp_path: Path) -> None:
    """Production's recipe is trained without weights; with other ones it cannot be."""
    rows = [f"{1 + i % 3},{row}" for i, row in enumerate(table(90, seed=5, zero=0))]
    verdicts = []
    for data in (
        'exclude = ["v", "w"]',
        'weight = "w"\nexclude = ["v"]',
        'weight = "v"\nexclude = ["w"]',
    ):
        toml = f"[data]\n{data}\n{QUICK}[gate]\nalpha = 1e-6\n"
        done = retrain(made(tmp_path, "v,p,q,w,y\n" + "\n".join(rows) + "\n", toml))
        assert isinstance(done, RetrainOutcome)
        verdicts.append(done.version.verdict)
        if len(verdicts) == 2:
            promote(done.version.bundle.parents[2], 2, reason="by hand")
    assert verdicts[1].resampled is not None
    assert 'production was trained with the weights of "w", which is not the column of' in (
        verdicts[2].reason
    )
