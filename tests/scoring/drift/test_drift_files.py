"""Penguins as they were, in centimetres, with columns exchanged: what is said before output."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ffn.bundles.bundle import Bundle, read_bundle, write_bundle
from ffn.errors import DataError
from ffn.scoring.drift.drift_report import HeldError
from ffn.scoring.parallel import split_file
from ffn.scoring.parallel.split_file import score_in_parts
from ffn.scoring.score_file import score_csv
from ffn.settings.document import check_settings
from ffn.settings.pipeline import find_pipeline
from ffn.training import candidate_training, steps
from ffn.training.selection.model_selection import select_best

CM = '"flipper_length_mm" looks 10 times too small: cm instead of mm?'
BILLS = ("bill_length_mm", "bill_depth_mm")


@pytest.fixture(scope="module")
def birds(repository: Path) -> pd.DataFrame:
    return pd.read_csv(repository / "data/penguins/train.csv", keep_default_na=False, dtype=str)


@pytest.fixture(scope="module")
def bundle(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """What a quick retraining of the penguins writes, read again."""
    folder = tmp_path_factory.mktemp("penguins")
    shipped = find_pipeline("penguins", repository)
    document: dict[str, Any] = shipped.settings.model_dump(mode="json", exclude_none=True)
    document["training"] |= {"networks": 2, "epochs": 10}
    document["optimizers"] = {"adam": {}}
    pipeline = replace(
        shipped, settings=check_settings(document, "pipeline.toml"), artifacts=folder / "artifacts"
    )
    dataset = steps.load(pipeline)
    prepared = steps.normalise(dataset, steps.split(dataset, pipeline), pipeline)
    candidate = candidate_training.train_candidate(prepared.training, pipeline, "adam")
    chosen = select_best([candidate])
    refitted = steps.refit(prepared.training, pipeline, chosen, [candidate])
    evaluation = steps.evaluate(refitted, prepared, pipeline)
    reference = replace(prepared.reference, predicted=evaluation.predicted)
    write_bundle(replace(refitted.bundle, reference=reference), folder)
    return read_bundle(folder)


def centimetres(birds: pd.DataFrame) -> pd.DataFrame:
    return birds.assign(
        flipper_length_mm=[f"{float(v) / 10:g}" if v not in ("", "NA") else v
                           for v in birds["flipper_length_mm"]]
    )  # fmt: skip


def exchanged(birds: pd.DataFrame) -> pd.DataFrame:
    return birds.rename(columns=dict(zip(BILLS, reversed(BILLS), strict=True)))


def scored(model: Bundle, rows: pd.DataFrame, folder: Path, **options: Any):
    source = folder / "birds.csv"
    rows.to_csv(source, index=False)
    return score_csv(model, source, folder / "out" / "birds.csv", **options)


def test_the_reference_tells_the_training_part(bundle: Bundle, birds: pd.DataFrame) -> None:
    reference = bundle.reference
    assert reference is not None
    held_out = len(birds) - len(bundle.fingerprints)
    assert sum(reference.labels) == len(bundle.fingerprints)
    assert sum(reference.predicted) == held_out
    assert {own.rows for own in (*reference.numeric, *reference.categorical)} == {
        len(bundle.fingerprints)
    }
    means = [own.mean for own in reference.numeric]
    # The preparation fills gaps with medians first.
    assert means == pytest.approx(bundle.preparation.mean, rel=1e-3)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rows", [30, 344])
def test_penguins_drawn_again_raise_no_alarm(bundle, birds, tmp_path, rows, seed) -> None:
    drawn = birds.sample(rows, replace=True, random_state=seed)
    result = scored(bundle, drawn, tmp_path)
    assert result.drift.judged
    assert not result.drift.detected
    assert result.drift.sentence == ""
    assert result.drift.suspicions == ()


@pytest.mark.parametrize("rows", [60, 344])
def test_centimetres_are_told_and_the_output_is_written(bundle, birds, tmp_path, rows) -> None:
    result = scored(bundle, centimetres(birds).sample(rows, random_state=1), tmp_path)
    assert result.drift.drifted == ("flipper_length_mm",)
    assert result.drift.suspicions == (CM,)
    assert result.drift.sentence.startswith('unlike training: "flipper_length_mm" (PSI ')
    assert result.output.exists()
    manifest = json.loads(result.manifest.read_bytes())
    told = manifest["drift"]
    assert (told["detected"], told["judged"], told["suspicions"]) == (True, True, [CM])
    column = told["columns"]["flipper_length_mm"]
    assert column["alarm"]
    # All lie below the lowest decile, where a tenth of training's lay.
    assert column["total_variation"] == pytest.approx(0.9, abs=0.03)
    values = pd.to_numeric(birds["flipper_length_mm"], errors="coerce")
    # Whoever counts them, these are the same.
    alone = scored(bundle, centimetres(birds).sample(rows, random_state=1), tmp_path, drift="off")
    outside = json.loads(alone.manifest.read_bytes())["out_of_range"]
    assert outside == manifest["out_of_range"]
    assert outside["flipper_length_mm"] > 0.9 * rows
    # Training's is of four rows in five, the file's of a sample.
    assert column["shift"] == pytest.approx(-0.9 * values.mean() / values.std(), rel=0.05)


def test_a_shift_in_deviations_of_next_to_nothing_is_not_told(bundle, birds, tmp_path):
    first, *others = bundle.reference.numeric
    numeric = (replace(first, deviation=5e-324), *others)
    model = replace(bundle, reference=replace(bundle.reference, numeric=numeric))
    told = {column.name: column.shift for column in scored(model, birds, tmp_path).drift.columns}
    bills = [told[name] for name in BILLS]
    assert bills == [None, pytest.approx(0, abs=0.3)]


def test_exchanged_bills_are_held_and_nothing_but_rejects_is_written(bundle, birds, tmp_path):
    before = scored(bundle, birds, tmp_path)
    content = before.output.read_bytes()
    message = r"held, unlike training: .*columns \"bill_length_mm\" and \"bill_depth_mm\" look exch"
    with pytest.raises(HeldError, match=message) as held:
        scored(bundle, exchanged(birds), tmp_path, drift="hold")
    assert isinstance(held.value, DataError)
    assert before.output.read_bytes() == content
    assert before.rejects.exists()
    assert not before.manifest.exists()
    # It may come from another process.
    again = pickle.loads(pickle.dumps(held.value))
    assert (str(again), again.report) == (str(held.value), held.value.report)
    assert scored(bundle, exchanged(birds), tmp_path, drift="off").drift is None


@pytest.mark.parametrize("rows", [60, 344])
def test_exchanged_categories_are_named(bundle, birds, tmp_path, rows) -> None:
    wrong = birds.rename(columns={"sex": "island", "island": "sex"})
    drift = scored(bundle, wrong.sample(rows, random_state=2), tmp_path).drift
    assert sorted(drift.drifted) == ["island", "sex"]
    assert drift.suspicions == ('columns "island" and "sex" look exchanged',)
    assert drift.sentence.endswith("; " + drift.suspicions[0])
    new = scored(bundle, birds.assign(island="Mars", sex="none"), tmp_path).drift
    assert sorted(new.drifted) == ["island", "sex"]
    assert new.suspicions == ()


def test_a_clean_file_passes_where_others_are_held(bundle, birds, tmp_path) -> None:
    result = scored(bundle, birds, tmp_path, drift="hold")
    assert not result.drift.detected
    again = scored(bundle, birds, tmp_path, drift="hold")
    assert again.unchanged
    assert again.drift.to_json() == result.drift.to_json()


def test_few_rows_and_a_higher_threshold_are_no_alarm(bundle, birds, tmp_path) -> None:
    wrong = centimetres(birds)
    few = scored(bundle, wrong.head(29), tmp_path).drift
    assert (few.judged, few.detected) == (False, False)
    assert few.columns[0].distance.psi >= 0
    assert not scored(bundle, wrong, tmp_path, drift_psi=50.0).drift.detected


def test_new_categories_gaps_and_one_species_are_told(bundle, birds, tmp_path) -> None:
    island = birds.assign(island="Dream").assign(island=lambda t: ["Mars"] * 100 + ["Dream"] * 244)
    report = scored(bundle, island, tmp_path).drift
    assert report.columns[0].name == "island"
    assert report.columns[0].unseen == pytest.approx(100 / 344)
    assert "island" in report.drifted
    gaps = scored(bundle, birds.assign(sex=[""] * 200 + ["male", "female"] * 72), tmp_path).drift
    (sex,) = [column for column in gaps.columns if column.name == "sex"]
    assert sex.alarm
    assert sex.missing == pytest.approx(200 / 344)
    one = scored(bundle, birds[birds["species"] == "Gentoo"], tmp_path).drift
    assert one.predictions is not None
    assert one.predictions.alarm
    assert "the predicted classes (PSI" in one.sentence


def test_a_bundle_without_reference_scores_to_the_same_bytes(bundle, birds, tmp_path) -> None:
    new = scored(bundle, birds, tmp_path)
    content = new.output.read_bytes()
    old = scored(replace(bundle, reference=None), birds, tmp_path, force=True)
    assert old.drift is None
    assert old.output.read_bytes() == content
    assert json.loads(old.manifest.read_bytes())["drift"] is None


def test_parts_in_processes_count_what_one_process_does(bundle, birds, tmp_path, monkeypatch):
    in_parts = partial(
        score_in_parts,
        least_bytes=0,
        part_bytes=(5_000, 5_000),
        has_started=lambda process: process.result() > 0,
    )
    monkeypatch.setattr(split_file, "score_in_parts", in_parts)
    rows = pd.concat([birds, centimetres(birds)])
    alone = scored(bundle, rows, tmp_path)
    content = alone.manifest.read_bytes()
    parts = scored(bundle, rows, tmp_path, workers=2, force=True)
    assert parts.manifest.read_bytes() == content
    assert parts.drift == alone.drift
