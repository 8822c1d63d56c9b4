"""A new version has to answer in a fresh process as it did in training, or production stays."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ffn.bundles.bundle import read_bundle, write_bundle
from ffn.errors import BundleError, DataError
from ffn.promotion.verdict import Canary, Verdict
from ffn.scoring.canary import check_canary, try_version, write_canary
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline
from ffn.training import candidate_training, steps
from ffn.training.selection.model_selection import select_best

KINDS = ("red", '"a, b"', '"say ""x"""')
CSV = "p,kind,q,y\n" + "".join(
    f"{i / 7},{KINDS[i % 3] if i % 5 else ''},{i % 11 or 'NA'},{'uvw'[i % 3]}\n" for i in range(90)
)
VERDICT = Verdict(
    promote=True,
    reason="shown",
    mode="better",
    production=4,
    floors=(),
    calibration_error=0.0,
    columns={},
)


def train(folder: Path, table: str, **data):
    """A bundle, its table, and which rows were held out."""
    (folder / "t.csv").write_text(table)
    document = {
        "data": {"source": "t.csv", "target": "y", **data},
        "training": {"epochs": 3, "networks": 2},
        "optimizers": {"adam": {}},
    }
    pipeline = Pipeline(
        name="made",
        settings=check_settings(document, "pipeline.toml"),
        folder=folder,
        artifacts=folder / "artifacts",
    )
    dataset = steps.load(pipeline)
    held_out = steps.split(dataset, pipeline)
    prepared = steps.normalise(dataset, held_out, pipeline)
    candidate = candidate_training.train_candidate(prepared.training, pipeline, "adam")
    selection = select_best([candidate])
    refitted = steps.refit(prepared.training, pipeline, selection, [candidate])
    return refitted.bundle, dataset, held_out.held_out


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A bundle with numbers, texts and gaps."""
    return train(tmp_path_factory.mktemp("canary"), CSV)


@pytest.fixture
def version(trained, tmp_path):
    folder = tmp_path / "models" / "0001"
    (folder / "bundle").mkdir(parents=True)
    write_bundle(trained[0], folder / "bundle")
    return folder


def tried(version, trained, **limit: float) -> Verdict:
    bundle, dataset, held_out = trained
    return try_version(
        version, verdict=VERDICT, bundle=bundle, dataset=dataset, held_out=held_out, **limit
    )


def test_a_sound_version_passes_with_rows_of_every_class(version, trained) -> None:
    found = tried(version, trained)
    assert found == replace(VERDICT, canary=Canary(rows=9))
    with (version / "canary.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["p", "kind", "q"]
    held_out = {line[0] for line in csv.reader(CSV.splitlines()) if line[0] != "p"}
    assert {row[0] for row in rows} <= {repr(float(cell)) for cell in held_out}
    # Gaps and texts with commas and quotes are among them, or they would test nothing.
    assert any(not row[1] for row in rows)
    assert any("," in row[1] or '"' in row[1] for row in rows)


def test_the_answers_are_those_of_the_network_in_memory(version, trained) -> None:
    bundle, dataset, held_out = trained
    assert write_canary(version, bundle, dataset, held_out) == 9
    answers = json.loads((version / "canary.json").read_bytes())
    numeric, codes = dataset.arrays(bundle.schema)
    every = bundle.probabilities(bundle.preparation.transform(numeric, codes))
    for row in answers["probabilities"]:
        assert np.abs(every[held_out] - row).max(axis=1).min() < 1e-12
    check_canary(version)


def table(names: str, *cells) -> str:
    """Sixty rows of two classes; a cell is a text, or made from the row's number."""
    rows = [
        [*(cell if isinstance(cell, str) else str(cell(i)) for cell in cells), "uv"[i % 2]]
        for i in range(60)
    ]
    return "".join(",".join(row) + "\n" for row in [[*names.split(), "y"], *rows])


