"""The figures as Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.accuracy.page.board import Board, What
from benchmarks.accuracy.page.comparing import compare, mean_ranks
from benchmarks.accuracy.page.sentences import title
from benchmarks.accuracy.peers import OURS

__all__ = ["against_table", "figures_table", "ranks_table"]

_BETTER_IS_HIGHER: dict[What, bool] = {"log_loss": False, "accuracy": True, "auc": True}


def ranks_table(board: Board, sides: Sequence[str]) -> str:
    """Return mean ranks of these sides and their CPU seconds, on the tables that all finished."""
    tables = board.finished(sides)
    if not tables or len(sides) < 2:
        return ""
    ranks = {
        what: mean_ranks(board.means(tables, sides, what) * (-1 if higher else 1))
        for what, higher in _BETTER_IS_HIGHER.items()
    }
    seconds = board.seconds(tables, sides)
    lines = [
        f"| mean rank on {len(tables)} tables [95 %] | log-loss | accuracy | AUC | CPU seconds |",
        "|---|---|---|---|--:|",
    ]
    for s in np.argsort(ranks["log_loss"].mean, kind="stable"):
        cells = [
            f"**{found.mean[s]:.2f}** [{found.low[s]:.2f}, {found.high[s]:.2f}]"
            for found in ranks.values()
        ]
        lines.append(f"| {title(sides[s])} | {' | '.join(cells)} | {seconds[s]:,.0f} |")
    return "\n".join(lines)


def against_table(board: Board) -> str:
    """Return a line for each other side: who is ahead on how many tables, by how much.

    Empty if there is no table that ours and another have both.
    """
    heading = [
        "| log-loss of ours against | tables | wins | ties (within 1 %) | losses "
        "| median difference | CPU seconds, ours / theirs |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines = []
    for side in board.sides:
        tables = board.finished([OURS, side])
        if side == OURS or not tables:
            continue
        ours, theirs = board.means(tables, [OURS, side], "log_loss").T
        found = compare(ours, theirs)
        seconds = board.seconds(tables, [OURS, side])
        lines.append(
            f"| {title(side)} | {len(tables)} | {found.wins} | {found.ties} | {found.losses} "
            f"| {100 * found.difference:+.1f} % | {seconds[0]:,.0f} / {seconds[1]:,.0f} |"
        )
    return "\n".join([*heading, *lines]) if lines else ""


def figures_table(board: Board, what: What) -> str:
    """Return a line for each table: of every side the mean over the seeds that all there have.

    Seeds differ by more than sides do. Without a seed that all have, each has its own.
    """
    heading = {"log_loss": "log-loss", "accuracy": "accuracy, %", "auc": "AUC"}[what]
    # The others are named as missing.
    sides = board.present()
    lines = [
        f"| {heading} | rows | columns | classes | {' | '.join(map(title, sides))} |",
        f"|---|--:|--:|--:|{'--:|' * len(sides)}",
    ]
    for table, split in board.tables.items():
        there = [side for side in sides if board.common_seeds(table, [side])]
        alike = bool(board.common_seeds(table, there))
        found = (
            board.means([table], there, what)[0]
            if alike
            else [board.means([table], [side], what)[0, 0] for side in there]
        )
        values = np.full(len(sides), np.nan)
        values[[sides.index(side) for side in there]] = found
        texts = [_text(value, what) for value in values]
        if np.isfinite(values).any():
            best = np.nanmax(values) if _BETTER_IS_HIGHER[what] else np.nanmin(values)
            # All whose figure reads the same, not the first of them.
            shown = _text(best, what)
            texts = [f"**{text}**" if text == shown else text for text in texts]
        lines.append(
            f"| {table} | {split.rows:,} | {split.features} | {split.classes} "
            f"| {' | '.join(texts)} |"
        )
    return "\n".join(lines)


def _text(value: float, what: What) -> str:
    if np.isnan(value):
        return ""
    return f"{100 * value:.1f}" if what == "accuracy" else f"{value:.3f}"
