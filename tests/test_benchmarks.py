"""The benchmark: its rounds, its sections of the page, and what it refuses."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import SUITES, main
from benchmarks.accuracy.suite import QUICK, Extent
from benchmarks.rounds import Measured, ThreadsError, measure
from benchmarks.section import Section, with_section

BEGIN = "<!-- speed: written by `make benchmark` -->"
END = "<!-- end of speed -->"


@pytest.mark.parametrize("arguments", [["speed"], ["--slow"], ["--hours", "1"]])
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(arguments)
    assert "usage: python -m benchmarks" in capsys.readouterr().err


@pytest.mark.parametrize("suite", SUITES)
def test_missing_peers_are_named_in_one_line(
    suite: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{SUITES[suite]}.missing", lambda: ["torch", "jax"])
    monkeypatch.setattr("os.environ", {})
    assert main([suite]) == 1
    assert capsys.readouterr().err == (
        f"benchmarks {suite}: torch, jax not installed. `make benchmark` makes an environment "
        "that has everything; --quick runs without.\n"
    )


def test_hours_are_those_of_accuracy(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    asked: list[float] = []
    suite = SUITES["accuracy"]

    def run(root: Path, extent: Extent) -> Section:
        asked.append(extent.hours)
        return Section(text="done")

    monkeypatch.setattr(f"{suite}.run", run)
    monkeypatch.setattr("os.environ", {})
    assert main(["accuracy", "--quick", "--hours", "0.25"]) == 0
    assert main(["accuracy", "--quick"]) == 0
    assert asked == [0.25, QUICK.hours]
    assert capsys.readouterr().out == "done\n" * 2


def test_a_section_replaces_what_was_between_its_markers() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert with_section(page, "speed", "new") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    once = with_section(page, "speed", "new")
    assert with_section(once, "speed", "new") == once


@pytest.mark.parametrize("page", ["", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_page_without_its_markers_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        with_section(page, "speed", "new")


@pytest.fixture(scope="module")
def _little_garbage() -> None:
    """Leave what other tests imported out of the full collections before each timing."""
    gc.collect()
    gc.freeze()


@pytest.mark.usefixtures("_little_garbage")
def test_sides_run_in_turns_after_a_first_run_that_is_checked() -> None:
    calls: list[str] = []
    checked: list[tuple[str, str]] = []

    def side(name: str) -> Callable[[], str]:
        def run() -> str:
            calls.append(name)
            return f"result of {name}"

        return run

    found = measure(
        "nothing",
        {name: side(name) for name in ("ours", "a", "b")},
        check=lambda name, result: checked.append((name, result)),
        rounds=3,
        least_seconds=0,
    )
    assert checked == [(name, f"result of {name}") for name in ("ours", "a", "b")]
    # Each is run once for the check and once to see how long it takes, then in rounds.
    assert calls[:6] == ["ours", "ours", "a", "a", "b", "b"]
    assert calls[6:] == ["ours", "a", "b", "a", "b", "ours", "b", "ours", "a"]
    assert {side: len(seconds) for side, seconds in found.seconds.items()} == {
        "ours": 3,
        "a": 3,
        "b": 3,
    }


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch, _little_garbage: None) -> dict[str, float]:
    """CPU and wall clock that tests move."""
    time = {"cpu": 0.0, "wall": 0.0}
    monkeypatch.setattr("time.process_time", lambda: time["cpu"])
    monkeypatch.setattr("time.perf_counter", lambda: time["wall"])
    return time


def work(clocks: dict[str, float], cpu: float, wall: float) -> Callable[[], None]:
    def run() -> None:
        clocks["cpu"] += cpu
        clocks["wall"] += wall

    return run


def test_a_short_side_is_repeated_and_its_time_divided(clocks: dict[str, float]) -> None:
    calls = []
    short = work(clocks, 0.125, 0.25)
    found = measure(
        "nothing",
        {"ours": lambda: (calls.append(1), short()), "long": work(clocks, 2, 3)},
        check=lambda *_: None,
        rounds=2,
        least_seconds=0.3,
    )
    # One for the check, one to see how long it takes, and three a round: 0.375 s.
    assert len(calls) == 1 + 1 + 2 * 3
    assert found.seconds["ours"].tolist() == [0.125, 0.125]
    assert found.seconds["long"].tolist() == [2, 2]
    assert found.ratios("long").tolist() == [16, 16]


def test_a_side_on_two_processors_is_refused(clocks: dict[str, float]) -> None:
    def run(may: tuple[str, ...]) -> Measured:
        return measure(
            "nothing",
            {"ours": work(clocks, 1, 1), "two": work(clocks, 2, 1)},
            check=lambda *_: None,
            rounds=2,
            least_seconds=0.3,
            may_use_threads=may,
        )

    with pytest.raises(ThreadsError, match=r"nothing: two used 2\.00 processors, not one"):
        run(())
    assert run(("two",)).ratios("two").tolist() == [2, 2]


def test_a_ratio_is_taken_round_by_round() -> None:
    found = Measured(
        work="nothing", seconds={"ours": np.array([1.0, 2.0]), "a": np.array([3.0, 4.0])}
    )
    assert found.ratios("a").tolist() == [3, 2]
    assert found.median("a") == 3.5
