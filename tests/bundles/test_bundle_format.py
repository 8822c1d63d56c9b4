"""A bundle of format 1, made once and committed: whatever comes later has to read it."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import ffn
from ffn.bundles.bundle import read_bundle

GOLDEN = Path(__file__).parent / "golden"
BUNDLE = GOLDEN / "bundle-1"
# Of its manifest, which covers the other two files.
SHA256 = "8110029ea3db615d5629cc16280febe5c1c270e9c6d2287c8a2d7eb5ade6519e"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def by_hand(cells: dict[str, str]) -> list[float]:
    """A row's class probabilities as the format means them: scale, one-hot, ReLU, softmax, mean."""
    model = json.loads((BUNDLE / "model.json").read_bytes())
    arrays = safetensors.numpy.load((BUNDLE / "arrays.safetensors").read_bytes())
    features, gaps = model["schema"]["features"], set(model["schema"]["missing_values"])
    x: list[float] = []
    for i, name in enumerate(f["name"] for f in features if f["kind"] == "numeric"):
        value = arrays["fill"][i] if cells[name] in gaps else float(cells[name])
        x.append((value - arrays["mean"][i]) / arrays["scale"][i])
    for i, feature in enumerate(f for f in features if f["kind"] == "categorical"):
        cell = cells[feature["name"]]
        x += [float(cell == category) for category in feature["categories"]]
        x += [float(cell in gaps)] if arrays["has_missing"][i] else []
    shares = []
    for parameters in arrays["parameters"]:
        values, start = np.array(x), 0
        for n_in, n_out in zip(model["widths"], model["widths"][1:], strict=False):
            last = start + n_out * (n_in + 1) == len(parameters)
            layer = parameters[start : start + n_out * (n_in + 1)].reshape(n_out, n_in + 1)
            values = layer[:, :-1] @ values + layer[:, -1]
            values = values if last else np.maximum(values, 0)
            start += n_out * (n_in + 1)
        shares.append(np.exp(values) / np.exp(values).sum())
    return np.mean(shares, axis=0).tolist()


def test_the_files_are_those_of_the_day_they_were_made() -> None:
    assert hashlib.sha256((BUNDLE / "manifest.json").read_bytes()).hexdigest() == SHA256
    bundle = read_bundle(BUNDLE)
    assert bundle.sha256 == SHA256
    assert (bundle.pipeline, bundle.optimizer) == ("penguins", "sgd")
    assert bundle.schema.classes == ("Adelie", "Chinstrap", "Gentoo")
    assert len(bundle.network.parameters) == 3
    assert len(bundle.fingerprints) == 275


def test_it_scores_as_it_did(tmp_path: Path) -> None:
    ffn.load(BUNDLE).score_csv(GOLDEN / "birds.csv", tmp_path / "now.csv", probabilities=True)
    then, now = table(GOLDEN / "scored.csv"), table(tmp_path / "now.csv")
    assert len(now) == len(then) == 9
    for before, after in zip(then, now, strict=True):
        assert list(after) == list(before)
        for name, value in before.items():
            if name == "confidence" or name.startswith("probability_"):
                assert float(after[name]) == pytest.approx(float(value), abs=1.01e-4)
            else:
                assert after[name] == value


@pytest.mark.parametrize("row", table(GOLDEN / "scored.csv"), ids=lambda row: row["bird"])
def test_what_was_recorded_is_what_the_format_means(row: dict[str, str]) -> None:
    shares = [float(row[f"probability_{name}"]) for name in ("Adelie", "Chinstrap", "Gentoo")]
    assert shares == pytest.approx(by_hand(row), abs=0.6e-4)
