"""The benchmark runs, refuses to time what did not learn, and its page holds its results."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.commands import Timed
from benchmarks.contestants import Contest, contests, iris_rows
from benchmarks.pairs import Measured, check_accuracies, measure
from benchmarks.picture import draw_contests
from benchmarks.results import BEGIN, END, results_markdown, with_results


def contest(**changes: object) -> Contest:
    """Four networks a call that learn nothing, quickly."""
    nothing = Contest(
        name="nothing",
        optimizer="adam",
        networks=4,
        ours=lambda _seed: np.full(4, 0.9),
        theirs=lambda _seed: np.full(4, 0.8),
    )
    return replace(nothing, **changes)


def measured(ours: list[float], theirs: list[float]) -> Measured:
    """A contest of four networks with these accuracies, ours twice as fast."""
    return Measured(
        contest=contest(),
        ours=np.array([0.001, 0.004]),
        theirs=np.array([0.002, 0.008]),
        our_accuracy=np.array(ours),
        their_accuracy=np.array(theirs),
    )


def tables(text: str) -> list[list[list[str]]]:
    """The cells of each Markdown table, the heading first, its rule left out."""
    found = []
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        lines = [line.strip("| ").split(" | ") for line in block.splitlines()]
        found.append([lines[0], *lines[2:]])
    return found


def test_quick_runs_every_comparison_and_writes_nothing(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = [repository / "benchmarks" / name for name in ("README.md", "iris.png")]
    before = [page.read_bytes() for page in pages]
    assert main(["--quick"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Measured on: ")
    comparisons, commands = tables(printed)
    assert len(comparisons) == 1 + 2 * 4
    assert [row[0] for row in commands[1:]] == ["`ffn retrain iris --direct`"]
    assert [page.read_bytes() for page in pages] == before


def test_the_page_has_what_a_run_prints(repository: Path) -> None:
    page = (repository / "benchmarks" / "README.md").read_text("utf-8")
    comparisons, commands, explained = tables(page)
    headings = [table[0] for table in tables(results_markdown([], [], ""))]
    assert [comparisons[0], commands[0]] == headings
    names = [c.name for c in contests(iris_rows(repository), epochs=1)]
    assert [row[0] for row in comparisons[1:]] == names
    # 15 pairs at least, and the explanation below names each comparison.
    assert all(int(row[5]) >= 15 for row in comparisons[1:])
    assert [row[0] for row in explained[1:]] == list(dict.fromkeys(names))
    assert [row[0] for row in commands[1:]] == ["`ffn retrain iris --direct`", "`ffn retrain iris`"]


def test_the_rows_are_those_of_a_retraining(repository: Path) -> None:
    rows = iris_rows(repository)
    assert (len(rows.train), len(rows.held_out)) == (120, 30)
    assert sorted([*rows.train, *rows.held_out]) == list(range(150))
    # Standardised with the training part alone.
    np.testing.assert_allclose(rows.x[rows.train].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(rows.x[rows.train].std(axis=0), 1, atol=1e-6)
    assert np.bincount(rows.labels[rows.held_out]).tolist() == [10, 10, 10]


def test_both_sides_train_a_network_for_each_accuracy(repository: Path) -> None:
    for found in contests(iris_rows(repository), epochs=2):
        for side in (found.ours, found.theirs):
            accuracies = side(3)
            assert accuracies.shape == (found.networks,)
            # Thirtieths: shares of the 30 held-out rows.
            np.testing.assert_allclose(accuracies * 30, np.rint(accuracies * 30), atol=1e-9)


def test_pairs_run_in_turns_with_the_same_seeds_after_a_warm_up() -> None:
    calls: list[tuple[str, int]] = []

    def side(name: str) -> object:
        return lambda seed: (calls.append((name, seed)), np.full(4, 0.95))[1]

    found = measure(contest(ours=side("ours"), theirs=side("theirs")), 3)
    assert calls[:2] == [("ours", 0), ("theirs", 0)]
    assert calls[2:] == [
        ("ours", 1),
        ("theirs", 1),
        ("theirs", 2),
        ("ours", 2),
        ("ours", 3),
        ("theirs", 3),
    ]
    assert found.ratios.shape == (3,)
    assert found.our_accuracy.shape == (12,)


def test_times_are_a_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 8.0, 10.0, 50.0])
    monkeypatch.setattr("time.process_time", lambda: next(clock))
    found = measure(contest(), 1)
    assert (found.ours.tolist(), found.theirs.tolist()) == ([2.0], [10.0])
    assert found.ratios.tolist() == [5.0]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([0.95, 0.95], [0.95, 0.95]),
        # One row of 30 apart, without spread.
        ([0.96, 0.96], [0.93, 0.93]),
        # A dead network among four makes the mean uncertain, not the training wrong.
        ([0.97, 0.97, 0.97, 0.33], [0.97, 0.97, 0.97, 0.97]),
    ],
)
def test_trainings_that_learnt_the_same_count(ours: list[float], theirs: list[float]) -> None:
    check_accuracies(measured(ours, theirs), rows=30, least=0.9)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([1.0, 1.0], [0.95, 0.95]),
        ([0.95, 0.95], [1.0, 1.0]),
        ([0.5, 0.5], [0.5, 0.5]),
    ],
)
def test_times_of_trainings_that_learnt_otherwise_do_not(
    ours: list[float], theirs: list[float]
) -> None:
    with pytest.raises(RuntimeError, match="nothing, adam: mean held-out accuracy"):
        check_accuracies(measured(ours, theirs), rows=30, least=0.9)


def test_the_table_has_medians_with_the_whole_range() -> None:
    timed = Timed(command="ffn retrain iris", seconds=(3.0, 1.0, 2.0))
    comparisons, commands = tables(results_markdown([measured([0.9], [0.8])], [timed], "x"))
    assert comparisons[1] == [
        *("nothing", "adam", "2.5", "5.0", "**2.0** [2.0, 2.0]", "2", "0.900", "0.800")
    ]
    assert commands[1] == ["`ffn retrain iris`", "**2.0** [1.0, 3.0]", "3"]


def test_results_replace_what_was_between_the_markers() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert with_results(page, "new") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert with_results(with_results(page, "new"), "new") == with_results(page, "new")


@pytest.mark.parametrize("page", ["", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_page_without_its_markers_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        with_results(page, "new")


def test_the_picture_has_a_dot_for_each_side_on_a_logarithmic_scale() -> None:
    (axes,) = draw_contests([measured([0.9], [0.9])] * 3).axes
    assert axes.get_xscale() == "log"
    dots = [line for line in axes.get_lines() if len(line.get_xdata()) == 1]
    # Medians of 1 and 4 ms, and of 2 and 8 ms.
    assert sorted(float(dot.get_xdata()[0]) for dot in dots) == [2.5] * 3 + [5.0] * 3


@pytest.mark.parametrize("arguments", [["--pairs", "1"], ["--slow"]])
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(arguments)
    assert "usage: python -m benchmarks" in capsys.readouterr().err


def test_it_leaves_nothing_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Path
) -> None:
    from benchmarks.commands import time_retraining

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("subprocess.run", lambda *_a, **_k: None)
    timed = time_retraining(repository, 2, direct=False)
    assert (timed.command, len(timed.seconds)) == ("ffn retrain iris", 2)
    assert list(tmp_path.iterdir()) == []
