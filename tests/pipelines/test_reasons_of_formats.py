"""Reasons of a model whose columns are dates, truth values and texts, and its slices."""

from __future__ import annotations

import csv
import datetime
import json
import random
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ffn
from tests.helpers.command_line import run_here

FIRST = datetime.datetime(2024, 1, 1)
WORDS = ["pump", "belt", "noise", "screen", "cable", "motor", "valve", "fan"]
FASTER = {"epochs": "15", "networks": "2", "hidden_layers": "[8]", "student_layers": "[8]"}


def reports(n: int, seed: int) -> pd.DataFrame:
    """Late at weekends, later still where something leaks; a truth value that says nothing."""
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        when = FIRST + datetime.timedelta(minutes=draw.randrange(60 * 24 * 364))
        leaks = draw.random() < 0.5
        words = draw.choices(WORDS, k=4) + (["leaking badly"] if leaks else ["running fine"])
        late = draw.random() < (0.9 if leaks else 0.1)
        rows.append(
            (
                when.isoformat(),
                " ".join(words),
                draw.choice(["yes", "no"]),
                "late" if late else "done",
            )
        )
    return pd.DataFrame(rows, columns=["when", "note", "urgent", "state"])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("formats")
    reports(700, 1).to_csv(root / "reports.csv", index=False)
    told = ("init", "shop", "--from", root / "reports.csv", "--target", "state", "--root", root)
    assert run_here(told) == 0
    settings = root / "data/shop/pipeline.toml"
    text = settings.read_text()
    for key, value in FASTER.items():
        text, found = re.subn(rf"(?m)^{key} = \S.*?(?=\s+#)", f"{key} = {value}", text)
        assert found == 1, key
    settings.write_text(text)
    assert run_here(("retrain", "shop", "--direct", "--json", "--root", root)) == 0
    return root


def test_values_add_up_and_the_reference_is_in_the_words_of_the_table(root: Path) -> None:
    model = ffn.load(root / "artifacts/shop")
    rows = reports(20, 2).drop(columns="state")
    found = model.explain(rows)
    assert found.columns == ("when", "note", "urgent")
    np.testing.assert_allclose(
        found.base + found.values.sum(axis=1), found.probabilities, atol=1e-12
    )
    assert np.abs(found.values).mean(axis=0).argmax() == 1
    when = datetime.datetime.fromisoformat(str(found.reference["when"]))
    # The median of minutes drawn uniformly from 364 days.
    assert abs(when - (FIRST + datetime.timedelta(days=182))) < datetime.timedelta(days=30)
    assert found.reference["note"] is None
    assert str(found.reference["urgent"]).lower() in {"true", "false"}


def test_a_file_gets_the_reasons_of_the_rows_in_memory(root: Path) -> None:
    rows = reports(20, 3).drop(columns="state")
    rows.to_csv(root / "new.csv", index=False)
    output = root / "out.csv"
    told = ("score", "shop", root / "new.csv", "--direct", "--explain=1", "--output", output)
    assert run_here((*told, "--root", root)) == 0
    with output.open(newline="") as file:
        written = [(row["reason_1"], float(row["reason_1_value"])) for row in csv.DictReader(file)]
    model = ffn.load(root / "artifacts/shop")
    assert written == [own[0] for own in model.explain(rows).reasons(1)]
    manifest = json.loads((root / "out.csv.manifest.json").read_text())
    assert set(manifest["reasons"]["reference"]) == {"when", "note", "urgent"}


def test_slices_are_of_dates_and_truth_values(root: Path) -> None:
    metrics = json.loads((root / "artifacts/shop/models/0001/metrics.json").read_text())
    found = {one["column"] for one in metrics["examination"]["slices"]["slices"]}
    assert found == {"when", "urgent"}


def test_parts_have_the_reasons_of_files(root: Path) -> None:
    reports(20, 4).drop(columns="state").to_csv(root / "more.csv", index=False)
    told = ("score", "shop", root / "more.csv", "--direct", "--explain=1", "--root", root)
    assert run_here((*told, "--output", root / "one.csv")) == 0
    assert run_here((*told, "--partitioned", "--output", root / "parts")) == 0
    assert (root / "parts/part-00000.csv").read_text() == (root / "one.csv").read_text()
    one, parts = (
        json.loads((root / f"{name}.manifest.json").read_text())["reasons"]
        for name in ("one.csv", "parts")
    )
    assert parts == one
