"""The search: what is compared, what is named, and what is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from ffn.promotion.register import jsonable
from ffn.slices.row_slices import RowSlice
from ffn.slices.slice_search import LEAST_ROWS, SliceSearch, search_slices


def searched(sizes: dict[str, tuple[int, int]], **options: Any) -> SliceSearch:
    """Search the values of one column, each with rows that are right and rows that are wrong."""
    wrong = np.concatenate(
        [np.zeros(0, int), *(np.repeat([0, 1], pair) for pair in sizes.values())]
    )
    ends = np.cumsum([0, *(sum(pair) for pair in sizes.values())]).tolist()
    slices = [
        RowSlice("kind", name, np.arange(first, last))
        for name, first, last in zip(sizes, ends, ends[1:], strict=False)
    ]
    losses = np.where(wrong, 1.0, 0.2)
    return search_slices(
        slices, wrong, np.zeros(len(wrong), dtype=int), losses, losses + 1, ("a", "b"), **options
    )


def test_a_bad_slice_is_named_and_comes_first() -> None:
    found = searched({"good": (95, 5), "fine": (190, 10), "bad": (60, 40), "few": (1, 28)})
    assert (found.rows, found.searched, found.too_small, found.left_out) == (429, 3, 1, 0)
    first, *others = found.slices
    assert (first.value, first.rows, first.worse) == ("bad", 100, True)
    assert [one.value for one in found.worse] == ["bad"]
    assert not any(one.worse for one in others)
    # Of six comparisons the smallest p-value is multiplied by six or, behind it, by five.
    p = stats.fisher_exact(np.array([(40, 60), (43, 286)]), alternative="greater").pvalue
    assert 4.99 * p <= first.less_accurate <= 6.01 * p
    low, high = stats.binomtest(60, 100).proportion_ci(1 - 0.05 / 6, method="exact")
    assert (first.accuracy.low, first.accuracy.high) == pytest.approx((low, high))
    assert first.recalls == {"a": (60, 100)}
    assert jsonable(found)["slices"][0]["recalls"] == {"a": [60, 100]}


def test_slices_alike_are_not_named() -> None:
    found = searched({"one": (90, 10), "two": (45, 5), "three": (175, 25)})
    assert (found.searched, found.worse) == (3, ())
    assert all(one.less_accurate > 0.5 for one in found.slices)


def test_most_rows_may_be_the_bad_ones() -> None:
    """The rest, which is better, is compared as well, and is not named."""
    found = searched({"bad": (300, 200), "good": (60, 1)})
    assert [one.value for one in found.worse] == ["bad"]


def test_too_few_rows_or_groups_are_not_compared() -> None:
    half = {"one": (LEAST_ROWS - 1, 0), "two": (90, 10)}
    # Neither the small slice nor its complement.
    assert (searched(half).searched, searched(half).too_small) == (0, 2)
    both = {"one": (50, 50), "two": (90, 10)}
    assert searched(both).searched == 2
    # Nine groups inside and ten outside.
    groups = np.repeat(np.arange(19), [*[12] * 8, 4, *[10] * 10])
    assert searched(both, groups=groups).searched == 0
    assert searched(both, groups=np.repeat(np.arange(20), 10)).searched == 2
    # One row outweighs all others.
    weights = np.ones(200)
    weights[0] = 1e6
    assert searched(both, weights=weights).too_small == 2
    empty = searched({})
    assert (empty.rows, empty.searched, empty.slices) == (0, 0, ())


def test_a_bad_slice_whose_rows_are_few_groups_is_not_named() -> None:
    """The errors are those of two groups of a dozen: no more than two units are bad."""
    sizes = {"bad": (80, 40), "good": (380, 20)}
    assert len(searched(sizes).worse) == 1
    groups = np.repeat(np.arange(52), 10)
    # The forty wrong rows, the last ones of the slice, are four groups of twelve.
    assert searched(sizes, groups=groups).worse == ()
    # Spread over the groups they are not.
    spread = np.concatenate([np.arange(120) % 12, 12 + np.arange(400) % 40])
    assert [one.value for one in searched(sizes, groups=spread).worse] == ["bad"]


def test_of_very_many_slices_the_largest_are_compared() -> None:
    sizes = {str(i): (30 + i, 0) for i in range(203)}
    found = searched(sizes | {"bad": (20, 10)})
    assert (found.searched, found.left_out) == (200, 4)
    assert len(found.slices) == 20
    assert "bad" not in {one.value for one in found.slices}


def test_recalls_of_many_classes_are_left_out() -> None:
    labels = np.arange(100) % 25
    found = search_slices(
        [RowSlice("c", "v", np.arange(50))],
        labels,
        labels,
        np.zeros(100),
        np.ones(100),
        tuple(map(str, range(25))),
    )
    assert found.slices[0].recalls == {}
