"""Simpler models beside ours, in words and as a table."""

from __future__ import annotations

from collections.abc import Sequence

from ffn.models.assessment.baselines import LINEAR, MAJORITY, Baseline
from ffn.models.assessment.differences import Difference
from ffn.models.assessment.statistics import Interval
from ffn.reports.escaping import escape
from ffn.reports.numbers import interval
from ffn.reports.tables import bullets, table

__all__ = ["baselines_markdown", "baselines_sentence"]

_SIMPLER = (MAJORITY, LINEAR)
_WORDS = {1: "better", 0: "", -1: "worse"}


def baselines_sentence(baselines: Sequence[Baseline], rows: int) -> str:
    """Say in a line how our model does beside the others on the same held-out rows."""
    groups: dict[str, list[Baseline]] = {}
    for baseline in baselines:
        groups.setdefault(_standing(baseline.difference), []).append(baseline)
    clauses = [f"{standing} {_listed(those)}" for standing, those in groups.items()]
    sentence = f"On the same {rows:,} held-out rows the network is {_joined(clauses)}."
    simpler = [(b, b.difference) for b in baselines if b.name in _SIMPLER]
    better = [b for b, found in simpler if found.in_accuracy + found.in_log_loss < 0]
    as_well = [b for b, found in simpler if found.in_accuracy <= 0 and b not in better]
    if better:
        sentence += f" A simpler model does better: {_listed(better)}."
    if as_well:
        sentence += (
            f" A simpler model labels as well, as far as these rows can tell: {_listed(as_well)}."
        )
    return sentence


def baselines_markdown(baselines: Sequence[Baseline], rows: int) -> str:
    """Return the sentence, the table and what its columns mean."""
    lines = [
        {
            "model": escape(baseline.name),
            "accuracy": interval(baseline.evaluation.accuracy),
            "Δ accuracy": _marked(baseline.difference.accuracy, baseline.difference.in_accuracy),
            "log-loss": interval(baseline.evaluation.log_loss),
            "Δ log-loss": _marked(baseline.difference.log_loss, baseline.difference.in_log_loss),
        }
        for baseline in baselines
    ]
    fits = [
        f"{escape(baseline.name)}: {escape(baseline.settings)}, on {baseline.fitted_rows:,} "
        f"training rows{escape(f' ({baseline.problem})') if baseline.problem else ''}"
        for baseline in baselines
    ]
    return "\n\n".join(
        [
            f"**{escape(baselines_sentence(baselines, rows))}**",
            table(lines),
            "Δ: the network minus the other, row by row; bold where the interval shows a "
            "difference, which each does wrongly once in twenty times. Accuracy: Tango's score "
            "interval. Log-loss: the outer one of bootstrap and Student, where a probability "
            "counts as at least 10⁻⁶. Settings are fixed, and nothing was tuned:",
            bullets(fits),
        ]
    )


def _standing(difference: Difference) -> str:
    """Return what our model is shown to be beside another: "better than" and the like."""
    accuracy, log_loss = _WORDS[difference.in_accuracy], _WORDS[difference.in_log_loss]
    if accuracy == log_loss:
        return f"{accuracy} than" if accuracy else "not told apart from"
    if accuracy and log_loss:
        return f"{accuracy} in accuracy and {log_loss} in log-loss than"
    only = f"{accuracy} in accuracy" if accuracy else f"{log_loss} in log-loss"
    return f"{only} alone than"


def _marked(difference: Interval, sign: int) -> str:
    return f"**{interval(difference)}**" if sign else interval(difference)


def _listed(baselines: Sequence[Baseline]) -> str:
    names = [
        "always answering the most frequent class" if b.name == MAJORITY else b.name
        for b in baselines
    ]
    return _joined(names)


def _joined(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
