"""The simulation of the gate in small: the same code, and a world that is what it says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ffn.evaluation.inference.paired_losses import row_losses
from simulations import drift, false_warnings, sequences
from simulations.drifting import (
    DriftingSize,
    Kept,
    drifting_section,
    drifting_table,
    kept_promises,
)
from simulations.false_warnings import FULL_WARNINGS, QUICK_WARNINGS, equal_models, shown_better
from simulations.gates import Kind, retraining
from simulations.page import draw, section, with_section
from simulations.recipes import EPOCHS, compare_recipes
from simulations.runs import FULL, NULLS, QUICK, simulate
from simulations.splits import (
    FULL_SPLITS,
    QUICK_SPLITS,
    FoundSplits,
    answers_of,
    expected_accuracy,
    grouped_contest,
    simulate_splits,
    splits_section,
)
from simulations.world import overconfident, train_bank, with_difference

TINY = replace(
    QUICK,
    networks=4,
    nulls=3,
    rows=(60,),
    power_rows=60,
    power_runs=2,
    differences=(0.0, 0.2),
    history_rows=60,
    histories=2,
    looks=2,
)


@pytest.fixture(scope="module")
def bank():
    return train_bank(4, 1)


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    return float((probabilities.argmax(axis=1) == labels).mean())


@pytest.mark.parametrize("difference", [-0.05, -0.02, 0.0, 0.03])
def test_the_true_difference_is_the_one_wanted(bank, difference) -> None:
    one, other = with_difference(
        bank.probabilities[0], bank.probabilities[1], bank.labels, difference
    )
    found = accuracy(one, bank.labels) - accuracy(other, bank.labels)
    assert found == pytest.approx(difference, abs=1e-9)
    assert one.sum(axis=1) == pytest.approx(np.ones(len(one)))
    # One of the two is as it was trained.
    as_trained = (one, bank.probabilities[0]), (other, bank.probabilities[1])
    assert any(np.array_equal(*pair) for pair in as_trained)


def test_overconfidence_moves_losses_and_no_label(bank) -> None:
    production, challenger = bank.probabilities[:2]
    sharp = overconfident(challenger, production, bank.labels, 0.05)
    losses = [row_losses(answers, bank.labels).mean() for answers in (sharp, production)]
    assert losses[0] - losses[1] == pytest.approx(0.05, abs=1e-6)
    assert (sharp.argmax(axis=1) == challenger.argmax(axis=1)).all()


def test_ours_keeps_nulls_that_plain_gates_promote(bank) -> None:
    """Of twenty-five at the level 0.0304, more than five is a chance of one in ten thousand."""
    for name, modes in (
        ("equally accurate", ("better",)),
        ("less accurate by the margin", ("better", "not_worse")),
    ):
        found = [retraining(bank, NULLS[name](200), seed) for seed in range(25)]
        for mode in modes:
            assert sum(one[mode] for one in found) <= 5
        if name == "equally accurate":
            assert sum(one["at least as accurate"] for one in found) >= 6
    large = [retraining(bank, Kind(0.2, 200), seed) for seed in range(5)]
    assert all(one["better"] and one["not_worse"] for one in large)


def test_failing_by_the_labels_alone_is_failing(bank, monkeypatch) -> None:
    """What is spared the bootstrap would have been kept by the whole gate, too."""
    seeds = range(12)
    kind = Kind(0.05, 150)
    quick = [retraining(bank, kind, seed) for seed in seeds]
    monkeypatch.setattr("simulations.gates.label_p_value", lambda *arguments: 0.0)
    assert [retraining(bank, kind, seed) for seed in seeds] == quick
    promoted = {mode: sum(one[mode] for one in quick) for mode in ("better", "not_worse")}
    assert all(0 < count < len(quick) for count in promoted.values())


def test_a_recipe_that_trains_too_little_is_found_worse_on_resamples() -> None:
    found = [compare_recipes(3, seed) for seed in range(3)]
    assert all(one.better and one.accuracy > 0.2 and one.log_loss < -0.5 for one in found)
    equal = [compare_recipes(EPOCHS, seed) for seed in range(3)]
    assert all(abs(one.accuracy) < 0.02 for one in equal)


def test_the_same_seed_gives_the_same_page_and_picture() -> None:
    one, other = simulate(TINY, workers=1), simulate(TINY, workers=2)
    text = section(one)
    assert text == section(other)
    assert draw(one) == draw(other)
    assert set(NULLS) <= set(re.findall(r"^\| ([a-z][a-z -]+?) \|", text, re.M))


def test_the_page_holds_what_was_simulated(repository: Path) -> None:
    """All figures of the full simulation; no claim above its level."""
    page = (repository / "docs/gate.md").read_text("utf-8")
    inside = with_section(page, "x")
    assert inside != page
    cells = re.findall(r"\*\*(\d\.\d+)\*\* \[(\d\.\d+), (\d\.\d+)\]", page)
    assert len(cells) == 4 * len(FULL.rows) + 1
    assert all(float(share) <= 0.05 for share, _, _ in cells)
    assert f"Of {FULL.nulls:,} retrainings of each kind" in page
    assert "](images/gate_simulation.png)" in page
    assert (repository / "docs/images/gate_simulation.png").is_file()
    with pytest.raises(ValueError, match="must hold"):
        with_section("no markers", "x")


def test_drift_is_simulated_alike_each_time_and_told_from_none() -> None:
    size = drift.Size(rows=(60,), clean=3, drifted=2)
    assert drift.drift_section(size) == drift.drift_section(size)
    generator = np.random.default_rng(5)
    reference = drift.reference_of(drift.draw_table(500, generator))
    table = drift.draw_table(500, generator)
    assert not drift.report_on(table, reference).detected
    for change, word in drift.KINDS.values():
        assert word in " ".join(drift.report_on(change(table), reference).suspicions)


def test_the_page_of_drift_claims_what_its_intervals_hold(repository: Path) -> None:
    page = (repository / "docs/drift.md").read_text("utf-8").partition("<!-- months:")[0]
    assert with_section(page, "x") != page
    cells = re.findall(r"\*\*(\d\.\d+)\*\* \[(\d\.\d+), (\d\.\d+)\]", page)
    assert len(cells) == len(drift.FULL.rows)
    assert all(float(high) <= 0.01 for _, _, high in cells)
    assert "files without drift 0 were given a name." in page
    assert f"Alarms of {drift.FULL.clean:,} files" in page
    assert set(drift.KINDS) <= set(re.findall(r"^\| ([a-z][^|]+?) \|", page, re.M))


@pytest.mark.parametrize("kind", false_warnings.KINDS)
def test_simpler_models_are_made_as_good_as_the_network(bank, kind: str) -> None:
    ours, others = equal_models(bank, kind, np.random.default_rng(1))
    losses = [row_losses(answers, bank.labels).mean() for answers in (ours, *others)]
    assert losses == pytest.approx([losses[0]] * 4, abs=1e-6)
    as_trained = [row_losses(answers, bank.labels).mean() for answers in bank.probabilities]
    flattened = kind != "equally confident"
    assert bool(losses[0] > max(as_trained) + 0.01) is flattened
    sure = [answers.max(axis=1).mean() for answers in (ours, *others)]
    assert bool(min(sure[1:]) > sure[0] + 0.1) is flattened


def test_a_model_that_is_truly_better_is_shown(bank) -> None:
    """And what Student's t would spare the resamples would not be shown with them, either."""
    sharp = bank.probabilities[0] ** 8
    sharp /= sharp.sum(axis=1, keepdims=True)
    ids = np.arange(600)
    others = [answers[ids] for answers in bank.probabilities[1:]]
    assert shown_better(sharp[ids], others, bank.labels[ids], 0)
    assert not shown_better(others[0], [sharp[ids]] * 3, bank.labels[ids], 0)


