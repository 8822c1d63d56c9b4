"""What was simulated, as a table and a picture for ``docs/gate.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ffn.evaluation.inference.statistics import wilson
from ffn.reports.pictures.canvas import to_png
from simulations.gates import THRESHOLD
from simulations.recipes import EPOCHS
from simulations.runs import ACCURACY_MARGIN, Found

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "section", "with_section"]

_ALPHA = 0.05
_BEGIN = "<!-- {}written by `make simulate` -->"
_END = "<!-- {}end of what `make simulate` writes -->"
# Which gate is wrong to promote which null: whoever asks for no more than equality is not wrong
# about equals.
_CLAIMS = {
    "equally accurate": ("better",),
    "less accurate by the margin": ("better", "not_worse"),
    "log-loss higher by the margin": ("not_worse",),
}
_NAMES = {
    "better": "`better`",
    "not_worse": "`not_worse`",
    "at least as accurate": "`>=`",
    "threshold": f"`>= {THRESHOLD:g}`",
}
# Okabe and Ito 2008.
_STYLES = {
    "better": ("#0072B2", "-", "mode better"),
    "not_worse": ("#009E73", "-", "mode not_worse"),
    "better, no spending": ("#56B4E9", "--", "better, whole alpha each time"),
    "at least as accurate": ("#D55E00", "--", "accuracy >= production's"),
    "threshold": ("#999999", ":", f"accuracy >= {THRESHOLD:g}"),
}


def section(found: Found) -> str:
    """Return the table of false promotions and the sentences around it."""
    size = found.size
    lines = [
        f"Of {size.nulls:,} retrainings of each kind, promoted (share, 95 % interval where the "
        "mode claims that it is at most 0.05):",
        "",
        f"| challenger, truly | held-out rows | {' | '.join(_NAMES.values())} |",
        f"|---|---|{'---|' * len(_NAMES)}",
    ]
    for null, by_rows in found.nulls.items():
        for rows, promoted in by_rows.items():
            cells = [
                _share(promoted[gate], size.nulls, claimed=gate in _CLAIMS[null]) for gate in _NAMES
            ]
            lines.append(f"| {null} | {rows:,} | {' | '.join(cells)} |")
    lines += [
        "",
        "![Shares promoted over the true difference of accuracy, and false promotions over a "
        "history, by gate](images/gate_simulation.png)",
    ]
    last = {gate: shares[-1] for gate, shares in found.histories.items()}
    lines += [
        "",
        f"Of {size.histories} histories of {size.looks} retrainings, none better than the one "
        f"production, on the same {size.history_rows} rows, a false promotion happened in "
        f"{last['better']:.3f} (mode `better`), {last['better, no spending']:.3f} (the same with "
        f"the whole alpha each time) and {last['at least as accurate']:.3f} (`>=`). Of "
        f"{size.nulls:,} pairs of equal recipes on resamples of 120 rows, one was found better in "
        f"{_share(found.recipes, size.nulls, claimed=True)}. Where production's recipe trains for "
        f"fewer than the challenger's {EPOCHS} epochs, {size.power_runs} pairs each:",
        "",
        "| production's epochs | accuracy gained, truly | log-loss lost, truly | found better |",
        "|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {epochs} | {one.accuracy:.3f} | {-one.log_loss:.3f} | {one.better:.2f} |"
        for epochs, one in found.better_recipes.items()
    ]
    return "\n".join(lines)


def with_section(page: str, text: str, name: str = "") -> str:
    """Return ``page`` with ``text`` between its markers.

    Parameters
    ----------
    page
        Content of the page.
    text
        What is put between the markers.
    name
        Name in the markers, on a page with several sections; by default they have none.

    Raises
    ------
    ValueError
        The page does not hold each marker once, in their order.
    """
    begin, end = (marker.format(f"{name}: " if name else "") for marker in (_BEGIN, _END))
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(end) < page.index(begin):
        raise ValueError(f"the page must hold {begin} and then {end}, once each")
    before, rest = page.split(begin)
    return f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}"


def draw(found: Found) -> bytes:
    """Return a PNG: power over the true difference, and false promotions over a history."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 4.4), facecolor="white")
    power, histories = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.075, right=0.985, top=0.9, bottom=0.3, wspace=0.2)
    points = [100 * difference for difference in found.size.differences]
    for gate, shares in found.power.items():
        colour, dashes, label = _STYLES[gate]
        power.plot(points, shares, color=colour, linestyle=dashes, marker=".", label=label)
    for at in (-100 * ACCURACY_MARGIN, 0):
        power.axvline(at, color="0.75", linewidth=0.8, zorder=0)
    _dress(
        power,
        f"Promoted, of {found.size.power_runs} retrainings a point\n"
        f"({found.size.power_rows:,} held-out rows)",
        "true accuracy of the challenger minus production's, points",
    )
    looks = range(1, found.size.looks + 1)
    for gate, shares in found.histories.items():
        colour, dashes, label = _STYLES[gate]
        histories.plot(looks, shares, color=colour, linestyle=dashes, marker=".", label=label)
    histories.set_xticks([1, *range(5, found.size.looks + 1, 5)])
    _dress(
        histories,
        f"A false promotion so far, of {found.size.histories} histories\n"
        f"(no challenger better, the same {found.size.history_rows} rows)",
        "retrainings compared on the same rows",
    )
    return to_png(figure)


def _dress(panel: Axes, title: str, below: str) -> None:
    panel.axhline(_ALPHA, color="0.3", linewidth=0.8, linestyle=(0, (2, 2)), label="alpha, 0.05")
    panel.set_title(title, fontsize=10, loc="left")
    panel.set_xlabel(below, fontsize=9)
    panel.set_ylim(-0.02, 1.02)
    panel.tick_params(labelsize=9)
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, fontsize=8.5, frameon=False
    )


def _share(promoted: int, runs: int, *, claimed: bool) -> str:
    interval = wilson(promoted, runs)
    if not claimed:
        return f"{interval.value:.3f}"
    return f"**{interval.value:.3f}** [{interval.low:.3f}, {interval.high:.3f}]"
