"""A student answers like its teacher, also where there were few rows to learn from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics import log_loss

from ffn.distillation.boosted_trees import fit_boosted_trees
from ffn.distillation.student import STUDENT_EPOCHS, averaged, copies_for, distil
from ffn.distillation.teaching_trees import Beside
from ffn.nn import Adam, Network, spawn_generators, train
from ffn.tabular.encodings.tree_inputs import TreeInputs

GROUPS = [[0], [1]]


def rings(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points of two rings that overlap, and their classes."""
    random = np.random.default_rng(seed)
    labels = random.integers(2, size=n)
    angle = random.uniform(0, 2 * np.pi, n)
    radius = 1 + labels + random.normal(scale=0.4, size=n)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), labels


@pytest.fixture(scope="module")
def teacher() -> Network:
    x, labels = rings(200, 0)
    generators = spawn_generators(1, 8)
    network = Network.create((2, 32, 2), generators, np.float64)
    train(
        network,
        Adam(learning_rate=0.01),
        x,
        labels,
        epochs=60,
        batch_size=32,
        generators=generators,
    )
    return network


def test_it_answers_like_the_average_on_rows_that_neither_has_seen(teacher: Network) -> None:
    x, _ = rings(200, 0)
    student = distil(teacher, x, GROUPS, (16,), np.random.SeedSequence(0), batch_size=500)
    assert student.network.widths == (2, 16, 2)
    assert student.network.parameters.shape[0] == 1
    assert student.network.parameters.dtype == teacher.parameters.dtype
    new, labels = rings(4000, 1)
    each = teacher.predict_proba(new).astype(float)
    average, one = each.mean(axis=0), student.network.predict_proba(new)[0].astype(float)
    # It is nearer to the average than the networks that make it up are.
    distance = entropy(average, one, axis=1).mean()
    assert distance < 0.5 * entropy(average, each, axis=-1).mean()
    losses = [log_loss(labels, own) for own in each]
    assert log_loss(labels, one) < np.mean(losses)
    assert log_loss(labels, one) == pytest.approx(log_loss(labels, average), rel=0.02)


def test_its_record_says_what_it_learnt_from(teacher: Network) -> None:
    x, _ = rings(200, 0)
    epochs: list[int] = []
    student = distil(
        teacher,
        x,
        GROUPS,
        (8,),
        np.random.SeedSequence(0),
        batch_size=2000,
        on_epoch=epochs.append,
    )
    assert student.rows == 200
    assert student.made == 200 * copies_for(200, 2)
    assert student.teachers == 8
    assert student.history.epochs_run.tolist() == [STUDENT_EPOCHS]
    assert epochs[-1] == STUDENT_EPOCHS
    # Cross-entropy is never below the entropy of what is learnt.
    assert student.history.train_loss[-1, 0] > entropy(averaged(teacher, x), axis=1).min()


def test_trees_beside_the_networks_are_learnt_by_their_share(teacher: Network) -> None:
    """They know a step that the networks do not; the answer is the mixture of both."""
    x, _ = rings(400, 0)
    beyond = (x[:, 0] > 0).astype(int)
    inputs = TreeInputs.of(range(2), [])
    trees = fit_boosted_trees(x, beyond, inputs, 2, 0, validation=None, iterations=60)
    assert trees is not None
    made = {
        share: distil(
            teacher,
            x,
            GROUPS,
            (16,),
            np.random.SeedSequence(0),
            batch_size=500,
            beside=Beside(trees, share),
        )
        for share in (0.0, 0.4)
    }
    alone = distil(teacher, x, GROUPS, (16,), np.random.SeedSequence(0), batch_size=500)
    assert made[0.0].network.parameters.tobytes() == alone.network.parameters.tobytes()
    new, _ = rings(2000, 1)
    networks = teacher.predict_proba(new).mean(axis=0).astype(float)
    mixed = 0.6 * networks + 0.4 * trees.predict_proba(new)
    found = made[0.4].network.predict_proba(new)[0].astype(float)
    assert entropy(mixed, found, axis=1).mean() < 0.1 * entropy(mixed, networks, axis=1).mean()
    assert made[0.4]._replace(network=None, history=None)[2:] == (400, 20_000 - 400, 8, 1, 0.4)
    assert (alone.boosted, alone.share) == (0, 0.0)


def test_one_seed_gives_one_student(teacher: Network) -> None:
    x, _ = rings(200, 0)
    made = [
        distil(teacher, x, GROUPS, (8,), np.random.SeedSequence(seed), batch_size=2000)
        for seed in (3, 3, 4)
    ]
    first, again, other = (student.network.parameters.tobytes() for student in made)
    assert first == again != other


def test_the_average_does_not_depend_on_how_many_rows_are_asked_at_once(teacher: Network) -> None:
    x, _ = rings(5000, 2)
    expected = teacher.predict_proba(x).mean(axis=0)
    np.testing.assert_allclose(averaged(teacher, x), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("n", "inputs", "copies"),
    [
        (1, 10, 0),  # nothing to exchange with
        (100, 10, 199),  # (1 + 199) x 100 = 20,000
        (19_999, 10, 1),
        (20_000, 10, 0),
        (1_000_000, 10, 0),
        (1_000, 10_000, 2),  # 2^25 inputs are 3,355 rows of 10,000
    ],
)
def test_there_are_enough_rows_and_no_more_than_fit(n: int, inputs: int, copies: int) -> None:
    assert copies_for(n, inputs) == copies
