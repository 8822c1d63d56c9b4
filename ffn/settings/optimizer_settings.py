"""``[optimizers]``: the candidates and their hyper-parameters, whose defaults are ``ffn.nn``'s."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ffn.nn import OPTIMIZERS, SGD, Adam, AdamW, Momentum, Optimizer
from ffn.settings.strict import Decay, Positive, StrictSettings

__all__ = [
    "AdamSettings",
    "AdamWSettings",
    "MomentumSettings",
    "OptimizerSettings",
    "SGDSettings",
]


class SGDSettings(StrictSettings):
    """``[optimizers.sgd]``."""

    learning_rate: Positive = SGD.learning_rate


class MomentumSettings(SGDSettings):
    """``[optimizers.momentum]``."""

    momentum: Decay = Momentum.momentum


class AdamSettings(SGDSettings):
    """``[optimizers.adam]``."""

    beta1: Decay = Adam.beta1
    beta2: Decay = Adam.beta2
    epsilon: Positive = Adam.epsilon


class AdamWSettings(AdamSettings):
    """``[optimizers.adamw]``."""

    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = AdamW.weight_decay
    decay_biases: bool = AdamW.decay_biases


class OptimizerSettings(StrictSettings):
    """``[optimizers.<name>]``: the candidate optimizers; default: all four.

    The fields are in order of simplicity: of equally good candidates, the first is chosen.
    """

    sgd: SGDSettings | None = None
    momentum: MomentumSettings | None = None
    adam: AdamSettings | None = None
    adamw: AdamWSettings | None = None

    def candidates(self) -> dict[str, Optimizer]:
        """Return the optimizers that compete, by name, the simplest first."""
        named = {name: getattr(self, name) for name in OPTIMIZERS}
        given = {name: table for name, table in named.items() if table is not None}
        return {
            name: OPTIMIZERS[name](**(table.model_dump() if table else {}))
            for name, table in (given or named).items()
        }
