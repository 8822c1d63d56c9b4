"""What goes wrong around a file: nothing new appears, yesterday's files stay."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ffn.errors import DataError
from ffn.scoring.output.work_folder import WorkFolder
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import TenthsScorer

CONTENT = b"size,colour\n7,red\n"


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("link", ["itself", "symbolic", "hard", "rejects"])
def test_output_onto_the_input(source, tmp_path, link):
    output = tmp_path / "out.csv"
    if link == "itself":
        output = tmp_path / "." / "in.csv"
    elif link == "symbolic":
        output.symlink_to(source)
    elif link == "hard":
        output.hardlink_to(source)
    else:
        source = source.rename(tmp_path / "out.csv.rejects.csv")
    before = names(tmp_path)
    with pytest.raises(DataError, match=r"is the file to score\. Give another output\."):
        score_csv(TenthsScorer(), source, output)
    assert names(tmp_path) == before
    assert source.read_bytes() == CONTENT


def test_output_that_is_no_ordinary_file(source, tmp_path):
    for output in (tmp_path, Path(os.devnull)):
        with pytest.raises(DataError, match=r"exists and is not a regular file"):
            score_csv(TenthsScorer(), source, output)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (Path(), r'"\." cannot name a file'),
        (Path("a\0b"), r"cannot name a file"),
        (Path("\udcff.csv"), r'"\\udcff\.csv" is not valid UTF-8\. Rename it\.$'),
        (Path("/proc/x.csv"), r"x\.csv cannot be written: No such file or directory"),
        (Path("a" * 300), r"cannot be written: File name too long"),
        (Path("a" * 242), r"cannot be written: File name too long|is too long, because the names"),
        (Path("a" * 241), r"its name is too long, because the names"),
    ],
)
def test_names_that_cannot_be(source, tmp_path, monkeypatch, output, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=message):
        score_csv(TenthsScorer(), source, output)
    assert names(tmp_path) == [source.name]


def test_an_input_whose_name_no_manifest_can_hold(tmp_path):
    source = tmp_path / "\udcff.csv"
    source.write_bytes(CONTENT)
    with pytest.raises(DataError, match=r'\\udcff\.csv" is not valid UTF-8\. Rename it\.$'):
        score_csv(TenthsScorer(), source, tmp_path / "out.csv")


def test_an_input_that_grows_is_refused(source, tmp_path):
    source.write_bytes(CONTENT + b"7,red\n" * 100_000)

    def append(_):
        with source.open("ab") as file:
            file.write(b"8,red\n")

    with pytest.raises(DataError, match=r"in\.csv changed while it was read \(600,018 bytes"):
        score_csv(TenthsScorer(), source, tmp_path / "out.csv", on_progress=append)
    assert names(tmp_path) == ["in.csv"]


def test_an_input_rewritten_in_place_is_refused(source, tmp_path):
    def rewrite(_):
        source.write_bytes(CONTENT)
        os.utime(source, ns=(0, 0))

    with pytest.raises(DataError, match=r"changed while it was read"):
        score_csv(TenthsScorer(), source, tmp_path / "out.csv", on_progress=rewrite)


def test_a_full_disk_is_one_line_and_leaves_the_old_output(source, tmp_path):
    output = tmp_path / "out.csv"
    score_csv(TenthsScorer(), source, output)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path != source}
    source.write_bytes(CONTENT + b"7,red\n" * 100_000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    try:
        with pytest.raises(DataError, match=r"out\.csv cannot be written: File too large\."):
            score_csv(TenthsScorer(), source, output)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path != source} == before


def test_a_folder_that_cannot_be(source, tmp_path):
    with pytest.raises(DataError, match=r"out\.csv cannot be written: (Not a directory|File exi)"):
        score_csv(TenthsScorer(), source, source / "out.csv")


def test_a_failing_listener_leaves_nothing(source, tmp_path):
    def fail(_):
        raise KeyboardInterrupt("stop")

    with pytest.raises(KeyboardInterrupt, match="stop"):
        score_csv(TenthsScorer(), source, tmp_path / "out.csv", on_progress=fail)
    assert names(tmp_path) == ["in.csv"]


def test_refused_before_anything_is_made(tmp_path, source):
    source.write_bytes(b"size,color\n1,red\n")
    with pytest.raises(DataError, match=r'no column "colour".* Did you mean "color"\?'):
        score_csv(TenthsScorer(), source, tmp_path / "new" / "out.csv")
    with pytest.raises(DataError, match=r"nothing\.csv does not exist"):
        score_csv(TenthsScorer(), tmp_path / "nothing.csv", tmp_path / "new" / "out.csv")
    assert names(tmp_path) == ["in.csv"]


def test_a_killed_run_leaves_nothing_after_the_next(source, tmp_path):
    output = tmp_path / "out.csv"
    score_csv(TenthsScorer(), source, output)
    before = output.read_bytes()
    code = (
        "import sys, time; from pathlib import Path; "
        "from tests.helpers.scorers import TenthsScorer;"
        "from ffn.scoring.score_file import score_csv;"
        "score_csv(TenthsScorer(), *map(Path, sys.argv[1:]), force=True,"
        " on_progress=lambda _: (print('half', flush=True), time.sleep(600)))"
    )
    path = os.pathsep.join(sys.path)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(source), str(output)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout.readline() == b"half\n"
        process.send_signal(signal.SIGKILL)
    assert output.read_bytes() == before
    assert len(names(tmp_path)) == 4 + 1
    score_csv(TenthsScorer(), source, output)
    assert len(names(tmp_path)) == 4


KILLED_BETWEEN_RENAMES = """
import os, signal, sys
from pathlib import Path
from tests.helpers.scorers import TenthsScorer
from ffn.scoring.score_file import score_csv
from ffn.scoring.output.work_folder import WorkFolder

