"""Check that the ranges of a file follow one another, and score again those that do not.

Where a range begins is a guess, because a line end may be inside quotes. Whether it was right is
known when the range before it is scored: it ends where the next one has to begin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ffn.scoring.partitioned.part_account import PartAccount
from ffn.scoring.partitioned.part_plan import InputPart
from ffn.tabular.csv.parsing.position import Mark, Place

__all__ = ["Rescore", "ranges_in_order"]

Rescore = Callable[[InputPart, Mark | None, bool], PartAccount]
"""Scores a part whose first record begins at a mark (None: behind the header), perhaps to the end
of the file."""


def ranges_in_order(
    parts: Sequence[InputPart], scored: Mapping[str, PartAccount], rescore: Rescore
) -> list[PartAccount]:
    """Return the ranges of a file, each of which begins where the one before it ends.

    Parameters
    ----------
    parts
        The ranges, in order.
    scored
        Those that were scored, by name.
    rescore
        Scores a range again.
    """
    found: list[PartAccount] = []
    at: Mark | None = None
    for part in parts:
        account = scored.get(part.name)
        span = account.span if account else None
        if span is None or (at is not None and (span.begin != at.offset or at.place.after_stray)):
            account = rescore(part, at, False)
            span = account.span
        if account is None or span is None or part.stretch is None:
            raise RuntimeError(f"{part.name} is no range of a file")
        if span.end < part.stretch.until:
            # From some record on all lines are rejected, which the rest of the file decides.
            found.append(rescore(part, at, True))
            return found
        found.append(account)
        at = Mark(span.end, Place(rows=0, lines=0, after_stray=span.after_stray))
    return found
