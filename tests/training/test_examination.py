"""Baselines, importance and mistakes of small retrainings: by scikit-learn and by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import permutation_importance as sklearn_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss
from threadpoolctl import threadpool_limits

from ffn.bundles.bundle import Bundle
from ffn.estimator.classifier import FFNClassifier
from ffn.evaluation.baselines import BOOSTING, LINEAR, MAJORITY
from ffn.evaluation.importance import permutation_importance
from ffn.evaluation.mistakes import worst_mistakes
from ffn.promotion.register import jsonable
from ffn.tabular.splitting.division import Division
from ffn.tabular.training_table.dataset import Dataset
from ffn.training import steps
from ffn.training.examination import Examination, examine
from tests.helpers.gated import rows, table
from tests.helpers.retrained import Run, made, run, shipped


@dataclasses.dataclass
class Examined:
    run: Run
    dataset: Dataset
    held_out: Division
    found: Examination


def examined(pipeline) -> Examined:
    dataset = steps.load(pipeline)
    held_out = steps.split(dataset, pipeline)
    done = run(pipeline, held_out=held_out)
    found = examine(dataset, held_out, done.prepared, done.refitted, pipeline)
    return Examined(done, dataset, held_out, found)


@pytest.fixture(scope="module")
def penguins(repository, tmp_path_factory) -> Examined:
    folder = tmp_path_factory.mktemp("artifacts")
    return examined(shipped(repository, "penguins", folder, epochs=12, networks=3))


def test_baselines_are_scikit_learns_on_the_same_rows(penguins: Examined) -> None:
    prepared = penguins.run.prepared
    x, labels = prepared.x_train, prepared.labels_train
    models = {
        MAJORITY: DummyClassifier(strategy="prior"),
        LINEAR: LogisticRegression(max_iter=1_000),
        BOOSTING: HistGradientBoostingClassifier(early_stopping=False, random_state=42),
    }
    assert [baseline.name for baseline in penguins.found.baselines] == list(models)
    ours = penguins.run.evaluation
    for baseline in penguins.found.baselines:
        with threadpool_limits(1):
            fitted = models[baseline.name].fit(x, labels)
        answers = fitted.predict_proba(prepared.x_test)
        accuracy = accuracy_score(prepared.labels_test, answers.argmax(axis=1))
        loss = log_loss(prepared.labels_test, answers)
        assert baseline.fitted_rows == 275
        assert baseline.problem == ""
        assert baseline.evaluation.accuracy.value == accuracy
        assert_array_equal(
            baseline.evaluation.confusion,
            confusion_matrix(prepared.labels_test, answers.argmax(axis=1)),
        )
        assert baseline.evaluation.log_loss.value == pytest.approx(loss, rel=1e-6)
        difference = baseline.difference
        assert difference.accuracy.value == pytest.approx(ours.accuracy.value - accuracy)
        bounds = baseline.bounds
        assert bounds.value == difference.log_loss.value
        assert bounds.alpha == pytest.approx(0.05 / 3)
        # A lower level than 0.025, and one bound more.
        assert bounds.low <= difference.log_loss.low < difference.log_loss.high <= bounds.high
        assert baseline.shown_better is (bounds.low > 0)
        # Probabilities below a millionth count as one, here and not there.
        assert difference.log_loss.value == pytest.approx(ours.log_loss.value - loss, abs=0.02)


def test_importance_is_scikit_learns(penguins: Examined) -> None:
    """Of the numbers; a category's inputs go together, which scikit-learn's cannot do."""
    bundle, prepared = penguins.run.refitted.bundle, penguins.run.prepared
    estimator = FFNClassifier.from_network(bundle.network, range(3), optimizer="adam")
    expected = sklearn_importance(
        estimator,
        prepared.x_test,
        prepared.labels_test,
        scoring="neg_log_loss",
        n_repeats=60,
        random_state=0,
    ).importances_mean
    found = {feature.name: feature for feature in penguins.found.importance.features}
    assert set(found) == {feature.name for feature in prepared.schema.features}
    for column, feature in enumerate(prepared.schema.numeric):
        figure = found[feature.name].log_loss
        assert figure.value == pytest.approx(expected[column], abs=0.2 * (figure.high - figure.low))
    values = [feature.log_loss.value for feature in penguins.found.importance.features]
    assert values == sorted(values, reverse=True)
    assert (penguins.found.importance.rows, penguins.found.importance.repeats) == (69, 20)


def test_a_feature_without_weight_is_worth_nothing(penguins: Examined) -> None:
    done = penguins.run
    bundle = done.refitted.bundle
    network = bundle.network.select([0])
    island = [feature.name for feature in bundle.schema.categorical].index("island")
    # All four numbers have gaps in two rows, so that each has two inputs: one for "missing".
    inputs = bundle.preparation.inputs_of_features()
    assert list(map(len, inputs[:4])) == [2] * 4
    network.layers[0][..., [*inputs[4 + island], *inputs[0]]] = 0
    blind = dataclasses.replace(bundle, network=network)
    found = permutation_importance(blind, done.prepared.x_test, done.prepared.labels_test, 3)
    worth = {feature.name: feature for feature in found.features}
    for name in ("island", bundle.schema.numeric[0].name):
        assert dataclasses.astuple(worth[name].log_loss) == (0, 0, 0)
        assert dataclasses.astuple(worth[name].accuracy) == (0, 0, 0)
    others = [
        feature for name, feature in worth.items() if name not in {"island", "bill_length_mm"}
    ]
    assert any(feature.log_loss.value != 0 for feature in others)


def test_a_large_table_costs_no_more_than_is_allowed(penguins: Examined, monkeypatch) -> None:
    bundle, prepared = penguins.run.refitted.bundle, penguins.run.prepared
    probabilities, asked = Bundle.probabilities, []

    def counting(own: Bundle, x: np.ndarray) -> np.ndarray:
        asked.append(len(x))
        return probabilities(own, x)

    monkeypatch.setattr(Bundle, "probabilities", counting)
    x, labels = np.tile(prepared.x_test, (5, 1)), np.tile(prepared.labels_test, 5)
    size = bundle.network.parameters.size
    # By hand, of 345 rows and six features: permutations are cut first, then rows, then features.
    for asked_at_most, features, of_rows, repeats in (
        (345 * 20 * 6, 6, 345, 20),
        (345 * 20 * 6 - 1, 6, 345, 19),
        (345 * 2 * 6 - 1, 6, 345, 1),
        (250 * 6, 6, 250, 1),
        (200 * 6, 6, 200, 1),
        (200 * 6 - 1, 5, 239, 1),
        (200 * 3, 3, 200, 1),
        (1, 1, 200, 1),
    ):
        asked.clear()
        found = permutation_importance(bundle, x, labels, 0, multiplications=asked_at_most * size)
        counts = len(found.features), found.left_out, found.rows, found.repeats
        assert counts == (features, 6 - features, of_rows, repeats)
        assert len(found.unpermuted) == found.left_out
        assert sum(asked) == of_rows * (1 + features * repeats)
        assert features * repeats * of_rows <= max(asked_at_most, 200)


def test_the_worst_mistakes_are_found_row_by_row(penguins: Examined) -> None:
    done, dataset = penguins.run, penguins.dataset
    probabilities = done.refitted.bundle.probabilities(done.prepared.x_test)
    numbers = np.flatnonzero(penguins.held_out.held_out)
    labels = done.prepared.labels_test
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    worst = sorted(wrong, key=lambda i: (-probabilities[i].max(), numbers[i]))[:10]
    assert worst
    found = penguins.found.mistakes
    lines = done.pipeline.source.read_text("utf-8").splitlines()
    header = lines[0].split(",")
    for mistake, i in zip(found, worst, strict=True):
        assert mistake.row == numbers[i] + 1
        assert mistake.label == dataset.classes[labels[i]]
        assert mistake.predicted == dataset.classes[probabilities[i].argmax()]
        assert mistake.confidence == pytest.approx(probabilities[i].max())
        assert mistake.own_probability == pytest.approx(probabilities[i, labels[i]])
        record = dict(zip(header, lines[mistake.row].split(","), strict=True))
        assert record[dataset.target] == mistake.label
        for name, cell in mistake.cells.items():
            if name in dataset.categorical_features:
                assert cell == record[name]
            else:
                missing = record[name] in dataset.missing_values
                assert (cell == "") if missing else (float(cell) == float(record[name]))


def test_mistakes_of_many_groups_are_those_of_one(tmp_path) -> None:
    pipeline = made(tmp_path, table(rows(400, noise=0.5)), "[training]\nepochs = 2\nnetworks = 2\n")
    dataset = steps.load(pipeline)
    held_out = steps.split(dataset, pipeline)
    bundle = run(pipeline, held_out=held_out).refitted.bundle
    whole = worst_mistakes(bundle, dataset, held_out.held_out)
    assert len(whole) == 10
    parts = worst_mistakes(bundle, dataset, held_out.held_out, rows_at_once=7)
    assert jsonable(parts) == jsonable(whole)


def test_the_same_seed_finds_the_same(penguins: Examined) -> None:
    done = penguins.run
    again = examine(
        penguins.dataset, penguins.held_out, done.prepared, done.refitted, done.pipeline
    )
    assert jsonable(again) == jsonable(penguins.found)
    few = examine(
        penguins.dataset,
        penguins.held_out,
        done.prepared,
        done.refitted,
        done.pipeline,
        most_rows=20,
    )
    assert few.rows == 20
    assert {baseline.evaluation.rows for baseline in few.baselines} == {20}
    assert few.importance == penguins.found.importance


def test_what_the_temperature_did_is_measured_on_held_out_rows(penguins: Examined) -> None:
    done = penguins.run
    assert done.refitted.temperature is not None
    value = 0.5
    temperature = dataclasses.replace(done.refitted.temperature, value=value, applied=True)
    refitted = dataclasses.replace(done.refitted, temperature=temperature)
    found = examine(penguins.dataset, penguins.held_out, done.prepared, refitted, done.pipeline)
    assert found.temperature is not None
    after = done.refitted.bundle.probabilities(done.prepared.x_test)
    # Scores multiplied by T again are probabilities to the power of T.
    before = after**value / (after**value).sum(axis=1, keepdims=True)
    labels = done.prepared.labels_test
    losses = [-np.log(np.maximum(p[np.arange(69), labels], 1e-6)) for p in (after, before)]
    assert found.temperature.log_loss.value == pytest.approx((losses[0] - losses[1]).mean())
    assert found.temperature.error == penguins.run.evaluation.calibration.error
    assert found.temperature.error_before != found.temperature.error
    assert penguins.found.temperature is None


def test_slices_are_those_of_the_held_out_rows(penguins: Examined) -> None:
    """Counted from the cells of the table: Fisher's test asks for no more than these counts."""
    held_out, bundle = penguins.held_out.held_out, penguins.run.refitted.bundle
    prepared = penguins.run.prepared
    right = bundle.probabilities(prepared.x_test).argmax(axis=1) == prepared.labels_test
    cells = [penguins.dataset.cells(row) for row in np.flatnonzero(held_out).tolist()]
    found = penguins.found.slices
    assert found is not None
    assert (found.rows, found.left_out) == (len(cells), 0)
    named = {(one.column, one.value): one for one in found.slices}
    assert {("sex", "female"), ("sex", "male")} <= set(named)
    for (column, value), one in named.items():
        if column in {"sex", "island"}:
            inside = np.array([row[column] == value for row in cells])
            assert one.rows == inside.sum()
            assert one.accuracy.value == pytest.approx(right[inside].mean())
    sexes = named["sex", "female"], named["sex", "male"]
    for one, label in zip(sexes, ("female", "male"), strict=True):
        shares = [np.mean([row["sex"] == label for row in cells])]
        assert 0.3 < shares[0] < 0.7
        assert sum(of for _, of in one.recalls.values()) == one.rows
    assert jsonable(penguins.found)["slices"]["searched"] == found.searched
