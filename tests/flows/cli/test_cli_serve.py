"""Options of ``ffn serve`` that are refused before anything is started."""

from __future__ import annotations

import pytest


def test_a_limit_of_this_process_says_nothing_about_workers(ffn, trained):
    done = ffn("serve", "--root", trained, "--work-pool", "nightly", "--at-once", "2")
    assert done.refusal.startswith("--at-once is for runs of this process.")
    assert done.refusal.endswith("prefect worker start --limit N")


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "many", "\u0663", "\uff13", "1_0"])
def test_a_limit_is_a_whole_number(ffn, trained, number):
    done = ffn("serve", "--root", trained, "--at-once", number)
    assert done.code == 2
    assert "is not a whole number from 1 up" in done.err
