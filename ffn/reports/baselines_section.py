"""The report's section on baselines: the network compared with simpler models."""

from __future__ import annotations

from collections.abc import Sequence

from ffn.evaluation.baselines import LINEAR, MAJORITY, Baseline
from ffn.evaluation.inference.differences import Difference
from ffn.evaluation.inference.statistics import Interval
from ffn.quantities import counted, difference, interval, listed
from ffn.reports.markup.escaping import escape
from ffn.reports.markup.tables import bullets, table

__all__ = ["accuracy_doubt", "baselines_markdown", "baselines_sentence"]

_SIMPLER = (MAJORITY, LINEAR)
_WORDS = {1: "better", 0: "", -1: "worse"}


def accuracy_doubt(baselines: Sequence[Baseline]) -> str:
    """Return a caveat if the network is not shown to beat the majority class; empty if it is.

    The caveat uses the paired difference in accuracy, as `baselines_sentence` does, so that the
    two never contradict each other: the interval of the network's own accuracy may contain that
    of a baseline which the paired comparison shows it to exceed.

    Parameters
    ----------
    baselines
        Baselines compared with the network; without the majority class the result is empty.
    """
    signs = [b.difference.in_accuracy for b in baselines if b.name == MAJORITY]
    if not signs or signs[0] > 0:
        return ""
    found = "shown to be lower" if signs[0] < 0 else "not shown to be higher"
    return (
        f"The network's accuracy is {found} than that of always predicting the most frequent class."
    )


def baselines_sentence(baselines: Sequence[Baseline], rows: int, held_out: int) -> str:
    """Return one paragraph that compares the network with the baselines on held-out rows.

    Parameters
    ----------
    baselines
        At least one, in the order in which they are to be named.
    rows
        Number of held-out rows on which all of them were compared.
    held_out
        Number of all held-out rows, of which `rows` may be a sample.
    """
    groups: dict[str, list[Baseline]] = {}
    for baseline in baselines:
        groups.setdefault(_standing(baseline.difference), []).append(baseline)
    clauses = [standing.format(_listed(those)) for standing, those in groups.items()]
    same = counted(rows, "held-out row")
    where = (
        f"the same {same}" if rows == held_out else f"{rows:,} of the {held_out:,} held-out rows"
    )
    return f"On {where} the network is {listed(clauses)}.{_simpler(baselines)}"


def _simpler(baselines: Sequence[Baseline]) -> str:
    """Name the simpler models that do best, with the strongest claim that the figures allow.

    Only that one claim is made: a model that is as accurate is of no interest beside a better one.
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
        return _named(better, "performs better", "perform better")
    if right:
        return _named(right, "is more accurate", "are more accurate")
    hedge = "not shown to be less accurate"
    return _named(as_well, f"is {hedge}", f"are {hedge}") if as_well else ""


def _named(baselines: Sequence[Baseline], one: str, several: str) -> str:
    what = f"A simpler model {one}" if len(baselines) == 1 else f"Simpler models {several}"
    return f" {what}: {_listed(baselines)}."


def baselines_markdown(baselines: Sequence[Baseline], rows: int, held_out: int) -> str:
    """Return the section in Markdown: the comparison in words, a table, and notes on its columns.

    Parameters
    ----------
    baselines, rows, held_out
        As for `baselines_sentence`.
    """
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
        # Not escaped, as no foreign text is in it: an escaped equals sign would be shown as a
        # character reference where Markdown is displayed as plain text.
        f"{baseline.name}: {baseline.settings}, on {counted(baseline.fitted_rows, 'training row')}"
        f"{f' ({baseline.problem})' if baseline.problem else ''}"
        for baseline in baselines
    ]
    return "\n\n".join(
        [
            f"**{escape(baselines_sentence(baselines, rows, held_out))}**",
            table(lines),
            "Δ is the network minus the baseline, paired row by row; it is bold where its 95 % "
            "interval excludes zero. Accuracy: Tango's score interval. Log-loss: the wider of the "
            "bootstrap and Student's t intervals, with probabilities clipped at 10⁻⁶. The "
            "baselines have fixed settings, and none of them was tuned:",
            bullets(fits),
        ]
    )


def _standing(found: Difference) -> str:
    """Return how the network compares, with a place for the other's name: "better than {}"."""
    accuracy, log_loss = _WORDS[found.in_accuracy], _WORDS[found.in_log_loss]
    if accuracy == log_loss:
        return f"{accuracy} than {{}}" if accuracy else "not significantly different from {}"
    if accuracy and log_loss:
        return f"{accuracy} than {{}} in accuracy but {log_loss} in log-loss"
    which = "accuracy" if accuracy else "log-loss"
    return f"{accuracy or log_loss} than {{}} in {which} only"


def _marked(found: Interval, sign: int) -> str:
    return f"**{difference(found)}**" if sign else difference(found)


def _listed(baselines: Sequence[Baseline]) -> str:
    names = [
        "always predicting the most frequent class" if b.name == MAJORITY else b.name
        for b in baselines
    ]
    return listed(names)
