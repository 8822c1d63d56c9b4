"""``[decision]``: how labels follow from probabilities, and by which figure models are judged."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema, field_validator, model_validator

from ffn.settings.strict import Share, StrictSettings

__all__ = ["DecisionSettings"]

Cost = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class DecisionSettings(StrictSettings):
    """``[decision]``: from class probabilities to labels.

    Attributes
    ----------
    costs
        Cost of labelling a row of one class as another, by true class and predicted class. A pair
        that is not named costs 1, and a right label nothing. Without thresholds, the label is the
        class of the lowest expected cost.
    thresholds
        Probability by class from which on the class is the label; or ``auto``: chosen on
        predictions for rows of the training part that the predicting network was not trained on,
        to maximise ``metric``. Default: none, so that the most probable class is the label.
    metric
        The figure by which the optimizer is selected and the gate compares versions, and which
        ``auto`` thresholds maximise, or minimise if it is the ``expected_cost``. Networks are
        trained, stopped and given a learning rate by their log-loss, whatever the metric.
    abstain_below
        Probability of the label below which a row gets none. By default every row gets one.
    label_sets
        Probability with which a row's label set holds its class, whichever class that is. Default:
        there are no label sets.
    exchangeable
        Whether later rows are like earlier ones, which label sets under ``split.time`` assume.
    """

    costs: dict[str, dict[str, Cost]] = Field(default={})
    thresholds: Annotated[
        dict[str, float] | Literal["auto"], WithJsonSchema({"type": "object", "default": {}})
    ] = Field(default={})
    metric: Literal["log_loss", "average_precision", "balanced_accuracy", "expected_cost", "f1"] = (
        "log_loss"
    )
    abstain_below: Annotated[float, Field(ge=0, lt=1)] = 0.0
    label_sets: Share | None = None
    exchangeable: bool = False

    @field_validator("thresholds", mode="before")
    @classmethod
    def _check_thresholds(cls, value: Any) -> Any:
        """Refuse what is neither of the two in one sentence rather than in two."""
        table = isinstance(value, dict) and all(map(_is_threshold, value.values()))
        if value != "auto" and not table:
            raise ValueError(
                'must be "auto", or a table of numbers above 0 and below 1, such as {bad = 0.2}'
            )
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> DecisionSettings:
        if self.thresholds == "auto" and self.metric in ("log_loss", "average_precision"):
            raise ValueError(
                'thresholds = "auto" needs a metric that depends on labels: set metric to '
                '"balanced_accuracy", "expected_cost" or "f1"'
            )
        if self.metric == "expected_cost" and not self.costs:
            raise ValueError(
                'metric = "expected_cost" needs costs: set costs, such as {bad = {good = 10}}'
            )
        return self


def _is_threshold(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and 0 < value < 1
