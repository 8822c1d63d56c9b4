"""Cells of terminal tables from records of versions: a dash for what a record lacks."""

from __future__ import annotations

import textwrap

from rich.console import Console

from ffn.errors import one_line
from ffn.evaluation.inference.statistics import Interval
from ffn.quantities import NOTHING, counted, interval

__all__ = [
    "DIGITS",
    "WIDTH",
    "count_cell",
    "date_cell",
    "digest_cell",
    "figure_cell",
    "print_wrapped",
]

WIDTH = 80
# Enough digits of a digest to distinguish any two that a person compares.
DIGITS = 16


def count_cell(number: object, what: str = "") -> str:
    """Return a count from a document as text; a dash if it is missing.

    Parameters
    ----------
    number
        What the document has in the place of a count.
    what
        Noun in the singular; by default there is none.
    """
    if type(number) is not int:
        return f"{NOTHING} {what}s" if what else NOTHING
    return counted(number, what) if what else f"{number:,}"


def figure_cell(figure: Interval | None) -> str:
    """Return ``figure`` with its interval; a dash if it is missing."""
    return NOTHING if figure is None else interval(figure)


def date_cell(text: str) -> str:
    """Return ``text``, an ISO 8601 date, in the form ``2026-03-01 04:00``."""
    return one_line(text[:16].replace("T", " ")) or NOTHING


def digest_cell(value: object) -> str:
    """Return the first digits of ``value``, a SHA-256; a dash if it is missing."""
    return f"SHA-256 {value[:DIGITS]}" if isinstance(value, str) and value else NOTHING


def print_wrapped(console: Console, text: str) -> None:
    """Print ``text`` on ``console`` in lines of at most 80 characters."""
    lines = textwrap.wrap(one_line(text), WIDTH, break_on_hyphens=False)
    console.print("\n".join(lines), soft_wrap=True)
