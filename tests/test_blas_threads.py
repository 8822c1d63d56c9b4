"""The limit on BLAS holds until its last user has left, in whatever order they come and go."""

from __future__ import annotations

import os

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from ffn.blas_threads import one_blas_thread

VARIABLE = "OPENBLAS_NUM_THREADS"


def threads() -> set[int]:
    np.linalg.inv(np.eye(2))
    return {found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"}


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, "2")
    with threadpool_limits(limits=2, user_api="blas"):
        yield


@pytest.mark.usefixtures("two_threads")
def test_the_first_of_two_that_ends_does_not_lift_the_limit_for_the_other() -> None:
    assert threads() == {2}
    first, second = one_blas_thread(), one_blas_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert (threads(), os.environ[VARIABLE]) == ({1}, "1")
    second.__exit__(None, None, None)
    assert (threads(), os.environ[VARIABLE]) == ({2}, "2")


@pytest.mark.usefixtures("two_threads")
def test_an_error_lifts_the_limit() -> None:
    with pytest.raises(ValueError, match="wrong"), one_blas_thread():
        raise ValueError("wrong")
    assert (threads(), os.environ[VARIABLE]) == ({2}, "2")


def test_a_variable_that_was_not_set_is_not_set_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with one_blas_thread():
        assert os.environ[VARIABLE] == "1"
    assert VARIABLE not in os.environ
