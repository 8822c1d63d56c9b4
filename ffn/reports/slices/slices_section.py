"""The section of the report on slices: groups of rows that are served worse than all others."""

from __future__ import annotations

from ffn.quantities import counted, interval, p_value, percent
from ffn.reports.held_out import shown_name
from ffn.reports.markup.tables import table
from ffn.slices.slice_search import ALPHA, LEAST_GROUPS, LEAST_ROWS, SliceFigures, SliceSearch

__all__ = ["slice_name", "slice_sections", "slices_markdown", "slices_sentence"]

_SHOWN = 10
_NAMED = 3


def slice_sections(found: SliceSearch | None) -> list[str]:
    """Return heading and text of the section; none if there was no search."""
    return [] if found is None else ["## Slices", slices_markdown(found)]


def slices_markdown(found: SliceSearch) -> str:
    """Return what the search found: a sentence, a table of the worst slices, and its method."""
    if not found.searched:
        return slices_sentence(found)
    rows = [
        {
            "slice": slice_name(one),
            "rows": f"{one.rows:,}",
            "accuracy": interval(one.accuracy),
            "log-loss": interval(one.log_loss),
            "less accurate": p_value(one.less_accurate),
            "higher log-loss": p_value(one.higher_loss),
        }
        for one in found.slices[:_SHOWN]
    ]
    hidden = found.searched - len(rows)
    left_out = [
        *([f"{found.too_small:,} with too few rows"] if found.too_small else []),
        *([f"{found.left_out:,} with the fewest rows"] if found.left_out else []),
    ]
    lines = [
        slices_sentence(found),
        table(rows),
        *([f"Not shown: {counted(hidden, 'slice')} with higher p-values."] if hidden else []),
        "A slice is the rows with one value of a categorical column, or within a quarter of a "
        "number's training values. The last two columns are p-values for no lower accuracy and no "
        "higher log-loss than all other rows, adjusted by Holm's method for all "
        f"{2 * found.searched:,} comparisons; the intervals hold for all slices together with a "
        f"probability of {percent(1 - ALPHA)}."
        + (f" Not compared: {' and '.join(left_out)}." if left_out else ""),
    ]
    return "\n\n".join(lines)


def slices_sentence(found: SliceSearch) -> str:
    """Say which slices are shown to be served worse, if any; names are escaped."""
    many = (
        f"{counted(found.searched, 'slice')} of at least {LEAST_ROWS} of these "
        f"{counted(found.rows, 'held-out row')}"
    )
    if not found.searched:
        return (
            f"No slice was compared with the other rows: none of {found.too_small:,} has at least "
            f"{LEAST_ROWS} of these {counted(found.rows, 'held-out row')} (where rows come in "
            f"groups or are weighted, of {LEAST_GROUPS} groups) and leaves as many."
        )
    if not found.worse:
        return f"Of {many}, none is shown to be served worse than all other rows."
    named = "; ".join(_finding(one) for one in found.worse[:_NAMED])
    others = len(found.worse) - _NAMED
    more = f"; and {counted(others, 'other')}" if others > 0 else ""
    return (
        f"**Of {many}, {len(found.worse):,} {'is' if len(found.worse) == 1 else 'are'} shown to be "
        f"served worse than all other rows:** {named}{more}."
    )


def _finding(one: SliceFigures) -> str:
    figures = [
        *([f"accuracy {interval(one.accuracy)}"] if one.less_accurate <= ALPHA else []),
        *([f"log-loss {interval(one.log_loss)}"] if one.higher_loss <= ALPHA else []),
    ]
    return f"{slice_name(one)} ({', '.join(figures)})"


def slice_name(one: SliceFigures) -> str:
    """Return the name of a slice: its column, and what its rows have there, both escaped."""
    return f"{shown_name(one.column)}: {shown_name(one.value)}"
