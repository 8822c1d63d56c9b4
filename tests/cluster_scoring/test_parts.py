"""Parts of an output that workers of a cluster scored are those of one process."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from ffn.clusters.parcels import unpack
from ffn.clusters.workers import RemoteTask
from ffn.errors import ClusterError, DataError
from ffn.scoring.output.score_result import Progress
from ffn.scoring.partitioned.score_dataset import score_dataset
from tests.cluster_scoring.near import SEES, Near
from tests.cluster_scoring.test_ranges import HEADER, LINES, MODEL, write_rows
from tests.helpers.near_workers import Change, saying
from tests.scoring.partitioned.lakes import published

LAKE = {
    "c0=p/part-0.csv": "id,n0,n1,c1\n1,7,2,q\n2,x,2,q\n",
    "c0=p/part-1.csv": "id,n0,n1,c1\n3,2,,r\n",
    "c0=q/part-0.csv": 'id,n0,n1,c1\n"4\n",9,1,p\n,,,\n',
    "c0=__HIVE_DEFAULT_PARTITION__/part-0.csv": "id,n0,n1,c1\n6,1,1,p\n",
}


def lake(folder: Path) -> Path:
    for name, text in LAKE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    more = folder / "c0=r/part-0.parquet"
    more.parent.mkdir()
    csv = folder / "c0=q/part-0.csv"
    pq.write_table(pyarrow.csv.read_csv(csv, parse_options=newlines()), more)
    return folder


def newlines() -> Any:
    return pyarrow.csv.ParseOptions(newlines_in_values=True)


def score_twice(source: Path, folder: Path, near: Near, **options: Any) -> Any:
    """Score here and there into outputs of one name, and compare all that is published."""
    (folder / "here").mkdir()
    score_dataset(MODEL, source, folder / "here/out", **options)
    there = near.scoring().score_parts
    result = score_dataset(MODEL, source, folder / "there/out", elsewhere=there, **options)
    assert published(folder / "there/out") == published(folder / "here/out")
    return result


@pytest.mark.parametrize("sees", SEES)
@pytest.mark.parametrize("form", ["same", "csv", "parquet"])
def test_a_folder_of_tables(tmp_path: Path, sees: str, form: str) -> None:
    near = Near(**SEES[sees])
    result = score_twice(lake(tmp_path / "lake"), tmp_path, near, partitioned=form)
    assert (result.rows, result.rejected) == (8, 1)
    # Small tables go together; they are asked for again where a worker does not see what it needs.
    assert len(near.requests) == 1 + near.far + near.apart


@pytest.mark.parametrize("sees", SEES)
@pytest.mark.parametrize("form", ["same", "parquet"])
@pytest.mark.parametrize("shape", LINES)
def test_a_long_file(tmp_path: Path, shape: str, form: str, sees: str) -> None:
    source = write_rows(tmp_path / "in.csv", LINES[shape], rows=6_000)
    score_twice(source, tmp_path, Near(**SEES[sees]), partitioned=form, part_bytes=20_000)


def test_what_is_done_is_kept_when_the_cluster_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ffn.cluster_scoring.part_tasks.SHARE_BYTES", 1)
    source = write_rows(tmp_path / "in.csv", LINES["plain"])
    lost = Near(error=ClusterError("it is gone."), lost=6)
    options: dict[str, Any] = {"part_bytes": 20_000}
    with pytest.raises(ClusterError, match=r"^it is gone\.$"):
        score_dataset(
            MODEL, source, tmp_path / "there/out", elsewhere=lost.scoring().score_parts, **options
        )
    assert published(tmp_path / "there/out") == {}
    aside = [path.read_text() for path in (tmp_path / "there/.out.ffn-unfinished").glob("*.part")]
    # Seven were begun, of which at most two for each slot were still under way.
    assert len(aside) >= 3
    again = Near()
    score_twice(source, tmp_path, again, **options)
    parts = [path.name for path in sorted((tmp_path / "there/out").iterdir())]
    left = [name for name in parts if not any(f'"{name}"' in account for account in aside)]
    asked = [json.loads(unpack(request)["asked.json"]) for request in again.requests]
    assert sorted(part["name"] for one in asked for part in one["parts"]) == left
    assert len(left) == len(parts) - len(aside)


def test_a_table_that_is_refused_is_named_as_it_is_here(tmp_path: Path) -> None:
    folder = lake(tmp_path / "lake")
    (folder / "c0=p/part-2.csv").write_text("id,n0\n1,2\n")
    (tmp_path / "here").mkdir()
    told = []
    for name, elsewhere in (("here", None), ("there", Near(far=True).scoring().score_parts)):
        with pytest.raises(DataError, match=r'part-2\.csv has no column "n1"') as refused:
            score_dataset(MODEL, folder, tmp_path / name / "out", elsewhere=elsewhere)
        told.append(str(refused.value))
        assert published(tmp_path / name / "out") == {}
    assert told[0] == told[1]


@pytest.mark.parametrize("sees", SEES)
def test_a_part_that_is_too_large_to_cross_is_scored_here(tmp_path: Path, sees: str) -> None:
    source = write_rows(tmp_path / "in.csv", LINES["plain"], rows=60_000)
    told: list[dict[str, Any]] = []

    def noted(pieces: dict[str, bytes]) -> dict[str, bytes]:
        told.extend(json.loads(pieces["answer.json"])["parts"])
        return pieces

    near = Near(**SEES[sees], change=noted)
    score_twice(source, tmp_path, near, part_bytes=1_100_000)
    names = {one["account"]["name"] for one in told}
    # A megabyte may cross, which the first part is longer than, and the last one is not.
    assert "part-00001.csv" in names
    assert ("part-00000.csv" in names) == (sees == "all")
    assert all(len(request) < 1_100_000 for request in near.requests)


class Counting(Near):
    """Workers that note how many bytes cross at the same time, of ``together`` tasks at once."""

    slots = 8

    def __init__(self, *, together: int | None, **how: Any) -> None:
        super().__init__(**how)
        self._together = threading.Barrier(together) if together else None
        self._now: list[int] = []
        self._entry = threading.Lock()
        self.most_bytes = 0

    def compute(self, task: RemoteTask, check: Callable[[], None]) -> bytes:
        pieces = unpack(task.request)
        asked = json.loads(pieces["asked.json"])
        # What of a part is sent, or will be sent back.
        crosses = any(name.endswith(".text") for name in pieces) or asked["folder"] is None
        size = sum(part["stretch"][1] - part["stretch"][0] for part in asked["parts"]) * crosses
        with self._entry:
            self._now.append(size)
            self.most_bytes = max(self.most_bytes, sum(self._now))
        try:
            if self._together is not None:
                # Broken unless so many tasks are there at once.
                self._together.wait(60)
            return super().compute(task, check)
        finally:
            with self._entry:
                self._now.remove(size)


@pytest.mark.parametrize("sees", SEES)
def test_what_workers_read_and_write_themselves_does_not_count(
    tmp_path: Path, sees: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ffn.cluster_scoring.part_tasks.SHARE_BYTES", 1)
    source = write_rows(tmp_path / "in.csv", LINES["plain"], rows=60_000)
    # Ten parts fit into the megabyte that may cross; where nothing does, all are at work.
    parts = -(-(source.stat().st_size - len(HEADER)) // 100_000)
    assert 10 < parts <= 2 * Counting.slots
    near = Counting(together=parts if sees == "all" else None, **SEES[sees])
    score_twice(source, tmp_path, near, part_bytes=100_000)
    assert near.most_bytes <= 1_000_000
    assert (near.most_bytes == 0) == (sees == "all")


@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"",
        lambda pieces: {"answer.json": pieces["answer.json"]},
        lambda pieces: {**pieces, "0.output": pieces["0.output"] + b"x"},
        lambda pieces: {**pieces, "0.rejects": b""},
        saying(parts=[]),
        saying(parts=lambda parts: [{**parts[0], "account": {}}, *parts[1:]]),
        saying(parts=lambda parts: [{**parts[0], "state": {}}, *parts[1:]]),
        saying(
            parts=lambda parts: [
                {**parts[0], "state": {**parts[0]["state"], "outside": [-1]}},
                *parts[1:],
            ]
        ),
        saying(
            parts=lambda parts: [
                {**parts[0], "account": {**parts[0]["account"], "confidence_units": 1.5}},
                *parts[1:],
            ]
        ),
        saying(
            parts=lambda parts: [
                {**parts[0], "account": {**parts[0]["account"], "name": "../../x"}},
                *parts[1:],
            ]
        ),
    ],
)
def test_an_answer_that_is_no_part_is_refused(tmp_path: Path, change: Change) -> None:
    there = Near(change=change, apart=True).scoring().score_parts
    with pytest.raises(ClusterError, match=r"^the cluster: what a worker sent back is no part of"):
        score_dataset(MODEL, lake(tmp_path / "lake"), tmp_path / "out/out", elsewhere=there)
    assert published(tmp_path / "out/out") == {}


def test_progress_is_told_part_by_part(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.csv", {}, rows=3_000)
    told: list[Progress] = []
    score_dataset(
        MODEL,
        source,
        tmp_path / "out/out",
        part_bytes=20_000,
        on_progress=told.append,
        elsewhere=Near().scoring().score_parts,
    )
    parts = sorted((tmp_path / "out/out").iterdir())
    rows = np.cumsum([len(path.read_text().splitlines()) - 1 for path in parts])
    assert [one.rows for one in told] == rows.tolist()
    assert len(parts) == 3
    assert rows[-1] == 3_000
    assert told[-1].bytes_read == source.stat().st_size - len(HEADER)
