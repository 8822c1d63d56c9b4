"""Labels are joined to predictions that were written into a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffn.monitoring.record.taking_up import deliver, take_up_objects
from ffn.object_stores.object_address import as_path, require_object
from ffn.scoring.score_file import score_csv
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline
from ffn.storage.source import open_source
from tests.helpers.scorers import TenthsScorer
from tests.object_store.conftest import Store

ROWS = b"id,size,colour\n1,7,red\n2,9,blue\n3,2,\n"


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    document = {"data": {"source": "t.csv", "target": "kind"}, "outcomes": {"id": "id"}}
    folder = tmp_path / "data"
    folder.mkdir()
    return Pipeline(
        name="things",
        settings=check_settings(document, "pipeline.toml"),
        folder=folder,
        artifacts=tmp_path / "artifacts",
    )


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.csv.gz"])
def test_labels_are_joined_to_what_is_in_a_store(
    store: Store, pipeline: Pipeline, tmp_path: Path, name: str
) -> None:
    store.put("in.csv", ROWS)
    output = require_object(as_path(store.address(f"out/{name}")))
    score_csv(TenthsScorer(), as_path(store.address("in.csv")), output)
    assert take_up_objects(pipeline, [output]) == []
    # What is known is not taken up again.
    assert take_up_objects(pipeline, [output]) == []
    labels = tmp_path / "labels.csv"
    labels.write_text("id,kind\n1,small\n2,small\n4,large\n")
    with open_source(labels) as stream:
        found = deliver(pipeline, stream, "labels.csv")
    assert (found.joined, found.unscored, found.waiting) == (2, 1, 1)
    # Copies are gone; the record alone is left.
    assert {path.name for path in (tmp_path / "artifacts/outcomes").iterdir()} <= {
        ".lock",
        "record.sqlite",
    }


def test_what_is_gone_is_told_and_the_others_are_taken_up(store: Store, pipeline: Pipeline) -> None:
    store.put("in.csv", ROWS)
    outputs = [require_object(as_path(store.address(f"{n}.csv"))) for n in "ab"]
    for output in outputs:
        score_csv(TenthsScorer(), as_path(store.address("in.csv")), output)
    store.client.delete_object(Bucket=store.bucket, Key="a.csv")
    (told,) = take_up_objects(pipeline, outputs)
    assert told.startswith(f"{outputs[0]} does not exist.")
    assert "copy output and manifest into the pipeline's folder of predictions" in told
    assert "\n" not in told


def test_what_is_wrong_with_an_object_names_the_object(store: Store, pipeline: Pipeline) -> None:
    store.put("in.csv", ROWS)
    output = require_object(as_path(store.address("out/a.csv")))
    score_csv(TenthsScorer(), as_path(store.address("in.csv")), output)
    store.put("out/a.csv", store.get("out/a.csv").replace(b"small", b"large"))
    (told,) = take_up_objects(pipeline, [output])
    assert told.startswith(f"{output} was changed since it was scored")
