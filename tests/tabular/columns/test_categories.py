"""`CategoryReader` against the rule for single cells."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.cells import category_codes
from ffn.tabular.columns.categories import CategoryReader
from ffn.tabular.csv.parsing.blocks import Block

TEXT = st.one_of(
    st.text("ab\t é", max_size=10),
    st.text("ab", min_size=7, max_size=18),
    st.sampled_from(["", "NA", "x" * 32, "x" * 33, "x" * 31 + "y"]),
)


def block_of(cells):
    encoded = [cell.encode() for cell in cells]
    ends = np.cumsum([len(cell) for cell in encoded], dtype=np.int64)
    starts = ends - np.array([len(cell) for cell in encoded], dtype=np.int64)
    none = np.empty(0, dtype=np.int64)
    return Block(
        b"".join(encoded), none, none, none, none, none, starts[np.newaxis], ends[np.newaxis], ()
    )


@given(
    categories=st.one_of(st.lists(TEXT, max_size=n, unique=True) for n in (6, 40)),
    missing=st.lists(st.sampled_from(["", "NA", "ab"]), max_size=2, unique=True),
    others=st.lists(TEXT, max_size=6),
    data=st.data(),
)
def test_equals_the_rule_for_single_cells(categories, missing, others, data):
    known = [*categories, *missing, *others, ""]
    cells = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=20))
    reader = CategoryReader(categories, missing)
    expected = category_codes(cells, categories, missing).tolist()
    assert reader.read(block_of(cells), 0).tolist() == expected
    assert reader.read(block_of(cells), 0).tolist() == expected


def test_only_what_is_not_found_by_its_bytes_is_looked_up():
    reader = CategoryReader(["Biscoe", "Torgersen and more"], ["", "NA"])
    cells = ["Biscoe", "Torgersen and more", "", "NA", " Biscoe", "Dream"]
    assert reader.read(block_of(cells), 0).tolist() == [0, 1, -1, -1, 0, -2]
    assert reader.looked_up == 2
