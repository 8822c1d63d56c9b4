"""Figures, kept results, and jobs: what runs, what does not run again, what is ended."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from benchmarks.accuracy import jobs as running
from benchmarks.accuracy.figures import figures_of
from benchmarks.accuracy.jobs import Job, in_order, run_jobs, write_jobs
from benchmarks.accuracy.page import sentences
from benchmarks.accuracy.page.board import board_of
from benchmarks.accuracy.peers import OURS, SIDES, sides_named
from benchmarks.accuracy.results import Results
from benchmarks.accuracy.tables.catalogue import REPORTING, tables_named
from benchmarks.accuracy.tables.splitting import Split
from tests.accuracy.boards import key, result

CANCER = tables_named(["cancer"], REPORTING)[0]


def test_figures_are_those_of_scikit_learn() -> None:
    x, y = datasets.load_wine(return_X_y=True)
    labels = np.array(["a", "b", "c"])[y]
    model = HistGradientBoostingClassifier(max_iter=3).fit(x[::2], labels[::2])
    probabilities = model.predict_proba(x[1::2])
    found = figures_of(probabilities, ["a", "b", "c"], labels[1::2])
    assert found.log_loss == pytest.approx(log_loss(labels[1::2], probabilities))
    assert found.accuracy == accuracy_score(labels[1::2], model.predict(x[1::2]))
    auc = roc_auc_score(labels[1::2], probabilities, multi_class="ovr", average="macro")
    assert found.auc == pytest.approx(auc)


def test_of_changed_code_the_last_result_of_the_same_rows_counts(tmp_path: Path) -> None:
    results = Results(tmp_path / "r.jsonl")
    job = Job(
        key=key(),
        side=SIDES[0],
        split=Split(train=Path("t"), test=Path("t"), digest="d", rows=9, features=5, classes=3),
    )
    assert results.latest(job.key) is None
    for code, loss in (("old", 0.4), ("newer", 0.3), ("failed", None)):
        results.add(result(replace(job.key, code=code), loss))
    results.add(result(replace(job.key, code="other rows", digest="e"), 0.1))
    found = board_of([job], results)
    assert found.means(["cancer"], [OURS], "log_loss")[0, 0] == 0.3
    assert found.earlier == {("cancer", OURS, 0)}
    results.add(result(job.key, 0.2))
    found = board_of([job], results)
    assert found.means(["cancer"], [OURS], "log_loss")[0, 0] == 0.2
    assert found.earlier == frozenset()


def test_a_probability_of_zero_costs_what_1e_minus_15_does() -> None:
    found = figures_of(np.array([[1.0, 0.0], [0.5, 0.5]]), ["a", "b"], np.array(["b", "a"]))
    assert found.log_loss == pytest.approx((15 * math.log(10) + math.log(2)) / 2)


@pytest.mark.parametrize(
    ("probabilities", "labels", "expected"),
    [
        ([[0.5, 0.5]], ["a", "b"], "but 2 rows and 2 classes"),
        ([[0.5, 0.6], [0.5, 0.5]], ["a", "b"], "do not sum to 1"),
        ([[-0.5, 1.5], [0.5, 0.5]], ["a", "b"], "negative or not finite"),
        ([[0.5, 0.5], [0.5, 0.5]], ["a", "z"], "a label is none of the classes"),
    ],
)
def test_what_is_no_probability_is_refused(probabilities, labels, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        figures_of(np.array(probabilities), ["a", "b"], np.array(labels))


def test_results_are_found_again_and_the_last_counts(tmp_path: Path) -> None:
    path = tmp_path / "build" / "results.jsonl"
    first = Results(path)
    first.add(result(key(), None, error="out of memory"))
    first.add(result(key(), 0.25, rejected=2))
    first.add(result(key(seed=1), 0.5))
    again = Results(path)
    assert again.get(key()) == result(key(), 0.25, rejected=2)
    assert again.get(key(seed=1)) == result(key(seed=1), 0.5)
    assert again.get(replace(key(), code="changed")) is None


def test_ours_is_another_with_any_change_of_its_code() -> None:
    ours, lightgbm = (side for side in SIDES if side.name in (OURS, "lightgbm"))
    mlp = next(side for side in SIDES if side.name == "mlp")
    assert len({ours.code, lightgbm.code, mlp.code}) == 3


def test_jobs_of_slow_sides_and_of_other_seeds_come_last(tmp_path: Path) -> None:
    parts = {}
    for name, size in (("long", 100), ("short", 10)):
        (tmp_path / name).write_bytes(b"x" * size)
        parts[name] = Split(
            train=tmp_path / name, test=tmp_path, digest="d", rows=1, features=1, classes=2
        )
    quick, slow = sides_named(["mlp", "tabm"])
    jobs = [
        Job(key=key(side.name, name, seed), side=side, split=part)
        for side in (slow, quick)
        for name, part in parts.items()
        for seed in (1, 0)
    ]
    assert [(job.key.side, job.key.seed, job.key.table) for job in in_order(jobs)] == [
        (side, seed, name)
        for side in ("mlp", "tabm")
        for seed in (0, 1)
        for name in ("short", "long")
    ]


def test_what_was_measured_is_not_measured_again(tmp_path: Path, monkeypatch) -> None:
    jobs = write_jobs([CANCER], sides_named(["logistic_regression"]), [0, 1], tmp_path / "csv")
    results = Results(tmp_path / "results.jsonl")
    run_jobs(jobs[:1], results, until=time.monotonic() + 600)
    found = results.get(jobs[0].key)
    assert found is not None
    assert found.figures is not None
    assert found.figures.accuracy > 0.9
    assert found.cpu > 0
    asked = []
    monkeypatch.setattr(running, "run_job", lambda job, over: asked.append(job.key.seed))
    run_jobs(jobs, Results(tmp_path / "results.jsonl"), until=time.monotonic() + 600)
    assert asked == [1]


def test_a_failure_is_kept_with_its_last_line_and_tried_again(tmp_path: Path) -> None:
    side = sides_named(["mlp"])[0]
    job = write_jobs([CANCER], [side], [0], tmp_path / "csv")[0]
    results = Results(tmp_path / "results.jsonl")
    broken = replace(job, key=replace(job.key, side="nobody"))
    run_jobs([broken], results, until=time.monotonic() + 600)
    found = results.get(broken.key)
    assert found is not None
    assert (found.figures, found.error) == (None, "KeyError: 'nobody'")
    results.add(replace(found, error="earlier"))
    run_jobs([broken], results, until=time.monotonic() + 600)
    assert results.get(broken.key).error == "KeyError: 'nobody'"


def test_no_job_starts_after_the_time(tmp_path: Path) -> None:
    jobs = write_jobs([CANCER], sides_named(["mlp"]), [0], tmp_path / "csv")
    results = Results(tmp_path / "results.jsonl")
    run_jobs(jobs, results, until=time.monotonic() - 1)
    assert results.get(jobs[0].key) is None
    assert sentences.lacking(board_of(jobs, results)) == (
        "**Missing**, for lack of time or since it failed (splits of tables): "
        "scikit-learn MLP 1 of 1."
    )


def test_a_job_that_runs_when_time_is_up_is_ended_with_what_it_started(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    waits = (
        f"import os, signal; open({str(told)!r}, 'w').write(f'{{os.getpid()}}\\n'); signal.pause()"
    )
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {waits!r}])"

    def over() -> bool:
        return told.exists() and told.read_text().endswith("\n")

    assert running._wait([sys.executable, "-c", program], over) is None
    status = Path(f"/proc/{told.read_text().strip()}/stat")
    deadline = time.monotonic() + 60
    # Killed, it is gone as soon as whoever inherits it has taken note.
    while status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] not in "ZX":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_cpu_seconds_count_the_processes_that_it_started() -> None:
    work = "import time\nwhile time.process_time() < 0.5: pass"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}]); print(7)"
    ended = running._wait([sys.executable, "-c", program], lambda: False)
    assert ended is not None
    assert ended[0] >= 0.5
    assert ended[1:] == ("7\n", None)
