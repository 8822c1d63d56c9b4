"""The section of the report on slices: groups of rows that are served worse than all others."""

from __future__ import annotations

from ffn.quantities import counted, interval, p_value, percent
from ffn.reports.held_out import shown_name
from ffn.reports.markup.tables import table
from ffn.slices.slice_search import ALPHA, SliceFigures, SliceSearch
from ffn.slices.slice_words import search_sentence

__all__ = ["slice_name", "slice_sections", "slices_markdown", "slices_sentence"]

_SHOWN = 10


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
    return search_sentence(found, "held-out row", name=slice_name, emphasis="**")


def slice_name(one: SliceFigures) -> str:
    """Return the name of a slice: its column, and what its rows have there, both escaped."""
    return f"{shown_name(one.column)}: {shown_name(one.value)}"
