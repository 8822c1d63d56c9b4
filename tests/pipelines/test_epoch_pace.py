"""How long a training still takes, from its epochs so far."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.pipelines.progress import EpochPace, listening, on_epoch


def seconds(note: str) -> int:
    words = note.removeprefix("at most ").removesuffix(" left")
    days, _, clock = words.rpartition(", ")
    h, m, s = map(int, clock.split(":"))
    return int(
        datetime.timedelta(int(days.split()[0]) if days else 0, s, 0, 0, m, h).total_seconds()
    )


@given(
    epochs=st.integers(3, 10_000),
    pace=st.floats(1e-3, 1e3),
    begun=st.floats(0, 1e6),
    data=st.data(),
)
def test_at_a_steady_pace_it_is_the_time_left(
    epochs: int, pace: float, begun: float, data: st.DataObject
) -> None:
    done = data.draw(st.integers(2, epochs - 1))
    clock = EpochPace()
    assert clock.note(1, epochs, begun) == ""
    told = seconds(clock.note(done, epochs, begun + (done - 1) * pace))
    assert told == pytest.approx((epochs - done) * pace, abs=1.01, rel=1e-6)


def test_nothing_is_said_that_is_not_known() -> None:
    clock = EpochPace()
    # 30 of 150 epochs at the first look, when work of another kind was done before.
    assert clock.note(30, 150, 100.0) == ""
    assert clock.note(30, 150, 101.0) == ""
    assert clock.note(90, 150, 100.0) == ""
    # Sixty epochs in 30 s: half a second each.
    assert clock.note(90, 150, 130.0) == "at most 0:00:30 left"
    assert clock.note(150, 150, 160.0) == ""
    # The next training of the same name has another pace.
    assert clock.note(1, 150, 200.0) == ""
    assert clock.note(2, 150, 202.0) == "at most 0:04:56 left"


def test_listeners_and_the_dashboard_are_told() -> None:
    told: list[tuple[str, int, int, str]] = []

    class Heard:
        def stage(self, text: str) -> None: ...

        def notice(self, text: str) -> None: ...

        def leaders(self, standings: object) -> None: ...

        def step(self, label: str, done: int, total: int, note: str) -> None:
            told.append((label, done, total, note))

    with listening(Heard()):
        report = on_epoch("adam", 1_000_000, lambda *what: told.append(what))
        for done in (1, 2):
            report(done)
    assert [each[:3] for each in told] == [("adam", n, 1_000_000) for n in (1, 1, 2, 2)]
    assert [each[3] for each in told[:2]] == ["", ""]
    assert all(each[3].startswith("at most ") and each[3].endswith(" left") for each in told[2:])
