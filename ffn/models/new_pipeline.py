"""A new pipeline from a user's CSV: a commented ``pipeline.toml`` from a look at the data."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ffn.errors import DataError, SettingsError, did_you_mean, quote
from ffn.files import atomic_file, staging_folder, sweep, sync_folder, write_bytes
from ffn.models.pipeline import SETTINGS_FILE, Pipeline, check_name
from ffn.models.retraining import load, normalise, split
from ffn.models.settings import DEFAULT_MISSING, check_settings
from ffn.tabular.cells import numbers, trim
from ffn.tabular.sources import open_source
from ffn.tabular.table import Table, read_table

__all__ = ["initialise"]

_ID_NAME = re.compile(r"(?:.*[_ .-])?(?:id|uuid|guid|index|rowid|row_id|key)|Unnamed: 0|", re.I)
_TRAINING_CSV = "train.csv"
_COPIED_AT_ONCE = 1024 * 1024
# Not read as missing unless the settings say so; met among numbers, they can be nothing else.
_OTHER_MISSING = ("?", "-", "--", ".", "n/a", "#N/A", "<NA>", "none", "None")


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
        The pipeline exists already, the table cannot be learnt from, or it changes while it
        is looked at and copied; nothing is written.
    """
    folder = root / "data" / check_name(name)
    if folder.exists():
        raise SettingsError(f"{folder} exists already. Choose another name, or remove it.")
    table = read_table(source, delimiter=delimiter)
    if target not in table.header:
        shown = ", ".join(table.header[:20])
        raise SettingsError(
            f"{source} has no column {quote(target)}; its columns are: {shown}."
            f"{did_you_mean(target, table.header)}"
        )
    found = _look(table, target)
    hidden = (16, 4)
    # Prepared where it lies, so that whatever is refused is refused before anything is written.
    text = _settings_text(name, source.name, target, delimiter, found, hidden)
    settings = check_settings(tomllib.loads(text), SETTINGS_FILE)
    artifacts = root / "artifacts" / name
    pipeline = Pipeline(name=name, settings=settings, folder=source.parent, artifacts=artifacts)
    dataset = load(pipeline)
    if dataset.source_sha256 != table.source_sha256:
        raise _changed(source)
    prepared = normalise(dataset, split(dataset, pipeline), pipeline)
    hidden = _hidden_layers(prepared.x_train.shape[1], len(dataset.classes))
    text = _settings_text(name, _TRAINING_CSV, target, delimiter, found, hidden)
    try:
        _write(folder, source, table.source_sha256, text)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror}).") from None
    return folder / SETTINGS_FILE, [*found.notices, *prepared.notices]


def _write(folder: Path, source: Path, sha256: str, text: str) -> None:
    """Make the pipeline's folder, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder.parent)
    with staging_folder(folder.parent) as staging:
        (staging / "inbox").mkdir()
        _copy(source, staging / _TRAINING_CSV, sha256)
        write_bytes(staging / SETTINGS_FILE, text.encode())
        staging.rename(folder)
    sync_folder(folder.parent)


def _copy(source: Path, target: Path, sha256: str) -> None:
    """Copy a file, and make sure that the copy is what the settings were made for."""
    with open_source(source) as stream, atomic_file(target) as copy:
        while chunk := stream.read(_COPIED_AT_ONCE):
            copy.write(chunk)
        if stream.sha256 != sha256:
            raise _changed(source)


def _changed(source: Path) -> DataError:
    return DataError(f"{source} changed while it was read. Try again when nothing writes to it.")


@dataclass(frozen=True, kw_only=True)
class _Look:
    """What a look at a table says about it.

    Attributes
    ----------
    exclude
        Columns that name rows.
    kinds
        Of the features.
    missing
        Cell texts that mean "no value".
    facts, notices
        Comments for the settings, and sentences for the user.
    """

    exclude: list[str]
    kinds: dict[str, str]
    missing: list[str]
    facts: list[str]
    notices: list[str]


def _look(table: Table, target: str) -> _Look:
    exclude = _ids(table, target)
    features = [column for column in table.header if column != target and column not in exclude]
    cells = {column: {trim(cell) for cell in table.columns[column]} for column in features}
    kinds = {column: _kind(table.columns[column]) for column in features}
    # In a text column they may be categories like any other; among numbers they are none.
    spellings = {
        spelling
        for spelling in _OTHER_MISSING
        if any(spelling in cells[column] for column in features if kinds[column] == "numeric")
    }
    seen = set().union(*cells.values())
    missing = [token for token in DEFAULT_MISSING if not token or token in seen]
    counts: dict[str, int] = {}
    for cell in table.columns[target]:
        counts[trim(cell)] = counts.get(trim(cell), 0) + 1
    shown = ", ".join(f"{_comment(label)} {n}" for label, n in sorted(counts.items())[:12])
    return _Look(
        exclude=exclude,
        kinds=kinds,
        missing=[*missing, *sorted(spellings)],
        facts=[
            f"{len(table.lines)} rows, {len(features)} features.",
            f"Classes of {_comment(target)}: {shown}{', …' if len(counts) > 12 else ''}.",
        ],
        notices=[
            *(f"column {quote(column)} looks like an id and is left out" for column in exclude),
            *(f"cells {quote(spelling)} are taken for missing" for spelling in sorted(spellings)),
        ],
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
    name: str, source: str, target: str, delimiter: str, found: _Look, hidden: tuple[int, int]
) -> str:
    lines = [
        f"# Pipeline {name}: {found.facts[0]}",
        *(f"# {fact}" for fact in found.facts[1:]),
        "",
        "[data]",
        _line(f"source = {_toml(source)}", "labelled rows, beside this file"),
        _line(f"target = {_toml(target)}", "the column to predict"),
        _line(f"exclude = {_toml(found.exclude)}", "columns that are not features: ids, notes"),
        _line(f"missing_values = {_toml(found.missing)}", 'cell texts that mean "no value"'),
        *([_line(f"delimiter = {_toml(delimiter)}", "between fields")] if delimiter != "," else []),
        "",
        _line("[data.kinds]", "as found; change one where the look was wrong"),
        *(f"{_toml(column)} = {_toml(kind)}" for column, kind in found.kinds.items()),
        "",
        "[network]",
        _line(f"hidden_layers = {_toml(list(hidden))}", "units of each hidden layer"),
        "",
        "[training]",
        _line("epochs = 150", "passes over the training rows"),
        _line("batch_size = 32", "rows a step"),
        _line("networks = 16", "resamples, each with its network, per optimizer"),
        _line("test_share = 0.2", "held out, looked at once"),
        _line("validation_share = 0.2", "of the rest, to compare the optimizers on"),
        _line("seed = 42", "all randomness comes from it"),
        _line("patience = 0", "early stopping after so many epochs; 0: never"),
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
        _line("weight_decay = 0.01", "of the weights; biases do not decay"),
        "",
    ]
    return "\n".join(lines)


def _line(assignment: str, comment: str) -> str:
    return f"{assignment:<32} # {comment}"


def _kind(cells: list[str]) -> str:
    values, wrong = numbers(cells, (*DEFAULT_MISSING, *_OTHER_MISSING))
    present = int(np.isfinite(values).sum())
    return "numeric" if present >= 9 * len(wrong) and present else "categorical"


def _toml(value: str | list[str] | list[int]) -> str:
    """Return a TOML string or list; JSON's escapes are TOML's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return quote(text, 30)
