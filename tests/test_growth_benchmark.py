"""The growth benchmark: its tables, what it watches, what it says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from benchmarks.growth import suite
from benchmarks.growth.mixed_table import TARGET, write_mixed_table
from benchmarks.growth.picture import draw
from benchmarks.growth.table_file import write_pipeline
from benchmarks.growth.tables import (
    NewPipeline,
    Size,
    growth_table,
    large_table,
    new_pipelines_table,
)
from benchmarks.growth.watching import Watched, watch
from ffn.settings.pipeline import find_pipeline

STEPS = ("load", "split", "normalise", "train", "refit", "evaluate")


def watched(private: int = 150_000_000, **seconds: float) -> Watched:
    found = {
        "seconds": dict.fromkeys(STEPS, 1.0) | seconds,
        "inputs_bytes": 320_000_000,
        "digest": "d",
    }
    return Watched(found=found, private=private, largest=private - 1_000_000)


def test_a_table_is_as_asked_sorted_and_the_same_again(tmp_path: Path) -> None:
    for root in ("one", "two"):
        write_pipeline(tmp_path / root / "data" / "table", 700, 5)
    first, second = (tmp_path / root / "data" / "table" / "train.csv" for root in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    frame = pd.read_csv(first)
    assert frame.shape == (700, 6)
    assert frame["label"].is_monotonic_increasing
    assert frame["label"].value_counts().tolist() == [100] * 7
    assert ((frame.iloc[:, :5] >= 0) & (frame.iloc[:, :5] < 10)).all(axis=None)
    assert find_pipeline("table", tmp_path / "one").settings.training.networks == 2


def test_a_mixed_table_is_as_described_and_the_same_again(tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        write_mixed_table(tmp_path / name, 3_000, 10)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    frame = pd.read_csv(tmp_path / "one.csv")
    numbers = [name for name in frame if pd.api.types.is_numeric_dtype(frame[name])]
    assert len(numbers) == 6
    assert frame.shape == (3_000, 11)
    gaps = frame.isna().mean()
    assert gaps[gaps > 0].index.tolist() == ["x0", "x5"]
    assert gaps[["x0", "x5"]].between(0.07, 0.13).all()
    assert sorted(frame["k3"].dropna().unique()) == ["c0", "c1", "c2"]
    shares = frame[TARGET].value_counts(normalize=True)
    assert sorted(shares.index) == ["high", "low", "middle"]
    assert shares.between(0.15, 0.6).all()
    # The label can be learnt, and not without mistakes.
    filled = pd.get_dummies(frame.drop(columns=TARGET)).fillna(0)
    model = RandomForestClassifier(40, random_state=0)
    model.fit(filled[:2_000], frame[TARGET][:2_000])
    right = (model.predict(filled[2_000:]) == frame[TARGET][2_000:]).mean()
    assert shares.max() + 0.15 < right < 0.97


def test_private_memory_is_watched_in_children_too(tmp_path: Path) -> None:
    program = """
import multiprocessing, time
both = multiprocessing.get_context("fork").Barrier(2)
def hold():
    data = bytearray(60_000_000)
    both.wait()
    time.sleep(1)
    assert data
if __name__ == "__main__":
    child = multiprocessing.get_context("fork").Process(target=hold)
    child.start(); hold(); child.join()
    print('{"a": 1}')
"""
    (tmp_path / "program.py").write_text(program)
    found = watch("program", root=tmp_path)
    assert found.found == {"a": 1}
    assert 120e6 < found.private < 200e6
    assert 60e6 < found.largest < 100e6
    (tmp_path / "program.py").write_text("raise SystemExit(3)")
    with pytest.raises(subprocess.CalledProcessError, match="exit status 3"):
        watch("program", root=tmp_path)


def test_the_tables_say_what_was_found() -> None:
    text = growth_table([Size(rows=1_000_000, watched=watched(load=5.0))])
    assert "| 1,000,000 | 10.00 | 10.0 | 5.00 / 1.00 / 1.00 / 1.00 / 1.00 / 1.00 " in text
    assert "| 150 MB | 320 MB |" in text
    text = large_table(2_000_000, 54, {1: watched(), 2: watched(private=990_000_000)})
    assert "2,000,000 rows of 54 features, inputs of 0.32 GB" in text
    assert "| 2 | 1 | 1 | 1 | 1 | 1 | 1 | 989 MB | **990 MB** |" in text


def new_pipeline(rows: int = 4_000, cpu: float = 12.5) -> NewPipeline:
    parts = {"train": 5.0, "refit": 3.0, "examine": 2.0, "report": 0.5}
    found = {"seconds": parts, "cpu": cpu, "log_loss": 0.4, "baselines": {"a": 0.61, "b": 0.52}}
    own = Watched(found=found, private=200_000_000, largest=200_000_000)
    return NewPipeline(rows=rows, columns=20, watched=own)


def test_the_table_of_new_pipelines_adds_up() -> None:
    text = new_pipelines_table([new_pipeline(), new_pipeline(30_000)])
    # 12.5 - 5 - 3 - 2, and 12.5 less half of 5.
    line = "**12.5** (goal: 15) | 5.0 / 3.0 / 2.0 / 2.5 | 10.0 | 200 MB | 0.400 | 0.520 |"
    assert f"| 4,000 | 20 | {line}" in text
    assert f"| 30,000 | 20 | {line.replace(' (goal: 15)', '')}" in text


def test_what_is_proportional_is_drawn_as_a_line() -> None:
    sizes = [Size(rows=n, watched=watched(load=n / 1000 - 5)) for n in (10_000, 100_000)]
    whole, cost, memory = draw(sizes, [new_pipeline(30_000, 80.0), new_pipeline()]).axes
    pipelines, goal = whole.lines
    np.testing.assert_array_equal(pipelines.get_xydata(), [[4_000, 12.5], [30_000, 80]])
    np.testing.assert_array_equal(goal.get_xydata(), [[4_000, 15]])
    measured, line = cost.lines
    np.testing.assert_allclose(measured.get_ydata(), line.get_ydata())
    assert (cost.get_xscale(), cost.get_yscale(), memory.get_yscale()) == ("log",) * 3


def test_two_workers_with_other_figures_are_no_result(tmp_path: Path, monkeypatch) -> None:
    digests = iter("de")

    def other(*_: str, root: Path) -> Watched:
        found = watched()
        found.found["digest"] = next(digests)
        return found

    monkeypatch.setattr(suite, "watch", other)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**18))
    with pytest.raises(RuntimeError, match="two workers gave other figures than one"):
        suite.run(tmp_path, suite.Extent(rows=(), features=1, large=(10, 1)))


def test_a_disk_too_small_is_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    monkeypatch.setattr(suite, "picture", lambda *_: b"")
    section = suite.run(tmp_path, suite.Extent(rows=(), features=1, large=(10, 1)))
    assert "Larger than memory: not measured, 24 GB of disk are needed." in section.text
