"""Sentences made of figures."""

from __future__ import annotations

from collections import Counter

from benchmarks.accuracy.page.board import Board
from benchmarks.accuracy.peers import OURS, SIDES

__all__ = ["behind", "earlier", "extent", "failed", "lacking", "rejected", "title"]

_TITLES = {side.name: side.title for side in SIDES}


def title(side: str) -> str:
    """Return a side's name as on the page."""
    return _TITLES[side]


def extent(board: Board) -> str:
    """Return how many tables of which sizes there are, the seeds with results, and on what."""
    splits = list(board.tables.values())
    rows = [split.rows for split in splits]
    classes = [split.classes for split in splits]
    seeds = {seed for _, _, seed in board.found}
    processors = sorted({result.processor for result in board.found.values()})
    on = f" Measured on {' and '.join(processors)}." if any(processors) else ""
    return (
        f"{_count(len(splits), 'table')} of {min(rows):,} to {max(rows):,} training rows and "
        f"{min(classes)} to {max(classes)} classes, {_count(len(seeds), 'seed')}.{on}"
    )


def behind(board: Board) -> str:
    """Return the tables on which another side has a lower log-loss than ours, the worst first.

    Empty if there is no table that ours and another have both.
    """
    found = []
    compared = 0
    for table in board.finished([OURS]):
        others = [s for s in board.sides if s != OURS and board.common_seeds(table, [OURS, s])]
        ratios = {}
        for side in others:
            ours, theirs = board.means([table], [OURS, side], "log_loss")[0]
            ratios[side] = ours / theirs - 1
        if not ratios:
            continue
        compared += 1
        best = max(ratios, key=ratios.__getitem__)
        # Less than what is shown is a tie.
        if ratios[best] >= 0.0005:
            found.append((ratios[best], table, best))
    if not compared:
        return ""
    if not found:
        return f"**Where we lose.** On none of {_count(compared, 'table')}."
    listed = ", ".join(
        f"{table} ({title(side)}, {100 * ratio:.1f} %)"
        for ratio, table, side in sorted(found, reverse=True)
    )
    return (
        f"**Where we lose.** On {len(found)} of {_count(compared, 'table')} some other side has a "
        "log-loss that is lower by 0.1 % or more; in brackets the best of them and by how much "
        f"ours is higher, with the seeds that both have: {listed}."
    )


def lacking(board: Board) -> str:
    """Return what was asked for and not measured; empty if nothing is missing."""
    counts = Counter(side for _, side, _ in board.lacking())
    if not counts:
        return ""
    asked = len(board.tables) * len(board.seeds)
    parts = ", ".join(
        f"{title(side)} {counts[side]} of {asked}" for side in board.sides if counts[side]
    )
    return f"**Missing**, for lack of time or since it failed (splits of tables): {parts}."


def earlier(board: Board) -> str:
    """Return whose results are of earlier versions or code; empty if all are of the present."""
    counts = Counter(side for _, side, _ in board.earlier)
    measured = Counter(side for _, side, _ in board.found)
    if not counts:
        return ""
    parts = ", ".join(
        f"{title(side)} {counts[side]} of {measured[side]}" for side in board.sides if counts[side]
    )
    return f"**Measured with earlier versions or code** (splits of tables): {parts}."


def failed(board: Board) -> str:
    """Return who failed where and with what message; empty if nobody did."""
    errors: dict[tuple[str, str], list[str]] = {}
    for (table, side, _), result in sorted(board.found.items()):
        if result.figures is None:
            tables = errors.setdefault((side, result.error), [])
            if table not in tables:
                tables.append(table)
    if not errors:
        return ""
    parts = "; ".join(
        f"{title(side)} on {', '.join(tables)}: {error[:200]}"
        for (side, error), tables in errors.items()
    )
    return f"**Failed.** {parts}"


def rejected(board: Board) -> str:
    """Return how many test rows ours gave no answer for; empty if it answered all."""
    counts: Counter[str] = Counter()
    for (table, side, _), result in board.found.items():
        if side == OURS and result.rejected:
            counts[table] += result.rejected
    if not counts:
        return ""
    parts = ", ".join(f"{table} {count}" for table, count in sorted(counts.items()))
    return (
        "Rows that `ffn score` rejected, since a value was missing where none was in training, "
        f"count with the shares of the classes in training (over all seeds): {parts}."
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("s" if number != 1 else "")