@pytest.mark.parametrize(
    ("rows", "data"),
    [
        (table("a kind", lambda i: i, lambda i: f"k{i}"), {"missing_values": ["", "?", "??"]}),
        (table("a b", lambda i: i, lambda i: -999 if i % 3 else i), {"missing_values": ["-999.0"]}),
        (table("a b", lambda i: i, lambda i: 1 + i % 2), {"missing_values": ["1.0", "01.0"]}),
        (table("a probability_u", lambda i: i, lambda i: i % 7), {}),
        (table("a kind", lambda i: i, lambda i: "longer"[: i % 3 + 2] * 50_000), {}),
    ],
    ids=["texts not trained on", "-999.0 is none", "1.0 is none", "a column as added", "long"],
)
def test_what_a_table_may_hold_keeps_no_sound_version_back(tmp_path: Path, rows, data) -> None:
    bundle, dataset, held_out = train(tmp_path, rows, **data)
    (tmp_path / "0001" / "bundle").mkdir(parents=True)
    write_bundle(bundle, tmp_path / "0001" / "bundle")
    found = tried(tmp_path / "0001", (bundle, dataset, held_out))
    assert found.canary == Canary(rows=6)


def test_a_confidence_alone_tells_another_network(tmp_path: Path) -> None:
    """Where a feature's name forbids probabilities."""
    bundle, dataset, held_out = train(tmp_path, table("probability_u", lambda i: i % 7))
    (tmp_path / "bundle").mkdir()
    write_canary(tmp_path, bundle, dataset, held_out)
    bundle.network.parameters[...] *= 0.5
    write_bundle(bundle, tmp_path / "bundle")
    with pytest.raises(BundleError, match=r"canary row 1 scores \['0\.\d+'\]; in training it was"):
        check_canary(tmp_path)


def test_a_damaged_bundle_keeps_production(version, trained) -> None:
    arrays = version / "bundle" / "arrays.safetensors"
    content = bytearray(arrays.read_bytes())
    content[-1] ^= 1
    arrays.write_bytes(content)
    found = tried(version, trained)
    assert not found.promote
    assert found.reason.startswith("its bundle failed in a fresh process: ")
    assert "SHA-256 differs" in found.reason
    assert found.canary is not None
    assert found.canary.problem in found.reason
    # The folder gets another name when the version is finished.
    assert found.canary.problem.startswith("bundle/arrays.safetensors: ")


def test_another_network_keeps_production(version, trained) -> None:
    """Sound in itself, and not the one that was trained."""
    bundle = trained[0]
    network = bundle.network.select([0])
    network.parameters[...] = -network.parameters
    shutil.rmtree(version / "bundle")
    (version / "bundle").mkdir()
    write_bundle(replace(bundle, network=network), version / "bundle")
    found = tried(version, trained)
    assert not found.promote
    assert "canary row 1 scores" in found.reason


def test_rows_that_are_refused_or_missing_fail(version, trained) -> None:
    write_canary(version, *trained)
    rows = (version / "canary.csv").read_text()
    (version / "canary.csv").write_text(rows.rpartition("\n")[0].rpartition("\n")[0] + "\n")
    with pytest.raises(BundleError, match=r"8 of 9 canary rows were scored"):
        check_canary(version)
    (version / "canary.csv").write_text(rows + "x,y,z\n")
    refused = r'canary\.csv row 10, column "p": "x" is rejected \(not_a_number\)\.$'
    with pytest.raises(BundleError, match=refused):
        check_canary(version)
    (version / "canary.csv").write_text(rows.replace("kind", "sort", 1))
    with pytest.raises(DataError, match=r'canary\.csv has no column "kind"'):
        check_canary(version)
    (version / "canary.csv").write_text(rows)
    (version / "canary.json").write_text("{}")
    with pytest.raises(BundleError, match=r"canary\.json: cannot be read"):
        check_canary(version)


def test_a_process_that_does_not_end_keeps_production(version, trained) -> None:
    found = tried(version, trained, seconds=0.01)
    assert not found.promote
    assert found.reason.endswith("it did not end within 0.01 seconds")


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (r'raise ImportError("broken\n\n")', "ImportError: broken"),
        (r"import sys; sys.stderr.write('\n'); sys.exit(3)", "exit code 3"),
        ("import sys; sys.exit(4)", "exit code 4"),
    ],
)
def test_a_process_that_fails_keeps_production_whatever_it_says(
    version, trained, monkeypatch, tmp_path, code, problem
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/numpy.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    found = tried(version, trained)
    assert not found.promote
    assert found.reason.endswith(problem)


def test_it_can_be_run_by_hand(version, trained, repository: Path) -> None:
    write_canary(version, *trained)
    command = [sys.executable, "-m", "ffn.scoring.canary", str(version)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert read_bundle(version / "bundle").sha256
