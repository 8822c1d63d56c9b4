"""``[optimizers]``, whose defaults are those of ``ffn.nn``, and ``[search]``: the candidates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from ffn.nn import OPTIMIZERS, Adam, AdamW, Momentum, Optimizer
from ffn.settings.strict import Count, Decay, Positive, StrictSettings
from ffn.settings.training_settings import WIDEST_LAYER

__all__ = [
    "AdamSettings",
    "AdamWSettings",
    "MomentumSettings",
    "OptimizerSearch",
    "OptimizerSettings",
    "SGDSettings",
    "SearchSettings",
]

_MOST_RATES = 64
_MOST_VALUES, _MOST_TRIALS = 64, 1_000
_Layers = tuple[Annotated[int, Field(ge=1, le=WIDEST_LAYER)], ...]
_FromZero = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class OptimizerSearch:
    """A candidate optimizer, with the learning rates among which its own is chosen.

    Attributes
    ----------
    optimizer
        The optimizer at the first of these rates.
    rates
        Learning rates, ascending.
    grows
        Whether rates are added where the best lies at the edge of the grid.
    """

    optimizer: Optimizer
    rates: tuple[float, ...]
    grows: bool = False

    def at(self, learning_rate: float | tuple[float, ...]) -> Optimizer:
        """Return the optimizer at a learning rate, or at one for each network of a stack."""
        changed: Optimizer = replace(
            self.optimizer,  # type: ignore[type-var]
            learning_rate=learning_rate,
        )
        return changed


class SGDSettings(StrictSettings):
    """``[optimizers.sgd]``.

    Attributes
    ----------
    learning_rate
        A number, a list of numbers to choose from, or ``"auto"``, the default: a grid of six rates
        (``grid``), which grows where the best lies at its edge.
    """

    grid: ClassVar[tuple[float, ...]] = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)

    learning_rate: (
        Positive
        | Annotated[tuple[Positive, ...], Field(min_length=1, max_length=_MOST_RATES)]
        | Literal["auto"]
    ) = "auto"

    @field_validator("learning_rate", mode="before")
    @classmethod
    def _check_rates(cls, value: Any) -> Any:
        """Refuse what is none of the three in one sentence rather than in three."""
        rates = value if isinstance(value, tuple | list) else (value,)
        if value != "auto" and not (0 < len(rates) <= _MOST_RATES and all(map(_is_rate, rates))):
            raise ValueError(
                f'must be a number above 0, a list of 1 to {_MOST_RATES} such numbers, or "auto"'
            )
        if len(set(rates)) < len(rates):
            raise ValueError("must not name a rate twice")
        return value

    def search(self, name: str) -> OptimizerSearch:
        """Return the candidate that this table describes, called ``name``."""
        hyperparameters = self.model_dump(exclude={"learning_rate"})
        given = self.learning_rate
        rates = self.grid if given == "auto" else given if isinstance(given, tuple) else (given,)
        # TOML's 1 is a whole number; recorded, it is to be read again as the rate 1.0.
        ascending = tuple(sorted(map(float, rates)))
        optimizer = OPTIMIZERS[name](learning_rate=ascending[0], **hyperparameters)
        return OptimizerSearch(optimizer, ascending, grows=given == "auto")


def _is_rate(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e300


class MomentumSettings(SGDSettings):
    """``[optimizers.momentum]``: its grid is a tenth of SGD's.

    A momentum of 0.9 sums gradients over about ten steps, and so moves ten times as far.
    """

    grid = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)

    momentum: Decay = Momentum.momentum


class AdamSettings(SGDSettings):
    """``[optimizers.adam]``: its grid is centred on 0.003, between PyTorch's 0.001 and 0.01."""

    grid = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)

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

    def candidates(self) -> dict[str, OptimizerSearch]:
        """Return the optimizers that compete, by name, the simplest first."""
        given = {name: table for name in OPTIMIZERS if (table := getattr(self, name)) is not None}
        tables = given or {name: made() for name, made in _TABLES.items()}
        return {name: table.search(name) for name, table in tables.items()}


_TABLES: dict[str, type[SGDSettings]] = {
    "sgd": SGDSettings,
    "momentum": MomentumSettings,
    "adam": AdamSettings,
    "adamw": AdamWSettings,
}


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
    race
        Whether candidates that are shown to be worse are dropped before all of their networks are
        trained.
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
    race: bool = True

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
