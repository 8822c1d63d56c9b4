"""Simpler models beside ours, in words and as a table."""

from __future__ import annotations

from collections.abc import Sequence

from ffn.evaluation.baselines import LINEAR, MAJORITY, Baseline
from ffn.evaluation.differences import Difference
from ffn.evaluation.statistics import Interval
from ffn.quantities import counted, difference, interval
from ffn.reports.markup.escaping import escape
from ffn.reports.markup.tables import bullets, table

__all__ = ["accuracy_doubt", "baselines_markdown", "baselines_sentence"]

_SIMPLER = (MAJORITY, LINEAR)
_WORDS = {1: "better", 0: "", -1: "worse"}


def accuracy_doubt(baselines: Sequence[Baseline]) -> str:
    """Say where our accuracy is not shown to be above that of the most frequent class; or nothing.

    By the paired difference, as `baselines_sentence` does, so that the two never contradict each
    other: the interval of our accuracy alone may hold a baseline that ours is shown to exceed.
    """
    signs = [b.difference.in_accuracy for b in baselines if b.name == MAJORITY]
    if not signs or signs[0] > 0:
        return ""
    found = "shown to be lower" if signs[0] < 0 else "not shown to be higher"
    return (
        f"The network's accuracy is {found} than that of always answering the most frequent class."
    )


def baselines_sentence(baselines: Sequence[Baseline], rows: int, held_out: int) -> str:
    """Say in a line how our model does beside the others on the same held-out rows.

    Parameters
    ----------
    rows, held_out
        Rows that all were compared on, and all held-out rows.
    """
    groups: dict[str, list[Baseline]] = {}
    for baseline in baselines:
        groups.setdefault(_standing(baseline.difference), []).append(baseline)
    clauses = [f"{standing} {_listed(those)}" for standing, those in groups.items()]
    same = counted(rows, "held-out row")
    where = (
        f"the same {same}" if rows == held_out else f"{rows:,} of the {held_out:,} held-out rows"
    )
    return f"On {where} the network is {_joined(clauses)}.{_simpler(baselines)}"


def _simpler(baselines: Sequence[Baseline]) -> str:
    """Name the simpler models that do best, in the strongest way that the figures allow.

    One way alone: of a model that labels as well nobody needs to know beside one that is better.
    """
    better, right, as_well = [], [], []
    for baseline in baselines:
        accuracy, log_loss = baseline.difference.in_accuracy, baseline.difference.in_log_loss
        if baseline.name not in _SIMPLER or accuracy > 0:
            continue
        if accuracy + log_loss < 0:
            better.append(baseline)
        elif accuracy < 0:
            right.append(baseline)
        else:
            as_well.append(baseline)
    if better:
        return _named(better, "does better", "do better")
    if right:
        return _named(right, "labels more rows right", "label more rows right")
    hedge = "as well, as far as these rows can tell"
    return _named(as_well, f"labels {hedge}", f"label {hedge}") if as_well else ""


def _named(baselines: Sequence[Baseline], one: str, several: str) -> str:
    what = f"A simpler model {one}" if len(baselines) == 1 else f"Simpler models {several}"
    return f" {what}: {_listed(baselines)}."


def baselines_markdown(baselines: Sequence[Baseline], rows: int, held_out: int) -> str:
    """Return the sentence, the table and what its columns mean; rows as for the sentence."""
    lines = [
        {
            "model": baseline.name,
            "accuracy": interval(baseline.evaluation.accuracy),
            "Δ accuracy": _marked(baseline.difference.accuracy, baseline.difference.in_accuracy),
            "log-loss": interval(baseline.evaluation.log_loss),
            "Δ log-loss": _marked(baseline.difference.log_loss, baseline.difference.in_log_loss),
        }
        for baseline in baselines
    ]
    fits = [
        # Our own words: escaped, an equals sign would show as a reference where none is resolved.
        f"{baseline.name}: {baseline.settings}, on {counted(baseline.fitted_rows, 'training row')}"
        f"{f' ({baseline.problem})' if baseline.problem else ''}"
        for baseline in baselines
    ]
    return "\n\n".join(
        [
            f"**{escape(baselines_sentence(baselines, rows, held_out))}**",
            table(lines),
            "Δ: the network minus the other, row by row; bold where the interval shows a "
            "difference, which each does wrongly once in twenty times. Accuracy: Tango's score "
            "interval. Log-loss: the outer one of bootstrap and Student, where a probability "
            "counts as at least 10⁻⁶. Settings are fixed, and nothing was tuned:",
            bullets(fits),
        ]
    )


def _standing(found: Difference) -> str:
    """Return what our model is shown to be beside another: "better than" and the like."""
    accuracy, log_loss = _WORDS[found.in_accuracy], _WORDS[found.in_log_loss]
    if accuracy == log_loss:
        return f"{accuracy} than" if accuracy else "not told apart from"
    if accuracy and log_loss:
        return f"{accuracy} in accuracy and {log_loss} in log-loss than"
    only = f"{accuracy} in accuracy" if accuracy else f"{log_loss} in log-loss"
    return f"{only} alone than"


def _marked(found: Interval, sign: int) -> str:
    return f"**{difference(found)}**" if sign else difference(found)


def _listed(baselines: Sequence[Baseline]) -> str:
    names = [
        "always answering the most frequent class" if b.name == MAJORITY else b.name
        for b in baselines
    ]
    return _joined(names)


def _joined(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
