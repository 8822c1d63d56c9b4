"""Two recipes on common resamples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ffn.criteria.criterion import criterion_of
from ffn.criteria.resampled_evidence import weigh_resamples
from ffn.errors import DataError
from ffn.promotion import recipes as module
from ffn.promotion.champion import read_opponent
from ffn.promotion.recipes import _thinned, cross_validate
from ffn.settings.decision_settings import DecisionSettings
from ffn.settings.feature_settings import FeatureSettings
from ffn.settings.gate_settings import GateSettings
from ffn.settings.pipeline import Pipeline
from ffn.training.partition import TrainingPart
from tests.helpers.gated import pipeline, retrain, rows

LOSSES = np.array([0.010, -0.020, 0.015, -0.005, 0.0])
ACCURACIES = np.array([0.01, 0.0, -0.01, 0.005, 0.0])


def weighed(losses: np.ndarray, accuracies: np.ndarray, mode: str = "not_worse", **settings: float):
    gate = GateSettings(mode=mode, **settings)
    return weigh_resamples(losses, accuracies, 0.25, gate, look=2, alpha=0.05)


def test_bounds_are_those_of_the_corrected_t_test() -> None:
    """Nadeau and Bengio 2003: variance (1/5 + 1/4) s^2, four degrees of freedom, 2.132 at 5 %."""
    found = weighed(LOSSES, ACCURACIES)
    half = 2.131847 * np.sqrt((1 / 5 + 1 / 4) * np.var(LOSSES, ddof=1))
    assert found.log_loss == pytest.approx(0.0)
    assert (found.log_loss_low, found.log_loss_high) == pytest.approx((-half, half), rel=1e-5)
    half = stats.t.isf(0.05, 4) * np.sqrt(0.45 * np.var(ACCURACIES, ddof=1))
    assert found.accuracy_low == pytest.approx(0.001 - half)
    assert (found.resamples, found.look, found.alpha) == (5, 2, 0.05)


def test_not_worse_asks_both_bounds() -> None:
    """The bounds are 0.0199 above in log-loss and 0.0096 below in accuracy."""
    assert weighed(LOSSES, ACCURACIES).failures == ()
    wider = weighed(LOSSES, ACCURACIES, log_loss_margin=0.019)
    assert wider.failures == ("log-loss is not shown to be within 0.019 of production's",)
    finer = weighed(LOSSES, ACCURACIES, accuracy_margin=0.009)
    assert finer.failures == ("accuracy is not shown to be within 0.009 of production's",)


def test_better_asks_for_a_lower_log_loss_and_no_lower_accuracy() -> None:
    assert weighed(LOSSES - 0.03, ACCURACIES, "better").shown
    assert weighed(LOSSES - 0.01, ACCURACIES, "better").failures == (
        "log-loss is not shown to be lower",
    )
    assert weighed(LOSSES - 0.03, ACCURACIES - 0.01, "better").failures == ("accuracy is lower",)


def test_a_diverged_network_shows_nothing() -> None:
    losses = LOSSES.copy()
    losses[2] = np.nan
    found = weighed(losses, np.where(np.isnan(losses), np.nan, ACCURACIES))
    assert found.failures == ("1 of 5 networks diverged",)
    assert found.resamples == 4
    lost = weighed(np.full(5, np.nan), np.full(5, np.nan))
    assert lost.failures[0] == "5 of 5 networks diverged"
    assert not lost.shown


def test_the_same_recipe_on_the_same_rows_differs_in_nothing(tmp_path: Path) -> None:
    """Same resamples, same initial weights, same batches: zero, not nearly zero."""
    found = retrain(pipeline(tmp_path, rows(120)))
    opponent = read_opponent(found.run.pipeline)
    assert opponent is not None
    known = np.ones(96, dtype=bool)
    differences = cross_validate(
        found.run.prepared, found.run.pipeline, found.run.refitted, opponent, known
    )
    assert not isinstance(differences, str)
    losses, accuracies, ratio, gains = differences
    assert gains is None
    assert losses.tolist() == accuracies.tolist() == [0.0] * 4
    assert ratio == pytest.approx(1 / 4, abs=0.02)
    known[:5] = False
    others = cross_validate(
        found.run.prepared, found.run.pipeline, found.run.refitted, opponent, known
    )
    assert not isinstance(others, str)
    assert np.abs(others[0]).min() > 0


def test_by_a_metric_the_gain_decides_alone(tmp_path: Path) -> None:
    """The same recipe gains nothing, and that decides; of other gains, the corrected t-test."""
    found = retrain(pipeline(tmp_path, rows(120)))
    opponent = read_opponent(found.run.pipeline)
    assert opponent is not None
    decision = DecisionSettings(metric="balanced_accuracy")
    asked = replace(
        found.run.pipeline,
        settings=found.run.pipeline.settings.model_copy(update={"decision": decision}),
    )
    differences = cross_validate(
        found.run.prepared, asked, found.run.refitted, opponent, np.ones(96, dtype=bool)
    )
    assert not isinstance(differences, str)
    assert differences.gains is not None
    assert differences.gains.tolist() == [0.0] * 4
    criterion = criterion_of(decision, found.run.prepared.schema.classes)
    gains = np.array([0.02, 0.05, 0.03, 0.01, 0.04])
    half = stats.t.isf(0.05, 4) * np.sqrt(0.45 * np.var(gains, ddof=1))
    for mode, factor, failures in (
        ("better", 1, ()),
        ("better", 0.1, ()),
        ("better", -1, ("balanced accuracy is not shown to be higher",)),
        ("not_worse", -0.1, ()),
        ("not_worse", -1, ("balanced accuracy is not shown to be within 0.02 of production's",)),
    ):
        weighed_by_it = weigh_resamples(
            # By losses and accuracies it would be worse.
            LOSSES + 1,
            ACCURACIES - 0.5,
            0.25,
            GateSettings(mode=mode),
            look=1,
            alpha=0.05,
            gains=factor * gains,
            criterion=criterion,
        )
        assert weighed_by_it.failures == failures, (mode, factor)
        assert weighed_by_it.gain_low == pytest.approx(factor * 0.03 - abs(factor) * half)


def test_production_has_the_inputs_of_its_own_recipe(tmp_path: Path, monkeypatch) -> None:
    first = pipeline(tmp_path, rows(120))
    plain = retrain(first)
    train_stack, trained = module.train_stack, []

    def recording(part, *arguments, **options):
        network, history = train_stack(part, *arguments, **options)
        trained.append((part.preparation.n_inputs, history.validation_loss[-1].tolist()))
        return network, history

    monkeypatch.setattr(module, "train_stack", recording)
    opponent, known = read_opponent(first), np.ones(96, dtype=bool)
    same = cross_validate(plain.run.prepared, first, plain.run.refitted, opponent, known)
    assert [width for width, _ in trained] == [2, 2]
    features = FeatureSettings(numbers="piecewise", bins=3)
    encoded = replace(first, settings=first.settings.model_copy(update={"features": features}))
    found = retrain(encoded)
    assert found.verdict.resampled is not None
    assert [width for width, _ in trained[2:]] == [2 * (3 + 2), 2]
    assert trained[3] == trained[1], "as when both had these inputs"
    assert trained[2] != trained[0]
    assert not isinstance(same, str)

    def refuse(_: Pipeline) -> TrainingPart:
        raise DataError("t.csv row 3: too far.")

    told = cross_validate(found.run.prepared, encoded, found.run.refitted, opponent, known, refuse)
    assert told == "production's inputs cannot be made from this table: t.csv row 3: too far."


@pytest.mark.parametrize("lost", [1, 3])
def test_production_that_diverges_is_not_held_against_the_challenger(
    tmp_path: Path, monkeypatch, lost: int
) -> None:
    """Of the four resamples those are compared that production's recipe has a network of."""
    found = retrain(pipeline(tmp_path, rows(120)))
    opponent = read_opponent(found.run.pipeline)
    train_stack, recipes = module.train_stack, []

    def diverging(part, recipe, *arguments, **options):
        network, history = train_stack(part, recipe, *arguments, **options)
        recipes.append(recipe)
        if len(recipes) == 2:
            history.diverged[:lost] = ["loss not finite after epoch 1"] * lost
        return network, history

    monkeypatch.setattr(module, "train_stack", diverging)
    run, known = found.run, np.ones(96, dtype=bool)
    differences = cross_validate(run.prepared, run.pipeline, run.refitted, opponent, known)
    if lost == 3:
        assert differences == "3 of 4 networks of production's recipe diverged"
    else:
        assert differences[0].tolist() == differences[1].tolist() == [0.0] * 3


def test_production_learns_from_its_own_rows_alone(tmp_path: Path) -> None:
    found = pipeline(tmp_path, rows(20))
    resamples = np.array(
        [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 6, 7], [0, 2, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6]]
    )
    known = np.array([True, True, False, True, True, False, True, True])
    kept = _thinned(resamples, known, found)
    assert kept.shape == (4, 4)
    for own, resample in zip(kept.tolist(), resamples.tolist(), strict=True):
        assert set(own) <= set(resample) - {2, 5}
        assert own == sorted(set(own))


def test_a_production_of_unknown_make_cannot_be_made_again(tmp_path: Path) -> None:
    first = retrain(pipeline(tmp_path, rows(120)))
    (first.version.bundle.parent / "provenance.json").write_text("{}")
    found = retrain(pipeline(tmp_path, rows(120, seed=0)[:110]))
    assert "how production was trained is not recorded" in found.verdict.reason
