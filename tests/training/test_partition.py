"""Inputs in files: what tasks get, what they map, and that memory does not grow with the table."""

from __future__ import annotations

import gc
import multiprocessing
import pickle
import shutil
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ffn.bundles.bundle import read_bundle, write_bundle
from ffn.errors import DataError
from ffn.evaluation.importance import permutation_importance
from ffn.nn.engine import batches
from ffn.nn.engine.shuffling import epoch_orders
from ffn.storage import cache
from ffn.tabular.csv.reader import Records
from ffn.tabular.ingestion import conversion
from ffn.tabular.splitting import by_content
from ffn.tabular.training_table.class_counts import fold_of_rows
from ffn.training import candidate_training, steps, training_data
from ffn.training.partition import write_parts
from ffn.training.tables import learning
from ffn.training.training_data import Prepared
from tests.helpers.retrained import made, prepare, run, shipped


def table(rows: int, columns: int = 3) -> str:
    rng = np.random.default_rng(rows)
    numbers = rng.integers(0, 1000, (rows, columns)) + np.arange(rows)[:, None] % 2 * 500
    header = ",".join([*(f"x{c}" for c in range(columns)), "y"])
    lines = [",".join(map(str, row)) for row in numbers.tolist()]
    return header + "\n" + "".join(f"{line},{'ab'[i % 2]}\n" for i, line in enumerate(lines))


