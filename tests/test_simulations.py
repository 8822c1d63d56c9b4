"""The simulation of the gate in small: the same code, and a world that is what it says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ffn.evaluation.paired_losses import row_losses
from ffn.scoring.drift.units import conversions
from simulations import drift, false_warnings, seasons
from simulations.false_warnings import FULL_WARNINGS, QUICK_WARNINGS, equal_models, shown_better
from simulations.gates import Kind, retraining
from simulations.page import draw, section, with_section
from simulations.recipes import EPOCHS, compare_recipes
from simulations.runs import FULL, NULLS, QUICK, simulate
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


def test_seasons_are_simulated_alike_each_time() -> None:
    size = seasons.YearsSize(years=1, mistaken=1)
    text = seasons.seasons_section(size)
    assert text == seasons.seasons_section(size)
    assert all(f"| {name} |" in text for name in (*seasons.SPANS, *seasons.MISTAKES))


def test_years_have_the_seasons_that_they_should() -> None:
    """July is warmer than January, days are alike from hour to hour, and the years are two."""
    for seed in range(5):
        one, other = seasons.draw_years(np.random.default_rng(seed))
        months = np.array([one.of([month]).mean(axis=0) for month in range(12)])
        assert months[:, 0].argmax() in (5, 6, 7)
        assert months[:, 0].argmin() in (0, 1, 11)
        assert (one.rows[:, 1] < one.rows[:, 0]).all()
        assert (one.rows[:, 2:] > 0).all()
        assert np.bincount(one.month).tolist() == pytest.approx([730] * 12, abs=1)
        assert not np.array_equal(one.rows, other.rows)
        # A sales season of up to the factor that is taken for plausible.
        assert months[:, 3].max() / months[:, 3].min() < 8


@pytest.mark.parametrize("mistake", seasons.MISTAKES)
def test_a_mistake_is_made_in_one_column_and_can_be_undone(mistake: str) -> None:
    name, place, change, _ = seasons.MISTAKES[mistake]
    values = np.array([10.0, 50.0])
    factors = {(how.factor, how.offset) for how in conversions(name, 10.0)}
    undone = [how * change(values) + offset for how, offset in factors]
    assert min(np.abs(own - values).max() for own in undone) < 1e-4
    assert seasons.PLAIN[place].split("_")[0] == name.split("_")[0]


def test_the_page_of_seasons_claims_at_most_one_in_a_hundred(repository: Path) -> None:
    page = (repository / "docs/drift.md").read_text("utf-8")
    for span in seasons.SPANS:
        (line,) = re.findall(rf"^\| {re.escape(span)} \|.*$", page, re.M)
        shares = re.findall(r"(\d\.\d+) \[(\d\.\d+), (\d\.\d+)\]", line)
        assert len(shares) == 2
        assert all(float(share) <= 0.01 for share, _, _ in shares)
    assert f"next year, {seasons.FULL_SEASONS.years * 12:,} files each" in page
    assert set(seasons.MISTAKES) <= set(re.findall(r"^\| ([a-z][^|]+?) \|", page, re.M | re.I))


def test_the_page_of_drift_claims_what_its_intervals_hold(repository: Path) -> None:
    page = (repository / "docs/drift.md").read_text("utf-8")
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
    page = (repository / "docs/evaluation.md").read_text("utf-8")
    assert with_section(page, "x") != page
    cells = re.findall(r"\*\*(\d\.\d+)\*\* \[(\d\.\d+), (\d\.\d+)\]", page)
    assert len(cells) == 2 * len(FULL_WARNINGS.rows)
    assert all(float(share) <= 0.05 for share, _, _ in cells)
    assert f"Of {FULL_WARNINGS.runs:,} comparisons each" in page
    assert set(false_warnings.KINDS) <= set(re.findall(r"^\| ([a-z][^|]+?) \|", page, re.M))
