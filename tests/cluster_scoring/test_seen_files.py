"""A worker that sees another file than the one that was meant is sent what it is to score."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ffn.cluster_scoring import range_tasks
from ffn.clusters.parcels import pack, unpack
from ffn.clusters.workers import RemoteTask
from ffn.scoring.parallel.part_result import score_records
from ffn.scoring.score_file import score_csv
from ffn.tabular.csv.reader import Records
from tests.cluster_scoring.near import Near
from tests.cluster_scoring.test_ranges import MODEL, files, score_near, write_rows


class SeesAnother(Near):
    """Workers that see another file at the path."""

    def __init__(self, other: Path) -> None:
        super().__init__()
        self.other = other

    def compute(self, task: RemoteTask, check: Callable[[], None]) -> bytes:
        pieces = unpack(task.request)
        asked = json.loads(pieces["asked.json"])
        if "seen" in asked:
            asked["seen"]["path"] = str(self.other)
        pieces["asked.json"] = json.dumps(asked).encode()
        return super().compute(task._replace(request=pack(pieces)), check)


@pytest.mark.parametrize("damage", ["other bytes", "other time", "shorter", "a folder"])
def test_a_worker_that_sees_another_file_is_sent_the_range(tmp_path: Path, damage: str) -> None:
    source = write_rows(tmp_path / "in.csv", {})
    score_csv(MODEL, source, tmp_path / "here/out.csv")
    other = tmp_path / "other.csv"
    content, time = bytearray(source.read_bytes()), source.stat().st_mtime_ns
    if damage == "other bytes":
        content[:2] = b"ID"
    if damage == "shorter":
        del content[-1:]
    if damage == "a folder":
        other.mkdir()
    else:
        other.write_bytes(content)
        os.utime(other, ns=(time, time + (damage == "other time")))

    near = SeesAnother(other)
    score_near(source, tmp_path / "there/out.csv", near)
    assert files(tmp_path / "there") == files(tmp_path / "here")
    assert "text" in unpack(near.requests[-1])


def test_a_range_of_a_file_that_changes_while_it_is_read_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_rows(tmp_path / "in.csv", {})
    score_csv(MODEL, source, tmp_path / "here/out.csv")
    other = Path(shutil.copy2(source, tmp_path / "other.csv"))

    def rewritten(*scoring: Any) -> Any:
        # In its place, between the look before and the reading.
        other.write_bytes(source.read_bytes().replace(b",p,2.5", b",x,9.5"))
        return score_records(*scoring)

    monkeypatch.setattr(range_tasks, "score_records", rewritten)
    near = SeesAnother(other)
    score_near(source, tmp_path / "there/out.csv", near, size=100_000)
    assert files(tmp_path / "there") == files(tmp_path / "here")
    assert ["text" in unpack(request) for request in near.requests].count(False) > 0


def test_a_range_of_a_file_that_is_emptied_before_it_is_read_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_rows(tmp_path / "in.csv", {})
    score_csv(MODEL, source, tmp_path / "here/out.csv")
    other = Path(shutil.copy2(source, tmp_path / "other.csv"))

    def emptied(*given: Any, **how: Any) -> Records:
        other.write_bytes(b"")
        return Records(*given, **how)

    monkeypatch.setattr(range_tasks, "Records", emptied)
    near = SeesAnother(other)
    score_near(source, tmp_path / "there/out.csv", near)
    assert files(tmp_path / "there") == files(tmp_path / "here")
    assert "text" in unpack(near.requests[-1])
