"""What ``metrics.json`` of a version says of ``[decision]``: its metric, and its label sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ffn.criteria.decision_metrics import METRIC_WORDS
from ffn.criteria.recorded_values import interval_in, table_in
from ffn.evaluation.inference.statistics import NO_FIGURE, Interval, wilson

__all__ = ["ClassCoverage", "DecisionRecord", "decision_record"]

# The metrics that are of the rarer one of two classes.
_OF_ONE_CLASS = (METRIC_WORDS["average_precision"], METRIC_WORDS["f1"])
# More than any table has: such a number was not written here.
_MOST_ROWS = 2**40


@dataclass(frozen=True, kw_only=True)
class ClassCoverage:
    """How often label sets hold a class.

    Attributes
    ----------
    name
        Name of the class.
    coverage
        Share of its held-out rows whose set holds it; NaN without such rows.
    """

    name: str
    coverage: Interval


@dataclass(frozen=True, kw_only=True)
class DecisionRecord:
    """The metric and the label sets of a version on its held-out rows.

    Attributes
    ----------
    metric
        What selected the optimizer and decided in the gate, in words; empty if that is the
        log-loss.
    positive
        Class that the metric is of; empty if it is of all.
    figure
        The metric with its 95 % interval; None where none is recorded.
    promised
        Coverage that label sets promise for each class; None without label sets.
    coverage
        Share of rows whose set holds their class; None without label sets.
    classes
        The same by class, in the order of the schema; none without label sets.
    """

    metric: str
    positive: str
    figure: Interval | None
    promised: float | None
    coverage: Interval | None
    classes: tuple[ClassCoverage, ...]


def decision_record(metrics: dict[str, Any]) -> DecisionRecord | None:
    """Return what is recorded of metric and label sets; None if a version has neither.

    The F1 of the rarer of two classes is not among the figures of `metrics.json`, and follows from
    the confusions. The share J of right labels among the rows that have the class or get its label
    is a share of independent rows, with Wilson's interval; F1 is 2 J / (1 + J), which rises with J.
    For rows that come in groups or are weighted this interval would not hold, and there is none.

    Parameters
    ----------
    metrics
        Contents of ``metrics.json``. What cannot be read in it counts as not recorded.
    """
    selection, test = table_in(metrics, "selection"), table_in(metrics, "test")
    metric, positive = selection.get("metric"), test.get("positive")
    metric = metric if isinstance(metric, str) else ""
    positive = positive if isinstance(positive, str) and metric in _OF_ONE_CLASS else ""
    decision = table_in(metrics, "decision")
    promised, judged = decision.get("coverage"), table_in(decision, "test")
    sets = table_in(judged, "label_sets")
    coverage = interval_in(sets, "coverage")
    if type(promised) not in (int, float) or coverage is None:
        promised, coverage = None, None
    if not metric and coverage is None:
        return None
    return DecisionRecord(
        metric=metric,
        positive=positive,
        figure=_figure(metric, test, judged, positive),
        promised=promised,
        coverage=coverage,
        classes=() if coverage is None else _classes(test, sets),
    )


def _figure(
    metric: str, test: dict[str, Any], judged: dict[str, Any], positive: str
) -> Interval | None:
    """Return the metric, which is among the figures of labels or of the decision rule."""
    if metric == METRIC_WORDS["f1"]:
        return _f1(test, positive)
    if metric == METRIC_WORDS["expected_cost"]:
        return interval_in(judged, "cost")
    named = {METRIC_WORDS[key]: key for key in ("average_precision", "balanced_accuracy")}
    return interval_in(test, named[metric]) if metric in named else None


def _f1(test: dict[str, Any], positive: str) -> Interval | None:
    names, confusions = _names(test), test.get("confusions")
    if test.get("groups") or test.get("effective_rows") or names.count(positive) != 1:
        return None
    own, right, either = names.index(positive), 0, 0
    for entry in confusions if isinstance(confusions, list) else ():
        if not isinstance(entry, list) or [type(number) for number in entry] != [int] * 3:
            return None
        label, prediction, rows = entry
        if not 0 <= rows <= _MOST_ROWS:
            return None
        right += rows if label == prediction == own else 0
        either += rows if own in (label, prediction) else 0
    if not either:
        return None
    share = wilson(right, either)
    value, low, high = (2 * j / (1 + j) for j in (share.value, share.low, share.high))
    return Interval(value, low, high)


def _classes(test: dict[str, Any], sets: dict[str, Any]) -> tuple[ClassCoverage, ...]:
    """Return the coverage of each class; none unless every class has its entry."""
    names, listed = _names(test), sets.get("of_classes")
    if not isinstance(listed, list) or len(listed) != len(names):
        return ()
    return tuple(
        ClassCoverage(name=name, coverage=interval_in({"own": own}, "own") or NO_FIGURE)
        for name, own in zip(names, listed, strict=True)
    )


def _names(test: dict[str, Any]) -> list[str]:
    """Return the names of the classes; none unless all can be read."""
    listed = test.get("classes")
    found = [
        one["name"]
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict) and isinstance(one.get("name"), str)
    ]
    return found if isinstance(listed, list) and len(found) == len(listed) else []
