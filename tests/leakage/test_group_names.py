"""Which names of columns say that rows come in groups."""

from __future__ import annotations

import pytest

from ffn.leakage.group_names import is_named_like_a_group


@pytest.mark.parametrize(
    "name",
    [
        "id", "user_id", "customerId", "Customer", "store number", "school.code", "patient-no",
        "customers_id", "individual", "Participant", "uuid",
    ],
)  # fmt: skip
def test_a_case_or_its_number(name: str) -> None:
    assert is_named_like_a_group(name)


@pytest.mark.parametrize(
    "name",
    ["num_satisfactory_accounts", "open_accounts", "Stores", "users", "paid", "identity", "age"],
)
def test_counts_and_other_names(name: str) -> None:
    """A plural says how many there are of something, not which one it is."""
    assert not is_named_like_a_group(name)
