"""Canary check: a fresh process scores known rows with a new version before it is promoted.

::

    canary.csv      held-out rows, feature columns only
    canary.json     predictions of the trained network for them

The process that trained a network has it in memory, whatever was written to the disk. Therefore
another process reads the finished bundle exactly as scoring will: digests, parsing, header, cells,
probabilities. Run it by hand::

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
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle
from ffn.decision_rules.label_sets import SET_SEPARATOR
from ffn.errors import BundleError, DataError, FFNError, one_line, quote
from ffn.interpreter import fresh
from ffn.scoring.model import Model, load
from ffn.scoring.output.targets import Targets
from ffn.scoring.rows.suffixes import UNITS, added_columns
from ffn.storage.atomic import write_bytes
from ffn.storage.documents import write_json
from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.clock_form import ClockForm
from ffn.tabular.csv.reader import Records
from ffn.tabular.csv.writer import write_record
from ffn.tabular.date_form import DateForm
from ffn.tabular.number_format import NumberFormat
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.truth_form import TruthForm

if TYPE_CHECKING:
    from ffn.promotion.verdict import Verdict
    from ffn.tabular.training_table.dataset import Dataset

__all__ = ["check_canary", "main", "try_version", "write_canary"]

Array = npt.NDArray[Any]

CANARY_ROWS, CANARY_ANSWERS = "canary.csv", "canary.json"
_ROWS_OF_A_CLASS, _MOST_ROWS = 3, 60


def write_canary(folder: Path, bundle: Bundle, dataset: Dataset, held_out: Array) -> int:
    """Write canary rows and their expected predictions to a version's folder; return the row count.

    Parameters
    ----------
    folder
        Folder of the version.
    bundle
        The trained bundle, still in memory.
    dataset
        The training table, N rows.
    held_out
        Mask [N] of the held-out rows; up to three of each class, at most 60, are used.
    """
    chosen = _choose(dataset.labels, held_out)
    schema, preparation = bundle.schema, bundle.preparation
    records, answers = [], []
    missing = schema.missing_values[0] if schema.missing_values else ""
    every = {feature.name: dataset.categorical[feature.name] for feature in schema.texts}
    for part, numeric, codes in dataset.pieces(schema):
        for i in chosen[(chosen >= part.start) & (chosen < part.stop)] - part.start:
            cells = {
                feature.name: missing if np.isnan(value) else _number(value, feature, schema)
                # Behind the numbers are the components of the texts.
                for feature, value in zip(schema.numeric, numeric[i], strict=False)
            } | {
                feature.name: missing if code == MISSING else _category(feature, code, schema)
                for feature, code in zip(schema.categorical, codes[i], strict=True)
            }
            cells |= {name: texts[part.start + i] for name, texts in every.items()}
            records.append([cells[feature.name] for feature in schema.features])
            x = preparation.transform(numeric[i : i + 1], codes[i : i + 1])
            answers.append(bundle.probabilities(x)[0].tolist())
    header = [feature.name for feature in schema.features]
    # A record of one empty cell would be a blank line, which is not a record.
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
    """Write a version's canary, have a fresh process score it, and return the updated verdict.

    Parameters
    ----------
    folder
        Folder of the version, with its bundle.
    verdict
        The verdict before the canary check.
    bundle, dataset, held_out
        As for `write_canary`.
    seconds
        How long the process may take. Reading a bundle takes about one; the default is for a
        machine that is about to fall over.
    """
    # The fresh process imports this module, too, but needs nothing of what training consists of,
    # which would take it a second to load.
    from ffn.promotion.verdict import Canary

    rows = write_canary(folder, bundle, dataset, held_out)
    return verdict.after(Canary(rows=rows, problem=_problem(folder, seconds)))


def _problem(folder: Path, seconds: float) -> str:
    """Run the check in a fresh process; return what is wrong, or an empty text."""
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
    # The folder is renamed when the version is finished, so its present name would mislead.
    said = done.stderr.decode(errors="replace").replace(f"{folder}{os.sep}", "").strip()
    last = one_line(said.splitlines()[-1]).rstrip(".") if said else ""
    return (last or f"exit code {done.returncode}") if done.returncode else ""


def check_canary(folder: Path) -> None:
    """Score a version's canary rows through the same code as any other file.

    Parameters
    ----------
    folder
        Folder of the version.

    Raises
    ------
    FFNError
        The bundle cannot be loaded, rejects a row, or predicts otherwise than in training.
    """
    model = load(folder)
    try:
        expected = json.loads((folder / CANARY_ANSWERS).read_bytes())["probabilities"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{folder / CANARY_ANSWERS}: cannot be read ({error}).") from None
    rows, classes = folder / CANARY_ROWS, model.scorer.schema.classes
    features = {feature.name for feature in model.scorer.schema.features}
    # Scoring refuses to add probabilities if a feature has the name of such a column.
    every = features.isdisjoint(added_columns(model.scorer.schema, probabilities=True))
    with_sets = model.scorer.rule.set_limits is not None
    records = _score(model, rows, probabilities=every)
    if len(records) != len(expected):
        raise BundleError(f"{rows}: {len(records):,} of {len(expected):,} canary rows were scored.")
    rule, own = model.scorer.rule, np.array(classes, dtype=object)
    for row, ((label, *shares), probabilities) in enumerate(zip(records, expected, strict=True), 1):
        label_set = shares.pop() if with_sets else ""
        found = np.array(shares, dtype=float)
        asked = np.array([probabilities], dtype=float)
        confidence = rule.confidences(asked, rule.labels(asked))
        wanted = np.array([*confidence, *(probabilities if every else ())])
        # Probabilities are written as whole units of 1/10,000.
        same = len(probabilities) == len(classes) and np.abs(found - wanted).max() <= 0.51 / UNITS
        # An abstention is written as an empty cell.
        same = same and label == (rule.answers(asked, own)[0] or "")
        if same and with_sets:
            (members,) = rule.label_sets(asked, rule.labels(asked))
            same = label_set == SET_SEPARATOR.join(own[members])
        if not same:
            raise BundleError(
                f"{rows}: canary row {row} scores {shares}; in training it was {probabilities}."
            )


def _score(model: Model, rows: Path, *, probabilities: bool) -> list[tuple[str, ...]]:
    """Return the columns that scoring adds to each record: label, confidence, probabilities."""
    with tempfile.TemporaryDirectory() as temporary:
        targets = Targets.beside(Path(temporary) / "scored.csv")
        try:
            model.score_csv(rows, targets.output, probabilities=probabilities, max_reject_rate=0.0)
        except DataError:
            # The rejects file is deleted with this folder, so the error has to quote it.
            if not targets.rejects.exists():
                raise
            with targets.rejects.open(newline="", encoding="utf-8") as file:
                first = next(csv.DictReader(file))
            raise BundleError(
                f"{rows} row {first['row']}, column {quote(first['column'])}: "
                f"{quote(first['value'])} is rejected ({first['reason']})."
            ) from None
        # The csv module refuses cells as long as a category may be.
        with targets.output.open("rb") as file:
            scored = Records(file, targets.output.name)
            own = range(len(model.scorer.schema.features), len(scored.header.names))
            return [
                cells
                for block in scored
                for cells in zip(*(block.cells(column) for column in own), strict=True)
            ]


def main() -> int:
    """Check the canary of the version whose folder is the command's only argument."""
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
    """Return a spelling of a number that is not among the texts that mean "no value"."""
    if feature.form is not None and not isinstance(feature.form, NumberFormat):
        return _written(value, feature.form, schema)
    form = feature.number_format or NumberFormat()
    digits = repr(abs(float(value)))
    while (text := form.written(digits, negative=value < 0)) in schema.missing_values:
        digits = f"0{digits}"
    return text


def _written(value: float, form: DateForm | ClockForm | TruthForm, schema: Schema) -> str:
    """Return the same for a date, a time of day or a truth value."""
    text = form.written(value)
    of_dates = (f"{text} 00:00", f"{text} 00:00:00", text.replace(" ", "T"))
    others = (*of_dates, text.upper(), f"{text}:00", text.lower())
    missing = schema.missing_values
    return next(
        (one for one in (text, *others) if one not in missing and form.number(one) == value), text
    )


def _category(feature: Feature, code: int, schema: Schema) -> str:
    """Return a category's text, or for ``UNKNOWN`` a text that is no category."""
    if code != UNKNOWN:
        return feature.categories[code]
    text = "?"
    while text in feature.categories or text in schema.missing_values:
        text += "?"
    return text


if __name__ == "__main__":
    sys.exit(main())
