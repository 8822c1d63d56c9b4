"""Training tables in a store: the bytes of files, fetched once, and never out of the cache."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pytest

from ffn.errors import DataError
from ffn.extraction.extracted_table import columns_of_table, extract_objects, extract_training_table
from ffn.extraction.joined_files import Dialect
from ffn.profiling.scaffold import create_pipeline
from ffn.registry.new_data import new_training_data, take_up
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline
from ffn.storage.cache import Cache
from ffn.training.tables.loading import load
from tests.helpers.retrained import bundle_bytes, made, run
from tests.object_store.conftest import Store

PLAIN = Dialect(",", ".", None)
TOML = """
[training]
epochs = 3
networks = 2
[optimizers.adam]
"""


def rows(first: int, count: int = 40) -> bytes:
    lines = [f"{n % 7},{n % 5}.5,{'a' if n % 7 < 3 else 'b'}" for n in range(first, first + count)]
    return ("\n".join(["x,z,y", *lines]) + "\n").encode()


def pipeline(folder: Path, source: str) -> Pipeline:
    document = {"data": {"source": source, "target": "y"}, **tomllib.loads(TOML)}
    return Pipeline(
        name="made",
        settings=check_settings(document, "pipeline.toml"),
        folder=folder,
        artifacts=folder / "artifacts" / "made",
    )


def text(source: str, folder: Path) -> str:
    return extract_objects(source, Cache(folder), PLAIN).path.read_text()


def test_the_same_table_gives_the_same_model(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    (tmp_path / "one").mkdir()
    (tmp_path / "many").mkdir()
    whole = rows(0) + rows(40).partition(b"\n")[2]
    local = run(made(tmp_path / "file", whole.decode(), TOML))
    store.put("t.csv", whole)
    store.put("h/1.csv", rows(0))
    store.put("h/2.csv", rows(40))
    one = run(pipeline(tmp_path / "one", store.address("t.csv")))
    many = run(pipeline(tmp_path / "many", store.address("h/*.csv")))
    expected = bundle_bytes(local, tmp_path / "a")
    assert bundle_bytes(one, tmp_path / "b") == expected
    assert bundle_bytes(many, tmp_path / "c") == expected
    assert one.prepared.source_sha256 == local.prepared.source_sha256
    assert [part.name for part in many.prepared.parts] == ["1.csv", "2.csv"]


def test_only_what_is_new_or_changed_is_fetched(store: Store, tmp_path: Path) -> None:
    store.put("h/1.csv", rows(0))
    store.put("h/2.csv", rows(40))
    source, cache = store.address("h/*.csv"), tmp_path / "cache"
    first = text(source, cache)
    kept = {path.name: path.stat().st_ino for path in (cache / ".objects").iterdir()}
    store.put("h/2.csv", rows(80))
    store.put("h/3.csv", rows(40))
    second = text(source, cache)
    after = {path.name: path.stat().st_ino for path in (cache / ".objects").iterdir()}
    # One of two stays as it was, and what was replaced is gone.
    assert len(after) == 3
    assert len(kept.items() & after.items()) == 1
    body = [part.decode().partition("\n")[2] for part in (rows(0), rows(80), rows(40))]
    assert second == "x,z,y\n" + "".join(body)
    assert first == "x,z,y\n" + body[0] + body[2]


@pytest.mark.parametrize("end", ["", "*"])
def test_what_is_taken_of_a_folder(end: str, store: Store, tmp_path: Path) -> None:
    for name in ("1.csv", "_SUCCESS", ".hidden.csv", "2.csv.tmp", "deep/3.csv"):
        store.put(f"h/{name}", rows(0))
    store.put("h/", b"")
    store.put("h/deep/", b"")
    if not end:
        store.put("h/note.txt", b"no table")
    assert text(store.address(f"h/{end}"), tmp_path) == rows(0).decode()


def test_partitions_are_columns(store: Store, tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1, 2], "y": ["a", "b"]})
    frame.to_parquet(tmp_path / "t.parquet")
    content = (tmp_path / "t.parquet").read_bytes()
    store.put("lake/year=2024/p.parquet", content)
    store.put("lake/year=2023/p.parquet", content)
    assert text(store.address("lake/"), tmp_path / "c") == (
        "x,y,year\n1,a,2023\n2,b,2023\n1,a,2024\n2,b,2024\n"
    )
    asked = pipeline(tmp_path, store.address("lake/"))
    assert columns_of_table(asked) == ("x", "y", "year")
    store.put("lake/p.parquet", content)
    with pytest.raises(DataError, match=rf"^{store.address('lake/p.parquet')}|name the columns"):
        text(store.address("lake/"), tmp_path / "c")


def test_errors_name_the_object_and_its_row(store: Store, tmp_path: Path) -> None:
    store.put("h/1.csv", rows(0))
    store.put("h/2.csv", b"x,z,y\n1,2,a\n1,2\n")
    source = store.address("h/*.csv")
    with pytest.raises(DataError, match=rf"^{store.address('h/2.csv')} row 2 ") as told:
        load(pipeline(tmp_path, source))
    assert str(tmp_path) not in str(told.value)
    store.put("h/2.csv", b"other,names,y\n1,2,a\n")
    with pytest.raises(DataError, match=rf"^{store.address('h/2.csv')} must have the columns of 1"):
        load(pipeline(tmp_path, source))
    store.put("t.csv", b"x,z,y\n1,2,a\n1,2\n")
    with pytest.raises(DataError, match=rf"^{store.address('t.csv')}") as told:
        load(pipeline(tmp_path, store.address("t.csv")))
    assert str(tmp_path) not in str(told.value)
    with pytest.raises(DataError, match=r"no object matches .*none/\*\.csv"):
        load(pipeline(tmp_path, store.address("none/*.csv")))
    with pytest.raises(DataError, match=r"/none/ holds no table"):
        load(pipeline(tmp_path, store.address("none/")))


@pytest.mark.parametrize(
    "name", ["..\\..\\evil.csv", "../../evil.csv", "a//evil.csv", "a\x01b.csv"]
)
def test_names_that_a_store_gives_never_lead_anywhere(
    name: str, store: Store, tmp_path: Path
) -> None:
    store.put(f"h/{name}", rows(0))
    with pytest.raises(DataError, match=r"has (a backslash|an empty part).*\. Rename it"):
        text(store.address("h/*"), tmp_path / "cache")
    assert not list(tmp_path.rglob("*evil*"))


def test_new_objects_start_a_retraining(store: Store, tmp_path: Path) -> None:
    store.put("h/1.csv", rows(0))
    asked = pipeline(tmp_path, store.address("h/*.csv"))
    found = new_training_data(asked)
    assert found is not None
    take_up(asked, found)
    assert new_training_data(asked) is None
    # The same bytes again have the same mark.
    store.put("h/1.csv", rows(0))
    assert new_training_data(asked) is None
    store.put("h/2.csv", rows(40))
    changed = new_training_data(asked)
    assert changed is not None
    assert changed.sha256 != found.sha256
    # As with files, what cannot be read is what a retraining reports.
    store.client.delete_object(Bucket=store.bucket, Key="h/1.csv")
    store.client.delete_object(Bucket=store.bucket, Key="h/2.csv")
    assert new_training_data(asked) is None


def test_a_new_pipeline_names_the_objects_and_copies_nothing(store: Store, tmp_path: Path) -> None:
    store.put("h/1.csv", rows(0, 80))
    source = store.address("h/*.csv")
    toml, _ = create_pipeline("far", source=source, target="y", root=tmp_path)
    assert tomllib.loads(toml.read_text())["data"]["source"] == source
    assert sorted(path.name for path in toml.parent.iterdir()) == ["inbox", "pipeline.toml"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_the_table_is_found_again_for_a_reproduction(store: Store, tmp_path: Path) -> None:
    store.put("h/1.csv", rows(0))
    asked = pipeline(tmp_path, store.address("h/*.csv"))
    table = extract_training_table(asked, Cache(tmp_path / "other"))
    assert (table.declared, [part.name for part in table.parts]) == (
        store.address("h/*.csv"),
        ["1.csv"],
    )
