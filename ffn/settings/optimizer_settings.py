"""``[optimizers]``: the candidate optimizers and their hyper-parameters."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ffn.settings.strict import Decay, Positive, StrictSettings

__all__ = ["AdamSettings", "AdamWSettings", "MomentumSettings", "OptimizerSettings", "SGDSettings"]


class SGDSettings(StrictSettings):
    """``[optimizers.sgd]``."""

    learning_rate: Positive = 0.005


class MomentumSettings(SGDSettings):
    """``[optimizers.momentum]``."""

    momentum: Decay = 0.9


class AdamSettings(SGDSettings):
    """``[optimizers.adam]``."""

    beta1: Decay = 0.9
    beta2: Decay = 0.999
    epsilon: Positive = 1e-8


class AdamWSettings(AdamSettings):
    """``[optimizers.adamw]``."""

    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    decay_biases: bool = False


class OptimizerSettings(StrictSettings):
    """``[optimizers.<name>]``: the candidate optimizers; default: all four.

    The fields are in order of simplicity: of equally good candidates, the first is chosen.
    """

    sgd: SGDSettings | None = None
    momentum: MomentumSettings | None = None
    adam: AdamSettings | None = None
    adamw: AdamWSettings | None = None

    def candidates(self) -> dict[str, dict[str, Any]]:
        """Return the hyper-parameters of each candidate, the simplest optimizer first."""
        chosen = {name: getattr(self, name) for name in type(self).model_fields}
        given = {name: value.model_dump() for name, value in chosen.items() if value is not None}
        return given or {
            "sgd": SGDSettings().model_dump(),
            "momentum": MomentumSettings().model_dump(),
            "adam": AdamSettings().model_dump(),
            "adamw": AdamWSettings().model_dump(),
        }
