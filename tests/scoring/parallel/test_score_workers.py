"""Two processes write the bytes that one writes, wherever the cuts fall."""

import csv
import io
import multiprocessing
import os
import signal
import subprocess
import sys
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.errors import DataError
from ffn.scoring.parallel import split_file
from ffn.scoring.parallel.file_run import Run
from ffn.scoring.parallel.processes import ApartFromTheFolder, Copies, alone
from ffn.scoring.parallel.record_start import first_record
from ffn.scoring.parallel.split_file import score_in_parts
from ffn.scoring.score_file import score_csv
from ffn.tabular.csv.parsing.recovery import Shape
from tests.helpers.scorers import TenthsScorer
from tests.helpers.waiting import wait_for

ROWS = 60_000
LINES = {
    "plain": {7: "x,7.5", 11: ",,", 13: "9,4,green", 17: "1,zwei,red"},
    "line ends in quotes": {3: '"a\nb\n1,2,red\n",7.5,red', 7: "x,7.5", 11: "\n1,2,3,"},
    "nothing but line ends in quotes": dict.fromkeys(range(1009), '"\n1,2,\n3,4,red\n",7.5,red'),
    "records longer than a part in quotes": {3: f'"{"x" * 60_000}",7.5,red'},
    "broken quotes": {3: 'a"b,7.5,red', 7: '"a"b,1,red', 11: '1,2,"red"'},
    "stray line ends": {3: "1,2,red\r4,5,blue", 7: "1,2,red\r"},
}


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def write_rows(path, odd, end=""):
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("id,size,colour\n")
        for first in range(0, ROWS, 10_000):
            rows = range(first, first + 10_000)
            lines = [odd.get(n % 1009, f"{n:08d},{n % 101 / 10},blue") for n in rows]
            file.write("\n".join(lines) + "\n")
        file.write(end)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Files of a megabyte are divided, too, and into more than a hundred parts."""
    sizes = {"least_bytes": 500_000, "part_bytes": (5_000, 50_000)}
    # Otherwise all would be done before a second process has started.
    in_parts = partial(score_in_parts, has_started=lambda process: process.result() > 0, **sizes)
    monkeypatch.setattr(split_file, "score_in_parts", in_parts)


@pytest.fixture(params=[Copies, ApartFromTheFolder])
def way(request, monkeypatch):
    """How processes are started."""
    monkeypatch.setattr(split_file, "way_to_start", request.param)
    return request.param


@pytest.fixture
def joined(monkeypatch):
    """Every part that is joined."""
    found = []
    join = Run.join

    def joining(run, part):
        found.append(part)
        join(run, part)

    monkeypatch.setattr(Run, "join", joining)
    return found


@pytest.mark.parametrize(
    ("shape", "end"),
    [*((shape, "") for shape in LINES), ("line ends in quotes", '1,2,"red\n' * 9)],
)
def test_the_same_bytes(tmp_path, shape, end, joined):
    source = tmp_path / "in.csv"
    write_rows(source, LINES[shape], end)
    files = []
    for count in (1, 2):
        output = tmp_path / str(count) / "out.csv"
        result = score_csv(TenthsScorer(), source, output, workers=count, probabilities=True)
        files.append([p.read_bytes() for p in (result.output, result.rejects, result.manifest)])
        assert len(names(output.parent)) == 3
    assert files[0] == files[1]
    assert result.rows > ROWS / 2
    assert len(joined) > (0 if "quotes" in shape else 50)


def test_nothing_waits_for_a_process_that_does_not_start(tmp_path, joined, monkeypatch):
    monkeypatch.setattr(split_file, "way_to_start", ApartFromTheFolder)
    never = partial(split_file.score_in_parts, has_started=lambda _: False)
    monkeypatch.setattr(split_file, "score_in_parts", never)
    source = tmp_path / "in.csv"
    write_rows(source, LINES["line ends in quotes"])
    one, two = (
        score_csv(TenthsScorer(), source, tmp_path / str(count) / "out.csv", workers=count)
        for count in (1, 2)
    )
    assert not joined
    assert two.output.read_bytes() == one.output.read_bytes()


def test_a_process_that_is_killed_costs_nothing_but_time(tmp_path, way):
    source = tmp_path / "in.csv"
    write_rows(source, LINES["plain"])
    expected = score_csv(TenthsScorer(), source, tmp_path / "one" / "out.csv").output.read_bytes()
    killed = []

    def kill(_):
        if not killed:
            (first, *_) = multiprocessing.active_children()
            killed.append(first.pid)
            os.kill(first.pid, signal.SIGKILL)

    result = score_csv(
        TenthsScorer(), source, tmp_path / "two" / "out.csv", workers=2, on_progress=kill
    )
    assert killed
    assert result.output.read_bytes() == expected
    assert len(names(tmp_path / "two")) == 3


LIMITED = """
import numpy
from ffn.blas_threads import one_blas_thread
from ffn.scoring.parallel.processes import way_to_start
with one_blas_thread():
    print(way_to_start().get_start_method())
