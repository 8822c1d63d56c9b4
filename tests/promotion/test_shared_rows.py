"""Which rows two models can be compared on, and what they say of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ffn.promotion.champion import read_opponent
from ffn.promotion.shared_rows import columns_of, find_contest, production_rows
from ffn.training import steps
from tests.helpers.gated import pipeline, retrain, rows

LINES = rows(300)


def opponent_of(found):
    opponent = read_opponent(found)
    assert opponent is not None
    return opponent


def test_a_version_without_the_record_is_recognised_by_its_features(tmp_path: Path) -> None:
    """As the versions from before the gate are."""
    first = retrain(pipeline(tmp_path, LINES))
    found = pipeline(tmp_path, LINES + rows(50, seed=1))
    opponent = opponent_of(found)
    dataset = steps.load(found)
    schema = opponent.bundle.schema
    known = production_rows(dataset, schema, opponent)
    assert known.tolist() == [*(~first.held_out).tolist(), *[False] * 50]
    older = replace(opponent, columns=None)
    np.testing.assert_array_equal(production_rows(dataset, schema, older), known)
    fewer = replace(schema, features=schema.features[:1])
    assert "were not recorded" in production_rows(dataset, fewer, older)


def test_columns_that_went_or_changed_and_missing_values_that_did_are_named(tmp_path) -> None:
    retrain(pipeline(tmp_path, LINES))
    found = pipeline(tmp_path, LINES)
    opponent, dataset = opponent_of(found), steps.load(found)
    assert columns_of(dataset) == {"p": "numeric", "q": "numeric"}
    schema = opponent.bundle.schema
    for then in ({"p": "numeric", "r": "numeric"}, {"p": "numeric", "r": "categorical"}):
        reason = production_rows(dataset, schema, replace(opponent, columns=then))
        assert reason == 'columns were removed or changed their kind: "r"'
    reason = production_rows(dataset, schema, replace(opponent, columns={"p": "categorical"}))
    assert reason == 'columns were removed or changed their kind: "p"'
    # Whatever the record says, what the model itself needs has to be there.
    other = replace(schema, features=(replace(schema.features[0], name="z"), *schema.features[1:]))
    bundle = replace(opponent.bundle, schema=other)
    reason = production_rows(dataset, schema, replace(opponent, bundle=bundle))
    assert reason == 'columns were removed or changed their kind: "z"'
    bundle = replace(opponent.bundle, schema=replace(schema, missing_values=("",)))
    reason = production_rows(dataset, schema, replace(opponent, bundle=bundle))
    assert reason == "data.missing_values changed"


def test_rows_that_production_would_refuse_are_left_out(tmp_path: Path) -> None:
    retrain(pipeline(tmp_path, LINES))
    gaps = [f",{line.partition(',')[2]}" for line in rows(100, seed=2)]
    found = retrain(pipeline(tmp_path, LINES + gaps, "accuracy_margin = 0.2"))
    assert found.verdict.rows is not None
    held_out_gaps = int(found.held_out[300:].sum())
    assert found.verdict.rows.refused == held_out_gaps > 10


def test_rows_too_far_from_what_production_was_trained_on_are_left_out(tmp_path: Path) -> None:
    """The challenger, trained on such rows, scores them; production rejects them."""
    tiny = [f"{i % 7}e-30,{line.partition(',')[2]}" for i, line in enumerate(LINES)]
    retrain(pipeline(tmp_path, tiny))
    far = [f"{'1e14' if i % 2 else '2e-30'},{i},a" for i in range(40)]
    found = pipeline(tmp_path, tiny + far)
    dataset, opponent = steps.load(found), opponent_of(found)
    held_out, known = np.ones(340, dtype=bool), np.arange(340) < 300
    challenger = replace(opponent.bundle, fingerprints=np.empty(0, dtype=np.uint64))
    contest, counts = find_contest(dataset, held_out, known, challenger, opponent.bundle)
    assert (counts.refused, counts.fit) == (20, 20)
    assert np.isfinite(contest.production.probabilities).all()


def test_a_class_that_production_does_not_know_is_wrong_and_has_no_probability(tmp_path) -> None:
    retrain(pipeline(tmp_path, LINES))
    new = [f"{line[:-1]}0" for line in rows(100, seed=3)]
    opponent = opponent_of(pipeline(tmp_path, LINES + new))
    found = retrain(pipeline(tmp_path, LINES + new))
    assert opponent.bundle.schema.classes == ("a", "b", "c")
    dataset = steps.load(found.run.pipeline)
    known = production_rows(dataset, found.run.refitted.bundle.schema, opponent)
    contest, counts = find_contest(
        dataset, found.held_out, known, found.run.refitted.bundle, opponent.bundle
    )
    assert contest.classes == ("0", "a", "b", "c")
    assert contest.production.probabilities.shape == (counts.fit, 4)
    assert not contest.production.probabilities[:, 0].any()
    assert contest.production.probabilities.sum(axis=1) == pytest.approx(np.ones(counts.fit))
    assert (contest.production.predicted > 0).all()
    assert (contest.labels == 0).sum() > 10
    assert contest.fingerprints.tolist() == dataset.fingerprints[found.held_out & ~known].tolist()


def test_a_class_that_is_gone_is_an_answer_that_is_never_right(tmp_path: Path) -> None:
    retrain(pipeline(tmp_path, LINES))
    left = [line for line in LINES + rows(200, seed=4) if not line.endswith("a")]
    found = pipeline(tmp_path, left)
    dataset, opponent = steps.load(found), opponent_of(found)
    held_out = np.ones(len(left), dtype=bool)
    challenger = replace(opponent.bundle, fingerprints=np.empty(0, dtype=np.uint64))
    known = np.zeros(len(left), dtype=bool)
    contest, _ = find_contest(dataset, held_out, known, challenger, opponent.bundle)
    own = contest.production.predicted
    assert contest.classes == ("b", "c")
    assert set(own.tolist()) == {-1, 0, 1}
    assert (contest.production.probabilities[own == -1].sum(axis=1) < 0.67).all()


def test_a_part_of_a_contest_is_the_same_rows_of_both(tmp_path: Path) -> None:
    retrain(pipeline(tmp_path, LINES))
    found = pipeline(tmp_path, LINES + rows(100, seed=5))
    dataset, opponent = steps.load(found), opponent_of(found)
    known = production_rows(dataset, opponent.bundle.schema, opponent)
    whole, _ = find_contest(
        dataset, np.ones(400, dtype=bool), known, opponent.bundle, opponent.bundle
    )
    chosen = np.arange(len(whole.labels)) % 3 == 0
    part = whole.take(chosen)
    np.testing.assert_array_equal(part.labels, whole.labels[chosen])
    np.testing.assert_array_equal(part.fingerprints, whole.fingerprints[chosen])
    np.testing.assert_array_equal(
        part.challenger.probabilities, whole.challenger.probabilities[chosen]
    )
    np.testing.assert_array_equal(part.production.predicted, whole.production.predicted[chosen])
