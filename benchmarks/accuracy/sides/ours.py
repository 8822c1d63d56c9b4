"""Ours as a user gets it: ``ffn init``, ``ffn retrain``, ``ffn score``; one setting is changed.

A retraining holds out a fifth of its table for its own final figures. Here the final figures come
from another file, so it holds out a hundredth: all sides learn from (nearly) the same rows.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["DisagreementError", "check_written", "ours"]

Array = npt.NDArray[Any]

_ROW = "row of the benchmark"
# They are written with four decimals.
_ROUNDING = 0.5e-4 + 1e-9


class DisagreementError(Exception):
    """The command wrote other probabilities than the model in memory has."""


def ours(train: Path, test: Path) -> tuple[list[str], Array, int]:
    """Return the classes, probabilities [n_test, C], and how many rows were rejected.

    They are those of the model in production, loaded as in a notebook; the command writes them
    rounded, and is held to them. A row that the command rejects, for a missing value where
    training had none, gets the shares of the classes in training.
    """
    with TemporaryDirectory(prefix="ffn-accuracy-") as folder:
        root = Path(folder)
        inputs = pd.read_csv(test, dtype=str, keep_default_na=False).drop(columns="label")
        inputs.assign(**{_ROW: np.arange(len(inputs))}).to_csv(root / "test.csv", index=False)
        written = root / "labelled.csv"
        _ffn(root, "init", "table", "--from", str(train), "--target", "label")
        _hold_out_less(root / "data" / "table" / "pipeline.toml")
        _ffn(root, "retrain", "table", "--direct")
        options = ("--direct", "--probabilities", "--output", str(written))
        _ffn(root, "score", "table", str(root / "test.csv"), *options)
        return _answers(root / "artifacts" / "table", train, inputs, written)


def _hold_out_less(settings: Path) -> None:
    text = settings.read_text("utf-8")
    changed = text.replace("test_share = 0.2 ", "test_share = 0.01 ", 1)
    if changed == text:
        raise ValueError(f"{settings} has no line test_share = 0.2")
    settings.write_text(changed, "utf-8")


def _answers(
    artifacts: Path, train: Path, inputs: pd.DataFrame, written: Path
) -> tuple[list[str], Array, int]:
    import ffn

    model = ffn.load(artifacts)
    classes = [str(label) for label in model.classes_]
    labelled = pd.read_csv(written, dtype=str, keep_default_na=False)
    scored = labelled[_ROW].to_numpy(dtype=np.int64)
    shares = pd.read_csv(train, dtype=str, keep_default_na=False)["label"].value_counts(
        normalize=True
    )
    probabilities = np.tile(shares[classes].to_numpy(), (len(inputs), 1))
    exact = model.predict_proba(inputs.iloc[scored])
    rounded = labelled[[f"probability_{label}" for label in classes]].to_numpy(dtype=float)
    check_written(rounded, exact)
    probabilities[scored] = exact
    return classes, probabilities, len(inputs) - len(scored)


def check_written(rounded: Array, exact: Array) -> None:
    """Compare probabilities [n, C] as the command wrote them with those of the model.

    Raises
    ------
    DisagreementError
        They differ by more than rounding to four decimals.
    """
    if not np.allclose(rounded, exact, rtol=0, atol=_ROUNDING):
        raise DisagreementError("`ffn score` wrote other probabilities than `predict_proba` gives")


def _ffn(root: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "flows", *arguments, "--root", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(done.stderr.strip() or f"{arguments[0]}: exit code {done.returncode}")
