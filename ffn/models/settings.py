"""What ``pipeline.toml`` may say, each value checked where it is declared."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ffn.errors import SettingsError, did_you_mean, quote
from ffn.tabular.schema import Kind

__all__ = [
    "DEFAULT_EXCLUDE",
    "DEFAULT_MISSING",
    "DataSettings",
    "NetworkSettings",
    "OptimizerSettings",
    "PipelineSettings",
    "TrainingSettings",
    "check_settings",
]

DEFAULT_MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
# Row numbers that tools write of themselves; a network would learn them by heart.
DEFAULT_EXCLUDE = ("id", "Id", "ID", "index", "row_id", "Unnamed: 0")

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Decay = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(min_length=1)]


class _Settings(BaseModel):
    """Frozen, strict (no text for a number), unknown keys refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _lists_are_tuples(cls, value: Any) -> Any:
        """TOML knows lists only; the settings are frozen."""
        return tuple(value) if isinstance(value, list) else value


class DataSettings(_Settings):
    """``[data]``: what to learn from, and what to predict.

    Attributes
    ----------
    source
        Training CSV, relative to the folder of ``pipeline.toml``.
    target
        Header of the label column.
    features
        Headers to learn from; default: all but the target and ``exclude``.
    exclude
        Headers to leave out, ids above all.
    missing_values
        Cell texts that mean "no value".
    kinds
        ``numeric`` or ``categorical`` for columns where the look at the data is to be overruled.
    delimiter
        One character between fields.
    """

    source: Name
    target: Name
    features: tuple[Name, ...] | None = None
    exclude: tuple[str, ...] | None = None
    missing_values: tuple[str, ...] = DEFAULT_MISSING
    kinds: dict[str, Kind] = {}
    delimiter: Annotated[str, Field(pattern=r"^[^\"\r\n]$")] = ","


class NetworkSettings(_Settings):
    """``[network]``: units of each hidden layer."""

    hidden_layers: tuple[Annotated[int, Field(ge=1, le=100_000)], ...] = (16, 4)


class TrainingSettings(_Settings):
    """``[training]``: how candidates are trained and compared.

    Attributes
    ----------
    epochs, batch_size
        Passes over the rows, and rows a step.
    networks
        K: resamples, each with a network of its own, for every optimizer.
    test_share
        Part of the rows held out and looked at once.
    validation_share
        Part of the others that each resample holds out to compare optimizers.
    seed
        All randomness comes from it.
    patience
        Epochs without a better validation loss before a network stops; 0: never.
    schedule, warmup_epochs
        ``constant`` or ``cosine`` learning rate, and epochs of linear warm-up.
    class_weight
        ``balanced`` weighs each row by the inverse share of its class; ``none`` does not.
    dtype
        ``float32`` or ``float64``.
    ensemble
        Keep all K refitted networks and average their probabilities.
    """

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 150
    batch_size: Count = 32
    networks: Annotated[int, Field(ge=2, le=4096)] = 16
    test_share: Share = 0.2
    validation_share: Share = 0.2
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 42
    patience: Annotated[int, Field(ge=0)] = 0
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_epochs: Annotated[int, Field(ge=0)] = 0
    class_weight: Literal["none", "balanced"] = "none"
    dtype: Literal["float32", "float64"] = "float32"
    ensemble: bool = False


class _SGD(_Settings):
    learning_rate: Positive = 0.005


class _Momentum(_SGD):
    momentum: Decay = 0.9


class _Adam(_SGD):
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    epsilon: Positive = 1e-8


class _AdamW(_Adam):
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    decay_biases: bool = False


class OptimizerSettings(_Settings):
    """``[optimizers.<name>]``: the candidates and their hyper-parameters; default: all four.

    The order of the fields is the order of simplicity that decides ties.
    """

    sgd: _SGD | None = None
    momentum: _Momentum | None = None
    adam: _Adam | None = None
    adamw: _AdamW | None = None

    def candidates(self) -> dict[str, dict[str, Any]]:
        """Return the hyper-parameters of each candidate, the simplest optimizer first."""
        chosen = {name: getattr(self, name) for name in type(self).model_fields}
        given = {name: value.model_dump() for name, value in chosen.items() if value is not None}
        return given or {
            "sgd": _SGD().model_dump(),
            "momentum": _Momentum().model_dump(),
            "adam": _Adam().model_dump(),
            "adamw": _AdamW().model_dump(),
        }


class PipelineSettings(_Settings):
    """The whole of ``pipeline.toml``."""

    data: DataSettings
    network: NetworkSettings = NetworkSettings()
    training: TrainingSettings = TrainingSettings()
    optimizers: OptimizerSettings = OptimizerSettings()


def check_settings(value: dict[str, Any], where: str) -> PipelineSettings:
    """Return the settings in ``value``, a parsed TOML document.

    Raises
    ------
    SettingsError
        A key is unknown (the near one is named), missing, or its value does not fit.
    """
    try:
        return PipelineSettings.model_validate(value)
    except ValidationError as error:
        raise SettingsError(f"{where}: {_first_problem(error)}") from None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    path = [str(part) for part in problem["loc"]]
    place = ".".join(path)
    if problem["type"] == "extra_forbidden":
        known = _known_keys(path[:-1])
        what = "optimizer" if path[:-1] == ["optimizers"] else "key"
        near = did_you_mean(path[-1], known)
        return f"unknown {what} {quote(place)}; known here: {', '.join(known)}.{near}"
    if problem["type"] == "missing":
        return f"{quote(place)} is missing. Add it."
    found = problem["input"]
    return f"{quote(place)} is {quote(found)}; {problem['msg'][0].lower()}{problem['msg'][1:]}."


def _known_keys(path: list[str]) -> list[str]:
    """Return the keys allowed in the table at ``path``."""
    tables: dict[tuple[str, ...], type[BaseModel]] = {
        (): PipelineSettings,
        ("data",): DataSettings,
        ("network",): NetworkSettings,
        ("training",): TrainingSettings,
        ("optimizers",): OptimizerSettings,
        ("optimizers", "sgd"): _SGD,
        ("optimizers", "momentum"): _Momentum,
        ("optimizers", "adam"): _Adam,
        ("optimizers", "adamw"): _AdamW,
    }
    table = tables.get(tuple(path))
    return list(table.model_fields) if table else []
