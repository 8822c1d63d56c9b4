"""Figures of the rows of groups that a model knows from training, and of those that are new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.groups_of_rows import values_of_groups
from ffn.evaluation.inference.shares import share_of_rows
from ffn.evaluation.inference.statistics import Interval, mean_interval
from ffn.quantities import counted

__all__ = ["GroupFigures", "KnownGroups", "known_and_new"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class GroupFigures:
    """Figures of the rows of some groups, each with a 95 % interval whose unit is the group.

    Attributes
    ----------
    groups, rows
        Numbers of groups, and of their rows.
    accuracy, log_loss
        Of these rows, by weight where rows have one; log-loss in nats per row.
    """

    groups: int
    rows: int
    accuracy: Interval
    log_loss: Interval

    def clause(self, what: str) -> str:
        """Return the figures in words; ``what`` says which groups they are of."""
        return (
            f"{counted(self.rows, 'row')} of {counted(self.groups, f'{what} group')}, accuracy "
            f"{_shown(self.accuracy)}, log-loss {_shown(self.log_loss)}"
        )


@dataclass(frozen=True, kw_only=True)
class KnownGroups:
    """The rows of a labelled table by whether training knew their groups.

    Attributes
    ----------
    known, new
        Figures of the groups that training knew, and of the others; None where there are none.
    """

    known: GroupFigures | None
    new: GroupFigures | None

    def __str__(self) -> str:
        if self.known is None or self.new is None:
            only = self.known or self.new
            groups = 0 if only is None else only.groups
            whose = "The only group is" if groups == 1 else f"All {groups:,} groups are"
            return f"{whose} {'known' if self.known else 'new'} to the version."
        known, new = self.known.clause("known"), self.new.clause("new")
        return f"By whether training knew the group: {known}; {new}."


def known_and_new(
    right: Array, own: Array, groups: Array, weights: Array | None, of_training: Array
) -> KnownGroups:
    """Return figures of rows of known groups and of rows of new ones.

    Parameters
    ----------
    right, own
        Whether each row is labelled correctly [n], and the probability of its true class [n].
    groups, weights
        Identifiers of the groups [n], and weights [n] or None where rows count alike.
    of_training
        Identifiers of the groups that training knew [G].
    """
    # Clipped as in the log-loss of all rows, which is the mean of these.
    losses = -np.log(np.maximum(own, np.finfo(float).tiny))
    known = np.isin(groups, of_training)

    def figures(rows: Array) -> GroupFigures | None:
        if not rows.any():
            return None
        mine, weighed = groups[rows], None if weights is None else weights[rows]
        return GroupFigures(
            groups=len(np.unique(mine)),
            rows=int(rows.sum()),
            accuracy=share_of_rows(right, groups, weights, rows),
            log_loss=mean_interval(values_of_groups(losses[rows], mine, weighed), seed=0),
        )

    return KnownGroups(known=figures(known), new=figures(~known))


def _shown(figure: Interval) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"