"""
WITH_A_THREAD = """
import threading
from ffn.scoring.parallel.processes import way_to_start
print(way_to_start().get_start_method())
threading.Thread(target=threading.Event().wait, daemon=True).start()
print(way_to_start().get_start_method())
"""


def test_a_process_with_threads_is_not_copied():
    told = run_python(WITH_A_THREAD)
    assert told == ["fork" if sys.platform == "linux" else "spawn", "spawn"]
    # It brings a thread that Python knows nothing of.
    assert run_python("import pyarrow" + WITH_A_THREAD)[0] == "spawn"


@pytest.mark.skipif(sys.platform != "linux", reason="processes are spawned")
def test_threads_that_blas_leaves_idle_do_not_keep_a_process_from_being_copied(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    assert run_python(LIMITED) == ["fork"]


def run_python(program):
    done = subprocess.run(
        [sys.executable, "-c", program], input="", text=True, stdout=subprocess.PIPE, check=True
    )
    return done.stdout.split()


@pytest.fixture
def own_handler():
    """A handler of SIGTERM that a copy of this process would have, and that ends nothing."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    yield
    signal.signal(signal.SIGTERM, before)


def ended_by_sigterm(tmp_path, release=lambda: None):
    """Score with a process beside this one, send it SIGTERM, and return its exit code."""
    source, ended = tmp_path / "in.csv", []
    write_rows(source, LINES["plain"])

    def terminate(_):
        if not ended:
            (child, *_) = multiprocessing.active_children()
            os.kill(child.pid, signal.SIGTERM)
            release()
            # The pool's thread waits for it as well: one of the two is told the code, and the
            # other hears of it a moment later.
            ended.append(wait_for(lambda: child.exitcode))

    score_csv(TenthsScorer(), source, tmp_path / "out.csv", workers=2, on_progress=terminate)
    return ended


def test_what_a_process_is_copied_with_does_not_end_up_in_its_hands(tmp_path, way, own_handler):
    """SIGTERM ends it, whatever the one that it is a copy of does then."""
    assert ended_by_sigterm(tmp_path) == [-signal.SIGTERM]


def test_a_copy_that_has_not_begun_yet_is_ended_as_well(tmp_path, monkeypatch, own_handler):
    """A signal that comes before the copy has given up the handlers that it was copied with."""
    monkeypatch.setattr(split_file, "way_to_start", Copies)
    begin = multiprocessing.get_context("fork").Event()

    def begin_late():
        begin.wait()
        alone()

    monkeypatch.setattr(split_file, "alone", begin_late)
    assert ended_by_sigterm(tmp_path, begin.set) == [-signal.SIGTERM]


def test_a_file_that_was_renamed_is_scored_by_the_one_that_has_it_open(tmp_path, way, monkeypatch):
    source, moved = tmp_path / "in.csv", tmp_path / "moved.csv"
    write_rows(source, LINES["plain"])
    expected = score_csv(TenthsScorer(), source, tmp_path / "one" / "out.csv").output.read_bytes()
    parts = split_file.score_in_parts

    def move(*arguments):
        source.rename(moved)
        parts(*arguments)
        moved.rename(source)

    monkeypatch.setattr(split_file, "score_in_parts", move)
    result = score_csv(TenthsScorer(), source, tmp_path / "two" / "out.csv", workers=2)
    assert result.output.read_bytes() == expected


def test_an_input_that_grows_is_refused_by_whoever_reads_it(tmp_path):
    source = tmp_path / "in.csv"
    write_rows(source, LINES["plain"])

    def append(_):
        with source.open("ab") as file:
            file.write(b"8,2,red\n")

    with pytest.raises(DataError, match=r"in\.csv changed while it was read"):
        score_csv(
            TenthsScorer(), source, tmp_path / "out" / "out.csv", workers=2, on_progress=append
        )
    assert names(tmp_path / "out") == []


@given(
    cells=st.lists(
        st.lists(
            st.sampled_from(["1", "x", "", "a\nb", 'a "b"', "1,2\n3,4"]), min_size=2, max_size=2
        ),
        min_size=40,
        max_size=60,
    ),
    at=st.integers(1, 200),
)
def test_a_record_is_found_where_one_begins(cells, at):
    starts, text = [], io.StringIO(newline="")
    for row in cells:
        starts.append(text.tell())
        csv.writer(text, lineterminator="\n").writerow(row)
    content = text.getvalue().encode()
    found = first_record(content[at - 1 :], Shape(b",", 2, 1_000))
    expected = [start for start in starts if start >= at]
    if found is not None:
        found += at - 1
    # A guess may be wrong where the text inside quotes looks like records; never between lines.
    assert found is None or found in expected or content[found - 1 : found] == b"\n"
    if '"' not in text.getvalue():
        assert found == expected[0]
