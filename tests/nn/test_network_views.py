"""A stack is one array; everything else looks into it."""

from __future__ import annotations

import io
import pickle

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

from ffn.nn import SGD, Network, OptimizerState, he_normal, spawn_generators


def test_layers_lie_one_after_another_with_the_bias_last() -> None:
    network = Network((2, 3, 2), np.arange(34.0).reshape(2, 17))
    assert_array_equal(network.layers[0][0], [[0, 1, 2], [3, 4, 5], [6, 7, 8]])
    assert_array_equal(network.layers[1][0], [[9, 10, 11, 12], [13, 14, 15, 16]])
    assert_array_equal(network.weights(0)[0], [[0, 3, 6], [1, 4, 7]])
    assert_array_equal(network.biases(0)[0], [2, 5, 8])
    assert_array_equal(network.biases(1)[1], [29, 33])


def test_layers_weights_and_biases_are_views() -> None:
    network = Network.create((4, 6, 3), spawn_generators(0, 3))
    for i in range(2):
        for view in (network.layers[i], network.weights(i), network.biases(i)):
            assert np.shares_memory(view, network.parameters)
    before = network.parameters.copy()
    network.weights(1)[2, 5, 0] = 77
    assert (network.parameters != before).sum() == 1
    assert network.layers[1][2, 0, 5] == 77


def test_layers_of_a_strided_array_are_views_all_the_same() -> None:
    every_other = np.ones((8, 18))[::2, ::2]
    network = Network((2, 3), every_other)
    assert np.shares_memory(network.layers[0], every_other)


def test_an_optimizer_moves_strided_parameters_in_place() -> None:
    every_other = np.ones((4, 18))[::2, ::2]
    state = OptimizerState(SGD(learning_rate=0.25), Network((2, 3), every_other))
    state.gradients[:] = 1
    state.step()
    assert (every_other == 0.75).all()


@pytest.mark.parametrize("widths", [(3,), (0, 2), (3, 0, 2), (3, -1)])
def test_impossible_widths_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="two or more positive integers"):
        Network(widths, np.ones((1, 8)))


def test_parameters_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(3, 2\) need 8 parameters a network, found 9"):
        Network((3, 2), np.ones((1, 9)))


def test_initial_weights_are_hes_and_biases_zero() -> None:
    network = Network.create((50, 400, 100), spawn_generators(1, 3), np.float64)
    assert network.weights(0).std() == pytest.approx(np.sqrt(2 / 50), rel=0.02)
    assert network.weights(1).std() == pytest.approx(np.sqrt(2 / 400), rel=0.02)
    assert abs(network.weights(1).mean()) < 0.001
    for i in range(2):
        assert (network.biases(i) == 0).all()


def test_initial_weights_come_from_each_networks_generator() -> None:
    network = Network.create((4, 6, 3), spawn_generators(8, 3), np.float64)
    for k, child in enumerate(np.random.SeedSequence(8).spawn(3)):
        generator = np.random.default_rng(child)
        for i, (n_in, n_out) in enumerate([(4, 6), (6, 3)]):
            expected = generator.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)
            assert_array_equal(network.weights(i)[k], expected)


def test_he_initialisation_keeps_the_second_moment_through_relu() -> None:
    generator = np.random.default_rng(0)
    a = generator.normal(size=(400, 300))
    for _ in range(5):
        a = np.maximum(a @ he_normal(300, 300, generator), 0)
    # Forward, E[a^2] stays 1 where a layer's input has second moment 1 (Var[z]/2 each time).
    assert (a**2).mean() == pytest.approx(1, rel=0.25)


def test_generator_i_is_the_same_in_every_stack() -> None:
    for seed in (5, np.random.SeedSequence(5), np.random.SeedSequence(5, spawn_key=(3,))):
        few = [g.integers(1 << 60) for g in spawn_generators(seed, 2)]
        many = [g.integers(1 << 60) for g in spawn_generators(seed, 6)]
        assert many[:2] == few
        assert len(set(many)) == 6


