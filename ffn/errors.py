"""Exceptions, and helpers for their one-line messages.

::

    FFNError
    ├── SettingsError   pipeline.toml or an argument
    ├── DataError       a table or its rows
    │   └── OutputError a file cannot be written
    ├── TrainingError   no network could be trained
    ├── BundleError     a saved model is damaged, foreign or too new
    ├── ClusterError    workers that were to compute something are missing, unlike or lost
    ├── RegistryError   a version or pointer is missing or in use
    │   └── BusyError   another run of the same kind is in progress
    └── InstallationError   an optional package is not installed, or a file of this one is damaged

Each message is one line: where, what was found, what was expected, what to do. Suspicious rows
that can still be scored give an `UnknownCategoryWarning`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice

__all__ = [
    "BundleError",
    "BusyError",
    "ClusterError",
    "DataError",
    "FFNError",
    "InstallationError",
    "OutputError",
    "RegistryError",
    "SettingsError",
    "TrainingError",
    "UnknownCategoryWarning",
    "did_you_mean",
    "one_line",
    "quote",
]


# Comparing two names takes time proportional to the product of their lengths: a hostile header
# must not delay its own error message.
_NAMES_COMPARED = 1_000
_LETTERS_COMPARED = 100


def one_line(text: object) -> str:
    """Return ``text`` with every control character and line break escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


class FFNError(Exception):
    """Base class of all errors that a user can act on.

    Parameters
    ----------
    message
        Text for the user; control characters and line breaks are escaped, so it is one line.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class SettingsError(FFNError):
    """``pipeline.toml`` or an argument is invalid."""


class DataError(FFNError):
    """A table cannot be read, trained on or scored."""


class OutputError(DataError):
    """A file cannot be written: the disk or folder is at fault, not the input."""


class TrainingError(FFNError):
    """Training produced no usable network."""


class BundleError(FFNError):
    """A saved model is damaged, was not written by this package, or has a newer format."""


class ClusterError(FFNError):
    """Workers that were to compute something are missing, unlike this process, or lost."""


class RegistryError(FFNError):
    """A model version or the production pointer is missing, damaged or in use."""


class BusyError(RegistryError):
    """Another run of the same kind is in progress, so this one did not start."""


class InstallationError(FFNError):
    """What was asked for needs a package that is not installed, or a file that is damaged."""


class UnknownCategoryWarning(UserWarning):
    """No cell of a categorical column has a category known from training: probably a mistake."""


def quote(value: object, limit: int = 60) -> str:
    """Return ``value`` in double quotes for a message: on one line, at most ``limit`` characters.

    The default of 60 leaves room for the rest of the sentence on a terminal line or two.
    """
    text = str(value)
    shortened = text if len(text) <= limit else text[: limit - 1] + "…"
    return '"' + one_line(shortened) + '"'


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``' Did you mean "x"?'`` for the member of ``known`` closest to ``name``.

    Empty if none is close. Case is ignored.
    """
    by_lower = {
        candidate.lower(): candidate
        for candidate in islice(known, _NAMES_COMPARED)
        if len(candidate) <= _LETTERS_COMPARED
    }
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {quote(by_lower[near[0]])}?" if near else ""
