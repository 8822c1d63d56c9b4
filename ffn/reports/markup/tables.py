"""Markdown tables and bullet lists."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["bullets", "table"]


def table(rows: Sequence[dict[str, str]], left: int = 1) -> str:
    """Return rows as a Markdown table whose header consists of their keys.

    Parameters
    ----------
    rows
        At least one, all with the same keys; keys and cells are Markdown on one line.
    left
        Number of leading columns that are aligned left, by default the first alone, since the
        others mostly hold numbers; the rest are aligned right.
    """
    header = list(rows[0])
    rules = [":--" if column < left else "--:" for column in range(len(header))]
    lines = [header, rules, *([row[key] for key in header] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def bullets(lines: Sequence[str]) -> str:
    """Return lines of Markdown as a bullet list."""
    return "\n".join(f"- {line}" for line in lines)
