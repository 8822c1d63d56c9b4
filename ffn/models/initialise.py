"""A user's CSV becomes a pipeline: a commented ``pipeline.toml`` from a look at the data."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path

import numpy as np

from ffn.errors import DataError, SettingsError, quote
from ffn.files import sync_folder, temporary_name
from ffn.models.pipeline import SETTINGS_FILE, Pipeline, check_name
from ffn.models.retraining import load, normalise, split
from ffn.models.settings import DEFAULT_MISSING, check_settings
from ffn.tabular.cells import numbers, trim
from ffn.tabular.table import Table, read_table

__all__ = ["initialise"]

_ID_NAME = re.compile(r"(?:.*[_ .-])?(?:id|uuid|guid|index|rowid|row_id|key)|Unnamed: 0|", re.I)
_TRAINING_CSV = "train.csv"


def initialise(
    name: str, *, source: Path, target: str, root: Path, delimiter: str = ","
) -> tuple[Path, list[str]]:
    """Make ``root/data/<name>`` with a copy of ``source`` and settings that train.

    Parameters
    ----------
    name
        Of the pipeline; letters, digits, ``-`` and ``_``.
    source
        A CSV with a header and labelled rows.
    target
        The label column.
    root
        The folder of ``data/``.
    delimiter
        Between the fields of ``source``.

    Returns
    -------
    settings
        The ``pipeline.toml`` written.
    notices
        What was decided about columns, a sentence each.

    Raises
    ------
    SettingsError, DataError
        The pipeline exists already, or the table cannot be learnt from; nothing is written.
    """
    folder = root / "data" / check_name(name)
    if folder.exists():
        raise SettingsError(f"{folder} exists already. Choose another name, or remove it.")
    table = read_table(source, delimiter=delimiter)
    if target not in table.header:
        shown = ", ".join(table.header[:20])
        raise SettingsError(f"{source} has no column {quote(target)}; its columns are: {shown}.")
    exclude = _ids(table, target)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = folder.parent / temporary_name()
    try:
        (staging / "inbox").mkdir(parents=True)
        shutil.copyfile(source, staging / _TRAINING_CSV)
        text = _settings_text(name, table, target, exclude, delimiter, hidden=(16, 4))
        pipeline = _pipeline(name, text, staging, root)
        dataset = load(pipeline)
        prepared = normalise(dataset, split(dataset, pipeline), pipeline)
        hidden = _hidden_layers(prepared.x_train.shape[1], len(dataset.classes))
        text = _settings_text(name, table, target, exclude, delimiter, hidden=hidden)
        (staging / SETTINGS_FILE).write_text(text, encoding="utf-8")
        staging.rename(folder)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror}).") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    sync_folder(folder.parent)
    notices = [f"column {quote(column)} looks like an id and is left out" for column in exclude]
    return folder / SETTINGS_FILE, [*notices, *prepared.notices]


def _pipeline(name: str, text: str, folder: Path, root: Path) -> Pipeline:
    settings = check_settings(tomllib.loads(text), SETTINGS_FILE)
    return Pipeline(
        name=name, settings=settings, folder=folder, artifacts=root / "artifacts" / name
    )


def _ids(table: Table, target: str) -> list[str]:
    """Return the columns that name rows: called so and all different, or nearly all texts."""
    found = []
    for column in table.header:
        cells = [trim(cell) for cell in table.columns[column]]
        distinct = len(set(cells))
        named = _ID_NAME.fullmatch(column) is not None and distinct == len(cells)
        _, texts = numbers(cells, DEFAULT_MISSING)
        names_rows = len(texts) == len(cells) and distinct > max(100, len(cells) // 2)
        if column != target and (named or names_rows):
            found.append(column)
    return found


def _hidden_layers(n_inputs: int, n_classes: int) -> tuple[int, int]:
    """Return two widths: the inputs' count up to a power of two, and a quarter of it."""
    first = int(np.clip(2 ** int(np.ceil(np.log2(n_inputs))), 16, 128))
    return first, max(first // 4, 2 ** int(np.ceil(np.log2(n_classes))))


def _settings_text(
    name: str,
    table: Table,
    target: str,
    exclude: list[str],
    delimiter: str,
    hidden: tuple[int, int],
) -> str:
    features = [c for c in table.header if c != target and c not in exclude]
    kinds = {c: _kind(table, c) for c in features}
    missing = [
        token
        for token in DEFAULT_MISSING
        if any(trim(cell) == token for c in features for cell in table.columns[c])
    ]
    counts: dict[str, int] = {}
    for cell in table.columns[target]:
        counts[trim(cell)] = counts.get(trim(cell), 0) + 1
    shown = ", ".join(f"{_comment(label)} {n}" for label, n in sorted(counts.items())[:12])
    lines = [
        f"# Pipeline {name}: {len(table.lines)} rows, {len(features)} features.",
        f"# Classes of {_comment(target)}: {shown}{', …' if len(counts) > 12 else ''}.",
        "",
        "[data]",
        f"source = {_toml(_TRAINING_CSV)}           # labelled rows, beside this file",
        f"target = {_toml(target)}",
        f"exclude = {_toml(exclude)}              # columns that are not features: ids, notes",
        f"missing_values = {_toml(missing or [''])}      # cell texts that mean \"no value\"",
    ]
    if delimiter != ",":
        lines.append(f"delimiter = {_toml(delimiter)}")
    lines += [
        "",
        "[data.kinds]                     # as found; change one where the look was wrong",
        *(f"{_toml(column)} = {_toml(kind)}" for column, kind in kinds.items()),
        "",
        "[network]",
        f"hidden_layers = {_toml(list(hidden))}        # units of each hidden layer",
        "",
        "[training]",
        "epochs = 150                     # passes over the training rows",
        "batch_size = 32                  # rows a step",
        "networks = 16                    # resamples, each with its network, per optimizer",
        "test_share = 0.2                 # held out, looked at once",
        "validation_share = 0.2           # of the rest, to compare the optimizers on",
        "seed = 42                        # all randomness comes from it",
        "patience = 0                     # early stopping after so many epochs; 0: never",
        "",
        "[optimizers.sgd]",
        "learning_rate = 0.005",
        "",
        "[optimizers.momentum]",
        "learning_rate = 0.005",
        "momentum = 0.9",
        "",
        "[optimizers.adam]",
        "learning_rate = 0.005",
        "",
        "[optimizers.adamw]",
        "learning_rate = 0.005",
        "weight_decay = 0.01              # of the weights; biases do not decay",
        "",
    ]
    return "\n".join(lines)


def _kind(table: Table, column: str) -> str:
    values, wrong = numbers(table.columns[column], DEFAULT_MISSING)
    present = int(np.isfinite(values).sum())
    return "numeric" if present >= 9 * len(wrong) and present else "categorical"


def _toml(value: str | list[str] | list[int]) -> str:
    """Return a TOML string or list; JSON's escapes are TOML's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return quote(text, 30)
