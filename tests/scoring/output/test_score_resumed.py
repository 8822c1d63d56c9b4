"""A killed run of a long file: the next goes on from there, if everything is still the same."""

import dataclasses
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import numpy as np
import pytest

from ffn.errors import DataError
from ffn.scoring.output.checkpoint import open_journal, sweep_journals
from ffn.scoring.output.targets import Targets
from ffn.scoring.parallel import split_file
from ffn.scoring.parallel.split_file import score_in_parts
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import REFERENCE, TenthsScorer

ROWS = 500_000
MODEL = TenthsScorer(reference=REFERENCE)
KILLED = """
import os, signal, sys
from functools import partial
from pathlib import Path
from tests.helpers.scorers import REFERENCE, TenthsScorer
from ffn.scoring.output import checkpoint
from ffn.scoring.score_file import score_csv

checkpoint.Journal = partial(checkpoint.Journal, least_bytes=400_000)

def kill(at):
    if at.bytes_read > at.size / 2:
        os.kill(os.getpid(), signal.SIGKILL)

score_csv(TenthsScorer(reference=REFERENCE), *map(Path, sys.argv[1:]), on_progress=kill)
"""


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def write_rows(path):
    """Some rows are quoted over two lines, some rejected, some blank, some of an unseen colour."""
    odd = {3: '"a\nb",7.5,red', 7: "x,7.5", 11: "\n1,2,3,", 13: "9,4,green"}
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("id,size,colour\n")
        for first in range(0, ROWS, 10_000):
            rows = range(first, first + 10_000)
            lines = [odd.get(n % 1009, f"{n:08d},{n % 1013 / 100},blue") for n in rows]
            file.write("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A file, and the bytes that an undisturbed run writes."""
    folder = tmp_path_factory.mktemp("whole")
    source = folder / "in.csv"
    write_rows(source)
    result = score_csv(MODEL, source, folder / "out.csv")
    return source, [path.read_bytes() for path in (result.output, result.rejects, result.manifest)]


@pytest.fixture(scope="module")
def killed_once(whole, tmp_path_factory):
    """The same file, the output of yesterday, and a run that was killed half way."""
    folder = tmp_path_factory.mktemp("killed")
    source, output = folder / "in.csv", folder / "out.csv"
    source.write_bytes(b"id,size,colour\n1,2,red\n")
    score_csv(MODEL, source, output)
    before = {path.name: path.read_bytes() for path in folder.glob("out.csv*")}
    source.write_bytes(whole[0].read_bytes())
    program = subprocess.run(
        [sys.executable, "-c", KILLED, str(source), str(output)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert program.returncode == -signal.SIGKILL
    assert {path.name: path.read_bytes() for path in folder.glob("out.csv*")} == before
    return folder


@pytest.fixture
def killed(killed_once, tmp_path):
    shutil.copytree(killed_once, tmp_path, dirs_exist_ok=True)
    return tmp_path / "in.csv", tmp_path / "out.csv"


def score(source, output, model=None, **options):
    """Return the files' bytes and at which row the run began."""
    seen = []
    result = score_csv(model or MODEL, source, output, on_progress=seen.append, **options)
    files = [path.read_bytes() for path in (result.output, result.rejects, result.manifest)]
    assert names(output.parent) == [
        "in.csv", "out.csv", "out.csv.manifest.json", "out.csv.rejects.csv",
    ]  # fmt: skip
    return files, seen[0].rows


def noted(output):
    """Which shares of the file the notes say are done."""
    folder = output.with_name(".out.csv.ffn-unfinished")
    notes = [json.loads(path.read_bytes()[65:]) for path in folder.glob("journal.*")]
    size = output.with_name("in.csv").stat().st_size
    return [note["offset"] / size for note in notes]


def test_it_goes_on_and_gives_the_same_bytes(killed, whole):
    done = max(noted(killed[1]))
    assert done > 0.5
    files, began = score(*killed)
    # This is told after a block of the second run, which is a twentieth.
    assert done < began / ROWS < done + 0.07
    assert files[:2] == whole[1][:2]
    assert files[2].replace(str(killed[0]).encode(), str(whole[0]).encode()) == whole[1][2]
    # That is to the figures of drift: every row is counted once, and the sample is the same.
    drift = json.loads(files[2])["drift"]
    assert drift["rows"] > 0.99 * ROWS
    assert drift["columns"]["size"]["shift"] == pytest.approx(0, abs=0.3)
    known = {3: 7.5, 7: None, 11: None, 13: 4.0}
    sizes = [known.get(n % 1009, n % 1013 / 100) for n in range(ROWS)]
    bins = np.searchsorted([2.5, 5.0, 7.5], [size for size in sizes if size is not None])
    moved = np.abs(np.bincount(bins) / len(bins) - 0.25).sum() / 2
    # Some stretches stand for all: what 200,000 rows tell of a share, by four standard errors.
    assert drift["columns"]["size"]["total_variation"] == pytest.approx(moved, abs=0.004)


def test_in_two_processes_it_gives_the_same_bytes(whole, tmp_path, monkeypatch):
    """Down to the figures of drift, which come from some stretches of the file."""
    sizes = {"least_bytes": 0, "part_bytes": (700_000, 700_000)}
    monkeypatch.setattr(split_file, "score_in_parts", partial(score_in_parts, **sizes))
    source = tmp_path / "in.csv"
    source.write_bytes(whole[0].read_bytes())
    files, _ = score(source, tmp_path / "out.csv", workers=2)
    assert files[2].replace(str(source).encode(), str(whole[0]).encode()) == whole[1][2]


@pytest.mark.parametrize("damage", ["input", "output", "cut", "rejects", "journal", "no output"])
def test_what_does_not_agree_is_not_gone_on_from(killed, whole, damage):
    source, output = killed
    folder = output.with_name(".out.csv.ffn-unfinished")
    files, offset = {
        "input": ([source], 1_000_000),
        "output": ([folder / "output"], 1_000_000),
        "cut": ([folder / "output"], None),
        "rejects": ([folder / "rejects"], 100),
        "journal": ([folder / "journal.0", folder / "journal.1"], 200),
        "no output": ([folder / "output"], 0),
    }[damage]
    for file in files:
        content = bytearray(file.read_bytes())
        if damage == "cut":
            del content[len(content) // 2 :]
        elif damage != "no output":
            content[offset] ^= 1
        file.write_bytes(content)
        if damage == "no output":
            file.unlink()
    files, began = score(source, output)
    assert began < 0.1 * ROWS
    if damage != "input":
        assert files[:2] == whole[1][:2]


def test_a_note_that_was_being_written_leaves_the_one_before(killed, whole):
    source, output = killed
    folder = output.with_name(".out.csv.ffn-unfinished")
    older, newer = sorted(noted(output))
    newest = max(folder.glob("journal.*"), key=lambda path: path.stat().st_mtime_ns)
    newest.write_bytes(newest.read_bytes()[:-10])
    files, began = score(source, output)
    assert older < began / ROWS < newer + 0.02
    assert files[:2] == whole[1][:2]


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (dataclasses.replace(MODEL, version=8), {}),
        (dataclasses.replace(MODEL, sha256="cd" * 32), {}),
        (MODEL, {"probabilities": True}),
    ],
)
def test_other_work_begins_anew(killed, model, options):
    assert score(*killed, model, **options)[1] < 0.1 * ROWS


def test_a_shorter_file_in_its_place_begins_anew(killed):
    source, output = killed
    source.write_bytes(b"id,size,colour\n1,3,red\n")
    files, _ = score(source, output)
    assert files[0].count(b"\n") == 2


def test_what_is_done_already_needs_nothing_to_go_on_from(killed):
    source, output = killed
    source.write_bytes(b"id,size,colour\n1,2,red\n")
    assert score_csv(MODEL, source, output).unchanged
    assert not output.with_name(".out.csv.ffn-unfinished").exists()


def test_two_runs_at_once_on_one_output(tmp_path):
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(b"id,size,colour\n1,2,red\n")

    def again(_):
        with pytest.raises(DataError, match=r"out\.csv is being written by another run\."):
            score_csv(MODEL, source, output)

    assert score_csv(MODEL, source, output, on_progress=again).scored == 1
    assert names(tmp_path) == [
        "in.csv", "out.csv", "out.csv.manifest.json", "out.csv.rejects.csv",
    ]  # fmt: skip


def test_a_run_waits_a_moment_for_one_that_was_killed_to_let_go(tmp_path):
    """Its processes hold the lock until they have noticed."""
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(b"id,size,colour\n1,2,red\n")
    folder = output.with_name(".out.csv.ffn-unfinished")
    folder.mkdir()
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    letting_go = threading.Timer(0.3, os.close, [handle])
    letting_go.start()
    assert score_csv(MODEL, source, output).scored == 1
    letting_go.join()


def test_what_nobody_went_on_from_for_a_week_is_removed(killed):
    source, output = killed
    folder = output.with_name(".out.csv.ffn-unfinished")
    other = output.with_name("other.csv")
    score_csv(MODEL, source, other)
    for journal in folder.glob("journal.*"):
        assert folder.exists()
        os.utime(journal, (time.time() - 8 * 24 * 3600,) * 2)
        score_csv(MODEL, source, other)
    assert not folder.exists()


def test_a_run_is_not_refused_for_those_that_sweep_beside_it(tmp_path):
    """Each run sweeps the folder that it writes to, and so do its neighbours at any moment."""
    done = threading.Event()

    def sweep():
        while not done.is_set():
            sweep_journals(tmp_path)

    sweeping = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in sweeping:
        thread.start()
    try:
        for n in range(300):
            targets = Targets.beside(tmp_path / f"{n}.csv")
            with open_journal(targets, {}) as journal:
                assert journal.folder.is_there()
    finally:
        done.set()
        for thread in sweeping:
            thread.join()
    assert list(tmp_path.iterdir()) == []
