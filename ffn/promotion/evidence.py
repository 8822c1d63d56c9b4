"""What held-out rows say about a challenger beside production, and whether they can say enough."""

from __future__ import annotations

from dataclasses import dataclass

from ffn.evaluation.paired import (
    ClassLoss,
    LabelCounts,
    LossBounds,
    accuracy_bound,
    class_losses,
    count_labels,
    loss_bounds,
    p_better,
    p_not_worse,
    row_losses,
)
from ffn.promotion.shared_rows import Contest
from ffn.registry.alpha_spending import PlannedComparison
from ffn.settings.gate_settings import GateSettings

__all__ = ["HeldOutEvidence", "can_suffice", "label_p_value", "weigh"]


@dataclass(frozen=True, kw_only=True)
class HeldOutEvidence:
    """A paired comparison on held-out rows.

    Attributes
    ----------
    look, alpha
        The how manieth comparison on these rows, and its one-sided level.
    labels
        Rows whose label only one of the two has right.
    p_value
        Of the labels: in the mode ``better`` that the challenger has no more of them right, else
        that it has lost the accuracy margin or more.
    accuracy_bound
        Accuracy that the challenger may have lost at most, at this level.
    log_loss
        Its mean log-loss minus production's.
    classes
        Labels lost and gained class by class.
    failures
        What speaks against it, a clause each; none: it is shown.
    """

    look: int
    alpha: float
    labels: LabelCounts
    p_value: float
    accuracy_bound: float
    log_loss: LossBounds
    classes: tuple[ClassLoss, ...]
    failures: tuple[str, ...]

    @property
    def shown(self) -> bool:
        """Whether the challenger may take over."""
        return not self.failures


def can_suffice(contest: Contest, settings: GateSettings, alpha: float) -> bool:
    """Say whether a challenger without a single mistake would pass on these rows.

    Knows production's answers and not the challenger's, so asking costs no look.
    """
    if not len(contest.labels):
        return False
    production = contest.production.predicted
    at_best = count_labels(production, production, contest.labels).at_best
    return label_p_value(at_best, settings, alpha) <= alpha


def weigh(
    contest: Contest, settings: GateSettings, look: PlannedComparison, seed: int
) -> HeldOutEvidence:
    """Compare the two models on the rows of a contest.

    Labels and losses both have to pass, each at the full level: wrong is only who passes both
    and should not (an intersection-union test, Berger 1982). In the mode ``better`` the exact
    test of the labels has to show a gain, and losses may not show the reverse. The guard of the
    classes only ever keeps production, so it has the whole ``alpha`` at every look; it has a
    margin of its own, since on many rows any two models differ in some class.

    Parameters
    ----------
    contest
        At least one row.
    look
        At what level.
    seed
        Of the bootstrap.
    """
    challenger, production, labels = contest.challenger, contest.production, contest.labels
    counts = count_labels(challenger.predicted, production.predicted, labels)
    p_value = label_p_value(counts, settings, look.alpha)
    losses = loss_bounds(
        row_losses(challenger.probabilities, labels),
        row_losses(production.probabilities, labels),
        look.alpha,
        seed,
    )
    classes = class_losses(challenger.predicted, production.predicted, labels, contest.classes)
    better = settings.mode == "better"
    failures = []
    if p_value > look.alpha:
        margin = f"within {settings.accuracy_margin:g} of production's"
        failures.append(f"accuracy is not shown to be {'higher' if better else margin}")
    if better and losses.low > 0:
        failures.append("log-loss is shown to be higher")
    if not better and losses.high >= settings.log_loss_margin:
        failures.append(
            f"log-loss is not shown to be within {settings.log_loss_margin:g} of production's"
        )
    failures += [
        f"the recall of {found.name} is shown to be lower"
        for found in classes
        if found.p_worse <= settings.alpha and found.drop > settings.class_margin
    ]
    return HeldOutEvidence(
        look=look.number,
        alpha=look.alpha,
        labels=counts,
        p_value=p_value,
        accuracy_bound=accuracy_bound(counts, look.alpha),
        log_loss=losses,
        classes=classes,
        failures=tuple(failures),
    )


def label_p_value(counts: LabelCounts, settings: GateSettings, alpha: float) -> float:
    """Return the p-value of the labels in the gate's mode, to be compared with ``alpha``."""
    if settings.mode == "better":
        return p_better(counts.gained, counts.lost)
    return p_not_worse(counts, settings.accuracy_margin, alpha)
