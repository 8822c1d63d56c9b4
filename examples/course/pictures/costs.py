"""What a step costs, and what mistakes cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from examples.course.pictures.paper import CLASS_COLOURS, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["mistakes", "steps"]


def steps(names: dict[str, Any]) -> Figure:
    """Draw microseconds a step, of the reference and of stacks.

    Parameters
    ----------
    names
        ``speed``: what was measured.
    """
    figure, (axis,) = panels(1, height=2.4)
    plain = names["speed"]["microseconds"]
    times = {f"stack of {k}": plain / f[0] for k, f in names["speed"]["times_faster"].items()}
    bars = axis.barh(
        ["reference.py", *times], [plain, *times.values()], color=["0.6", *[CLASS_COLOURS[0]] * 4]
    )
    axis.bar_label(bars, fmt="%.1f", padding=3, fontsize=8)
    axis.margins(x=0.1)
    axis.invert_yaxis()
    axis.set_xlabel("microseconds of CPU time, a step of one network on Iris", fontsize=8)
    return figure


def mistakes(names: dict[str, Any]) -> Figure:
    """Draw the accuracy that each mistake reports beside that of doing it right.

    Parameters
    ----------
    names
        ``choosing``, ``forgotten``, ``columns``, ``copies`` and ``scaler``: what was measured.
    """
    figure, (axis,) = panels(1, height=2.8)
    pairs = {
        "chosen on test rows": (names["choosing"]["reported"], names["choosing"]["true"]),
        "scaler forgotten": (names["forgotten"]["wrong"], names["forgotten"]["right"]),
        "columns before the split\n(noise)": (names["columns"]["wrong"], names["columns"]["right"]),
        "copies before the split\n(noise)": (names["copies"]["wrong"], names["copies"]["right"]),
        "scaled before the split": (names["scaler"]["wrong"], names["scaler"]["right"]),
    }
    for place, (wrong, right) in enumerate(pairs.values()):
        axis.plot([wrong[0], right[0]], [place, place], color="0.8", lw=3, zorder=1)
        for figures, colour, label in (
            (right, CLASS_COLOURS[0], "done right"),
            (wrong, "#D55E00", "with the mistake"),
        ):
            axis.errorbar(
                figures[0],
                place,
                xerr=figures[1],
                fmt="o",
                color=colour,
                label=label if place == 0 else None,
            )
    axis.set_yticks(range(len(pairs)), list(pairs))
    axis.invert_yaxis()
    axis.set(xlim=(20, 100))
    axis.set_xlabel("accuracy (%)", fontsize=8)
    axis.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure
