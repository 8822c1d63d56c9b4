"""What ``decision.metric`` asks: a figure of each network on the rows that it did not learn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.criteria.decision_metrics import METRIC_WORDS, higher_is_better, metric_parts
from ffn.decision_rules.rule_choice import choose_rule, cost_matrix
from ffn.errors import SettingsError
from ffn.settings.decision_settings import DecisionSettings

__all__ = ["Criterion", "criterion_of"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Criterion:
    """A metric other than the log-loss, with what it needs.

    Attributes
    ----------
    settings
        Settings under ``[decision]``.
    classes
        Names of the classes [C].
    """

    settings: DecisionSettings
    classes: tuple[str, ...]

    @property
    def metric(self) -> str:
        """Its name in the settings."""
        return self.settings.metric

    @property
    def words(self) -> str:
        """Its name in a sentence."""
        return METRIC_WORDS[self.metric]

    @property
    def higher(self) -> bool:
        """Whether the better of two models has more of it."""
        return higher_is_better(self.metric)

    @cached_property
    def costs(self) -> Array:
        """Cost of each label [C, C], by true class and label."""
        return cost_matrix(self.settings, self.classes)

    def of_networks(
        self,
        probabilities: Array,
        labels: Array,
        networks: Array,
        units: Array,
        k: int,
        by: DecisionSettings | None = None,
    ) -> Array:
        """Return the metric [k] of each network on its validation rows; NaN where there is none.

        Labels follow from the rule of the settings. If that has to be chosen, it is chosen for each
        network on the predictions of the others, for rows that are not among its own: none of the
        rows that a figure is computed from has chosen the rule.

        Parameters
        ----------
        probabilities
            Predicted probabilities [n, C].
        labels
            True classes [n].
        networks
            Position of the network that made each prediction [n], from 0.
        units
            Identifiers of the rows' contents or groups [n].
        k
            Number of networks.
        by
            The settings that labels follow from. None, the default: those of the criterion.
        """
        by = self.settings if by is None else by
        found = np.full(k, np.nan)
        counts = np.bincount(labels, minlength=len(self.classes))
        for network in np.unique(networks).tolist():
            own = networks == network
            others = ~own
            if by.thresholds == "auto":
                others &= ~np.isin(units, units[own])
            try:
                rule = choose_rule(
                    by,
                    self.classes,
                    np.maximum(counts, 1),
                    (probabilities[others], labels[others]),
                ).rule
            except SettingsError:
                # The other rows lack a class, so that no threshold can be chosen on them.
                continue
            predicted = rule.labels(probabilities[own])
            found[network] = metric_parts(
                self.metric, probabilities[own], predicted, labels[own], self.costs
            ).value
        return found


def criterion_of(settings: DecisionSettings, classes: tuple[str, ...]) -> Criterion | None:
    """Return what models are selected and gated by; None if that is the log-loss.

    Parameters
    ----------
    settings
        Settings under ``[decision]``.
    classes
        Names of the classes [C].
    """
    return None if settings.metric == "log_loss" else Criterion(settings, classes)
