"""Labels are joined to predictions in parts as to those in a single file."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ffn
from ffn.monitoring.record.scored_parts import tables_of
from ffn.scoring.partitioned.score_dataset import score_dataset
from tests.helpers.scorers import TenthsScorer
from tests.monitoring.conftest import SETTINGS, Row, change_settings, counts, rows, scored, write
from tests.scoring.partitioned.lakes import write_lake

NEW = rows(120, 50, first=2000)


def put_parts(root: Path, form: str = "csv") -> Path:
    """Write the new rows as three files in a folder."""
    folder = root / "lake"
    folder.mkdir(exist_ok=True)
    for number in range(3):
        part = write(folder / f"{number}.csv", NEW[40 * number : 40 * number + 40], "id p q")
        if form == "parquet":
            pd.read_csv(part).to_parquet(part.with_suffix(".parquet"))
            part.unlink()
    return folder


def evaluated(root: Path, found: Any = NEW) -> Any:
    return ffn.evaluate("flow", write(root / "labels.csv", found, "id y"), root=root)


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("probabilities", [False, True])
def test_the_figures_are_those_of_one_file(root: Path, form: str, probabilities: bool) -> None:
    alone = Path(shutil.copytree(root, root.with_name("alone")))
    whole = write(alone / "new.csv", NEW, "id p q")
    ffn.score("flow", whole, root=alone, probabilities=probabilities)
    expected = evaluated(alone).quality
    done = ffn.score(
        "flow",
        put_parts(root, form),
        root=root,
        partitioned="same",
        probabilities=probabilities,
    )
    assert done.not_taken_up == ()
    found = evaluated(root)
    assert counts(found.deliveries[0]) == {"joined": 120}
    assert found.quality.figures == expected.figures


def test_a_long_file_in_parts(root: Path) -> None:
    whole = write(root / "new.csv", NEW, "id p q")
    ffn.score("flow", whole, root=root, partitioned="parquet")
    assert counts(evaluated(root).deliveries[0]) == {"joined": 120}


def test_parts_count_once_and_new_ones_are_added(root: Path) -> None:
    folder = put_parts(root)
    (folder / "2.csv").unlink()
    ffn.score("flow", folder, root=root, partitioned="same")
    assert counts(evaluated(root).deliveries[0]) == {"joined": 80, "unscored": 40}
    put_parts(root)
    ffn.score("flow", folder, root=root, partitioned="same")
    ffn.score("flow", folder, root=root, partitioned="same", force=True)
    quality = ffn.evaluate("flow", root=root).quality
    assert quality is not None
    # The third part was scored only after its labels had come.
    assert [week.scored for week in quality.weeks] == [120]
    assert quality.figures is not None
    assert quality.figures.rows == 80


def test_parts_that_were_scored_before_are_found_later(root: Path, tmp_path: Path) -> None:
    toml = root / "data/flow/pipeline.toml"
    text = toml.read_text()
    toml.write_text(text.replace('[outcomes]\nid = "id"\n', ""))
    ffn.score("flow", put_parts(root), root=root, partitioned="same")
    toml.write_text(text)
    assert counts(evaluated(root).deliveries[0]) == {"joined": 120}


def test_a_part_that_was_edited_is_told_and_the_others_count(root: Path) -> None:
    toml = root / "data/flow/pipeline.toml"
    text = toml.read_text()
    toml.write_text(text.replace('[outcomes]\nid = "id"\n', ""))
    ffn.score("flow", put_parts(root), root=root, partitioned="same")
    toml.write_text(text)
    part = root / "artifacts/flow/predictions/lake/1.csv"
    part.write_text(part.read_text().replace("r2040,", "r2999,"))
    found = evaluated(root)
    assert counts(found.deliveries[0]) == {"joined": 80, "unscored": 40}
    (trouble,) = found.troubles
    assert trouble.startswith(f"{part} was changed since it was scored")
    part.unlink()
    (trouble,) = ffn.evaluate("flow", root=root).troubles
    assert trouble.startswith(f"{part} is gone")
    manifest = root / "artifacts/flow/predictions/lake.manifest.json"
    manifest.write_text(json.dumps({"parts": [{"name": "../x"}]}))
    (trouble,) = ffn.evaluate("flow", root=root).troubles
    assert trouble == f"{manifest} is not the manifest of scored parts. Remove it."


def test_what_is_wrong_with_the_manifest_of_parts_is_told_once(root: Path) -> None:
    change_settings(root, '[outcomes]\nid = "id"\n', "")
    ffn.score("flow", put_parts(root), root=root, partitioned="same")
    (root / "data/flow/pipeline.toml").write_text(SETTINGS)
    path = root / "artifacts/flow/predictions/lake.manifest.json"
    whole = path.read_text()

    def troubles(**changes: Any) -> list[str]:
        path.write_text(json.dumps(json.loads(whole) | changes))
        return list(ffn.evaluate("flow", root=root).troubles)

    damaged = [f"{path} is not the manifest of scored parts. Remove it."]
    assert troubles(model_version="1") == damaged
    assert troubles(options={}) == damaged
    assert troubles(target=None) == damaged
    parts = json.loads(whole)["parts"]
    assert troubles(parts=[{k: v for k, v in parts[0].items() if k != "scored"}]) == damaged
    assert troubles(pipeline="other") == [f"{path} is of the pipeline other. Remove it."]
    assert troubles() == []


@pytest.mark.parametrize(
    "changes", [{"options": {}}, {"files": {}}, {"files": {"output": {"sha256": 1}}}]
)
def test_a_damaged_manifest_of_a_file_is_told(root: Path, changes: dict[str, Any]) -> None:
    change_settings(root, '[outcomes]\nid = "id"\n', "")
    output = scored(root, NEW)
    (root / "data/flow/pipeline.toml").write_text(SETTINGS)
    path = output.with_name(f"{output.name}.manifest.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    (trouble,) = ffn.evaluate("flow", root=root).troubles
    assert trouble == f"{path} is not the manifest of a scored table. Remove it."


def test_a_part_was_scored_when_its_file_was_written(root: Path) -> None:
    ffn.score("flow", put_parts(root), root=root, partitioned="same")
    record = root / "artifacts/flow/outcomes"
    shutil.rmtree(record)
    part = root / "artifacts/flow/predictions/lake/0.csv"
    week = 7 * 24 * 3600
    os.utime(part, (part.stat().st_mtime - week,) * 2)
    quality = evaluated(root).quality
    assert [found.scored for found in quality.weeks] == [40, 80]


def test_a_part_whose_input_is_gone_is_of_the_version_that_scored_it(tmp_path: Path) -> None:
    lake = write_lake(tmp_path / "lake", {f"{n}.csv": "id,size,colour\n1,7,red\n" for n in "ab"})
    score_dataset(TenthsScorer(), lake, tmp_path / "scored")
    (lake / "a.csv").unlink()
    score_dataset(TenthsScorer(version=8, sha256="cd" * 32), lake, tmp_path / "scored")
    found = tables_of(tmp_path / "scored.manifest.json")
    assert {one.name: one.manifest["model_version"] for one in found} == {
        "scored/a.csv": TenthsScorer().version,
        "scored/b.csv": 8,
    }


def test_rows_of_parts_are_appended_to_the_history(root: Path) -> None:
    toml = root / "data/flow/pipeline.toml"
    toml.write_text(toml.read_text().replace('id = "id"', 'id = "id"\nappend = "history"'))
    before = (root / "data/flow/train.csv").read_text().splitlines()
    ffn.score("flow", put_parts(root), root=root, partitioned="same")
    found = evaluated(root)
    after = (root / "data/flow/train.csv").read_text().splitlines()
    assert found.history is not None
    assert after[: len(before)] == before
    assert sorted(after[len(before) :]) == sorted(",".join(row) for row in NEW)


def test_what_the_folders_name_is_a_column_of_their_rows(tmp_path: Path) -> None:
    """Rows that the version was trained on are recognised by all columns, of folders, too."""
    pipeline = tmp_path / "data/flow"
    known = rows(300, 1)
    for band in ("low", "high"):
        (pipeline / f"lake/band={band}").mkdir(parents=True)
        (tmp_path / f"new/band={band}").mkdir(parents=True)

        def own(found: Sequence[Row], band: str = band) -> list[Row]:
            return [row for row in found if (float(row[2]) > 1) == (band == "high")]

        write(pipeline / f"lake/band={band}/train.csv", own(known), "id p y")
        write(tmp_path / f"new/band={band}/more.csv", own([*known, *NEW]), "id p")
    (pipeline / "pipeline.toml").write_text(SETTINGS.replace('"train.csv"', '"lake"'))
    ffn.retrain("flow", root=tmp_path)
    ffn.score("flow", tmp_path / "new", root=tmp_path, partitioned="same")
    found = evaluated(tmp_path, [*known, *NEW])
    # A fifth of the training table was held out.
    assert counts(found.deliveries[0]) == {"joined": 180, "trained_on": 240}
