"""``[gate]``: the conditions for promoting a new version."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ffn.settings.strict import Limit, Positive, Share, StrictSettings

__all__ = ["GateSettings"]


class GateSettings(StrictSettings):
    """``[gate]``: when a new version replaces the one in production.

    Attributes
    ----------
    mode
        ``better``: the accuracy must be significantly higher. ``not_worse``: accuracy and
        log-loss must be shown to be within the margins. ``always`` and ``never``: no comparison.
    alpha
        Probability of promoting a version wrongly, over all comparisons on the same rows.
    accuracy_margin, log_loss_margin
        How much worse the new version may be in ``not_worse`` mode: share of rows, and nats per
        row.
    metric_margin
        How much worse the new version may be in ``not_worse`` mode by ``decision.metric``, where
        that is not the log-loss: share, or cost of a row.
    class_margin
        Loss of recall that is tolerated for each class, in every mode that compares, even if the
        loss is significant.
    small_holdout
        What to do if the held-out rows are too few to show that any challenger is good enough:
        ``cross_validate`` both versions' recipes, or ``keep`` the production version.
    baseline
        What to do with a version whose log-loss is shown to be higher than that of a simpler
        model, in every mode, the first version included: ``warn`` says so wherever the version is
        shown and promotes it if nothing else speaks against it, ``refuse`` keeps it back,
        ``ignore`` does not compare. By default a warning: whether the network is worth having is
        for people to judge, but they have to be told.
    min_accuracy, min_recall, max_calibration_error
        Limits on the held-out rows, in every mode. The defaults exclude nothing.
    min_balanced_accuracy, min_auc, min_average_precision
        Likewise for the mean of the classes' recalls, the area under the ROC curve and average
        precision; with two classes the last is that of the rarer one.
    min_recalls
        Minimum recall by class, in place of ``min_recall``.
    """

    mode: Literal["better", "not_worse", "always", "never"] = "not_worse"
    alpha: Annotated[float, Field(gt=0, le=0.5)] = 0.05
    accuracy_margin: Share = 0.02
    log_loss_margin: Positive = 0.05
    metric_margin: Positive = 0.02
    class_margin: Annotated[float, Field(ge=0, lt=1)] = 0.02
    small_holdout: Literal["cross_validate", "keep"] = "cross_validate"
    baseline: Literal["warn", "refuse", "ignore"] = "warn"
    min_accuracy: Limit = 0.0
    min_recall: Limit = 0.0
    min_recalls: dict[str, Limit] = Field(default={})
    max_calibration_error: Limit = 1.0
    min_balanced_accuracy: Limit = 0.0
    min_auc: Limit = 0.0
    min_average_precision: Limit = 0.0
