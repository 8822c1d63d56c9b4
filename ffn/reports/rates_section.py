"""Section of the report on learning rates: which were tried, and which was chosen."""

from __future__ import annotations

from collections.abc import Sequence

from ffn.quantities import counted
from ffn.reports.markup.escaping import escape
from ffn.reports.markup.tables import bullets
from ffn.training.selection.leaderboard import Ranked

__all__ = ["edge_doubts", "ended_notices", "rate_sentence", "rates_markdown"]


def rates_markdown(leaderboard: Sequence[Ranked], picture: str | None) -> str:
    """Return the section in Markdown: a sentence for each optimizer, below a picture.

    Parameters
    ----------
    leaderboard
        The optimizers.
    picture
        Address of the picture made by `ffn.reports.pictures.loss_by_rate`; None if no optimizer
        had several rates to choose from, or nothing can be drawn.
    """
    lines = bullets([escape(rate_sentence(line)) for line in leaderboard])
    if all(len(line.rates) == 1 for line in leaderboard):
        return lines
    drawn = "![Validation log-loss of each optimizer by learning rate]"
    above = f"{drawn}({picture})\n\n" if picture else ""
    return (
        f"{above}{lines}\n\n"
        "On each resample an optimizer is compared at the rate that was best on all other "
        "resamples, so no rate is judged on rows that chose it."
    )


def rate_sentence(line: Ranked) -> str:
    """Return which rate an optimizer was given, out of which, and whether that is at the edge.

    Parameters
    ----------
    line
        The optimizer.
    """
    rates = line.rates
    if len(rates) == 1:
        return f"{line.optimizer}: learning rate {line.learning_rate:g}, as set."
    lost = sum(one.finished < one.resamples for one in rates)
    dropped = sum(one.resamples < line.networks for one in rates)
    diverged = f" At {counted(lost, 'rate')} some or all networks diverged." if lost else ""
    raced = (
        f" Shown to be worse and dropped after some of the resamples: {counted(dropped, 'rate')}."
        if dropped
        else ""
    )
    return (
        f"{line.optimizer}: learning rate {line.learning_rate:g}, the best of {len(rates)} from "
        f"{rates[0].rate:g} to {rates[-1].rate:g}.{_edge(line)}{diverged}{raced}"
    )


def edge_doubts(leaderboard: Sequence[Ranked]) -> list[str]:
    """Return a sentence for each optimizer whose best rate is at the edge of those tried.

    Parameters
    ----------
    leaderboard
        The optimizers.
    """
    return [f"{line.optimizer}:{_edge(line)}" for line in leaderboard if line.edge]


def ended_notices(leaderboard: Sequence[Ranked]) -> list[str]:
    """Return a clause for each optimizer whose training the time budget ended.

    Parameters
    ----------
    leaderboard
        The optimizers.
    """
    return [
        f"{line.optimizer}: the time budget ended {line.ended:,} of "
        f"{counted(line.networks, 'network')} before they had finished; their best epoch so far is "
        "used"
        for line in leaderboard
        if line.ended
    ]


def _edge(line: Ranked) -> str:
    if not line.edge:
        return ""
    other = "lower" if line.edge == "lowest" else "higher"
    return (
        f" {line.learning_rate:g} is the {line.edge} rate that was tried; "
        f"a {other} one may be better."
    )