def test_warnings_are_simulated_alike_each_time() -> None:
    size = replace(QUICK_WARNINGS, networks=4, runs=4, rows=(40,))
    text = false_warnings.warnings_section(size, workers=1)
    assert text == false_warnings.warnings_section(size, workers=2)


def test_the_page_of_evaluation_claims_what_its_intervals_hold(repository: Path) -> None:
    whole = (repository / "docs/evaluation.md").read_text("utf-8")
    assert with_section(whole, "x") != whole
    page = whole.split("## Comparison with simpler models")[1].split("\n## ")[0]
    cells = re.findall(r"\*\*(\d\.\d+)\*\* \[(\d\.\d+), (\d\.\d+)\]", page)
    assert len(cells) == 2 * len(FULL_WARNINGS.rows)
    assert all(float(share) <= 0.05 for share, _, _ in cells)
    assert f"Of {FULL_WARNINGS.runs:,} comparisons each" in page
    assert set(false_warnings.KINDS) <= set(re.findall(r"^\| ([a-z][^|]+?) \|", page, re.M))


def test_made_up_models_are_as_accurate_as_is_said() -> None:
    groups = np.repeat(np.arange(4_000), 5)
    generator = np.random.default_rng(0)
    for worse in (0.0, 0.02):
        found = answers_of(groups, generator, worse=worse)
        right = (found.predicted == 0).mean()
        assert right == pytest.approx(expected_accuracy() - worse, abs=0.012)
        assert found.probabilities.sum(axis=1) == pytest.approx(np.ones(20_000))
        by_group = (found.predicted == 0).reshape(-1, 5).mean(axis=1)
        # Rows of a group resemble each other: more than five independent ones of that accuracy.
        assert by_group.var() > 1.5 * right * (1 - right) / 5


