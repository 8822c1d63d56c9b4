from __future__ import annotations

import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn import errors
from ffn.errors import DataError, FFNError, did_you_mean, one_line, quote


@given(st.text(), st.text())
def test_a_refusal_is_one_printable_line(before: str, value: str) -> None:
    text = str(DataError(f"{before}: {quote(value)}"))
    assert len(text.splitlines()) <= 1
    assert text.isprintable()


def test_line_breaks_and_controls_are_shown_as_escapes() -> None:
    assert one_line("a\nb\tc\x1b[31m\u2028\udc80") == r"a\nb\tc\x1b[31m\u2028\udc80"
    assert one_line("Größe, 鳥") == "Größe, 鳥"


def test_a_long_value_is_cut() -> None:
    assert quote("x" * 60) == '"' + "x" * 60 + '"'
    assert quote("x" * 61) == '"' + "x" * 59 + '…"'
    assert quote(5) == '"5"'


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name.endswith("Error")])
def test_every_refusal_is_one_family_and_survives_a_process_boundary(name: str) -> None:
    error = getattr(errors, name)("where: what\nis wrong.")
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(error, FFNError)
    assert (type(again), str(again)) == (type(error), r"where: what\nis wrong.")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("petal_witdh", ' Did you mean "petal_width"?'),
        ("Petal_Width", ' Did you mean "petal_width"?'),
        ("island", ""),
        ("", ""),
    ],
)
def test_the_near_name_is_suggested(name: str, hint: str) -> None:
    assert did_you_mean(name, ["sepal_length", "petal_width"]) == hint


def test_a_hostile_header_does_not_stall_its_refusal() -> None:
    started = time.process_time()
    assert did_you_mean("b" * 1_000_000, ["a" * 1_000_000]) == ""
    assert did_you_mean("column", (f"column_{i}" for i in range(10**9))) != ""
    assert time.process_time() - started < 2
