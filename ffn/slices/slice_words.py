"""The result of a search for slices as one sentence."""

from __future__ import annotations

from collections.abc import Callable

from ffn.errors import quote
from ffn.quantities import counted, interval
from ffn.slices.slice_search import ALPHA, LEAST_GROUPS, LEAST_ROWS, SliceFigures, SliceSearch

__all__ = ["plain_slice", "search_sentence"]

_NAMED = 3
_LETTERS = 60


def plain_slice(one: SliceFigures) -> str:
    """Return the name of a slice for a terminal: its column, and what its rows have there."""
    return f"{quote(one.column, _LETTERS)} {quote(one.value, _LETTERS)}"


def search_sentence(
    found: SliceSearch,
    what: str,
    *,
    name: Callable[[SliceFigures], str] = plain_slice,
    emphasis: str = "",
) -> str:
    """Say which slices are shown to be served worse, if any.

    Parameters
    ----------
    found
        Result of the search.
    what
        What its rows are called in the singular: ``held-out row``.
    name
        Names a slice; by default as text for a terminal.
    emphasis
        Put around the sentence's beginning where slices are named, such as ``**``; by default
        nothing.
    """
    rows = counted(found.rows, what)
    many = f"{counted(found.searched, 'slice')} of at least {LEAST_ROWS} of these {rows}"
    if not found.searched:
        return (
            f"No slice was compared with the other rows: none of {found.too_small:,} has at least "
            f"{LEAST_ROWS} of these {rows} (where rows come in groups or are weighted, of "
            f"{LEAST_GROUPS} groups) and leaves as many."
        )
    if not found.worse:
        return f"Of {many}, none is shown to be served worse than all other rows."
    named = "; ".join(_finding(one, name) for one in found.worse[:_NAMED])
    others = len(found.worse) - _NAMED
    more = f"; and {counted(others, 'other')}" if others > 0 else ""
    return (
        f"{emphasis}Of {many}, {len(found.worse):,} {'is' if len(found.worse) == 1 else 'are'} "
        f"shown to be served worse than all other rows:{emphasis} {named}{more}."
    )


def _finding(one: SliceFigures, name: Callable[[SliceFigures], str]) -> str:
    figures = [
        *([f"accuracy {interval(one.accuracy)}"] if one.less_accurate <= ALPHA else []),
        *([f"log-loss {interval(one.log_loss)}"] if one.higher_loss <= ALPHA else []),
    ]
    return f"{name(one)} ({', '.join(figures)})"
