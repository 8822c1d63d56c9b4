"""JSON documents: written in one way, and read only where they can mean one thing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.storage.documents import canonical_json, parse_json, write_json

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def test_canonical_json(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"b": [1, 0.5], "a": "é"})
    expected = '{\n  "a": "é",\n  "b": [\n    1,\n    0.5\n  ]\n}\n'
    assert (tmp_path / "x.json").read_bytes() == expected.encode()
    with pytest.raises(ValueError, match="Out of range float values"):
        canonical_json({"a": float("nan")})


@given(VALUES)
def test_what_was_written_is_read_as_it_was(value: object) -> None:
    text = canonical_json(value)
    assert parse_json(text) == json.loads(text) == value
    assert canonical_json(parse_json(text)) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"\xff", "can't decode byte"),
        (b"NaN", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"1e999", "beyond the range of float64"),
        (b"9223372036854775808", "beyond the range of int64"),
        (b"-9223372036854775809", "beyond the range of int64"),
        (b"1" * 5_000, "beyond the range of int64"),
        (b'{"a": 1, "a": 1}', "a key is repeated"),
        (b'"\\ud800"', "surrogates not allowed"),
        (b"[" * 200_000, "nested too deeply"),
    ],
)
def test_a_text_that_is_no_unambiguous_document_is_refused(text: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_json(text)
