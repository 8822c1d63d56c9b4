"""The figures as Markdown, and their place in a page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.commands import Timed
from benchmarks.pairs import Measured

__all__ = ["BEGIN", "END", "results_markdown", "with_results"]

BEGIN = "<!-- results: written by `make benchmark` -->"
END = "<!-- end of results -->"


def results_markdown(measured: Sequence[Measured], timed: Sequence[Timed], machine: str) -> str:
    """Return both tables and what they were measured on."""
    lines = [
        f"Measured on: {machine}.",
        "",
        "| comparison | optimizer | ours, CPU ms a network | scikit-learn, CPU ms a network "
        "| scikit-learn / ours: median [lowest, highest] | pairs | held-out accuracy, ours "
        "| scikit-learn |",
        "|---|---|---|---|---|---|---|---|",
        *map(_contest_row, measured),
        "",
        "| command | wall seconds: median [lowest, highest] | runs |",
        "|---|---|---|",
        *map(_command_row, timed),
    ]
    return "\n".join(lines)


def with_results(page: str, results: str) -> str:
    """Return ``page`` with ``results`` between its markers.

    Raises
    ------
    ValueError
        The page does not hold each marker once, in their order.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after or END in before:
        raise ValueError(f"the page must hold {BEGIN} and then {END}, once each")
    return f"{before}{BEGIN}\n\n{results}\n\n{END}{after}"


def _contest_row(measured: Measured) -> str:
    contest, ratios = measured.contest, measured.ratios
    cells = [
        contest.name,
        contest.optimizer,
        f"{1000 * np.median(measured.ours):.1f}",
        f"{1000 * np.median(measured.theirs):.1f}",
        f"**{np.median(ratios):.1f}** [{ratios.min():.1f}, {ratios.max():.1f}]",
        f"{len(ratios)}",
        f"{measured.our_accuracy.mean():.3f}",
        f"{measured.their_accuracy.mean():.3f}",
    ]
    return f"| {' | '.join(cells)} |"


def _command_row(timed: Timed) -> str:
    seconds = timed.seconds
    span = f"**{timed.median:.1f}** [{min(seconds):.1f}, {max(seconds):.1f}]"
    return f"| `{timed.command}` | {span} | {len(seconds)} |"
