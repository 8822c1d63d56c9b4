"""Tables and lists in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["bullets", "table"]


def table(rows: Sequence[dict[str, str]], left: int = 1) -> str:
    """Return rows that have the same keys as a table, the keys being its header.

    Parameters
    ----------
    rows
        At least one; keys and cells are Markdown on one line.
    left
        So many columns are aligned left, the others right.
    """
    header = list(rows[0])
    rules = [":--" if column < left else "--:" for column in range(len(header))]
    lines = [header, rules, *([row[key] for key in header] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def bullets(lines: Sequence[str]) -> str:
    """Return lines of Markdown as a list."""
    return "\n".join(f"- {line}" for line in lines)
