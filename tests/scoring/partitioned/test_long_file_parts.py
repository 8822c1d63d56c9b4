"""A long file left in parts: together they are what a single process writes."""

import csv
import hashlib

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffn.errors import DataError, SettingsError
from ffn.scoring.score_file import score_csv
from ffn.storage.source import STDIN
from tests.helpers.scorers import REFERENCE, TenthsScorer
from tests.scoring.partitioned.lakes import content, manifest_of, published, score

MODEL = TenthsScorer(reference=REFERENCE)
RECORDS = st.sampled_from(
    [
        "1,7,red",
        "2,x,red",
        '"a\nb",3,blue',
        '"a""b\n1,2,red",3,blue',
        "",
        "5,2",
        'p"q,1,red',
        '"never closed,1,red',
        "6,4,green",
    ]
)


def joined(output, form="csv"):
    """The parts, one after another, with one header."""
    texts = [path.read_bytes() for path in sorted(output.glob(f"*.{form}"))]
    header = texts[0].partition(b"\n")[0] + b"\n"
    assert all(text.startswith(header) for text in texts)
    return header + b"".join(text.removeprefix(header) for text in texts)


def told(path, *, parts):
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    return [row[1:] for row in rows] if parts else rows


@settings(max_examples=25)
@given(records=st.lists(RECORDS, min_size=1, max_size=60), size=st.integers(20, 300))
def test_the_parts_are_the_whole(tmp_path_factory, records, size):
    folder = tmp_path_factory.mktemp("long")
    (folder / "in.csv").write_text("id,size,colour\n" + "\n".join(records), newline="")
    refusals = []
    for call in (
        lambda: score_csv(MODEL, folder / "in.csv", folder / "one.csv"),
        lambda: score(folder / "in.csv", folder / "parts", MODEL, part_bytes=size),
    ):
        try:
            refusals.append(call())
        except DataError as error:
            refusals.append(str(error).partition(" no output")[0])
    one, parts = refusals
    if isinstance(one, str):
        assert parts == one
        return
    assert joined(folder / "parts") == one.output.read_bytes()
    assert told(parts.rejects, parts=True) == told(one.rejects, parts=False)
    for name in ("rows", "scored", "rejected", "class_counts", "reject_reasons", "mean_confidence"):
        assert getattr(parts, name) == getattr(one, name)
    assert parts.drift.to_json() == one.drift.to_json()
    whole = (folder / "in.csv").read_bytes()
    entries, at = manifest_of(folder / "parts")["parts"], 0
    for entry in entries:
        digest = hashlib.sha256(whole[at : at + entry["input"]["bytes"]]).hexdigest()
        assert entry["input"]["sha256"] == digest
        at += entry["input"]["bytes"]
    assert at == len(whole)


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    path = tmp_path_factory.mktemp("file") / "in.csv"
    odd = {3: '"a\nb",7.5,red', 7: "x,7.5", 11: "\n1,2,3,", 13: "9,4,green"}
    lines = [odd.get(n % 1009, f"{n:06d},{n % 1013 / 100},blue") for n in range(12_000)]
    path.write_text("id,size,colour\n" + "\n".join(lines) + "\n", newline="")
    return path


def test_the_bytes_do_not_depend_on_the_number_of_processes(long, tmp_path):
    for workers in (1, 2):
        score(long, tmp_path / f"{workers}/out", MODEL, workers=workers, part_bytes=20_000)
    found = published(tmp_path / "1/out")
    assert found == published(tmp_path / "2/out")
    size = long.stat().st_size
    assert len([name for name in found if "part-" in name]) == -(-size // 20_000)


def test_parquet_parts_are_the_csv_parts_with_types(long, tmp_path):
    score(long, tmp_path / "csv", MODEL, part_bytes=100_000)
    score(long, tmp_path / "columns", MODEL, part_bytes=100_000, partitioned="parquet")
    assert told(tmp_path / "csv.rejects.csv", parts=True) == told(
        tmp_path / "columns.rejects.csv", parts=True
    )
    labels = pq.read_table(tmp_path / "columns")["predicted_kind"].to_pylist()
    with (tmp_path / "one.csv").open("wb") as file:
        file.write(joined(tmp_path / "csv"))
    with (tmp_path / "one.csv").open(newline="") as file:
        assert labels == [row["predicted_kind"] for row in csv.DictReader(file)]


def test_the_same_file_is_not_scored_again_and_another_is(long, tmp_path):
    (tmp_path / "in.csv").write_bytes(long.read_bytes())
    output = tmp_path / "out"
    score(tmp_path / "in.csv", output, MODEL, part_bytes=100_000)
    assert score(tmp_path / "in.csv", output, MODEL, part_bytes=100_000).unchanged
    (tmp_path / ".out.ffn-stamps").unlink()
    assert score(tmp_path / "in.csv", output, MODEL, part_bytes=100_000).unchanged
    # Shorter: there are fewer parts, and none of the old ones is left.
    (tmp_path / "in.csv").write_text("id,size,colour\n1,2,red\n")
    result = score(tmp_path / "in.csv", output, MODEL, part_bytes=100_000)
    assert (result.rows, [path.name for path in output.iterdir()]) == (1, ["part-00000.csv"])
    (tmp_path / "in.csv").write_bytes(long.read_bytes())
    score(tmp_path / "in.csv", output, MODEL, part_bytes=100_000)
    score(long, tmp_path / "fresh", MODEL, part_bytes=100_000)
    assert content(output)[0].keys() == {
        name.replace("fresh", "out") for name in content(tmp_path / "fresh")[0]
    }
    assert joined(output) == joined(tmp_path / "fresh")


def test_standard_input_has_no_parts(tmp_path):
    with pytest.raises(SettingsError, match="standard input cannot be scored in parts"):
        score(STDIN, tmp_path / "out")
