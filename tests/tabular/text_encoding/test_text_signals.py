"""The numbers by which drift of texts is watched, calculated by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ffn.tabular.text_encoding.text_encoding import TextEncoding
from ffn.tabular.text_encoding.text_signals import SIGNALS, signals_of_columns, text_signals


def encoding(width: int, has_missing: list[bool]) -> TextEncoding:
    columns = len(has_missing)
    return TextEncoding(
        text_buckets=np.zeros(0, dtype=np.int64),
        text_bucket_counts=np.zeros(columns, dtype=np.int64),
        text_rarity=np.zeros(0),
        text_directions=np.zeros((0, width), dtype=np.float32),
        text_centres=np.zeros((columns, width)),
        text_scales=np.ones((columns, width)),
        text_has_missing=np.array(has_missing),
    )


def test_distance_and_leading_components_of_each_column() -> None:
    found = encoding(4, [False, True])
    # A number in front, two columns of four components, and whether the second is missing.
    x = np.array(
        [
            [9, 1, -1, 1, -1, 3, 4, 0, 0, 0],
            [9, 2, 0, 0, 0, 0, 0, 0, 0, 1],
        ],
        dtype=np.float32,
    )
    assert signals_of_columns(found) == SIGNALS == 4
    # Root mean squares: 1 and 5 / 2; of (2, 0, 0, 0) it is 1.
    assert_array_equal(
        text_signals(found, x),
        [[1, 1, -1, 1, 2.5, 3, 4, 0], [1, 2, 0, 0, *[np.nan] * 4]],
    )


def test_with_few_components_there_are_few_numbers() -> None:
    found = encoding(1, [False])
    assert signals_of_columns(found) == 2
    assert_array_equal(text_signals(found, np.array([[7.0, -3.0]])), [[3, -3]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_precision_of_the_inputs_does_not_show(dtype: type) -> None:
    x = np.random.default_rng(0).normal(size=(50, 8))
    expected = text_signals(encoding(8, [False]), x.astype(np.float32))
    assert_array_equal(text_signals(encoding(8, [False]), x.astype(dtype)), expected)
