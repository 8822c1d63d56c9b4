"""Bundles whose digests are right and whose content is not: nothing runs, nothing is reserved."""

from __future__ import annotations

import json
import os
import pickle
import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from ffn.bundles.bundle import read_bundle, write_bundle
from ffn.errors import BundleError
from tests.helpers.bundles import contents, forge, make, make_piecewise, make_pooled, sign


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(make(), tmp_path)
    return tmp_path


def test_a_signed_copy_is_read(folder: Path) -> None:
    """What the tests below change is the only thing wrong with their bundles."""
    expected = read_bundle(folder)
    forge(folder)
    assert read_bundle(folder).schema == expected.schema


@pytest.mark.parametrize(
    ("format_", "message"),
    [
        (3, r'manifest\.json: format "3"; this version reads formats up to 2\. Upgrade ffn to'),
        (10**9, r"Upgrade ffn"),
        (
            0,
            r'no bundle has format "0"\. Promote another version \(ffn promote',
        ),
        (-1, r"no bundle has format"),
        (True, r"no bundle has format"),
        (1.0, r"no bundle has format"),
        ("1", r"no bundle has format"),
        (None, r"no bundle has format"),
    ],
)
def test_only_a_higher_format_asks_for_an_upgrade(folder: Path, format_, message) -> None:
    sign(folder, b"{}", b"", format=format_)
    with pytest.raises(BundleError, match=message):
        read_bundle(folder)


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b"[" * 30_000,
        b'{"format": 1}',
        b'{"format": 1, "parts": []}',
        b'{"format": 1, "parts": {"model.json": {}, "arrays.safetensors": {}}}',
        b'{"format": 1, "parts": {"model.json": {"bytes": 1, "sha256": "0"}}}',
        b'{"format": 1, "format": 1, "parts": {}}',
        b'{"format": NaN}',
        b" " * 70_000,
        pickle.dumps({"format": 1}),
    ],
)
def test_a_manifest_that_is_none(folder: Path, manifest: bytes) -> None:
    (folder / "manifest.json").write_bytes(manifest)
    with pytest.raises(BundleError, match=r"manifest\.json: .*(damaged|its list of parts)"):
        read_bundle(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters": np.full((1, 23), np.nan, "f4")}, "parameters is not finite"),
        ({"parameters": np.full((1, 23), np.inf, "f4")}, "parameters is not finite"),
        ({"parameters": np.zeros((0, 23), "f4")}, "there is no network"),
        ({"parameters": np.zeros((1, 22), "f4")}, "need 23 parameters a network, found 22"),
        ({"parameters": np.zeros(23, "f4")}, r"parameters is float32\[23\]"),
        ({"parameters": np.zeros((1, 23), "i8")}, r"parameters is int64\[1, 23\]"),
        ({"parameters": np.zeros((1, 23), "f2")}, r"parameters is float16\[1, 23\]"),
        ({"parameters": None}, "the arrays are categories, fill"),
        ({"more": np.zeros(1)}, "the arrays are .*, more,"),
        ({"mean": np.zeros(2)}, r"mean is float64\[2\]"),
        ({"fill": np.array([np.nan])}, "fill is not finite"),
        ({"scale": np.array([0.0])}, "scale is not positive"),
        ({"categories": np.array([3])}, "categories do not fit the schema"),
        ({"categories": np.array([-1])}, "categories do not fit the schema"),
        ({"has_missing": np.array([False])}, "widths do not fit the schema"),
        ({"has_missing": np.array([2])}, r"has_missing is int64\[1\]"),
        ({"numeric_missing": np.array([True])}, "widths do not fit the schema"),
        ({"numeric_missing": np.array([False, True])}, r"numeric_missing is bool\[2\]"),
        ({"numeric_missing": np.array([1])}, r"numeric_missing is int64\[1\]"),
        ({"fingerprints": np.zeros(5)}, r"fingerprints is float64\[5\]"),
        ({"widths": [4, 3, 3]}, "need 27 parameters"),
        ({"widths": [4, 2, 3, 2]}, "parameters a network, found 23"),
        ({"widths": []}, "widths must be two or more positive integers"),
        ({"widths": [4, -3, 2]}, "widths must be two or more positive integers"),
        ({"widths": "432"}, "not supported between"),
        ({"widths": [4, 2**62, 2]}, "parameters a network"),
        ({"widths": [4, 10**30, 2]}, "beyond the range of int64"),
        ({"widths": None}, "the model has other fields"),
        ({"code": "import os"}, "the model has other fields"),
        ({"pipeline": 3}, "the names are not texts"),
        ({"schema": {}}, r"schema: not a schema of this format \('features'\)"),
        ({"schema": []}, "schema: not a schema of this format"),
    ],
    ids=str,
)
def test_parts_that_contradict_each_other(folder: Path, changes, message) -> None:
    forge(folder, **changes)
    with pytest.raises(BundleError, match=rf"the parts do not fit together \(.*{message}"):
        read_bundle(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"edges": np.array([-1.0, 1.0, 0.0])}, "edges are not ascending"),
        ({"edges": np.array([-1.0, 0.0, 0.0])}, "edges are not ascending"),
        ({"edges": np.array([-1.0, 0.0, 1e-300])}, "edges are not ascending"),
        ({"edges": np.array([-1.0, 0.0, 1e300])}, "edges are outside the range"),
        ({"edges": np.array([-1.0, np.nan, 1.0])}, "edges is not finite"),
        ({"edges": np.array([-1.0, 0.0, np.inf])}, "edges is not finite"),
        ({"edges": np.array([-1.0, 0.0])}, "there are 2 edges instead of 3"),
        ({"edges": np.zeros((3, 1))}, r"edges is float64\[3, 1\]"),
        ({"edges": np.zeros(3, "f4")}, r"edges is float32\[3\]"),
        ({"edges": None}, "the arrays are categories, edge_counts"),
        ({"edge_counts": np.array([2])}, "numbers of edges are not those of 1 columns"),
        ({"edge_counts": np.array([-3])}, "numbers of edges are not those of 1 columns"),
        ({"edge_counts": np.array([2**62])}, "there are 3 edges instead of 4611686018427387904"),
        ({"edge_counts": np.array([4])}, "there are 3 edges instead of 4"),
        ({"edge_counts": np.array([3, 0])}, r"edge_counts is int64\[2\]"),
        ({"edge_counts": np.array([3.0])}, r"edge_counts is float64\[1\]"),
        ({"knots": np.array([9.0, 0.5])}, "knots are not ascending"),
        ({"knots": np.array([0.5, 0.5])}, "knots are not ascending"),
        ({"knots": np.array([-1.7e308, 1.7e308])}, "knots are not ascending"),
        ({"knots": np.array([0.5, np.nan])}, "knots is not finite"),
        ({"knots": np.array([0.5])}, "there are 1 knots instead of 2"),
        ({"knot_counts": np.array([1])}, "numbers of knots are not those of 1 columns"),
        ({"knot_counts": np.array([0])}, "there are 2 knots instead of 0"),
        ({"quantiles": np.array([1.5, -1.5])}, "quantiles are not ascending"),
        ({"quantiles": np.array([1.5])}, "there are 1 quantiles instead of 2"),
        ({"quantiles": np.array([np.nan, 1.5])}, "quantiles is not finite"),
        (
            {"edges": np.zeros(0), "edge_counts": np.array([0])},
            "widths do not fit the schema",
        ),
    ],
    ids=str,
)
def test_an_encoding_that_is_none(tmp_path: Path, changes, message) -> None:
    write_bundle(make_piecewise(), tmp_path)
    read_bundle(tmp_path)
    forge(tmp_path, **changes)
    with pytest.raises(BundleError, match=rf"the parts do not fit together \(.*{message}"):
        read_bundle(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"own_inputs": np.array([True])}, "there are 1 own_inputs instead of 2"),
        ({"own_inputs": np.array([1, 0])}, r"own_inputs is int64\[2\]"),
        ({"own_inputs": np.array([True, True])}, r"statistics are \[2, 1\] instead of \[0, 1\]"),
        ({"own_inputs": np.array([False, False])}, "widths do not fit the schema"),
        ({"own_inputs": None}, "the arrays are categories, fill"),
        ({"statistics": np.zeros((1, 1))}, r"statistics are \[1, 1\] instead of \[2, 1\]"),
        ({"statistics": np.zeros((2, 2))}, r"statistics are \[2, 2\] instead of \[2, 1\]"),
        ({"statistics": np.zeros(2)}, r"statistics is float64\[2\]"),
        ({"statistics": np.array([[np.nan], [0]])}, "statistics is not finite"),
        ({"statistics": None}, "the arrays are categories, fill"),
    ],
    ids=str,
)
def test_pooled_categories_that_are_none(tmp_path: Path, changes, message) -> None:
    write_bundle(make_pooled(), tmp_path)
    read_bundle(tmp_path)
    forge(tmp_path, **changes)
    with pytest.raises(BundleError, match=rf"the parts do not fit together \(.*{message}"):
        read_bundle(tmp_path)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (b"[" * 200_000, "nested too deeply"),
        (b'{"pipeline": "a", "pipeline": "b"}', "a key is repeated"),
        (b'{"pipeline": NaN}', "NaN is not JSON"),
        (b'{"pipeline": 1e999}', '"1e999" is beyond the range of float64'),
        (b'{"pipeline": -1e999}', '"-1e999" is beyond the range of float64'),
        (b'{"pipeline": ' + b"9" * 400 + b"}", '"9{59}…" is beyond the range of int64'),
        (
            b'{"pipeline": 9223372036854775808}',
            '"9223372036854775808" is beyond the range of int64',
        ),
        (b'{"pipeline": "\\ud800"}', "surrogates not allowed"),
        (b'{"\\udfff": 0}', "surrogates not allowed"),
        (b'{"pipeline": "\xed\xa0\x80"}', "codec can't decode"),
        ("{}".encode("utf-16"), "codec can't decode"),
        (b"[]", "the model has other fields"),
        (b"5", "not iterable"),
        (b"", "Expecting value"),
        (b"\xff\xff", "codec can't decode"),
        (pickle.dumps({"pipeline": "a"}), "codec can't decode"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_model_that_is_no_json_of_ours(folder: Path, model: bytes, message: str) -> None:
    sign(folder, model, (folder / "arrays.safetensors").read_bytes())
    with pytest.raises(BundleError, match=rf"do not fit together \(.*{message}"):
        read_bundle(folder)


class Exploit:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.system, ("touch exploited",)


def header(**tensors: Any) -> bytes:
    text = json.dumps(tensors).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize(
    "arrays",
    [
        pickle.dumps(Exploit()),
        b"",
        struct.pack("<Q", 2**63),
        struct.pack("<Q", 10**12) + b"{}",
        header(parameters={"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}),
        header(parameters={"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 4]})
        + b"abcd",
        header(parameters={"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}) + b"abcd",
        header(parameters={"dtype": "object", "shape": [1], "data_offsets": [0, 8]}) + bytes(8),
        struct.pack("<Q", 50_000) + b"[" * 50_000,
    ],
    ids=lambda value: str(value)[:40],
)
def test_arrays_that_are_no_arrays_cost_nothing(folder, monkeypatch, arrays: bytes) -> None:
    monkeypatch.chdir(folder)
    sign(folder, (folder / "model.json").read_bytes(), arrays)
    started = time.process_time()
    tracemalloc.start()
    with pytest.raises(BundleError, match="the parts do not fit together"):
        read_bundle(folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000
    assert time.process_time() - started < 2
    assert not (folder / "exploited").exists()


@pytest.mark.parametrize("part", ["manifest.json", "model.json", "arrays.safetensors"])
def test_a_part_longer_than_declared_is_not_read(folder: Path, part: str) -> None:
    os.truncate(folder / part, 200_000_000)
    tracemalloc.start()
    with pytest.raises(BundleError, match=rf"{part}: not a file of at most \d+ bytes, as the"):
        read_bundle(folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_declared_sizes_reserve_nothing(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for part in manifest["parts"].values():
        part["bytes"] = 10**15
    (folder / "manifest.json").write_text(json.dumps(manifest))
    tracemalloc.start()
    read_bundle(folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from(
        [
            "pipeline",
            "optimizer",
            "schema",
            "widths",
            "features",
            "classes",
            "target",
            "missing_values",
        ]
    ),
    json_values,
)
def test_any_value_in_the_model_is_read_or_refused(tmp_path_factory, key, value) -> None:
    folder = tmp_path_factory.mktemp("bundle")
    write_bundle(make(), folder)
    model, arrays = contents(folder)
    (model if key in model else model["schema"])[key] = value
    sign(folder, json.dumps(model).encode(), safetensors.numpy.save(arrays))
    refusal = ""
    try:
        read_bundle(folder)
    except BundleError as error:
        refusal = str(error)
    assert refusal.isprintable()
