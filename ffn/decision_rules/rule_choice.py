"""The rule of a new model, by the settings under ``[decision]``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.decision_rules.label_sets import SET_SEPARATOR
from ffn.decision_rules.rule import ARGMAX, DecisionRule
from ffn.decision_rules.threshold_choice import best_threshold
from ffn.errors import SettingsError, did_you_mean, quote
from ffn.settings.decision_settings import DecisionSettings

__all__ = ["ChosenRule", "check_decision", "choose_rule", "cost_matrix"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class ChosenRule:
    """A rule, and where it comes from.

    Attributes
    ----------
    rule
        The rule.
    source
        ``argmax``, ``costs``, ``thresholds`` (both given), ``tuned`` (a threshold that was chosen
        on validation rows) or ``class_shares`` (probabilities divided by them).
    metric
        What was maximised or, if it is the ``expected_cost``, minimised; empty if nothing was.
    rows
        Number of validation rows on which it was chosen, counted once for each network.
    coverage
        Probability with which a label set holds the class; None if there are no sets.
    calibration_rows
        Number of rows that the sets were calibrated on.
    """

    rule: DecisionRule
    source: str
    metric: str = ""
    rows: int = 0
    coverage: float | None = None
    calibration_rows: int = 0


def check_decision(settings: DecisionSettings, classes: tuple[str, ...]) -> None:
    """Check that the settings fit the classes of a table.

    Parameters
    ----------
    settings
        Settings under ``[decision]``.
    classes
        Names of the classes [C].

    Raises
    ------
    SettingsError
        They name a class that does not exist, or ask for what there is for two classes only.
    """
    if settings.label_sets is not None:
        parted = [name for name in classes if SET_SEPARATOR in name]
        if parted:
            raise SettingsError(
                f"decision.label_sets writes labels with {quote(SET_SEPARATOR)} between them, and "
                f"the class {quote(parted[0])} has one in its name. Rename the class."
            )
    _require(settings.costs, "decision.costs", classes)
    for name, row in settings.costs.items():
        _require(row, f"decision.costs.{name}", classes)
    if settings.thresholds != "auto":
        _require(settings.thresholds, "decision.thresholds", classes)
        if len(classes) > 2 and settings.metric == "f1":
            raise SettingsError(
                f'decision.metric is "f1", which is that of the rarer of two classes, but there '
                f'are {len(classes)}; set metric = "balanced_accuracy" or "average_precision".'
            )
    elif len(classes) > 2 and settings.metric != "balanced_accuracy":
        remedy = (
            "leave thresholds out: costs alone give the label of the lowest expected cost"
            if settings.metric == "expected_cost"
            else 'set metric = "balanced_accuracy"'
        )
        raise SettingsError(
            f'decision.thresholds is "auto" and decision.metric is {quote(settings.metric)}, for '
            f"which a threshold is chosen between two classes, but there are {len(classes)}; "
            f"{remedy}."
        )


def cost_matrix(settings: DecisionSettings, classes: tuple[str, ...]) -> Array:
    """Return the cost of each label, float64 [C, C]: row = true class, column = label.

    Parameters
    ----------
    settings
        Settings under ``[decision]``; pairs that are not named cost 1, right labels nothing.
    classes
        Names of the classes [C].
    """
    costs = 1.0 - np.eye(len(classes))
    for name, row in settings.costs.items():
        for label, cost in row.items():
            costs[classes.index(name), classes.index(label)] = cost
    return costs


def choose_rule(
    settings: DecisionSettings,
    classes: tuple[str, ...],
    counts: Array,
    answers: tuple[Array, Array] | None,
    weights: Array | None = None,
) -> ChosenRule:
    """Return the rule that the settings ask for.

    Parameters
    ----------
    settings
        Settings under ``[decision]``, which fit the classes.
    classes
        Names of the classes [C].
    counts
        Rows of each class in the training part [C], or their total weights.
    answers
        Probabilities [n, C] of rows of the training part that the predicting network was not
        trained on, and their classes [n], for ``auto`` thresholds; None if there are none.
    weights
        Weights of these rows [n]; None, the default: they count alike.
    """
    found = _choose(settings, classes, counts, answers, weights)
    rule = replace(found.rule, abstain_below=settings.abstain_below)
    return replace(found, rule=rule)


def _choose(
    settings: DecisionSettings,
    classes: tuple[str, ...],
    counts: Array,
    answers: tuple[Array, Array] | None,
    weights: Array | None,
) -> ChosenRule:
    if settings.thresholds == "auto":
        if len(classes) != 2:
            # Elkan 2001 and Menon et al. 2013: the balanced accuracy is highest if each class's
            # probability is divided by its share.
            factors = tuple((counts.sum() / (len(counts) * counts)).tolist())
            rule = DecisionRule(weights=factors)
            return ChosenRule(rule=rule, source="class_shares", metric=settings.metric)
        return _tuned(settings, classes, counts, answers, weights)
    if settings.thresholds:
        limits = tuple(settings.thresholds.get(name) for name in classes)
        return ChosenRule(rule=DecisionRule(thresholds=limits), source="thresholds")
    if settings.costs:
        costs = tuple(tuple(row) for row in cost_matrix(settings, classes).tolist())
        return ChosenRule(rule=DecisionRule(costs=costs), source="costs")
    return ChosenRule(rule=ARGMAX, source="argmax")


def _tuned(
    settings: DecisionSettings,
    classes: tuple[str, ...],
    counts: Array,
    answers: tuple[Array, Array] | None,
    weights: Array | None,
) -> ChosenRule:
    # The rarer class, or the second of two that are equally frequent.
    positive = 0 if counts[0] < counts[1] else 1
    costs = cost_matrix(settings, classes)
    order = [1 - positive, positive]
    threshold = None
    if answers is not None:
        probabilities, labels = answers
        threshold = best_threshold(
            probabilities[:, positive],
            labels == positive,
            settings.metric,
            costs[np.ix_(order, order)],
            weights,
        )
    if threshold is None or answers is None:
        raise SettingsError(
            f"decision.thresholds cannot be chosen: the validation rows do not have both "
            f"{quote(classes[0])} and {quote(classes[1])}. Give it as a number, "
            f"thresholds = {{{quote(classes[positive])} = 0.2}}."
        )
    limits = tuple(threshold if c == positive else None for c in range(2))
    return ChosenRule(
        rule=DecisionRule(thresholds=limits),
        source="tuned",
        metric=settings.metric,
        rows=len(answers[1]),
    )


def _require(names: Iterable[str], where: str, classes: tuple[str, ...]) -> None:
    for name in names:
        if name not in classes:
            raise SettingsError(
                f"{where} names {quote(name)}, which is not a class; the classes are: "
                f"{', '.join(map(quote, classes[:20]))}.{did_you_mean(name, classes)}"
            )
