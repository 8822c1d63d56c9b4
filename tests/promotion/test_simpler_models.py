"""What the gate makes of simpler models: the figures, the words, and whole retrainings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ffn.evaluation.baselines import BOOSTING, LINEAR, MAJORITY
from ffn.evaluation.inference.paired_losses import LossBounds, row_losses
from ffn.promotion.overview import describe_version, summaries
from ffn.promotion.simpler_models import (
    BaselineEvidence,
    SimplerModel,
    better_model,
    recorded_warning,
    warning_sentence,
    weigh_baselines,
)
from ffn.promotion.verdict import Canary, warning_about
from ffn.registry.alpha_spending import read_looks
from ffn.registry.versions import in_production, production_version
from ffn.settings.gate_settings import GateSettings
from tests.helpers.gated import Gated, pipeline, retrain, rows
from tests.helpers.retrained import FIRST, UNEXAMINED

LINES = rows(400)
# The network has hardly begun to learn what a line separates.
SHORT = "[training]\nepochs = 1\nnetworks = 2\n[optimizers.adam]\nlearning_rate = 0.001\n"


def model(name: str, value: float, low: float, high: float) -> SimplerModel:
    return SimplerModel(
        name=name, log_loss=LossBounds(value=value, low=low, high=high, alpha=0.05 / 3)
    )


def evidence(finding: str, policy: str = "warn") -> BaselineEvidence:
    return BaselineEvidence(
        policy=policy,  # type: ignore[arg-type]
        alpha=0.05,
        rows=30,
        held_out=30,
        models=(),
        finding=finding,
    )


@pytest.mark.parametrize(
    ("models", "counts", "said"),
    [
        ((), (30, 30), ""),
        ([model(LINEAR, 0.3, 0.0, 0.6)], (30, 30), ""),
        ([model(LINEAR, -0.3, -0.6, -0.1)], (30, 30), ""),
        ([model(LINEAR, 0.3, -np.inf, np.inf)], (1, 1), ""),
        (
            [model(LINEAR, 0.12345, 0.0123, 0.2345)],
            (30, 30),
            "on the same 30 held-out rows the network's log-loss minus that of logistic regression "
            "is +0.1235 [+0.0123, +0.2345]",
        ),
        # The best that is shown, not the best: of that nothing is known.
        (
            [
                model(MAJORITY, 0.2, 0.1, 0.3),
                model(LINEAR, 0.4, -0.1, 0.9),
                model(BOOSTING, 0.1, 0.05, 0.15),
            ],
            (50_000, 200_000),
            "on 50,000 of the 200,000 held-out rows the network's log-loss minus that of always "
            "predicting the class shares is +0.2000 [+0.1000, +0.3000]",
        ),
        # A bound that is nearly zero is not rounded to it.
        (
            [model(BOOSTING, 0.001, 0.00001, 0.002)],
            (1_234, 1_234),
            "on the same 1,234 held-out rows the network's log-loss minus that of gradient "
            "boosting is +0.0010 [+1e-05, +0.0020]",
        ),
    ],
)
def test_the_best_of_those_shown_is_named_with_its_figures(models, counts, said: str) -> None:
    found = better_model(models, *counts)
    assert found == (f"a simpler model is shown to have a lower log-loss: {said}" if said else "")


def test_the_sentence_is_that_of_the_verdict_once() -> None:
    finding = "a simpler model is better: +0.1 [+0.0, +0.2]"
    warned = replace(FIRST, baseline=evidence(finding))
    assert warned.warning == "A simpler model is better: +0.1 [+0.0, +0.2]."
    assert warned.sentence(1) == (
        "Version 1 is promoted: no version was in production. A simpler model is better: +0.1 "
        "[+0.0, +0.2]."
    )
    refused = replace(FIRST, promote=False, reason=finding, baseline=evidence(finding, "refuse"))
    assert refused.warning == ""
    assert refused.sentence(1) == (
        f"Version 1 is not promoted; nothing is in production: {finding}."
    )
    # Another reason takes its place, and does not hide it.
    failed = refused.after(Canary(rows=9, problem="it lied"))
    assert failed.sentence(1).endswith(f"it lied. {warned.warning}")
    assert replace(FIRST, baseline=evidence("")).warning == FIRST.warning == ""


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ({}, ""),
        ({"baseline": None}, ""),
        ({"baseline": []}, ""),
        ({"baseline": {}}, ""),
        ({"baseline": {"finding": 3}}, ""),
        ({"baseline": {"finding": ""}}, ""),
        ({"baseline": {"finding": "it is so"}}, "It is so."),
    ],
)
def test_what_was_recorded_is_read_and_of_old_versions_nothing(verdict, said: str) -> None:
    assert recorded_warning(verdict) == said
    assert warning_sentence("it is so") == "It is so."


def test_what_is_not_compared_is_no_evidence(tmp_path: Path) -> None:
    assert weigh_baselines(GateSettings(), UNEXAMINED, 30) is None
    done = retrain(pipeline(tmp_path, rows(60)), examined=True)
    assert weigh_baselines(GateSettings(baseline="ignore"), done.run.examination, 12) is None
    found = weigh_baselines(GateSettings(baseline="refuse"), done.run.examination, 12)
    assert found is not None
    assert (found.policy, found.rows, found.held_out) == ("refuse", 12, 12)
    assert [one.name for one in found.models] == [MAJORITY, LINEAR, BOOSTING]
    assert {one.log_loss.alpha for one in found.models} == {0.05 / 3}


def too_short(folder: Path, gate: str, lines: list[str] = LINES) -> Gated:
    return retrain(pipeline(folder, lines, gate, toml=SHORT), examined=True)


def test_a_first_version_that_a_simpler_model_beats_is_promoted_with_a_warning(
    tmp_path: Path,
) -> None:
    done = too_short(tmp_path, "")
    verdict, artifacts = done.verdict, done.run.pipeline.artifacts
    assert (verdict.promote, verdict.reason) == (True, "no version was in production")
    assert production_version(artifacts) == 1
    found = verdict.baseline
    assert found is not None
    # The figures are those of the bundle and of the class shares, calculated anew.
    prepared = done.run.prepared
    labels = prepared.labels_test
    ours = row_losses(done.run.refitted.bundle.probabilities(prepared.x_test), labels)
    shares = np.bincount(prepared.labels_train) / len(prepared.labels_train)
    expected = float(ours.mean() + np.log(shares)[labels].mean())
    assert found.models[0].log_loss.value == pytest.approx(expected)
    best = max(found.models, key=lambda one: one.log_loss.value)
    assert f"{best.name} is +{best.log_loss.value:.4f} [+" in verdict.warning
    assert verdict.sentence(1).endswith(verdict.warning)
    # It stays with the version, for whoever lists it or promotes it by hand.
    assert warning_about(artifacts, 1) == verdict.warning
    assert summaries(artifacts)[0].warning == verdict.warning
    recorded = json.loads((done.version.bundle.parent / "verdict.json").read_bytes())
    assert recorded["baseline"]["policy"] == "warn"
    assert recorded["baseline"]["models"][1]["log_loss"]["low"] > 0
    assert describe_version(artifacts, 1).verdict == recorded


@pytest.mark.parametrize("mode", ["not_worse", "always"])
def test_it_can_be_kept_back_even_if_it_is_the_first(tmp_path: Path, mode: str) -> None:
    gate = f"baseline = 'refuse'\nmode = '{mode}'"
    kept = too_short(tmp_path, gate)
    assert not kept.verdict.promote
    assert kept.verdict.reason.startswith("a simpler model is shown to have a lower log-loss: on ")
    assert kept.verdict.reason.endswith('], and gate.baseline is "refuse"')
    assert in_production(kept.run.pipeline.artifacts) is None
    floored = too_short(tmp_path, f"{gate}\nmin_accuracy = 1.0")
    assert floored.verdict.reason.startswith("accuracy is ")
    assert "; a simpler model is shown to have" in floored.verdict.reason
    # Where nothing speaks against it, it is the first.
    good = retrain(pipeline(tmp_path, rows(400), gate), examined=True)
    assert good.verdict.promote
    assert good.verdict.baseline is not None
    assert good.verdict.baseline.finding == ""
    # And a later one is refused before it costs a comparison with production.
    later = too_short(tmp_path, gate, rows(1_200))
    assert (later.verdict.promote, later.verdict.held_out) == (False, None)
    assert not len(read_looks(later.run.pipeline.artifacts).rows)


def test_it_can_be_ignored(tmp_path: Path) -> None:
    done = too_short(tmp_path, "baseline = 'ignore'")
    assert (done.verdict.promote, done.verdict.baseline) == (True, None)
    assert warning_about(done.run.pipeline.artifacts, 1) == ""
    # The report shows it all the same.
    assert done.run.examination.baselines[1].shown_better


def test_the_policy_changes_no_bundle(tmp_path: Path) -> None:
    bundles = []
    for policy in ("warn", "refuse", "ignore"):
        folder = tmp_path / policy
        folder.mkdir()
        bundles.append(too_short(folder, f"baseline = '{policy}'").version.sha256)
    assert len(set(bundles)) == 1