def test_generators_of_two_branches_of_one_seed_differ() -> None:
    branches = np.random.SeedSequence(5).spawn(2)
    drawn = [
        spawn_generators(seed, 1)[0].integers(1 << 60)
        for seed in (np.random.SeedSequence(5), *branches)
    ]
    assert len(set(drawn)) == 3


def test_parameter_mask_marks_weights_and_biases_of_the_layers_asked_for() -> None:
    network = Network((2, 3, 2), np.zeros((1, 17)))
    weights = [0, 1, 3, 4, 6, 7]
    assert_array_equal(np.flatnonzero(network.parameter_mask([0], biases=False)), weights)
    assert_array_equal(np.flatnonzero(network.parameter_mask([1])), range(9, 17))
    assert network.parameter_mask([0, 1]).all()
    assert not network.parameter_mask([]).any()


def test_selection_is_a_stack_of_its_own() -> None:
    network = Network.create((4, 6, 3), spawn_generators(0, 4))
    chosen = network.select([2, 0])
    assert_array_equal(chosen.parameters, network.parameters[[2, 0]])
    assert not np.shares_memory(chosen.parameters, network.parameters)


def test_predict_proba_is_the_chain_of_layers() -> None:
    network = Network.create((4, 6, 5, 3), spawn_generators(0, 2), np.float64)
    network.biases(0)[:] = 0.1
    x = np.random.default_rng(0).normal(size=(20, 4))
    p = network.predict_proba(x)
    assert p.shape == (2, 20, 3)
    for k in range(2):
        a = x
        for i in range(3):
            z = a @ network.weights(i)[k] + network.biases(i)[k]
            a = np.clip(z, 0, None)
        assert_allclose(p[k], special.softmax(z, axis=1), rtol=1e-12)


@pytest.mark.parametrize("rows", [2047, 2048, 2049, 5001])
def test_predict_proba_of_many_rows_is_that_of_few_at_a_time(rows: int) -> None:
    network = Network.create((4, 6, 3), spawn_generators(0, 2), np.float64)
    x = np.random.default_rng(0).normal(size=(rows, 4))
    few = [network.predict_proba(x[start : start + 100]) for start in range(0, rows, 100)]
    assert_allclose(network.predict_proba(x), np.concatenate(few, axis=1), rtol=1e-13)


def test_predict_proba_of_no_rows() -> None:
    network = Network.create((4, 6, 3), spawn_generators(0, 2))
    assert network.predict_proba(np.empty((0, 4))).shape == (2, 0, 3)


@pytest.mark.parametrize("how", ["pickle", "joblib"])
def test_layers_are_still_views_after_a_round_trip(how: str) -> None:
    network = Network.create((4, 6, 3), spawn_generators(0, 2))
    if how == "pickle":
        copy = pickle.loads(pickle.dumps(network))
    else:
        file = io.BytesIO()
        joblib.dump(network, file)
        copy = joblib.load(file)
    assert copy.widths == network.widths
    assert_array_equal(copy.parameters, network.parameters)
    assert np.shares_memory(copy.layers[1], copy.parameters)


def test_layers_are_copied_from_a_stack_or_from_one_network() -> None:
    source = Network.create((3, 5, 2), spawn_generators(1, 2))
    stack = Network.create((3, 5, 4), spawn_generators(2, 2))
    before = stack.layers[1].copy()
    stack.copy_layers(source, [0])
    assert_array_equal(stack.layers[0], source.layers[0])
    assert_array_equal(stack.layers[1], before)
    stack.copy_layers(source.select([1]), [0])
    assert_array_equal(stack.layers[0][0], source.layers[0][1])
    assert_array_equal(stack.layers[0][1], source.layers[0][1])
    source.layers[0][...] = 0
    assert stack.weights(0).all()


def test_a_layer_of_another_shape_is_not_copied() -> None:
    source = Network.create((3, 5, 2), spawn_generators(1, 1))
    other = Network.create((3, 6, 2), spawn_generators(1, 1))
    with pytest.raises(ValueError, match="layer 0 has 6 units of 3 inputs, in the source 5 of 3"):
        other.copy_layers(source, [0])
