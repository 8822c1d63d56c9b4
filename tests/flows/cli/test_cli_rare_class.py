"""A class that the model never finds: said first, wherever anything is said of the model."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ffn.reports.status_page import read_status, status_markdown
from ffn.settings.pipeline import find_pipeline
from tests.helpers.report_inputs import render

SETTINGS = """
[data]
source = "train.csv"
target = "outcome"

[network]
hidden_layers = [4]

[training]
epochs = 5
networks = 2

[optimizers.adam]
learning_rate = 0.01
"""
MISSED = 'finds 0 of the 20 held-out rows of "bad", which it never predicts'


@pytest.fixture
def loans(tmp_path):
    """One row in twenty is bad, and the features say little of which."""
    rng = np.random.default_rng(3)
    bad = np.arange(2_000) % 20 == 0
    x = rng.normal(size=(2_000, 2)) + 0.8 * bad[:, None]
    names = np.where(bad, "bad", "good")
    lines = [f"{a:.3f},{b:.3f},{name}" for (a, b), name in zip(x, names, strict=True)]
    folder = tmp_path / "data/loans"
    folder.mkdir(parents=True)
    (folder / "train.csv").write_text("\n".join(["income,debt,outcome", *lines, "1,2,"]) + "\n")
    (folder / "pipeline.toml").write_text(SETTINGS)
    return tmp_path


def test_it_is_said_first(ffn, loans):
    root = ("--root", loans)
    warning = f"Warning: version 1 {MISSED}."
    done = ffn("retrain", "loans", "--direct", *root)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == warning
    (ranking,) = [line for line in lines if line.startswith("ROC-AUC ")]
    # It knows something of the bad ones all the same.
    assert 0.6 < float(ranking.split()[1]) < 0.9
    assert 'average precision of "bad" 0.' in ranking
    assert "(by chance 0.050), balanced accuracy 0.500 [" in ranking
    assert any(line.split()[:2] == ["20", "0.000"] and line.endswith(" bad") for line in lines)
    assert "1 of 2,001 rows have no label" in done.out

    said = ffn("status", "loans", *root).out
    assert said.startswith(f"loans: warning: {MISSED}; version 1 of 1 in production")
    page = status_markdown(read_status(find_pipeline("loans", loans)))
    assert render(page).text.strip().startswith(f"warning: {MISSED}; version 1 of 1")
    for command in (("models", "loans"), ("compare", "loans", "1", "1"), ("promote", "loans", "1")):
        assert " ".join(ffn(*command, *root).out.split()).startswith(warning)
    one = " ".join(ffn("models", "loans", "1", *root).out.split())
    assert one.startswith(f"loans, version 1: in production; warning: {MISSED}")
    assert 'average precision of "bad" 0.' in one

    folder = loans / "artifacts/loans"
    card = (folder / "models/0001/model_card.md").read_text().splitlines()
    assert card[2].startswith("**Warning: this version finds 0 of the 20 held-out rows of ")
    html = render((folder / "reports/0001/report.html").read_text()).text
    body = " ".join(html.split())
    assert body.index(warning) < body.index("Version 1 is promoted")

    for command in (("status", "loans"), ("models", "loans"), ("promote", "loans", "1")):
        assert json.dumps(MISSED) in ffn(*command, "--json", *root).out
    listed = json.loads(ffn("models", "loans", "--json", *root).out)["versions"][0]
    recorded = json.loads((folder / "models/0001/metrics.json").read_bytes())["test"]
    for figure in ("auc", "average_precision", "balanced_accuracy"):
        assert listed["held_out"][figure] == recorded[figure]
    assert json.loads((folder / "models/0001/verdict.json").read_bytes())["missed"] == MISSED

    # A floor keeps such a version back.
    settings = loans / "data/loans/pipeline.toml"
    settings.write_text(f"{SETTINGS}\n[gate]\nmin_balanced_accuracy = 0.6\n")
    # A version that is in production is not trained again for a gate that changed.
    kept = ffn("retrain", "loans", "--direct", "--force", *root).out
    assert "balanced accuracy is 0.500, and gate.min_balanced_accuracy is 0.6" in kept
