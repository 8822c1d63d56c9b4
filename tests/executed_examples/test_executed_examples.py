"""Every example runs from its first cell to its last, and shows what its prose says.

Outside the normal suite, since an example shows what other tests test already, and takes seconds:
``make examples``.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from examples.notebooks.cells import notebook_bytes, read_code
from examples.notebooks.sources import EXAMPLES, percent_cells

ROOT = EXAMPLES.parent

Run = Callable[[str], tuple[dict[str, Any], str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the cells of an example's notebook; return what they leave and what they print."""

    def cells(name: str) -> tuple[dict[str, Any], str]:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        monkeypatch.chdir(ROOT / "docs")
        notebook = notebook_bytes(
            percent_cells((EXAMPLES / f"{name}.py").read_text("utf-8")), ROOT / "build/notebooks"
        )
        names: dict[str, Any] = {"__name__": "__main__"}
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            for number, code in enumerate(read_code(notebook)):
                exec(compile(code, f"{name}, cell {number}", "exec"), names)
        return names, printed.getvalue()

    return cells


def test_the_estimator_is_compared_honestly(run: Run) -> None:
    names, printed = run("estimator")
    # The last rows chose nothing: the search has not seen them.
    assert len(names["x_train"]) + len(names["x_test"]) == 569
    assert names["search"].best_estimator_[0].n_samples_seen_ == len(names["x_train"])
    assert names["low"] < names["difference"].mean() < names["high"]
    verdict = "Not shown to differ" if names["low"] <= 0 <= names["high"] else "is shown to be"
    assert verdict in printed.splitlines()[-1]


def test_a_pipeline_goes_from_a_csv_to_its_status(run: Run) -> None:
    names, printed = run("scheduled_pipeline")
    assert "retrain  cron 0 3 * * * in UTC" in printed
    assert "Version 1 is promoted" in printed
    assert "unchanged, skipped" in printed
    assert "1 file scored with version 1: 84 of 84 rows." in printed
    assert "0 files scored" in printed
    assert "84 of 84 rows with labels joined" in printed
    assert "inbox    1 scored, 0 waiting" in printed
    # Of 344 penguins about 150 are of the most frequent species.
    assert names["accuracy"] > 0.9
    assert f"realised accuracy {names['accuracy']:.3f} [" in printed


def test_an_audit_finds_everything_and_notices_a_bit(run: Run) -> None:
    names, printed = run("version_audit")
    assert names["code"] == 1
    assert "no damage found" in printed
    assert "same digest" in printed
    assert "arrays.safetensors has another SHA-256 than files.json says" in printed
    assert printed.splitlines()[-1].count("the bundle is damaged") == 1


def test_a_challenger_is_kept_back(run: Run) -> None:
    names, printed = run("credit_story")
    first, second, third = (names[one].version.verdict for one in ("first", "second", "third"))
    assert (first.promote, second.promote, third.promote) == (True, True, False)
    assert "scoring now: version 2" in printed
    model = names["ffn"].load(names["root"] / "artifacts/credit")
    features = {feature.name for feature in model.scorer.schema.features}
    assert len(features) == 17
    assert not features & set(names["not_used"])
    # What the prose says of costs and accuracy.
    assert names["costs"]["cost"]["value"] < names["costs"]["argmax_cost"]["value"]
    assert names["figures"]["test"]["accuracy"]["value"] < 0.7
    assert names["costs"]["argmax_recalls"][0]["value"] < 0.5
