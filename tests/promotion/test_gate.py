"""What the gate decides, and what it says why, on whole retrainings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ffn.errors import SettingsError
from ffn.registry.alpha_spending import alpha_of_look, read_looks
from ffn.registry.versions import production_version
from tests.helpers.gated import evidence, pipeline, retrain, rows

MANY = rows(1_200)
NOISY = rows(1_200, noise=0.3)


def test_the_first_model_is_promoted_and_has_to_hold_the_floors(tmp_path: Path) -> None:
    kept = retrain(pipeline(tmp_path, rows(150), "min_accuracy = 1.0\nmax_calibration_error = 0.0"))
    assert not kept.verdict.promote
    accuracy = kept.run.evaluation.accuracy.value
    assert accuracy < 1
    assert f"accuracy is {accuracy:.3f}, and gate.min_accuracy is 1" in kept.verdict.reason
    assert "gate.max_calibration_error is 0" in kept.verdict.reason
    assert kept.verdict.sentence(1).startswith(
        "Version 1 is not promoted; nothing is in production: "
    )
    promoted = retrain(pipeline(tmp_path, rows(150), "min_accuracy = 0.5"))
    assert promoted.verdict.reason == "no version was in production"
    assert [(floor.setting, floor.held) for floor in promoted.verdict.floors] == [
        ("min_accuracy", True)
    ]
    assert production_version(promoted.run.pipeline.artifacts) == promoted.version.number == 2


def test_a_floor_for_no_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r'gate\.min_recalls names "d"'):
        retrain(pipeline(tmp_path, rows(60), "min_recalls = {d = 0.5}"))


def test_the_same_model_again_is_not_promoted_and_not_looked_at(tmp_path: Path) -> None:
    retrain(pipeline(tmp_path, MANY))
    again = retrain(pipeline(tmp_path, MANY))
    assert not again.verdict.promote
    assert again.verdict.reason == "it is identical to the model in production, bit for bit"
    assert not len(read_looks(again.run.pipeline.artifacts).rows)


@pytest.mark.parametrize(("mode", "promote"), [("always", True), ("never", False)])
def test_modes_that_compare_nothing(tmp_path: Path, mode: str, promote: bool) -> None:
    retrain(pipeline(tmp_path, MANY))
    found = retrain(pipeline(tmp_path, rows(60, seed=9, noise=0.9), f"mode = '{mode}'"))
    assert found.verdict.promote is promote
    assert mode in found.verdict.reason
    assert found.verdict.rows is None
    floored = f"mode = '{mode}'\nmin_accuracy = 1.0"
    assert not retrain(pipeline(tmp_path, rows(60, seed=8, noise=0.9), floored)).verdict.promote


def test_rows_that_production_was_trained_on_are_found_and_left_out(tmp_path: Path) -> None:
    """By their text, which the gate does not know."""
    first = retrain(pipeline(tmp_path, MANY[:900]))
    trained = {
        line for line, out in zip(MANY[:900], first.held_out.tolist(), strict=True) if not out
    }
    # The others first, so that nothing depends on where a row stands.
    lines = MANY[900:] + MANY[:900]
    second = retrain(pipeline(tmp_path, lines))
    held_out = [line for line, out in zip(lines, second.held_out.tolist(), strict=True) if out]
    assert second.verdict.rows is not None
    assert second.verdict.rows.held_out == len(held_out) == 240
    assert second.verdict.rows.trained_on == len(trained.intersection(held_out)) > 0
    assert second.verdict.rows.fit == 240 - len(trained.intersection(held_out))
    assert evidence(second).labels.rows == second.verdict.rows.fit


def test_more_rows_of_the_same_are_not_worse_and_not_better(tmp_path: Path) -> None:
    margins = "accuracy_margin = 0.05\nlog_loss_margin = 0.2"
    retrain(pipeline(tmp_path, MANY[:900]))
    better = retrain(pipeline(tmp_path, MANY, "mode = 'better'"))
    assert not better.verdict.promote
    assert evidence(better).failures == ("accuracy is not shown to be higher",)
    # As another look at the same rows it has the second level, and passes all the same.
    found = retrain(pipeline(tmp_path, MANY, margins))
    assert found.verdict.promote
    assert found.verdict.reason.startswith("shown to be not worse: on ")
    assert (evidence(found).look, evidence(found).alpha) == (2, alpha_of_look(0.05, 2))
    assert production_version(found.run.pipeline.artifacts) == 3


@pytest.mark.parametrize("mode", ["better", "not_worse"])
def test_a_better_model_is_promoted_and_a_worse_one_is_not(tmp_path: Path, mode: str) -> None:
    gate = f"mode = '{mode}'"
    bad, good = rows(150, seed=3, noise=0.95), rows(1_500, seed=5)
    retrain(pipeline(tmp_path, bad))
    up = retrain(pipeline(tmp_path, good, gate))
    assert up.verdict.promote
    assert evidence(up).labels.difference > 0.1
    down = retrain(pipeline(tmp_path, rows(1_500, seed=6, noise=0.95)[:200] + good[:800], gate))
    assert not down.verdict.promote
    assert production_version(down.run.pipeline.artifacts) == 2
    assert down.verdict.sentence(3).startswith("Version 3 is not promoted; version 2 stays in prod")


def test_each_comparison_is_a_look_at_its_rows_alone(tmp_path: Path) -> None:
    retrain(pipeline(tmp_path, NOISY[:800], "mode = 'better'"))
    looks = []
    for n in (900, 1_000, 1_200):
        found = retrain(pipeline(tmp_path, NOISY[:n], "mode = 'better'"))
        looks.append(evidence(found).look)
        times = read_looks(found.run.pipeline.artifacts).times
    assert looks == [1, 2, 3]
    # Rows that came later were looked at less often.
    assert set(times.tolist()) == {1, 2, 3}


def test_a_hold_out_that_can_show_nothing_is_not_made_to(tmp_path: Path) -> None:
    retrain(pipeline(tmp_path, MANY[:150]))
    kept = retrain(pipeline(tmp_path, MANY[:160], "mode = 'better'\nsmall_holdout = 'keep'"))
    assert not kept.verdict.promote
    assert "held-out rows cannot show that any challenger is good enough" in kept.verdict.reason
    assert (kept.verdict.held_out, kept.verdict.resampled) == (None, None)
    assert not len(read_looks(kept.run.pipeline.artifacts).rows)


def test_on_few_rows_recipes_are_compared_and_it_is_said(tmp_path: Path) -> None:
    retrain(pipeline(tmp_path, MANY[:150]))
    better = retrain(pipeline(tmp_path, MANY[:160], "mode = 'better'"))
    assert not better.verdict.promote
    assert better.verdict.resampled is not None
    assert (better.verdict.resampled.resamples, better.verdict.resampled.look) == (4, 1)
    assert "on 4 resamples, for its recipe log-loss is not shown to be" in better.verdict.reason
    looks = read_looks(better.run.pipeline.artifacts)
    assert looks.of(better.run.prepared.fingerprints).tolist() == [1] * 128
    # The hold-out was not looked at: that it could show nothing was known before.
    assert len(looks.rows) == 128
    wide = retrain(pipeline(tmp_path, MANY[:161], "accuracy_margin = 0.06\nlog_loss_margin = 1.0"))
    assert wide.verdict.resampled is not None
    assert wide.verdict.promote
    assert wide.verdict.resampled.look == 2
    assert "on 4 resamples, its recipe is shown to be not worse" in wide.verdict.reason


def test_recipes_cannot_be_compared_on_rows_that_are_gone(tmp_path: Path) -> None:
    retrain(pipeline(tmp_path, rows(150)))
    found = retrain(pipeline(tmp_path, rows(150, seed=4)))
    assert not found.verdict.promote
    assert found.verdict.resampled is None
    assert "of the 120 rows that production was trained on, only 0 are in" in found.verdict.reason


def test_the_same_seed_gives_the_same_verdict(tmp_path: Path) -> None:
    verdicts = []
    for place in ("one", "two"):
        folder = tmp_path / place
        folder.mkdir()
        retrain(pipeline(folder, MANY[:900]))
        verdicts.append(retrain(pipeline(folder, MANY)).verdict)
    assert verdicts[0] == verdicts[1]


def test_where_columns_went_nothing_is_compared(tmp_path: Path) -> None:
    retrain(pipeline(tmp_path, MANY))
    fewer = [line.partition(",")[2] for line in MANY]
    found = retrain(pipeline(tmp_path, fewer, header="q,y"))
    assert not found.verdict.promote
    assert found.verdict.reason.endswith(
        'cannot be identified, because columns were removed or changed their kind: "p"'
    )
    assert found.verdict.rows is None


def test_across_a_new_column_rows_are_recognised(tmp_path: Path) -> None:
    retrain(pipeline(tmp_path, MANY[:900]))
    same = retrain(pipeline(tmp_path, MANY, "mode = 'better'")).verdict.rows
    rng = np.random.default_rng(0)
    wider = [f"{x:.3f},{line}" for x, line in zip(rng.normal(size=1_200), MANY, strict=True)]
    found = retrain(pipeline(tmp_path, wider, "mode = 'better'", header="z,p,q,y")).verdict.rows
    assert same is not None
    assert found is not None
    # Another split, since a row's place depends on its features: of 240 rows some 180 were
    # among production's 720 of 900.
    assert same.trained_on < 100 < 120 < found.trained_on < 200
    assert found.fit == 240 - found.trained_on
