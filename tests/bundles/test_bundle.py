from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ffn.bundles.bundle import Bundle, read_bundle, write_bundle
from ffn.errors import BundleError
from ffn.nn import Network, spawn_generators
from ffn.tabular.cells import UNKNOWN
from tests.helpers.bundles import make, make_piecewise, make_pooled

PARTS = ("manifest.json", "model.json", "arrays.safetensors")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(make(), tmp_path)
    return tmp_path


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_read_is_what_was_written(tmp_path: Path, k: int, dtype: str) -> None:
    bundle = make(k, dtype)
    digest = write_bundle(bundle, tmp_path)
    again = read_bundle(tmp_path, version=7)
    assert (again.version, again.sha256) == (7, digest)
    assert digest == hashlib.sha256((tmp_path / "manifest.json").read_bytes()).hexdigest()
    assert (again.pipeline, again.optimizer, again.schema) == ("things", "adam", bundle.schema)
    pairs = [
        (again.network.parameters, bundle.network.parameters),
        (again.fingerprints, bundle.fingerprints),
        *(
            (getattr(again.preparation, n), getattr(bundle.preparation, n))
            for n in ("fill", "mean", "scale", "categories", "has_missing")
        ),
    ]
    assert again.preparation.numeric_missing is None
    for found, expected in pairs:
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected, strict=True)
    x = np.random.default_rng(0).normal(size=(9, 4))
    np.testing.assert_array_equal(again.probabilities(x), bundle.probabilities(x))


def test_inputs_for_missing_numbers_are_kept(tmp_path: Path) -> None:
    bundle = make()
    network = Network.create((5, 3, 2), spawn_generators(np.random.SeedSequence(0), 1))
    preparation = replace(bundle.preparation, numeric_missing=np.array([True]))
    write_bundle(replace(bundle, preparation=preparation, network=network), tmp_path)
    again = read_bundle(tmp_path).preparation
    np.testing.assert_array_equal(again.numeric_missing, np.array([True]), strict=True)
    x = again.transform(np.array([[np.nan], [2.0]]), np.array([[0], [1]]))
    np.testing.assert_array_equal(x[:, 1:], [[1, 1, 0, 0], [0, 0, 1, 0]])


@pytest.mark.parametrize("make_encoded", [make_piecewise, make_pooled])
def test_an_encoding_is_kept(tmp_path: Path, make_encoded: Callable[[], Bundle]) -> None:
    bundle = make_encoded()
    write_bundle(bundle, tmp_path)
    found, expected = read_bundle(tmp_path).preparation, bundle.preparation
    assert found.to_arrays().keys() == expected.to_arrays().keys()
    for name, array in expected.to_arrays().items():
        np.testing.assert_array_equal(found.to_arrays()[name], array, strict=True)
    numeric, codes = np.array([[0.7], [5.0], [1e300]]), np.array([[0], [1], [UNKNOWN]])
    np.testing.assert_array_equal(
        found.transform(numeric, codes), expected.transform(numeric, codes), strict=True
    )


def test_equal_bundles_are_equal_bytes(tmp_path: Path) -> None:
    digests = [write_bundle(make(), tmp_path / name) for name in ("one", "two")]
    assert digests[0] == digests[1]
    for part in PARTS:
        assert (tmp_path / "one" / part).read_bytes() == (tmp_path / "two" / part).read_bytes()
    assert write_bundle(make(seed=1), tmp_path / "three") != digests[0]


def test_probabilities_are_the_mean_over_the_networks_and_of_each_row_alone() -> None:
    bundle = make(k=3)
    x = np.random.default_rng(1).normal(size=(50, 4))
    together = bundle.probabilities(x)
    single = [
        replace(bundle, network=bundle.network.select([k])).probabilities(x) for k in range(3)
    ]
    np.testing.assert_allclose(together, np.mean(single, axis=0), rtol=1e-14)
    np.testing.assert_allclose(together.sum(axis=1), 1)
    alone = np.vstack([bundle.probabilities(row[None]) for row in x])
    np.testing.assert_allclose(alone, together, rtol=1e-13)


def test_scores_beyond_float64_are_no_number_and_warn_of_nothing() -> None:
    bundle = make(dtype="float64")
    bundle.network.parameters[:] = 1e308
    assert np.isnan(bundle.probabilities(np.ones((2, 4)))).all()


def test_no_single_byte_can_change(folder: Path) -> None:
    """Every byte of every part, one bit of it flipped; the bundle's own digest covers the first."""
    digest = read_bundle(folder).sha256
    for part in PARTS:
        path = folder / part
        content = path.read_bytes()
        for position in range(len(content)):
            flipped = bytearray(content)
            flipped[position] ^= 1 << position % 8
            path.write_bytes(flipped)
            if part == "manifest.json":
                try:
                    found = read_bundle(folder).sha256
                except BundleError:
                    continue
                assert found != digest
            else:
                with pytest.raises(BundleError, match=r"SHA-256 differs from the manifest's"):
                    read_bundle(folder)
        path.write_bytes(content)
    assert read_bundle(folder).sha256 == digest


@pytest.mark.parametrize("part", PARTS)
def test_a_part_cut_short_lengthened_or_missing_is_refused(folder: Path, part: str) -> None:
    path = folder / part
    content = path.read_bytes()
    for changed in (b"", content[:-2], content[: len(content) // 2], content + b"\0"):
        path.write_bytes(changed)
        with pytest.raises(BundleError, match=rf"{part}: .* (Promote another version|Upgrade)"):
            read_bundle(folder)
    path.unlink()
    with pytest.raises(BundleError, match=rf"{part}: cannot be read .*No such file"):
        read_bundle(folder)


@pytest.mark.parametrize("part", PARTS[1:])
def test_parts_of_two_bundles_do_not_mix(tmp_path: Path, part: str) -> None:
    write_bundle(make(), tmp_path / "one")
    write_bundle(replace(make(seed=1), optimizer="sgd!"), tmp_path / "two")
    shutil.copy(tmp_path / "two" / part, tmp_path / "one" / part)
    with pytest.raises(BundleError, match=rf"one/{part}: .*damaged"):
        read_bundle(tmp_path / "one")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_a_part_is_a_plain_file(folder: Path, part: str, kind: str) -> None:
    path = folder / part
    if kind == "link":
        path.rename(folder / "elsewhere")
        path.symlink_to("elsewhere")
    else:
        path.unlink()
        path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(BundleError, match=rf"{part}: (cannot be read as part|not a file of)"):
        read_bundle(folder)


def test_nothing_is_left_open(folder: Path) -> None:
    """A folder in a part's place is opened before it is known for one."""
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").mkdir()
    lowest = os.open(folder, os.O_RDONLY)
    os.close(lowest)
    for _ in range(5):
        with pytest.raises(BundleError, match="not a plain file"):
            read_bundle(folder)
    # A new descriptor takes the lowest free number.
    again = os.open(folder, os.O_RDONLY)
    os.close(again)
    assert again == lowest
