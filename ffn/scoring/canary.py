"""Canary check: a fresh process scores known rows with a new version before it is promoted.

::

    canary.csv      rows of the held-out part, features alone
    canary.json     predictions of the trained network for them

A process that trained a network has it in memory, whatever is on the disk. So the finished bundle
is read by another, as scoring will read it: digests, parsing, header, cells, probabilities. Run
by hand::

    python -m ffn.scoring.canary artifacts/iris/models/0003
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle
from ffn.errors import BundleError, DataError, FFNError, one_line, quote
from ffn.interpreter import fresh
from ffn.promotion.verdict import Canary, Verdict
from ffn.scoring.model import Model, load
from ffn.scoring.output.targets import Targets
from ffn.scoring.rows.suffixes import UNITS, added_columns
from ffn.storage.atomic import write_bytes
from ffn.storage.documents import write_json
from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.csv.reader import Records
from ffn.tabular.csv.writer import write_record
from ffn.tabular.number_format import NumberFormat
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.dataset import Dataset

__all__ = ["check_canary", "main", "try_version", "write_canary"]

Array = npt.NDArray[Any]

CANARY_ROWS, CANARY_ANSWERS = "canary.csv", "canary.json"
_ROWS_OF_A_CLASS, _MOST_ROWS = 3, 60


def write_canary(folder: Path, bundle: Bundle, dataset: Dataset, held_out: Array) -> int:
    """Write rows and expected answers into a version's folder; returns how many rows.

    Parameters
    ----------
    bundle
        As it is in memory.
    dataset, held_out
        The table, and booleans [N]; up to three held-out rows of each class are taken.
    """
    chosen = _choose(dataset.labels, held_out)
    schema, preparation = bundle.schema, bundle.preparation
    records, answers = [], []
    missing = schema.missing_values[0] if schema.missing_values else ""
    for part, numeric, codes in dataset.pieces(schema):
        for i in chosen[(chosen >= part.start) & (chosen < part.stop)] - part.start:
            cells = {
                feature.name: missing if np.isnan(value) else _number(value, feature, schema)
                for feature, value in zip(schema.numeric, numeric[i], strict=True)
            } | {
                feature.name: missing if code == MISSING else _category(feature, code, schema)
                for feature, code in zip(schema.categorical, codes[i], strict=True)
            }
            records.append([cells[feature.name] for feature in schema.features])
            x = preparation.transform(numeric[i : i + 1], codes[i : i + 1])
            answers.append(bundle.probabilities(x)[0].tolist())
    header = [feature.name for feature in schema.features]
    # A record of one cell that is empty would be a blank line, and no record.
    lines = [write_record(record, ",") or '""' for record in (header, *records)]
    write_bytes(folder / CANARY_ROWS, "".join(f"{line}\n" for line in lines).encode())
    write_json(folder / CANARY_ANSWERS, {"classes": schema.classes, "probabilities": answers})
    return len(records)


def try_version(
    folder: Path,
    *,
    verdict: Verdict,
    bundle: Bundle,
    dataset: Dataset,
    held_out: Array,
    seconds: float = 120,
) -> Verdict:
    """Write a version's canary, have a fresh process score it, and return the verdict after that.

    Parameters
    ----------
    folder
        Of the version, with its bundle.
    verdict
        Before.
    bundle, dataset, held_out
        As for `write_canary`.
    seconds
        How long the process may take. Reading a bundle takes about one; the default is for a
        machine that is about to fall over.
    """
    rows = write_canary(folder, bundle, dataset, held_out)
    return verdict.after(Canary(rows=rows, problem=_problem(folder, seconds)))


def _problem(folder: Path, seconds: float) -> str:
    """Return what a fresh process says against a version; nothing if all is well."""
    try:
        done = subprocess.run(  # noqa: S603
            fresh("ffn.scoring.canary", str(folder)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {seconds:g} seconds"
    except OSError as error:
        return one_line(f"it could not be started ({error})")
    # The folder has this name until the version is finished.
    said = done.stderr.decode(errors="replace").replace(f"{folder}{os.sep}", "").strip()
    last = one_line(said.splitlines()[-1]).rstrip(".") if said else ""
    return (last or f"exit code {done.returncode}") if done.returncode else ""


def check_canary(folder: Path) -> None:
    """Score a version's canary rows as any file is scored.

    Raises
    ------
    FFNError
        The bundle cannot be loaded, refuses a row, or answers otherwise than it did in training.
    """
    model = load(folder)
    try:
        expected = json.loads((folder / CANARY_ANSWERS).read_bytes())["probabilities"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{folder / CANARY_ANSWERS}: cannot be read ({error}).") from None
    rows, classes = folder / CANARY_ROWS, model.scorer.schema.classes
    features = {feature.name for feature in model.scorer.schema.features}
    # A model with a feature of such a name is never asked for probabilities.
    every = features.isdisjoint(added_columns(model.scorer.schema, probabilities=True))
    records = _score(model, rows, probabilities=every)
    if len(records) != len(expected):
        raise BundleError(f"{rows}: {len(records):,} of {len(expected):,} canary rows were scored.")
    for row, ((label, *shares), probabilities) in enumerate(zip(records, expected, strict=True), 1):
        found = np.array(shares, dtype=float)
        wanted = np.array([max(probabilities), *(probabilities if every else ())])
        # Shares are written in whole units.
        same = len(probabilities) == len(classes) and np.abs(found - wanted).max() <= 0.51 / UNITS
        if not same or label != classes[int(np.argmax(probabilities))]:
            raise BundleError(
                f"{rows}: canary row {row} is scored {shares}, and was {probabilities} in training."
            )


def _score(model: Model, rows: Path, *, probabilities: bool) -> list[tuple[str, ...]]:
    """Return what scoring adds to each record: label, confidence, and probabilities if asked."""
    with tempfile.TemporaryDirectory() as temporary:
        targets = Targets.beside(Path(temporary) / "scored.csv")
        try:
            model.score_csv(rows, targets.output, probabilities=probabilities, max_reject_rate=0.0)
        except DataError:
            # The file of rejects goes with this folder: what it says has to be said here.
            if not targets.rejects.exists():
                raise
            with targets.rejects.open(newline="", encoding="utf-8") as file:
                first = next(csv.DictReader(file))
            raise BundleError(
                f"{rows} row {first['row']}, column {quote(first['column'])}: "
                f"{quote(first['value'])} is rejected ({first['reason']})."
            ) from None
        # The csv module takes no cell as long as a category may be.
        with targets.output.open("rb") as file:
            scored = Records(file, targets.output.name)
            own = range(len(model.scorer.schema.features), len(scored.header.names))
            return [
                cells
                for block in scored
                for cells in zip(*(block.cells(column) for column in own), strict=True)
            ]


def main() -> int:
    """Check the canary of the version whose folder is the one argument."""
    try:
        check_canary(Path(sys.argv[1]))
    except FFNError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _choose(labels: Array, held_out: Array) -> Array:
    """Return row numbers, ascending: the first few held-out rows of each class."""
    rows = np.flatnonzero(held_out)
    own = labels[rows]
    first = np.concatenate([rows[own == c][:_ROWS_OF_A_CLASS] for c in np.unique(own)])
    return np.sort(first[:_MOST_ROWS])


def _number(value: float, feature: Feature, schema: Schema) -> str:
    """Return a number in a spelling that does not mean "no value", as another one may."""
    form = feature.number_format or NumberFormat()
    digits = repr(abs(float(value)))
    while (text := form.written(digits, negative=value < 0)) in schema.missing_values:
        digits = f"0{digits}"
    return text


def _category(feature: Feature, code: int, schema: Schema) -> str:
    """Return a category's text; any other text stands for one that training did not know."""
    if code != UNKNOWN:
        return feature.categories[code]
    text = "?"
    while text in feature.categories or text in schema.missing_values:
        text += "?"
    return text


if __name__ == "__main__":
    sys.exit(main())
