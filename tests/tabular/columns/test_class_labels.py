"""Labels are whole numbers where all of them are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.columns.class_labels import class_labels


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, unique=True))
def test_whole_numbers_come_back_as_they_were(numbers):
    found = class_labels(sorted(map(str, numbers)))
    assert found.dtype == np.int64
    assert sorted(found.tolist()) == sorted(numbers)
    # Nothing is lost: their texts are the labels, in the same order.
    assert list(map(str, found.tolist())) == sorted(map(str, numbers))


@pytest.mark.parametrize(
    "label",
    ["01", "+1", "-0", "1.0", "1e3", "", " 1", "x", "TRUE", "1_0", "٣", str(2**63), "9" * 20],
)
def test_one_other_label_makes_all_of_them_texts(label):
    found = class_labels(["1", label])
    assert found.tolist() == ["1", label]
    assert class_labels([]).tolist() == []
