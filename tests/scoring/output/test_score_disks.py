"""What disks do to a long run: full, or not to be written. Yesterday's output stays."""

import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from ffn.errors import DataError
from ffn.scoring.parallel.split_file import score_in_parts
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import TenthsScorer

CONTENT = b"id,size,colour\n" + b"1,7.5,red\n" * 600_000


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid():
        pytest.skip("only root may mount a disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk))
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.fixture
def yesterday(small_disk: Path, tmp_path: Path) -> tuple[Path, Path, dict[str, bytes]]:
    source, output = tmp_path / "in.csv", small_disk / "out.csv"
    source.write_bytes(CONTENT[:200])
    score_csv(TenthsScorer(), source, output)
    return source, output, contents(small_disk)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk(yesterday, workers, monkeypatch):
    source, output, before = yesterday
    source.write_bytes(CONTENT)
    in_parts = partial(score_in_parts, least_bytes=1_000_000)
    monkeypatch.setattr("ffn.scoring.parallel.split_file.score_in_parts", in_parts)
    with pytest.raises(DataError, match=r"out\.csv cannot be written: No space left on device\."):
        score_csv(TenthsScorer(), source, output, workers=workers)
    assert contents(output.parent) == before


def test_a_disk_that_is_read_only(yesterday):
    source, output, before = yesterday
    source.write_bytes(CONTENT[:300])
    mount("-o", "remount,ro", str(output.parent))
    with pytest.raises(DataError, match=r"out\.csv cannot be written: Read-only file system\."):
        score_csv(TenthsScorer(), source, output)
    assert contents(output.parent) == before


def test_an_input_that_is_cut_while_it_is_read(yesterday):
    source, output, before = yesterday
    source.write_bytes(CONTENT[:3_000_000])

    def cut(_):
        os.truncate(source, 1_000_000)

    with pytest.raises(DataError, match=r"in\.csv changed while it was read"):
        score_csv(TenthsScorer(), source, output, on_progress=cut)
    assert contents(output.parent) == before
