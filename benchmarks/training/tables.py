"""The figures as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from benchmarks.rounds import Measured
from benchmarks.training.commands import Commands
from benchmarks.training.parts import PARTS
from benchmarks.training.targets import RETRAIN_SECONDS, TARGETS, Target
from benchmarks.training.work import Work

__all__ = ["commands_table", "full_table", "parts_table", "targets_table"]


def targets_table(measured: Mapping[str, Measured], commands: Commands | None) -> str:
    """Return a line for each target that was measured."""
    lines = [
        "| work | against | to reach | their time / ours: median [lowest, highest] | rounds "
        "| reached |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        _target_row(target, measured[target.work])
        for target in TARGETS
        if target.work in measured and target.against in measured[target.work].seconds
    ]
    if commands is not None:
        cost = commands.cost_of_prefect
        lines.append(
            _row(
                "retraining Iris, server running",
                "`--direct`",
                f"≤ {RETRAIN_SECONDS:g} s",
                f"**{np.median(cost):.1f} s** [{cost.min():.1f}, {cost.max():.1f}] more",
                len(cost),
                _yes(bool(np.median(cost) <= RETRAIN_SECONDS)),
            )
        )
    return "\n".join(lines)


def parts_table(parts: Mapping[str, Mapping[str, float]], works: Mapping[str, Work]) -> str:
    """Return a line for each part of our training, a column for each work."""
    names = [works[key].shape.name for key in parts]
    lines = [
        f"| our own time, a step of one network | {' | '.join(names)} |",
        f"|---|{'--:|' * len(names)}",
    ]
    for part in PARTS:
        times = [seconds_text(parts[key][part] / works[key].network_steps) for key in parts]
        lines.append(_row(part, *times))
    return "\n".join(lines)


def full_table(measured: Mapping[str, Measured], works: Mapping[str, Work]) -> str:
    """Return a line for each side of each work."""
    lines = [
        "| work | side | CPU time | a step of one network | time / ours: median "
        "[lowest, highest] |",
        "|---|---|---|---|---|",
    ]
    for key, own in measured.items():
        steps = works[key].network_steps if key in works else None
        for side in own.seconds:
            ratios = own.ratios(side)
            lines.append(
                _row(
                    own.work,
                    side,
                    seconds_text(own.median(side)),
                    seconds_text(own.median(side) / steps) if steps else "",
                    "1" if side == "ours" else spread(ratios),
                )
            )
    return "\n".join(lines)


def commands_table(commands: Commands) -> str:
    """Return a line for each way to retrain."""
    lines = ["| command | wall seconds: median [lowest, highest] | runs |", "|---|---|---|"]
    lines += [
        _row(
            name,
            f"**{np.median(seconds):.1f}** [{seconds.min():.1f}, {seconds.max():.1f}]",
            len(seconds),
        )
        for name, seconds in commands.named()
    ]
    return "\n".join(lines)


def seconds_text(seconds: float) -> str:
    """Return three digits and a unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size or unit == "µs":
            break
    value = seconds / size
    return f"{value:.{0 if value >= 99.5 else 1 if value >= 9.95 else 2}f} {unit}"


def spread(ratios: Iterable[float]) -> str:
    """Return the median with the whole range."""
    array = np.asarray(ratios)
    low, middle, high = (digits(float(f(array))) for f in (np.min, np.median, np.max))
    return f"**{middle}** [{low}, {high}]"


def digits(ratio: float) -> str:
    """Return a ratio with two decimals below 3, then one."""
    return f"{ratio:.2f}" if ratio < 3 else f"{ratio:.1f}"


def _target_row(target: Target, own: Measured) -> str:
    ratios = own.ratios(target.against)
    return _row(
        own.work,
        target.against,
        f"≥ {target.reach:g}",
        spread(ratios),
        len(ratios),
        _yes(target.is_reached(ratios)),
    )


def _yes(reached: bool) -> str:
    return "yes" if reached else "**no**"


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
