"""``[search]``: values of settings that are compared in one retraining, beside the optimizers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from ffn.settings.strict import Count, Decay, StrictSettings
from ffn.settings.training_settings import WIDEST_LAYER

__all__ = ["SearchSettings"]

_MOST_VALUES, _MOST_TRIALS = 64, 1_000
_Layers = tuple[Annotated[int, Field(ge=1, le=WIDEST_LAYER)], ...]
_FromZero = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class SearchSettings(StrictSettings):
    """``[search]``: each combination of these values is a candidate.

    Attributes
    ----------
    layers
        Lists of hidden layers to try in place of ``network.hidden_layers``; default: only that.
    dropout
        Values to try in place of ``training.dropout``; default: only that.
    label_smoothing
        Values to try in place of ``training.label_smoothing``; default: only that.
    batch_size
        Values to try in place of ``training.batch_size``; default: only that.
    weight_decay
        Values to try with AdamW in place of its own; default: only that.
    trials
        Largest number of candidates; of more combinations so many are drawn.
    """

    layers: Annotated[tuple[_Layers, ...], Field(min_length=1, max_length=_MOST_VALUES)] | None = (
        None
    )
    dropout: Annotated[tuple[Decay, ...], Field(min_length=1, max_length=_MOST_VALUES)] | None = (
        None
    )
    label_smoothing: (
        Annotated[tuple[Decay, ...], Field(min_length=1, max_length=_MOST_VALUES)] | None
    ) = None
    batch_size: (
        Annotated[tuple[Count, ...], Field(min_length=1, max_length=_MOST_VALUES)] | None
    ) = None
    weight_decay: (
        Annotated[tuple[_FromZero, ...], Field(min_length=1, max_length=_MOST_VALUES)] | None
    ) = None
    trials: Annotated[int, Field(ge=1, le=_MOST_TRIALS)] = 50

    @field_validator("layers", mode="before")
    @classmethod
    def _layers_are_tuples(cls, value: Any) -> Any:
        """Convert the lists within the list as well, and refuse what is no list of lists."""
        if not isinstance(value, list | tuple):
            return value
        if not all(isinstance(own, list | tuple) for own in value):
            raise ValueError("must be a list of lists, such as [[64], [128, 64]]")
        return tuple(tuple(own) for own in value)

    @field_validator("layers", "dropout", "label_smoothing", "batch_size", "weight_decay")
    @classmethod
    def _values_differ(cls, value: Any) -> Any:
        if value is not None and len(set(value)) < len(value):
            raise ValueError("must not name a value twice")
        return value