def in_small_pieces(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(conversion, "rows_of_a_group", lambda _: 32)
    patch.setattr(training_data, "write_parts", partial(write_parts, values_at_once=20))
    # Blocks of four runs of eight rows in training.
    patch.setattr(batches, "epoch_orders", partial(epoch_orders, run_rows=8, piece_rows=32))


def arrays(prepared: Prepared) -> list[np.ndarray]:
    return [prepared.x_train, prepared.labels_train, prepared.x_test, prepared.labels_test]


@pytest.mark.parametrize("name", ["iris", "penguins"])
def test_groups_change_no_input(repository: Path, tmp_path: Path, name, monkeypatch) -> None:
    whole = prepare(shipped(repository, name, tmp_path / "whole"))
    in_small_pieces(monkeypatch)
    pieces = prepare(shipped(repository, name, tmp_path / "pieces"))
    for found, expected in zip(arrays(pieces), arrays(whole), strict=True):
        # The mean over groups rounds otherwise than the mean over all.
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert_array_equal(pieces.fingerprints, whole.fingerprints)
    assert pieces.schema == whole.schema
    assert pieces.notices == whole.notices


def test_a_training_task_has_no_way_to_the_rows_held_out(repository: Path, tmp_path: Path) -> None:
    prepared = prepare(shipped(repository, "iris", tmp_path, epochs=2, networks=2))
    task = pickle.dumps(prepared.training)
    assert len(task) < 5_000, "paths and what was learnt, no rows"
    for path in prepared.held_out.entry.path.glob("test_*.npy"):
        path.unlink()
    pipeline = shipped(repository, "iris", tmp_path, epochs=2, networks=2)
    candidate = candidate_training.train_candidate(pickle.loads(task), pipeline, "adam")
    assert candidate.history.finished.all()


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing_where_tables_are_shuffled_in_blocks(
    tmp_path: Path, monkeypatch, workers: int
) -> None:
    toml = "[training]\nepochs = 3\nnetworks = 3\nbatch_size = 16\n"
    toml += "[optimizers.sgd]\n[optimizers.adam]\n"
    pipeline = made(tmp_path, table(400), toml)
    in_small_pieces(monkeypatch)
    here = run(pipeline)
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
        sent = [
            pool.submit(candidate_training.train_candidate, here.prepared.training, pipeline, name)
            for name in ("sgd", "adam")
        ]
        there = [future.result() for future in sent]
    for own, other in zip(here.candidates, there, strict=True):
        assert_array_equal(own.history.train_loss, other.history.train_loss)
        assert_array_equal(own.history.validation_loss, other.history.validation_loss)


def test_the_second_retraining_maps_what_the_first_wrote(tmp_path: Path, monkeypatch) -> None:
    pipeline = made(tmp_path, table(60), "[training]\nnetworks = 2")
    first = prepare(pipeline)
    with monkeypatch.context() as patch:
        patch.setattr(training_data, "write_parts", None)
        again = prepare(pipeline)
    assert again.training.entry.path == first.training.entry.path
    assert (again.schema, again.notices) == (first.schema, first.notices)
    del first, again
    other = made(tmp_path, table(60), "[training]\nnetworks = 2\ntest_share = 0.4")
    assert len(prepare(other).x_test) == 24
    left = {path.name for path in (pipeline.artifacts / "cache").iterdir()}
    assert len(left) == 3, "the table, its inputs, their resamples"


def test_an_encoding_has_inputs_of_its_own_in_the_cache(tmp_path: Path) -> None:
    plain = prepare(made(tmp_path, table(60), "[training]\nnetworks = 2"))
    toml = '[features]\nnumbers = "piecewise"\n[training]\nnetworks = 2'
    pipeline = made(tmp_path, table(60), toml)
    first = prepare(pipeline)
    assert first.preparation.n_inputs == 3 * (16 + 2) == first.x_train.shape[1]
    assert plain.training.entry.path != first.training.entry.path
    again = prepare(pipeline)
    assert again.training.entry.path == first.training.entry.path
    for name, array in first.preparation.to_arrays().items():
        assert_array_equal(again.preparation.to_arrays()[name], array)
    fewer = prepare(made(tmp_path, table(60), toml.replace("[training]", "bins = 8\n[training]")))
    assert fewer.preparation.n_inputs == 3 * (8 + 2)


def test_a_bundle_scores_the_inputs_it_was_trained_on(tmp_path: Path) -> None:
    toml = '[features]\nnumbers = "piecewise"\n[training]\nnetworks = 2\nepochs = 5\n'
    done = run(made(tmp_path, table(120), toml + "[optimizers.adam]"))
    write_bundle(done.refitted.bundle, tmp_path / "bundle")
    bundle = read_bundle(tmp_path / "bundle")
    dataset = steps.load(done.pipeline)
    numeric, codes = dataset.arrays(bundle.schema)
    held_out = steps.split(dataset, done.pipeline).held_out
    x = bundle.preparation.transform(numeric[held_out], codes[held_out])
    assert_array_equal(x, done.prepared.x_test)
    assert x.shape[1] == bundle.network.widths[0] == 3 * (16 + 2)
    # All inputs of a column are permuted together.
    blind = replace(bundle, network=bundle.network.select([0]))
    inputs = bundle.preparation.inputs_of_features()
    assert list(chain(*inputs)) == list(range(3 * (16 + 2)))
    blind.network.layers[0][..., inputs[1]] = 0
    worth = permutation_importance(blind, x, done.prepared.labels_test, 0).features
    figures = {feature.name: feature.log_loss.value for feature in worth}
    assert figures["x1"] == 0
    assert figures["x0"] != 0
    assert figures["x2"] != 0


def test_a_column_of_many_categories_is_pooled(tmp_path: Path, monkeypatch) -> None:
    """Held-out rows have the statistics of the bundle, training rows those of other folds."""
    rng = np.random.default_rng(2)
    names = rng.integers(0, 150, 600)
    labels = (rng.random(600) < np.where(names % 2, 0.8, 0.2)).astype(int)
    lines = [f"k{a},{b},{'uv'[c]}\n" for a, b, c in zip(names, range(600), labels, strict=True)]
    toml = "[features]\nmost_categories = 12\n[training]\nnetworks = 2\nepochs = 5\n"
    pipeline = made(tmp_path, "c,n,y\n" + "".join(lines), toml + "[optimizers.adam]")
    done = run(pipeline)
    prepared = done.prepared
    assert prepared.preparation.n_inputs == prepared.x_train.shape[1] == 1 + 12 + 1 + 1
    write_bundle(done.refitted.bundle, tmp_path / "bundle")
    preparation = read_bundle(tmp_path / "bundle").preparation
    dataset = steps.load(pipeline)
    numeric, codes = dataset.arrays(prepared.schema)
    held_out = steps.split(dataset, pipeline).held_out
    count = len(set(names[~held_out]))
    assert any(f'column "c" ({count} in the training rows)' in one for one in prepared.notices)
    x = preparation.transform(numeric, codes)
    assert_array_equal(x[held_out], prepared.x_test)
    assert_array_equal(x[~held_out, :-1], prepared.x_train[:, :-1])
    folds = fold_of_rows(dataset.fingerprints)
    share = labels[~held_out].mean()
    for row, found in zip(np.flatnonzero(~held_out)[:60], prepared.x_train[:60, -1], strict=True):
        others = ~held_out & (names == names[row]) & (folds != folds[row])
        p = (labels[others].sum() + 20 * share) / (others.sum() + 20)
        expected = np.log(p / (1 - p)) - np.log(share / (1 - share))
        assert found == pytest.approx(expected, abs=1e-6)
    in_small_pieces(monkeypatch)
    shutil.rmtree(pipeline.artifacts)
    pieces = prepare(pipeline)
    assert_array_equal(pieces.x_train[:, 1:], prepared.x_train[:, 1:])


def test_damaged_inputs_are_made_again(tmp_path: Path) -> None:
    pipeline = made(tmp_path, table(60))
    first = prepare(pipeline)
    expected = [array.copy() for array in arrays(first)]
    for file in (pipeline.artifacts / "cache").rglob("*.npy"):
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
    for found, array in zip(arrays(prepare(pipeline)), expected, strict=True):
        assert_array_equal(found, array)


def test_memory_does_not_grow_with_the_table(tmp_path: Path, monkeypatch) -> None:
    """NumPy's arrays are counted, mapped files are not: they are the system's to drop."""
    rows, columns = 20_000, 60
    pipeline = made(tmp_path, table(rows, columns), "[training]\nnetworks = 2")
    monkeypatch.setattr(conversion, "Records", partial(Records, block_size=16 * 1024))
    monkeypatch.setattr(conversion, "rows_of_a_group", lambda _: 256)
    few_at_once = partial(write_parts, values_at_once=256 * columns)
    monkeypatch.setattr(training_data, "write_parts", few_at_once)
    gc.collect()
    tracemalloc.start()
    prepared = prepare(pipeline)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert prepared.x_train.nbytes + prepared.x_test.nbytes == rows * columns * 4
    # As float64 the table is 9.6 MB. A column, and some integers a row to split by, are allowed.
    assert peak < 5e6


def test_inputs_without_room_on_the_disk_are_refused(tmp_path: Path, monkeypatch) -> None:
    pipeline = made(tmp_path, table(60), "[training]\nnetworks = 2")
    dataset = steps.load(pipeline)
    held_out = steps.split(dataset, pipeline)
    # Three float32 inputs, a label and a fingerprint a row; then two resamples of 48 rows.
    for needed, what, takes in (
        (60 * (12 + 4 + 8), "as 3 inputs", r"1\.4 kB, and the disk has 1\.4 kB free"),
        (2 * 48 * 4, "2 resamples of the", "384 bytes, and the disk has 383 bytes free"),
    ):
        usage = type("usage", (), {"free": needed - 1})
        monkeypatch.setattr(cache.shutil, "disk_usage", lambda _, usage=usage: usage)
        with pytest.raises(DataError, match=rf"{what}.* takes {takes}"):
            steps.normalise(dataset, held_out, pipeline)
        monkeypatch.undo()
        cache.Cache(pipeline.artifacts / "cache").remove_others("", dataset.entry.path.name)
        monkeypatch.setattr(learning, "require_space", lambda *_: None)


def test_resamples_do_not_depend_on_who_draws_them(tmp_path: Path) -> None:
    pipeline = made(tmp_path, table(80), "[training]\nnetworks = 4")
    prepared, training = prepare(pipeline), pipeline.settings.training
    train, validation = training_data.candidate_resamples(prepared.training, training)
    assert (train.dtype, train.shape, validation.shape) == (np.int32, (4, 51), (4, 13))
    expected = by_content.resamples(
        prepared.labels_train,
        prepared.fingerprints,
        training.validation_share,
        parts_generators(training),
    )
    assert_array_equal(train, expected[0])
    assert_array_equal(validation, expected[1])
    more = replace(
        pipeline,
        settings=pipeline.settings.model_copy(
            update={"training": training.model_copy(update={"seed": 1})}
        ),
    )
    other, _ = training_data.candidate_resamples(prepared.training, more.settings.training)
    assert not np.array_equal(other, train)


def test_a_long_table_is_written_in_random_order(tmp_path: Path, monkeypatch) -> None:
    """Sorted by class in the file; rows, labels and fingerprints move together."""
    lines = [f"{i},{i * 7 % 50},{'abc'[i // 100]}\n" for i in range(300)]
    pipeline = made(tmp_path, "p,q,y\n" + "".join(lines), "[training]\nnetworks = 2")
    kept = prepare(pipeline)
    expected = [array.copy() for array in arrays(kept)]
    fingerprints = kept.fingerprints.copy()
    assert (np.diff(kept.labels_train) >= 0).all(), "a short table keeps its order"
    del kept
    shutil.rmtree(pipeline.artifacts)
    monkeypatch.setattr(training_data, "write_parts", partial(write_parts, shuffled_whole=239))
    found = prepare(pipeline)
    place = {fingerprint: i for i, fingerprint in enumerate(fingerprints.tolist())}
    places = np.array([place[fingerprint] for fingerprint in found.fingerprints.tolist()])
    assert sorted(places.tolist()) == list(range(240))
    assert_array_equal(found.x_train, expected[0][places])
    assert_array_equal(found.labels_train, expected[1][places])
    assert_array_equal(found.x_test, expected[2])
    assert_array_equal(found.labels_test, expected[3])
    # Of any 80 rows in a row, about a third is of each class: not one class alone.
    for start in range(0, 240, 80):
        assert np.bincount(found.labels_train[start : start + 80], minlength=3).min() > 10


def parts_generators(training) -> list[np.random.Generator]:
    """As documented: children of branch 0 of the seed."""
    seed = np.random.SeedSequence(training.seed, spawn_key=(0,))
    return [np.random.default_rng(child) for child in seed.spawn(training.networks)]
