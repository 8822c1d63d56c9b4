"""What decision trees see of the inputs: codes are the inputs they were made of, in one column."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.encodings.pooled_categories import PooledCategories
from ffn.tabular.encodings.tree_inputs import TreeInputs
from ffn.tabular.training_table.preprocessing import Preparation


@given(widths=st.lists(st.integers(3, 40), min_size=1, max_size=3), seed=st.integers(0, 2**32 - 1))
def test_a_code_is_the_place_of_the_one_among_its_inputs(widths: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    codes = np.column_stack([random.integers(width + 1, size=25) for width in widths])
    number = random.normal(size=(25, 1))
    # Code 0 has no input, as a category that training did not know.
    one_hot = [np.eye(width + 1)[own][:, 1:] for width, own in zip(widths, codes.T, strict=True)]
    x = np.concatenate([number, *one_hot], axis=1).astype(np.float32)
    ends = np.cumsum([1, *widths])
    places = [range(end - width, end) for width, end in zip(widths, ends[1:], strict=True)]
    inputs = TreeInputs.of(range(x.shape[1]), places)
    assert inputs.categorical == [False] + [True] * len(widths)
    np.testing.assert_array_equal(
        inputs.take(x), np.concatenate([number.astype(np.float32), codes], axis=1)
    )


@pytest.mark.parametrize(("width", "coded"), [(2, False), (3, True), (254, True), (255, False)])
def test_few_categories_and_more_than_there_are_bins_stay_as_they_are(width, coded) -> None:
    inputs = TreeInputs.of(range(width + 1), [range(width)])
    assert inputs.categorical == ([False, True] if coded else [False] * (width + 1))
    x = np.arange(2.0 * (width + 1)).reshape(2, -1)
    if not coded:
        np.testing.assert_array_equal(inputs.take(x), x)


def test_of_a_prepared_table_they_see_no_bins_and_every_statistic() -> None:
    """Of twelve categories two share an input; they have two class statistics. Others are two."""
    own = np.array([True] * 10 + [False] * 2)
    statistics = np.arange(24.0).reshape(12, 2)
    preparation = Preparation(
        fill=np.zeros(1),
        mean=np.zeros(1),
        scale=np.ones(1),
        categories=np.array([12, 2]),
        has_missing=np.array([True, False]),
        numeric_missing=np.array([True]),
        pooled=PooledCategories(own_inputs=np.r_[own, [True] * 2], statistics=statistics),
    )
    codes = np.stack([np.r_[np.arange(12), MISSING, UNKNOWN], np.arange(14) % 2], axis=1)
    x = preparation.transform(np.r_[np.arange(13.0), np.nan][:, None], codes, np.float64)
    seen = preparation.tree_inputs()
    found = seen.take(x)
    assert found.shape == (14, 1 + 1 + 2 + 2 + 1)
    np.testing.assert_array_equal(found[:, 0], x[:, 0])
    np.testing.assert_array_equal(found[:, 1], [0.0] * 13 + [1.0])
    np.testing.assert_array_equal(found[:12, 2:4], statistics)
    np.testing.assert_array_equal(found[:, 4:6], np.eye(2)[codes[:, 1]])
    # The eleventh input is that of all other categories, and the last that of "missing".
    np.testing.assert_array_equal(found[:, 6], [*range(1, 11), 11, 11, 12, 11])
