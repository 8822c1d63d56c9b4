"""``[gate]``: what a new version has to show."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ffn.settings.strict import Limit, Positive, Share, StrictSettings

__all__ = ["GateSettings"]


class GateSettings(StrictSettings):
    """``[gate]``: when a new version takes the place of the one in production.

    Attributes
    ----------
    mode
        ``better``: shown to label more rows right. ``not_worse``: shown not to be worse than
        the margins. ``always`` and ``never``: without a comparison.
    alpha
        Probability that a version is promoted wrongly, over all comparisons on the same rows.
    accuracy_margin, log_loss_margin
        By how much the new version may be worse in ``not_worse``: share of rows, and nats a row.
    class_margin
        Recall that a class may lose, in every mode that compares, even where the loss is shown.
    small_holdout
        What to do where no challenger could be shown to be good enough on the held-out rows.
    min_accuracy, min_recall, max_calibration_error
        floors for every mode, on the held-out rows.
    min_recalls
        Floors by class, where they differ from ``min_recall``.
    """

    mode: Literal["better", "not_worse", "always", "never"] = "not_worse"
    alpha: Annotated[float, Field(gt=0, le=0.5)] = 0.05
    accuracy_margin: Share = 0.02
    log_loss_margin: Positive = 0.05
    class_margin: Annotated[float, Field(ge=0, lt=1)] = 0.02
    small_holdout: Literal["cross_validate", "keep"] = "cross_validate"
    min_accuracy: Limit = 0.0
    min_recall: Limit = 0.0
    min_recalls: dict[str, Limit] = Field(default={})
    max_calibration_error: Limit = 1.0
