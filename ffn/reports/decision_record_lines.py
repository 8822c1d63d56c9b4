"""A version's metric of ``[decision]`` and its label sets, as text and JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ffn.criteria.decision_record import ClassCoverage, DecisionRecord
from ffn.errors import quote
from ffn.quantities import counted, interval
from ffn.reports.figure_lines import bounds_json, wrapped
from ffn.reports.held_out import shown_name

__all__ = [
    "decision_json",
    "decision_lines",
    "decision_paragraphs",
    "lowest_coverage",
    "metric_name",
    "metric_words",
    "set_words",
]


def metric_name(record: DecisionRecord, shown: Callable[[str], str] = quote) -> str:
    """Return the name of the metric, with the class that it is of.

    Parameters
    ----------
    record
        The record, of a version with a metric.
    shown
        Makes the text for a class of its name; by default it is put in quotes, for a terminal.
    """
    return f"{record.metric} of {shown(record.positive)}" if record.positive else record.metric


def metric_words(record: DecisionRecord | None, shown: Callable[[str], str] = quote) -> str:
    """Return the metric with its figure; empty if versions are judged by the log-loss.

    Parameters
    ----------
    record
        The record; None for a version that has neither metric nor label sets.
    shown
        As for `metric_name`.
    """
    if record is None or not record.metric:
        return ""
    if record.figure is None:
        return f"{metric_name(record, shown)}, of which no figure with an interval is recorded"
    return f"{metric_name(record, shown)} {interval(record.figure)}"


def set_words(
    record: DecisionRecord | None, *, most: int, shown: Callable[[str], str] = quote
) -> str:
    """Return how often label sets hold the class, overall and by class; empty without sets.

    Parameters
    ----------
    record
        The record; None for a version that has neither metric nor label sets.
    most
        Largest number of classes named; of more, those with the lowest coverage.
    shown
        As for `metric_name`.
    """
    if record is None or record.coverage is None:
        return ""
    named = [
        f"{shown(one.name)} "
        + ("without rows" if math.isnan(one.coverage.value) else interval(one.coverage))
        for one in lowest_coverage(record.classes, most)
    ]
    hidden = len(record.classes) - len(named)
    if hidden:
        named.append(f"{counted(hidden, 'class', 'classes')} of higher coverage")
    by_class = f"; by class: {', '.join(named)}" if named else ""
    return (
        f"hold the class in {interval(record.coverage)} of the held-out rows, "
        f"{record.promised:g} is promised for each class{by_class}"
    )


def lowest_coverage(classes: Sequence[ClassCoverage], most: int) -> list[ClassCoverage]:
    """Return the classes as they are, or of more than ``most`` those with the lowest coverage.

    Parameters
    ----------
    classes
        The classes, in the order of the schema.
    most
        Largest number returned. A class without held-out rows comes last.
    """
    if len(classes) <= most:
        return list(classes)

    def place(one: ClassCoverage) -> tuple[bool, float]:
        missing = math.isnan(one.coverage.value)
        return missing, 0.0 if missing else one.coverage.value

    return sorted(classes, key=place)[:most]


def decision_lines(record: DecisionRecord | None, *, most: int) -> list[str]:
    """Return metric and label sets as lines of the status; none if there are none.

    Parameters
    ----------
    record
        The record of the version in production.
    most
        Largest number of classes named.
    """
    said = {"  metric   ": metric_words(record), "  sets     ": set_words(record, most=most)}
    return [line for label, text in said.items() if text for line in wrapped(text, label)]


def decision_paragraphs(record: DecisionRecord | None, *, most: int) -> list[str]:
    """Return metric and label sets as paragraphs of Markdown; none if there are none.

    Parameters
    ----------
    record
        The record of the version in production.
    most
        Largest number of classes named.
    """
    metric, sets = metric_words(record, shown_name), set_words(record, most=most, shown=shown_name)
    parts = [f"Metric: {metric}."] if metric else []
    return parts + ([f"Label sets {sets}."] if sets else [])


def decision_json(record: DecisionRecord | None) -> dict[str, Any]:
    """Return the record under ``decision``, figures as lists; empty if there is none."""
    if record is None:
        return {}
    return {
        "decision": {
            "metric": record.metric,
            "positive": record.positive,
            "figure": bounds_json(record.figure),
            "promised": record.promised,
            "coverage": bounds_json(record.coverage),
            "classes": [
                {"name": one.name, "coverage": bounds_json(one.coverage)} for one in record.classes
            ],
        }
    }