def test_groups_that_the_gate_is_told_are_its_unit() -> None:
    groups = np.repeat(np.arange(30), 20)
    contest = grouped_contest(groups, np.random.default_rng(1), worse=0.0, told=True)
    assert contest.groups is not None
    assert grouped_contest(groups, np.random.default_rng(1), worse=0.0, told=False).groups is None


def test_the_section_on_splits_has_what_was_simulated() -> None:
    size = replace(QUICK_SPLITS, trials=2, groups=(8,), rows_of_group=(5,), histories=1, looks=2)
    found = simulate_splits(replace(size, new_groups=6))
    assert set(found.promoted) == {(8, 5, "better"), (8, 5, "not_worse")}
    text = splits_section(FoundSplits(size, {(8, 5, "better"): (0, 1)}, (0, 1)))
    assert "| 8 | 5 | `better` | 0.000 [0.000, 0.658] | 0.500 [0.095, 0.905] |" in text
    assert "in 0.000 where the group is the unit, and in 1.000 where rows are taken" in text
    assert FULL_SPLITS.trials >= 100, "enough for the page"


def test_a_table_drifts_from_its_first_weights_to_its_last() -> None:
    generator = np.random.default_rng(0)
    weights = np.array([3.0, 0, 0, 0]), np.array([-3.0, 3.0, 0, 0])
    for day, feature in ((0, 0), (300, 1)):
        x, labels = drifting_table(np.full(4_000, day), weights, generator)
        found = [abs(np.corrcoef(x[:, i], labels)[0, 1]) for i in range(4)]
        assert np.argmax(found) == feature
        assert np.sort(found)[-2] < 0.1


def test_what_is_kept_is_a_table_of_what_was_simulated() -> None:
    size = DriftingSize(1, 200)
    by_time, by_content = kept_promises(size)
    assert {by_time.accuracy, by_content.accuracy} <= {0.0, 1.0}
    text = drifting_section(
        DriftingSize(4, 90), Kept(0.5, 1.0, 0.81, 0.75), Kept(0.25, 0, 0.9, 0.7)
    )
    assert "Of 4 tables of 90 rows over 300 days" in text
    assert "| by time | 0.50 | 1.00 | 0.810 | 0.750 |\n| by content | 0.25 | 0.00 | 0.900 |" in text


def test_sequences_keep_their_level_where_fixed_intervals_do_not(repository: Path) -> None:
    found, alerts, of_groups = sequences.simulate_sequences(sequences.QUICK_SEQUENCES)
    trials = sequences.QUICK_SEQUENCES.trials
    # At a level of 0.05, more than 16 of 150 trials are wrong with a probability of 0.002.
    assert trials == 150
    for world in found.values():
        assert max(world.accuracy, world.log_loss) <= 16
        assert world.fixed > 30
    assert max(alerts, of_groups) <= 16
    page = (repository / "docs/outcomes.md").read_text("utf-8")
    cells = re.findall(r"^\| ([a-z][^|]*?) \| (0\.\d+) \[.*?\] \| (0\.\d+) \[", page, re.M)
    assert [name for name, _, _ in cells] == list(sequences.WORLDS)
    assert all(float(share) <= 0.05 for _, *shares in cells for share in shares)
    assert f"Of {sequences.FULL_SEQUENCES.trials:,} simulated versions" in page
    (reported,) = re.findall(r"accuracies of their own, (0\.\d+) \[", page)
    assert float(reported) <= 0.05


def test_sequences_are_simulated_alike_each_time() -> None:
    size = replace(sequences.QUICK_SEQUENCES, trials=3, rows=120)
    assert sequences.sequences_section(size) == sequences.sequences_section(size)
