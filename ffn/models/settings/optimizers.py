"""``[optimizers]``: the candidates and their hyper-parameters."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ffn.models.settings.strict import Decay, Positive, StrictSettings

__all__ = ["SGD", "Adam", "AdamW", "Momentum", "OptimizerSettings"]


class SGD(StrictSettings):
    """``[optimizers.sgd]``."""

    learning_rate: Positive = 0.005


class Momentum(SGD):
    """``[optimizers.momentum]``."""

    momentum: Decay = 0.9


class Adam(SGD):
    """``[optimizers.adam]``."""

    beta1: Decay = 0.9
    beta2: Decay = 0.999
    epsilon: Positive = 1e-8


class AdamW(Adam):
    """``[optimizers.adamw]``."""

    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    decay_biases: bool = False


class OptimizerSettings(StrictSettings):
    """``[optimizers.<name>]``: the candidates and their hyper-parameters; default: all four.

    The order of the fields is the order of simplicity that decides ties.
    """

    sgd: SGD | None = None
    momentum: Momentum | None = None
    adam: Adam | None = None
    adamw: AdamW | None = None

    def candidates(self) -> dict[str, dict[str, Any]]:
        """Return the hyper-parameters of each candidate, the simplest optimizer first."""
        chosen = {name: getattr(self, name) for name in type(self).model_fields}
        given = {name: value.model_dump() for name, value in chosen.items() if value is not None}
        return given or {
            "sgd": SGD().model_dump(),
            "momentum": Momentum().model_dump(),
            "adam": Adam().model_dump(),
            "adamw": AdamW().model_dump(),
        }
