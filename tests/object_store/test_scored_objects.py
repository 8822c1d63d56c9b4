"""Scoring from and into a store: the bytes are those of files, and appear whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ffn.errors import DataError
from ffn.object_stores.object_address import as_path
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import TenthsScorer
from tests.object_store.conftest import Store

ROWS = b"id,size,colour\n1,7,red\n2,nine,blue\n3,2,\n4,9,blue\n"


def scored_locally(content: bytes, folder: Path, output: str, **options) -> dict[str, bytes]:
    source = folder / "in.csv"
    source.write_bytes(content)
    score_csv(TenthsScorer(), source, folder / output, **options)
    return {
        path.name: path.read_bytes() for path in folder.iterdir() if path.name.startswith(output)
    }


def score(source: str, output: str, **options):
    return score_csv(TenthsScorer(), as_path(source), as_path(output), **options)


@pytest.mark.parametrize("output", ["out.csv", "out.csv.gz", "out.parquet"])
@pytest.mark.parametrize("packed", [False, True])
def test_objects_have_the_bytes_of_files(
    store: Store, tmp_path: Path, output: str, packed: bool
) -> None:
    content = gzip.compress(ROWS, mtime=0) if packed else ROWS
    expected = scored_locally(content, tmp_path, output, probabilities=True)
    store.put("in/rows.csv", content)
    result = score(store.address("in/rows.csv"), store.address(f"out/{output}"), probabilities=True)
    assert store.names() == ["in/rows.csv", *sorted(f"out/{name}" for name in expected)]
    found = {name: store.get(f"out/{name}") for name in expected}
    manifests = [json.loads(each.pop(f"{output}.manifest.json")) for each in (expected, found)]
    assert found == expected
    # The input has another name, and nothing else differs.
    assert manifests[1]["input"].pop("path") == store.address("in/rows.csv")
    manifests[0]["input"].pop("path")
    assert manifests[0] == manifests[1]
    assert manifests[1]["input"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert (result.rows, result.scored, result.rejected) == (4, 3, 1)
    assert str(result.output) == store.address(f"out/{output}")
    assert str(result.manifest) == store.address(f"out/{output}.manifest.json")


def test_parquet_is_read_from_a_store(store: Store, tmp_path: Path) -> None:
    table = pa.table({"size": [7.0, 2.0], "colour": ["red", "blue"]})
    pq.write_table(table, tmp_path / "t.parquet")
    store.put("t.parquet", (tmp_path / "t.parquet").read_bytes())
    score(store.address("t.parquet"), str(tmp_path / "out.csv"))
    # By hand: 7 tenths, turned round by red, and 2 tenths.
    assert (tmp_path / "out.csv").read_text().splitlines() == [
        "size,colour,predicted_kind,confidence",
        "7,red,small,0.7000",
        "2,blue,small,0.8000",
    ]


def test_a_local_file_is_scored_into_a_store(store: Store, tmp_path: Path) -> None:
    expected = scored_locally(ROWS, tmp_path, "out.csv")
    score(str(tmp_path / "in.csv"), store.address("out.csv"))
    assert {name: store.get(name) for name in store.names()} == expected


def test_a_long_output_is_sent_in_parts(store: Store, tmp_path: Path) -> None:
    content = b"id,size,colour\n" + b"".join(
        b"%d,%d,%s\n" % (n, n % 11, b"x" * 200) for n in range(100_000)
    )
    assert len(content) > 20_000_000
    expected = scored_locally(content, tmp_path, "out.csv")["out.csv"]
    store.put("in.csv", content)
    score(store.address("in.csv"), store.address("out.csv"))
    assert store.get("out.csv") == expected
    # S3 marks what was sent in parts by their number.
    assert store.client.head_object(Bucket=store.bucket, Key="out.csv")["ETag"].endswith('-3"')
    assert store.uploads() == []


def test_the_same_work_is_not_done_twice(store: Store) -> None:
    store.put("in.csv", ROWS)
    address = store.address("in.csv"), store.address("out.csv")
    assert not score(*address).unchanged
    before = {
        name: store.client.head_object(Bucket=store.bucket, Key=name)["LastModified"]
        for name in store.names()
    }
    assert score(*address).unchanged
    assert before == {
        name: store.client.head_object(Bucket=store.bucket, Key=name)["LastModified"]
        for name in store.names()
    }
    store.put("out.csv", store.get("out.csv").replace(b"1,7", b"1,8"))
    assert not score(*address).unchanged
    assert b"1,7,red" in store.get("out.csv")
    assert not score(*address, force=True).unchanged


def test_of_a_table_that_is_refused_for_its_rows_the_rejects_are_kept(store: Store) -> None:
    store.put("in.csv", ROWS)
    score(store.address("in.csv"), store.address("out.csv"))
    before = store.get("out.csv")
    store.put("in.csv", ROWS + b"5,ten,blue\n")
    with pytest.raises(DataError, match=rf"See {store.address('out.csv.rejects.csv')}\.$"):
        score(store.address("in.csv"), store.address("out.csv"), max_reject_rate=0.1)
    assert store.names() == ["in.csv", "out.csv", "out.csv.rejects.csv"]
    assert store.get("out.csv") == before
    assert b"ten" in store.get("out.csv.rejects.csv")


def test_a_table_that_is_refused_as_a_whole_changes_nothing(store: Store) -> None:
    store.put("in.csv", ROWS)
    score(store.address("in.csv"), store.address("out.csv"))
    before = {name: store.get(name) for name in store.names()}
    store.put("other.csv", b"id,colour\n1,red\n")
    with pytest.raises(DataError, match=rf"^{store.address('other.csv')} has no column \"size\""):
        score(store.address("other.csv"), store.address("out.csv"))
    assert {name: store.get(name) for name in before} == before


@pytest.mark.parametrize("suffix", ["", ".rejects.csv", ".manifest.json"])
def test_an_output_onto_the_input_is_refused(store: Store, suffix: str) -> None:
    store.put(f"a.csv{suffix}", ROWS)
    with pytest.raises(DataError, match=r"is the file to score\. Give another output\."):
        score(store.address(f"a.csv{suffix}"), store.address("a.csv"))
    assert store.names() == [f"a.csv{suffix}"]


def test_nothing_is_left_on_this_machine(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store.put("in.csv", ROWS)
    score(store.address("in.csv"), store.address("out.csv"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["in.csv", "out.csv"])
def test_what_ends_a_run_while_parts_are_moved_leaves_nothing(
    name: str, store: Store, tmp_path: Path
) -> None:
    store.put("in.csv", b"id,size,colour\n" + b"1,7,%s\n" % (b"x" * 180) * 200_000)
    reports = []

    def stop(progress) -> None:
        reports.append(progress)
        # Nothing is scored while the input comes; all is scored when the second part is sent.
        done = 200_000 if name == "out.csv" else 0
        if progress.rows == done and sum(each.rows == done for each in reports) > 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        score(store.address("in.csv"), store.address("out.csv"), on_progress=stop)
    assert store.names() == ["in.csv"]
    assert store.uploads() == []
