"""The text of a new ``pipeline.toml``."""

from __future__ import annotations

import json

from ffn.object_stores.object_address import is_object_address
from ffn.profiling.recipe import Recipe
from ffn.profiling.table_profile import TableProfile

__all__ = ["settings_text"]

_RATE, _DECAY = 0.001, 0.3
_USE_OF_DATES = "; their parts are inputs"
# By whether columns of dates or truth values are among them.
_HEAD_OF_FORMATS = ("1234.5 as the column writes it", "how columns write what they hold")


def settings_text(
    name: str,
    source: tuple[str, str | None],
    target: str,
    form: tuple[str, str, str | None],
    found: TableProfile,
    recipe: Recipe,
) -> str:
    """Return the text of ``pipeline.toml``, each line with a comment on what it sets.

    Parameters
    ----------
    name
        Of the pipeline.
    source
        The table's file beside the settings, and None; or the address of a database, and what to
        select from it.
    target
        The column to predict.
    form
        Delimiter, decimal mark and encoding of the table; None: UTF-8.
    found
        What the table holds.
    recipe
        Settings of network and training that suit the table.
    """
    delimiter, decimal, encoding = form
    student, ensemble = _ensemble_text(recipe)
    lines = [
        f"# Pipeline {name}: {found.facts[0]}",
        *(f"# {fact}" for fact in found.facts[1:]),
        "",
        "[data]",
        *_source_text(*source),
        _line(f"target = {_toml(target)}", "the column to predict"),
        _line(f"exclude = {_toml(found.exclude)}", "columns that are not features: ids, notes"),
        _line(f"missing_values = {_toml(found.missing)}", 'cell texts that mean "no value"'),
        *(
            [_line(f"labels = {_toml_table(found.labels)}", "class by cell text; empty: no label")]
            if found.labels
            else []
        ),
        *([_line(f"delimiter = {_toml(delimiter)}", "between fields")] if delimiter != "," else []),
        *([_line(f"decimal = {_toml(decimal)}", "in numbers")] if decimal != "." else []),
        *([_line(f"encoding = {_toml(encoding)}", "of its text")] if encoding else []),
        "",
        _line("[data.kinds]", "as found; change one that is wrong"),
        *(
            _kind_text(column, kind, found)
            for column, kind in found.kinds.items()
            if column not in found.reasons
        ),
        "",
        *_formats_text(found),
        *_split_text(found),
        "[features]",
        *_features_text(recipe, texts="text" in found.kinds.values()),
        "",
        "[network]",
        _line(f"hidden_layers = {_toml(list(recipe.hidden_layers))}", "units of each hidden layer"),
        *student,
        "",
        "[training]",
        _line("epochs = 150", "at most so many passes over the training rows"),
        _line(f"batch_size = {recipe.batch_size}", "rows a step"),
        _line(f"networks = {recipe.networks}", "resamples, each with its network"),
        _line("test_share = 0.2", "held out for the final figures"),
        _line(f"validation_share = {recipe.validation_share}", "of the rest, in each resample"),
        _line("seed = 42", "all randomness comes from it"),
        _line("patience = 20", "early stopping after so many epochs; 0: never"),
        _line("dropout = 0.15", "of the hidden units, in training"),
        *ensemble,
        "",
        "# Name more of sgd, momentum, adam and adamw to compare them.",
        "[optimizers.adamw]",
        _line(f"learning_rate = {_RATE}", 'a number, a list to choose from, or "auto"'),
        _line(f"weight_decay = {_DECAY}", "of the weights; biases do not decay"),
        "",
    ]
    return "\n".join(lines)


def _source_text(source: str, query: str | None) -> list[str]:
    if query is None:
        where = "" if is_object_address(source) else ", beside this file"
        return [_line(f"source = {_toml(source)}", f"labelled rows{where}")]
    return [
        _line(f"source = {_toml(source)}", "never with a password in it"),
        _line(f"query = {_toml(query)}", "labelled rows"),
    ]


def _ensemble_text(recipe: Recipe) -> tuple[list[str], list[str]]:
    """Return the lines on the student's layers, if there is one, and those on the ensemble."""
    if recipe.student_layers is None:
        return [], [_line('ensemble = "resamples"', "the model is the average of all networks")]
    layers = _toml(list(recipe.student_layers))
    ensemble = [
        _line('ensemble = "distilled"', "the model is one network that learns their average")
    ]
    if trees := recipe.boosted_teachers:
        ensemble.append(
            _line(f"boosted_teachers = {trees}", "models of boosted trees that it learns from, too")
        )
    return [_line(f"student_layers = {layers}", "of the one network that scores")], ensemble


def _kind_text(column: str, kind: str, found: TableProfile) -> str:
    assignment = f"{_toml(column)} = {_toml(kind)}"
    return _line(assignment, why) if (why := found.why_kinds.get(column)) else assignment


def _features_text(recipe: Recipe, *, texts: bool) -> list[str]:
    categories = [
        _line(
            f"most_categories = {recipe.most_categories}", "of a column; rarer ones share an input"
        )
    ]
    if texts:
        categories.append(_line("text_components = 30", "of a column of texts: what tells most"))
    if not recipe.bins:
        # So many columns that the encoding would take most of the time.
        return [_line('numbers = "standardised"', "one input for each number"), *categories]
    return [
        _line('numbers = "piecewise"', "each number in quantile bins, and as it is"),
        _line(f"bins = {recipe.bins}", "of each number"),
        *categories,
    ]


def _formats_text(found: TableProfile) -> list[str]:
    if not found.formats:
        return []
    formats = []
    for column, form in found.formats.items():
        line = f"{_toml(column)} = {_toml(form)}"
        why = found.reasons.get(column)
        parts = why is not None and why.startswith(("dates", "times of day"))
        formats.append(_line(line, why + _USE_OF_DATES * parts) if why else line)
    return [_line("[data.formats]", _HEAD_OF_FORMATS[bool(found.reasons)]), *formats, ""]


def _split_text(found: TableProfile) -> list[str]:
    """Return a ``[split]`` of comments: which rows will be scored, no table shows."""
    if not found.split:
        return []
    lines = []
    for candidate in found.split:
        lines.append(_line(f"# {candidate.key} = {_toml(candidate.column)}", candidate.why))
        lines += [
            _line(f"# time_format = {_toml(form)}", "how it writes a date" if n == 0 else "or so")
            for n, form in enumerate(candidate.forms)
        ]
    return [
        "[split]",
        "# Take out the # if the model will score later rows than it is trained on (time), or",
        "# other groups, such as new customers (group); see docs/splits.md.",
        *lines,
        "",
    ]


def _line(assignment: str, comment: str) -> str:
    return f"{assignment:<32} # {comment}"


def _toml(value: str | list[str] | list[int]) -> str:
    """Return a TOML string or list; JSON's escapes are TOML's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml_table(texts: dict[str, str]) -> str:
    return f"{{{', '.join(f'{_toml(key)} = {_toml(value)}' for key, value in texts.items())}}}"
