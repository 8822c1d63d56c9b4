"""How labels follow from probabilities, in Markdown: the rule, its cost, and abstention."""

from __future__ import annotations

from collections.abc import Sequence

from ffn.decision_rules.rule import DecisionRule
from ffn.decision_rules.rule_choice import ChosenRule
from ffn.evaluation.decision_evaluation import CoveragePoint, DecisionEvaluation
from ffn.evaluation.label_set_evaluation import LabelSetEvaluation
from ffn.quantities import NOTHING, counted, difference, interval
from ffn.reports.held_out import shown_name
from ffn.reports.markup.tables import table
from ffn.training.retrained import Retrained

__all__ = [
    "cost_sentence",
    "coverage_table",
    "decision_markdown",
    "decision_sections",
    "held_sentence",
    "rule_sentence",
    "set_sentence",
]

_CLASSES_NAMED = 10


def rule_sentence(chosen: ChosenRule, classes: Sequence[str]) -> str:
    """Return a sentence or more on how a label follows from the probabilities, as Markdown.

    Parameters
    ----------
    chosen
        The rule, and where it comes from.
    classes
        Names of the classes [C].
    """
    rule = chosen.rule
    text = _label(chosen, classes)
    if rule.abstain_below:
        text += (
            f" A row whose confidence, the probability of its label, is below "
            f"{rule.abstain_below:g} gets no label."
        )
    return text


def decision_sections(retrained: Retrained, picture: str | None = None) -> list[str]:
    """Return heading and section of the decision rule; none if it is the most probable class.

    Parameters
    ----------
    retrained
        Results of the retraining.
    picture
        Address of the picture of coverage and accuracy; None, the default, for no picture.
    """
    evaluation, chosen = retrained.evaluation, retrained.refitted.decision
    if chosen is None or evaluation.decision is None:
        return []
    classes = [figures.name for figures in evaluation.classes]
    return [
        "## Decision rule",
        decision_markdown(chosen, evaluation.decision, classes, evaluation.judges),
        *(
            [f"![Accuracy of labels over the share of rows that get one]({picture})"]
            if picture
            else []
        ),
    ]


def decision_markdown(
    chosen: ChosenRule, found: DecisionEvaluation, classes: Sequence[str], judges: str
) -> str:
    """Return the section on the decision rule.

    Parameters
    ----------
    chosen
        The rule, and where it comes from.
    found
        What it costs on the held-out rows.
    classes
        Names of the classes [C].
    judges
        Of how many held-out rows the figures are, in words.
    """
    parts = [rule_sentence(chosen, classes)]
    if not chosen.rule.by_probability:
        parts += [
            f"On {judges} a label costs {interval(found.cost)} on average. If it were the most "
            f"probable class, it would cost {interval(found.argmax_cost)}: the rule changes the "
            f"cost of a row by {difference(found.difference)}.",
            _recalls(found, classes),
        ]
    if found.label_sets and chosen.coverage is not None:
        parts += [
            set_sentence(chosen.coverage, chosen.calibration_rows, found.label_sets, judges),
            table(
                [
                    {"class": shown_name(name), "share of rows whose set holds it": interval(own)}
                    for name, own in zip(classes, found.label_sets.of_classes, strict=True)
                ]
            ),
        ]
    parts += [
        "Share of rows that get a label, and of right labels among them, if rows below a "
        "confidence get none:",
        coverage_table(found.curve, chosen.rule),
    ]
    return "\n\n".join(parts)


def cost_sentence(found: DecisionEvaluation) -> str:
    """Return a sentence on what labels cost by the rule, and by the most probable class."""
    return (
        f"By the decision rule a label costs {interval(found.cost)}; the most probable class would "
        f"cost {interval(found.argmax_cost)}, a difference of {difference(found.difference)}."
    )


def set_sentence(coverage: float, rows: int, found: LabelSetEvaluation, judges: str) -> str:
    """Return sentences on what label sets promise, and what they did on held-out rows.

    Parameters
    ----------
    coverage
        Probability with which a set holds the class.
    rows
        Number of rows that calibrated the sets.
    found
        The sets on held-out rows.
    judges
        Of how many held-out rows the figures are, in words.
    """
    return (
        f"Label sets, calibrated on {counted(rows, 'row')} that are neither trained on nor held "
        f"out, hold a row's class with a probability of at least {coverage:g}, whichever class it "
        f"is (split conformal prediction). {held_sentence(found, judges)}"
    )


def held_sentence(found: LabelSetEvaluation, judges: str) -> str:
    """Return a sentence on what label sets did on held-out rows.

    Parameters
    ----------
    found
        The sets on held-out rows.
    judges
        Of how many held-out rows the figures are, in words.
    """
    return (
        f"On {judges} label sets hold the class in {interval(found.coverage)}; "
        f"{interval(found.single)} of the sets have a single label, and the mean size is "
        f"{found.mean_size:.2f}."
    )


def coverage_table(curve: Sequence[CoveragePoint], rule: DecisionRule) -> str:
    """Return the coverage-accuracy curve as a table; the limit in use is marked.

    Parameters
    ----------
    curve
        Points in ascending order of the confidence.
    rule
        The rule, with its limit.
    """
    return table(
        [
            {
                "no label below": f"{point.below:g}"
                + (" (in use)" if point.below == rule.abstain_below else ""),
                "rows with a label": f"{point.rows:,}",
                "coverage": interval(point.coverage),
                "accuracy": interval(point.accuracy) if point.rows else NOTHING,
            }
            for point in curve
        ]
    )


def _label(chosen: ChosenRule, classes: Sequence[str]) -> str:
    rule = chosen.rule
    if rule.costs is not None:
        return (
            "The label is the class of the lowest expected cost (Elkan 2001), by the costs in "
            "`[decision]`."
        )
    if rule.weights is not None:
        return (
            "The label is the class whose probability, divided by the share of the class in the "
            "training part, is the largest. This is the rule of the highest balanced accuracy."
        )
    if rule.thresholds is not None:
        limits = [
            f"{shown_name(name)} from {limit:.4g}"
            for name, limit in zip(classes, rule.thresholds, strict=True)
            if limit is not None
        ]
        shown = ", ".join(limits[:_CLASSES_NAMED])
        hidden = len(limits) - _CLASSES_NAMED
        shown += f" and {counted(hidden, 'other class', 'other classes')}" if hidden > 0 else ""
        origin = (
            f" This threshold has the best {chosen.metric.replace('_', ' ')} on "
            f"{counted(chosen.rows, 'prediction')} of the winner's networks for rows that they "
            "were not trained on."
            if chosen.source == "tuned"
            else ""
        )
        return f"The label is decided by thresholds of the probability: {shown}.{origin}"
    return "The label is the most probable class."


def _recalls(found: DecisionEvaluation, classes: Sequence[str]) -> str:
    return table(
        [
            {
                "class": shown_name(name),
                "recall": interval(own),
                "recall of the most probable class": interval(other),
            }
            for name, own, other in zip(classes, found.recalls, found.argmax_recalls, strict=True)
        ]
    )
