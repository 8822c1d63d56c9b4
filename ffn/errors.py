"""Everything the product refuses, as one small tree.

::

    FFNError
    ├── SettingsError   pipeline.toml or an argument
    ├── DataError       a CSV, or the rows in it
    │   └── OutputError a file cannot be written
    ├── TrainingError   no network could be trained
    ├── BundleError     a saved model is damaged, foreign or too new
    └── RegistryError   a version or pointer is not there, or is in use
        └── BusyError   another run of the kind is at work

Rows that are scored all the same, but look wrong, give an ``UnknownCategoryWarning``.

The text of each is one line: where, what was found, what was expected, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice

__all__ = [
    "BundleError",
    "BusyError",
    "DataError",
    "FFNError",
    "OutputError",
    "RegistryError",
    "SettingsError",
    "TrainingError",
    "UnknownCategoryWarning",
    "did_you_mean",
    "one_line",
    "quote",
]


# Comparing names takes time in their product: a hostile header must not stall its own refusal.
_NAMES_COMPARED = 1_000
_LETTERS_COMPARED = 100


def one_line(text: object) -> str:
    """Return ``text`` with every control character and line break escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


class FFNError(Exception):
    """A refusal the user can act on. Its text is one line."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class SettingsError(FFNError):
    """``pipeline.toml`` or an argument asks for something that cannot be."""


class DataError(FFNError):
    """A CSV file cannot be read, trained on or scored."""


class OutputError(DataError):
    """A file cannot be written: the disk or the folder is at fault, not the input."""


class TrainingError(FFNError):
    """Training gave no usable network."""


class BundleError(FFNError):
    """A saved model is damaged, not one of ours, or from a newer format."""


class RegistryError(FFNError):
    """A model version or the production pointer is not there, or is in use."""


class BusyError(RegistryError):
    """Another run of the same kind is at work: nothing was begun."""


class UnknownCategoryWarning(UserWarning):
    """Every cell of a categorical column is one that training never saw: a slip, most likely."""


def quote(value: object, limit: int = 60) -> str:
    """Return a foreign ``value`` in double quotes, on one line, cut after ``limit`` characters."""
    text = str(value)
    shortened = text if len(text) <= limit else text[: limit - 1] + "…"
    return '"' + one_line(shortened) + '"'


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``' Did you mean "x"?'`` for the nearest of ``known``, or an empty string."""
    by_lower = {
        candidate.lower(): candidate
        for candidate in islice(known, _NAMES_COMPARED)
        if len(candidate) <= _LETTERS_COMPARED
    }
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {quote(by_lower[near[0]])}?" if near else ""
