"""``ffn score`` between pipes, and what it shows on a terminal meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.command_line import command, environment

HEADER = "id,sepal_length,sepal_width,petal_length,petal_width\n"
CONTENT = HEADER + "007,5.1,3.5,1.4,0.2\n008,x,3.5,1.4,0.2\n009,6.6,3.2,5.4,2.2\n"


@pytest.fixture(scope="module")
def root(_trained, tmp_path_factory):
    return shutil.copytree(_trained, tmp_path_factory.mktemp("streams") / "root")


def line(root, *arguments):
    return command("score", "iris", *arguments, "--direct", "--root", root)


def run(root, *arguments, **streams):
    return subprocess.run(
        line(root, *arguments),
        env=environment(root),
        stderr=subprocess.PIPE,
        check=False,
        **streams,
    )


def test_between_pipes_nothing_but_the_table_is_on_stdout(root):
    done = run(root, "-", "--output", "-", input=CONTENT.encode(), stdout=subprocess.PIPE)
    assert done.returncode == 0
    header, *rows = done.stdout.decode().splitlines()
    assert header == HEADER[:-1] + ",predicted_species,confidence"
    assert [re.sub(r",[01]\.\d{4}$", "", row) for row in rows] == [
        "007,5.1,3.5,1.4,0.2,Iris-setosa",
        "009,6.6,3.2,5.4,2.2,Iris-virginica",
    ]
    assert b"2 of 3 rows scored" in done.stderr
    beside = root / "artifacts/iris/predictions/stdout"
    assert (beside / "stdin.csv.rejects.csv").read_text().splitlines()[1:] == [
        "2,3,sepal_length,x,not_a_number,1"
    ]
    manifest = json.loads((beside / "stdin.csv.manifest.json").read_bytes())
    assert manifest["files"]["output"]["bytes"] == len(done.stdout)
    assert manifest["input"]["path"] == "/dev/stdin"
    assert len(list(beside.iterdir())) == 2


def test_a_refused_stream_leaves_stdout_empty(root):
    options = ("-", "--output", "-", "--max-reject-rate", "0.1")
    done = run(root, *options, input=CONTENT.encode(), stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (1, b"")
    assert re.fullmatch(rb"ffn: /dev/stdin: 1 of 3 rows was rejected .*\n", done.stderr)


def test_a_reader_that_leaves_before_the_end_is_told_of_in_one_line(root, tmp_path):
    (tmp_path / "long.csv").write_text(HEADER + "007,5.1,3.5,1.4,0.2\n" * 20_000)
    with subprocess.Popen(
        line(root, tmp_path / "long.csv", "--output", "-"),
        env=environment(root),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline().decode().startswith(HEADER[:-1])
        process.stdout.close()
        told = process.stderr.read().decode().splitlines()[-1]
    assert process.returncode == 1
    assert told == "ffn: the reader of standard output closed it before the end."
    assert not (root / "artifacts/iris/predictions/stdout/long.csv").exists()


def test_a_named_pipe_and_a_redirected_file_are_read_like_a_file(root, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "in.csv").write_text(CONTENT)
    with subprocess.Popen(["cp", tmp_path / "in.csv", tmp_path / "pipe.csv"]):
        piped = run(root, tmp_path / "pipe.csv")
    with (tmp_path / "in.csv").open() as file:
        redirected = run(root, "-", stdin=file)
        file.seek(0)
        os.lseek(file.fileno(), len(HEADER) + 20, os.SEEK_SET)
        half_read = run(root, "-", "--output", "-", stdin=file, stdout=subprocess.PIPE)
    assert (piped.returncode, redirected.returncode) == (0, 0)
    predictions = root / "artifacts/iris/predictions"
    assert (predictions / "pipe.csv").read_bytes() == (predictions / "stdin.csv").read_bytes()
    # A shell has read its share of it; the rest has another first line.
    assert half_read.returncode == 1
    assert b'/dev/stdin has no column "sepal_length"' in half_read.stderr


def test_a_file_called_dash_is_a_file(root, tmp_path):
    (tmp_path / "-").write_text(CONTENT)
    assert run(root, tmp_path / "-").returncode == 0
    assert (root / "artifacts/iris/predictions/-").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("-", "--output", "-", "--json"), 2, "--json and --output - would both write to standard"),
        (("-", "a.csv", "--output", "-"), 1, "--output - is for a single FILE; 2 were given."),
    ],
)
def test_what_cannot_share_stdout_is_refused(ffn, trained, arguments, code, message):
    done = ffn("score", "iris", *arguments, "--direct", "--root", trained)
    assert (done.code, done.out) == (code, "")
    assert message in done.err


def test_a_terminal_shows_how_far_how_fast_and_how_long_still(root, tmp_path):
    (tmp_path / "long.csv").write_text(HEADER + "007,5.1,3.5,1.4,0.2\n" * 3_000_000)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        line(root, tmp_path / "long.csv"),
        env=environment(root, COLUMNS="120", TERM="xterm"),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = b""
        # Linux tells the end of a terminal by an error.
        with contextlib.suppress(OSError):
            while some := os.read(ours, 65_536):
                shown += some
    os.close(ours)
    assert process.returncode == 0
    assert re.search(rb"long\.csv .*\d+%, [\d,]+ rows, [\d,]+ rows/s, 0:0\d:\d\d left", shown)
    assert Path(root / "artifacts/iris/predictions/long.csv").exists()