source, output, done = Path(sys.argv[1]), Path(sys.argv[2]), []
rename = WorkFolder.rename

def rename_or_die(self, name, target):
    if len(done) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(target)
    rename(self, name, target)

WorkFolder.rename = rename_or_die
score_csv(TenthsScorer(), source, output)
"""


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_a_kill_between_the_renames_leaves_no_manifest(source, tmp_path, renamed):
    output = tmp_path / "out.csv"
    manifest = score_csv(TenthsScorer(), source, output).manifest
    old = output.read_bytes()
    source.write_bytes(CONTENT + b"8,red\nx,red\n")
    arguments = [str(source), str(output), str(renamed)]
    process = subprocess.run(
        [sys.executable, "-c", KILLED_BETWEEN_RENAMES, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    assert (output.read_bytes() == old) == (renamed == 0)
    assert not manifest.exists()
    score_csv(TenthsScorer(), source, output)
    assert names(tmp_path) == [
        "in.csv", "out.csv", "out.csv.manifest.json", "out.csv.rejects.csv",
    ]  # fmt: skip


def test_a_failure_between_the_renames_is_one_line_and_says_what_counts(
    source, tmp_path, monkeypatch
):
    output, rename = tmp_path / "out.csv", WorkFolder.rename
    score_csv(TenthsScorer(), source, output)

    def fail(self, name, target):
        if target != output:
            raise OSError(5, "Input/output error")
        rename(self, name, target)

    monkeypatch.setattr(WorkFolder, "rename", fail)
    with pytest.raises(DataError, match=r"Input/output error\. .*use no output without a manifest"):
        score_csv(TenthsScorer(), source, output, force=True)
    assert names(tmp_path) == ["in.csv", "out.csv", "out.csv.rejects.csv"]


def test_a_refused_file_takes_the_manifest_of_older_rejects_away(source, tmp_path):
    output = tmp_path / "out.csv"
    score_csv(TenthsScorer(), source, output)
    old = output.read_bytes()
    source.write_bytes(CONTENT + b"x,red\n")
    with pytest.raises(DataError, match=r"1 of 2 rows was rejected .* so no output was written"):
        score_csv(TenthsScorer(), source, output, max_reject_rate=0.25)
    assert names(tmp_path) == ["in.csv", "out.csv", "out.csv.rejects.csv"]
    assert output.read_bytes() == old
    assert b"not_a_number" in (tmp_path / "out.csv.rejects.csv").read_bytes()


def test_memory_does_not_grow_with_the_file(tmp_path):
    """The largest block, not the file, decides: 60 MB may add no more than 6 MB gives."""
    code = (
        "import resource, sys; from pathlib import Path; "
        "from tests.helpers.scorers import TenthsScorer;"
        "from ffn.scoring.score_file import score_csv;"
        "score_csv(TenthsScorer(), *map(Path, sys.argv[1:]));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    path = os.pathsep.join(sys.path)
    peaks = []
    for rows in (300_000, 3_000_000):
        source = tmp_path / "in.csv"
        with source.open("wb") as file:
            file.write(b"size,colour,id\n")
            for start in range(0, rows, 100_000):
                file.writelines(b"7.25,red,%08d\n" % n for n in range(start, start + 100_000))
        done = subprocess.run(
            [sys.executable, "-c", code, str(source), str(tmp_path / "out.csv")],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            check=True,
        )
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] * 1.05 + 2_000
