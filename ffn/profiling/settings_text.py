"""The text of a new ``pipeline.toml``."""

from __future__ import annotations

import json

from ffn.nn import SGD, AdamW, Momentum
from ffn.profiling.table_profile import TableProfile

__all__ = ["settings_text"]


def settings_text(
    name: str,
    source: str,
    target: str,
    form: tuple[str, str, str | None],
    found: TableProfile,
    hidden: tuple[int, int],
) -> str:
    """Return the text of ``pipeline.toml``, each line with a comment on what it sets.

    Parameters
    ----------
    name
        Of the pipeline.
    source, target
        The table's file beside the settings, and its column to predict.
    form
        Delimiter, decimal mark and encoding of the table; None: UTF-8.
    found
        What the table holds.
    hidden
        Units of the two hidden layers.
    """
    delimiter, decimal, encoding = form
    lines = [
        f"# Pipeline {name}: {found.facts[0]}",
        *(f"# {fact}" for fact in found.facts[1:]),
        "",
        "[data]",
        _line(f"source = {_toml(source)}", "labelled rows, beside this file"),
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
        _line("[data.kinds]", "as found; change one where the look was wrong"),
        *(f"{_toml(column)} = {_toml(kind)}" for column, kind in found.kinds.items()),
        "",
        *_formats_text(found),
        "[network]",
        _line(f"hidden_layers = {_toml(list(hidden))}", "units of each hidden layer"),
        "",
        "[training]",
        _line("epochs = 150", "passes over the training rows"),
        _line("batch_size = 32", "rows a step"),
        _line("networks = 16", "resamples, each with its network, per optimizer"),
        _line("test_share = 0.2", "held out for the final figures"),
        _line("validation_share = 0.2", "of the rest, to compare the optimizers on"),
        _line("seed = 42", "all randomness comes from it"),
        # Where inputs are many, 150 epochs learn the training rows by heart.
        _line("patience = 20", "early stopping after so many epochs; 0: never"),
        "",
        "[optimizers.sgd]",
        f"learning_rate = {SGD.learning_rate}",
        "",
        "[optimizers.momentum]",
        f"learning_rate = {SGD.learning_rate}",
        f"momentum = {Momentum.momentum}",
        "",
        "[optimizers.adam]",
        f"learning_rate = {SGD.learning_rate}",
        "",
        "[optimizers.adamw]",
        f"learning_rate = {SGD.learning_rate}",
        _line(f"weight_decay = {AdamW.weight_decay}", "of the weights; biases do not decay"),
        "",
    ]
    return "\n".join(lines)


def _formats_text(found: TableProfile) -> list[str]:
    if not found.formats:
        return []
    formats = [f"{_toml(column)} = {_toml(form)}" for column, form in found.formats.items()]
    return [_line("[data.formats]", "1234.5 as the column writes it"), *formats, ""]


def _line(assignment: str, comment: str) -> str:
    return f"{assignment:<32} # {comment}"


def _toml(value: str | list[str] | list[int]) -> str:
    """Return a TOML string or list; JSON's escapes are TOML's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml_table(texts: dict[str, str]) -> str:
    return f"{{{', '.join(f'{_toml(key)} = {_toml(value)}' for key, value in texts.items())}}}"
