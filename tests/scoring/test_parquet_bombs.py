"""A Parquet file made to expand is refused in one line, in memory that is bounded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ffn.errors import DataError
from ffn.scoring.score_file import score_csv
from ffn.storage.descriptors import SharedFile
from ffn.tabular.parquet import decoding_process
from ffn.tabular.parquet.decoding_process import DecodedParquet
from ffn.tabular.parquet.parquet_table import ParquetTable
from tests.helpers.bombs import BOMBS
from tests.helpers.scorers import TenthsScorer

# Peaks are those of a process and its children, so each file has a process of its own.
SCORE = """
import json, resource, sys
from pathlib import Path
from tests.helpers.scorers import TenthsScorer
from ffn.errors import DataError
from ffn.scoring.score_file import score_csv
from ffn.tabular.parquet import decoding_process

said = ""
try:
    score_csv(TenthsScorer(), *map(Path, sys.argv[1:]))
except DataError as error:
    said = str(error)
decoding_process._end_all()
# Of itself not from getrusage, which goes on counting from the process that started this one.
status = dict(line.split(":") for line in open("/proc/self/status"))
children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([said, int(status["VmHWM"].split()[0]) // 1024, children // 1024]))
"""


def score(source, output):
    """Score in a process of its own; returns what it says, and peaks in MiB of it and its child."""
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", SCORE, str(source), str(output)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux limits memory")
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_file_takes_bounded_memory(tmp_path, bomb):
    bomb(tmp_path / "in.parquet")
    assert (tmp_path / "in.parquet").stat().st_size < 16 * 2**20
    said, own, child = score(tmp_path / "in.parquet", tmp_path / "out.csv")
    assert "\n" not in said
    assert str(tmp_path / "in.parquet") in said
    # 256 MiB, four times the file, and what the process is itself.
    assert own < 200
    assert child < 400
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet"]


def test_shared_beginnings_are_read_in_fewer_rows_at_a_time(tmp_path):
    """Texts that each refer to the one before are long, and there is room for some at a time."""
    texts = ["x" * 400_000] * 450
    columns = {"size": [1.0] * 450, "colour": ["red"] * 450, "note": texts}
    pq.write_table(
        pa.table(columns),
        tmp_path / "in.parquet",
        use_dictionary=False,
        column_encoding={"note": "DELTA_BYTE_ARRAY"},
        data_page_size=2**30,
    )
    result = score_csv(TenthsScorer(), tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert result.scored == 450
    assert pq.read_table(tmp_path / "out.parquet").column("note").to_pylist() == texts


@pytest.mark.parametrize("most_rows", [1, 3, 700, 8192])
@pytest.mark.parametrize("skip", [0, 1, 699, 700, 701, 1400, 1999, 2000])
def test_a_reader_goes_on_from_any_row(tmp_path, most_rows, skip):
    pq.write_table(pa.table({"n": list(range(2000))}), tmp_path / "in", row_group_size=700)
    with (tmp_path / "in").open("rb") as file:
        batches = list(ParquetTable(file, "in").batches(most_rows=most_rows, skip=skip))
    assert [n for batch in batches for n in batch.column(0).to_pylist()] == list(range(skip, 2000))
    assert max((batch.num_rows for batch in batches), default=0) <= most_rows


def test_a_row_may_have_so_many_bytes(tmp_path):
    columns = {"size": [1.0, 2.0], "colour": ["red"] * 2, "note": ["x", "x" * 21 * 2**20]}
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    with pytest.raises(DataError, match=r"in\.parquet row 2: its cells take more than 20 MiB"):
        score_csv(TenthsScorer(), tmp_path / "in.parquet", tmp_path / "out.csv")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"size": [1.0], "colour": ["red"]}), path)
    decoding_process._end_all()
    yield path
    decoding_process._end_all()


def read(path):
    with path.open("rb") as opened:
        shared = SharedFile(opened.fileno())
        with DecodedParquet.opened(shared, str(path)) as table:
            return [row for batch in table.batches() for row in batch.to_pylist()]


def test_one_process_decodes_one_file_after_another(file):
    assert read(file) == [{"size": 1.0, "colour": "red"}]
    (process,) = decoding_process._idle
    assert read(file) == [{"size": 1.0, "colour": "red"}]
    assert decoding_process._idle == [process]


def test_a_process_that_was_killed_is_replaced(file):
    read(file)
    (process,) = decoding_process._idle
    process._child.send_signal(signal.SIGKILL)
    process._child.wait()
    assert read(file) == [{"size": 1.0, "colour": "red"}]


def test_a_process_that_dies_of_a_file_is_told_and_replaced(file):
    # More than has room between the two.
    pq.write_table(pa.table({"size": list(range(1_000_000))}), file)
    with file.open("rb") as opened:
        shared = SharedFile(opened.fileno())
        with DecodedParquet.opened(shared, str(file)) as table:
            table._process._child.kill()
            table._process._child.wait()
            with pytest.raises(DataError, match=r"in\.parquet is a .* that crashed the process"):
                list(table.batches())
    assert decoding_process._idle == []
    assert read(file)[-1] == {"size": 999_999}


def test_who_reads_no_further_leaves_no_process_behind(file):
    with file.open("rb") as opened:
        with DecodedParquet.opened(SharedFile(opened.fileno()), str(file)) as table:
            child = table._process._child
        assert child.poll() is not None
    assert decoding_process._idle == []


def test_modules_of_the_current_folder_are_not_run(file, tmp_path, monkeypatch):
    for name in ("socket", "json", "resource", "pyarrow", "numpy"):
        (tmp_path / f"{name}.py").write_text("open('run', 'w')\nraise SystemExit\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert read(file) == [{"size": 1.0, "colour": "red"}]
    assert not (tmp_path / "run").exists()
