"""Validation of the parameters of FFNClassifier, one rule for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from numbers import Integral, Real
from typing import Any, get_args

from ffn.errors import did_you_mean, quote
from ffn.nn.optimizers import OPTIMIZERS
from ffn.tabular.cell_forms import cell_form
from ffn.tabular.schema import Kind

__all__ = ["check_parameters", "layer_sizes"]

SCHEDULES = ("constant", "cosine")
NUMBERS = ("standardised", "piecewise")
DTYPES = ("float32", "float64")


def _number(test: Callable[[Any], bool], kind: type = Real) -> Callable[[Any], bool]:
    """Return a check for numbers that pass ``test``; booleans are not numbers."""
    return lambda v: isinstance(v, kind) and not isinstance(v, bool) and test(v)


def _whole(least: int) -> tuple[Callable[[Any], bool], str]:
    return _number(lambda v: v >= least, Integral), f"a whole number from {least} up"


def _one_of(names: Collection[str]) -> tuple[Callable[[Any], bool], str]:
    return lambda v: isinstance(v, str) and v in names, " or ".join(map(quote, names))


def _sizes(value: Any) -> bool:
    sizes = [value] if isinstance(value, Integral) else value
    return (
        isinstance(sizes, Collection)
        and not isinstance(sizes, str | Mapping)
        and all(_whole(1)[0](size) for size in sizes)
    )


def _by_column(values: Any, accepts: Callable[[Any], bool]) -> bool:
    """Return whether values are given by name of a column, and accepted."""
    return isinstance(values, Mapping) and all(
        isinstance(name, str) and accepts(value) for name, value in values.items()
    )


def _is_format(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(cell_form(value))
    except ValueError:
        return False


_POSITIVE = (_number(lambda v: 0 < v < math.inf), "a number above 0")
_NOT_NEGATIVE = (_number(lambda v: 0 <= v < math.inf), "a number from 0 up")
_DECAY = (_number(lambda v: 0 <= v < 1), "a number from 0 up to, not including, 1")
_FLAG = (lambda v: v is True or v is False, "True or False")

_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "hidden_layer_sizes": (_sizes, "whole numbers from 1 up, such as (16, 4), or ()"),
    "optimizer": _one_of(OPTIMIZERS),
    "learning_rate": _POSITIVE,
    "batch_size": _whole(1),
    "epochs": _whole(1),
    "momentum": _DECAY,
    "beta1": _DECAY,
    "beta2": _DECAY,
    "epsilon": _POSITIVE,
    "weight_decay": _NOT_NEGATIVE,
    "schedule": _one_of(SCHEDULES),
    "warmup_epochs": _whole(0),
    "early_stopping": _FLAG,
    "patience": _whole(1),
    "min_delta": _NOT_NEGATIVE,
    "validation_fraction": (_number(lambda v: 0 < v < 1), "a number between 0 and 1"),
    "dropout": _DECAY,
    "label_smoothing": _DECAY,
    "class_weight": (
        lambda v: v is None or v == "balanced" or isinstance(v, Mapping),
        'None, "balanced" or a dictionary from class to weight',
    ),
    "n_networks": _whole(1),
    "distilled": _FLAG,
    "student_layer_sizes": (
        lambda v: v is None or _sizes(v),
        "None or whole numbers from 1 up, such as (16, 4), or ()",
    ),
    "boosted_teachers": _whole(0),
    "warm_start": _FLAG,
    "frozen_layers": (
        lambda v: isinstance(v, Collection) and all(_whole(0)[0](i) for i in v),
        "numbers of layers, counted from 0, such as (0,)",
    ),
    "dtype": _one_of(DTYPES),
    "numbers": _one_of(NUMBERS),
    "verbose": _FLAG,
    "bins": (_number(lambda v: 2 <= v <= 256, Integral), "a whole number from 2 to 256"),
    "kinds": (
        lambda v: v is None or v == "auto" or _by_column(v, lambda kind: kind in get_args(Kind)),
        f'None, "auto" or a dictionary from column to {" or ".join(map(quote, get_args(Kind)))}',
    ),
    "formats": (
        lambda v: v is None or _by_column(v, _is_format),
        'None or a dictionary from column to how it writes 1234.5, or to "iso", a date format such '
        'as "%d/%m/%Y", "time", "time am/pm" or "true/false"',
    ),
    "missing_values": (
        lambda v: (
            v is None
            or (
                isinstance(v, Collection)
                and not isinstance(v, str)
                and all(isinstance(text, str) for text in v)
            )
        ),
        'None or a list of texts, such as ["", "NA"]',
    ),
    "most_categories": (
        lambda v: v is None or _whole(1)[0](v),
        "None or a whole number from 1 up",
    ),
    "text_components": (
        _number(lambda v: 1 <= v <= 256, Integral),
        "a whole number from 1 to 256",
    ),
}
# What reads columns, with the value that says nothing.
_OF_COLUMNS: dict[str, Any] = {
    "formats": None,
    "missing_values": None,
    "most_categories": None,
    "text_components": 30,
}


def layer_sizes(hidden_layer_sizes: Any) -> tuple[int, ...]:
    """Return the parameter ``hidden_layer_sizes`` as a tuple; a number means one hidden layer."""
    if isinstance(hidden_layer_sizes, Integral):
        return (int(hidden_layer_sizes),)
    return tuple(int(size) for size in hidden_layer_sizes)


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Check the parameters of an FFNClassifier.

    Parameters
    ----------
    parameters
        All parameters by name, as returned by ``get_params``.

    Raises
    ------
    ValueError
        A parameter is invalid; the message gives its name, its value and what was expected.
    """
    for name, (accepts, expected) in _RULES.items():
        value = parameters[name]
        if not accepts(value):
            near = did_you_mean(str(value), OPTIMIZERS) if name == "optimizer" else ""
            raise ValueError(f"{name} is {quote(repr(value))}; expected {expected}.{near}")
    _check_together(parameters)
    layers = len(layer_sizes(parameters["hidden_layer_sizes"])) + 1
    frozen = set(parameters["frozen_layers"])
    if not frozen < set(range(layers)):
        raise ValueError(
            f"frozen_layers is {sorted(frozen)}; the layers are 0 to {layers - 1}, "
            "and at least one must be left to train"
        )


def _check_together(parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that contradict each other."""
    kinds, formats = parameters["kinds"], parameters["formats"] or {}
    if kinds is None:
        for name, default in _OF_COLUMNS.items():
            if parameters[name] != default:
                raise ValueError(
                    f"{name} is {quote(repr(parameters[name]))}, which says how columns are read; "
                    'give kinds="auto" as well'
                )
    for name in formats if isinstance(kinds, Mapping) else ():
        if kinds.get(name, "numeric") != "numeric":
            raise ValueError(
                f"formats and kinds both name {quote(name)}, which is {kinds[name]} and has no "
                "format; take it out of one"
            )
    if parameters["boosted_teachers"] and not (
        parameters["distilled"] and parameters["early_stopping"]
    ):
        raise ValueError(
            f"boosted_teachers is {parameters['boosted_teachers']}; they teach the network of "
            "distilled=True, by the share that the rows held out by early_stopping=True give them; "
            "set both, or boosted_teachers=0"
        )
    if parameters["warm_start"] and parameters["distilled"]:
        raise ValueError("a distilled network cannot go on; set warm_start or distilled to False")
    if parameters["warm_start"] and kinds is not None:
        raise ValueError(
            "a network of columns cannot go on, as other rows may have other categories; set "
            "warm_start to False"
        )
