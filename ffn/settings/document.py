"""Schema of ``pipeline.toml``: every key with its type, range and default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from ffn.errors import SettingsError, did_you_mean, one_line, quote
from ffn.settings.data_settings import DataSettings
from ffn.settings.decision_settings import DecisionSettings
from ffn.settings.drift_settings import ContractSettings, DriftSettings
from ffn.settings.feature_settings import FeatureSettings
from ffn.settings.gate_settings import GateSettings
from ffn.settings.optimizer_settings import (
    AdamSettings,
    AdamWSettings,
    MomentumSettings,
    OptimizerSettings,
    SGDSettings,
)
from ffn.settings.service_settings import (
    Duration,
    InboxSettings,
    NotifySettings,
    ScheduleSettings,
    When,
)
from ffn.settings.strict import Count, Decay, Limit, Share, StrictSettings

__all__ = [
    "WIDEST_LAYER",
    "NetworkSettings",
    "OptimizerSettings",
    "PipelineSettings",
    "ScoringSettings",
    "TrainingSettings",
    "check_settings",
]

WIDEST_LAYER = 100_000


class ScoringSettings(StrictSettings):
    """``[scoring]``: how files are scored, unless the command overrides it.

    Attributes
    ----------
    on_unknown
        ``score`` or ``reject`` rows with a category that is unknown from training.
    max_reject_rate
        Largest share of rejected rows (0 to 1) with which an output is still written; by default
        any.
    """

    on_unknown: Literal["score", "reject"] = "score"
    max_reject_rate: Limit = 1.0


class NetworkSettings(StrictSettings):
    """``[network]``: the number of units of each hidden layer, first layer first."""

    hidden_layers: tuple[Annotated[int, Field(ge=1, le=WIDEST_LAYER)], ...] = (16, 4)


class TrainingSettings(StrictSettings):
    """``[training]``: how candidates are trained and compared.

    Attributes
    ----------
    epochs, batch_size
        Passes over the training rows, and rows per step.
    networks
        K: number of resamples, each of which trains one network for every optimizer.
    test_share
        Share of the rows that is held out for the final evaluation and used only once.
    validation_share
        Share of the remaining rows that each resample holds out to compare optimizers.
    seed
        Seed of all random numbers.
    patience
        Epochs without a lower validation loss after which a network stops; 0 (the default):
        train for all ``epochs``.
    schedule, warmup_epochs
        ``constant`` or ``cosine`` learning rate, and epochs of linear warm-up before it.
    class_weight
        ``balanced`` weights each row by the inverse share of its class; ``none`` weights all
        rows equally.
    dropout
        Probability with which a hidden unit is left out of a training step; 0 (the default): none.
    label_smoothing
        Share of each label that is spread over all classes in training; 0 (the default): none.
    dtype
        Floating-point type of training, ``float32`` or ``float64``.
    ensemble
        Of how many networks the model consists. ``none``: of one, refitted on the whole training
        part. ``refitted``: of all K refitted networks, whose probabilities are averaged.
        ``resamples``: of the K networks that were trained on the resamples, each stopped by its
        own validation rows; nothing is refitted. ``true`` means ``refitted``, ``false`` ``none``.
    members
        Largest number of networks in an ensemble; default: all. Scoring takes as many times
        longer.
    time_budget
        Time for the comparison of the optimizers, such as ``5m``; what has not finished by then is
        stopped. Default: none.
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
    dropout: Decay = 0.0
    label_smoothing: Decay = 0.0
    dtype: Literal["float32", "float64"] = "float32"
    ensemble: Literal["none", "refitted", "resamples"] = "none"
    members: Annotated[int, Field(ge=1, le=4096)] | None = None
    time_budget: Duration | None = None

    @field_validator("ensemble", mode="before")
    @classmethod
    def _flags_have_names(cls, value: Any) -> Any:
        """Read the settings of earlier versions, in which it was a flag."""
        return {True: "refitted", False: "none"}[value] if isinstance(value, bool) else value

    @model_validator(mode="after")
    def _warm_up_ends(self) -> TrainingSettings:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs must be less than epochs, {self.epochs}")
        return self


class PipelineSettings(StrictSettings):
    """The whole of ``pipeline.toml``."""

    data: DataSettings
    features: FeatureSettings = Field(default={}, validate_default=True)
    network: NetworkSettings = Field(default={}, validate_default=True)
    training: TrainingSettings = Field(default={}, validate_default=True)
    optimizers: OptimizerSettings = Field(default={}, validate_default=True)
    decision: DecisionSettings = Field(default={}, validate_default=True)
    gate: GateSettings = Field(default={}, validate_default=True)
    scoring: ScoringSettings = Field(default={}, validate_default=True)
    drift: DriftSettings = Field(default={}, validate_default=True)
    contract: ContractSettings = Field(default={}, validate_default=True)
    schedule: ScheduleSettings = Field(default={}, validate_default=True)
    inbox: InboxSettings = Field(default={}, validate_default=True)
    notify: NotifySettings = Field(default={}, validate_default=True)

    def of_training(self) -> dict[str, Any]:
        """Return the settings that a trained version depends on, as JSON values."""
        service = {"scoring", "drift", "contract", "schedule", "inbox", "notify"}
        found = self.model_dump(mode="json", exclude_none=True, exclude=service)
        # Recorded settings from before these keys existed must compare equal.
        if not self.data.formats:
            del found["data"]["formats"]
        if self.features == FeatureSettings():
            del found["features"]
        if self.decision == DecisionSettings():
            del found["decision"]
        if self.gate.baseline == "warn":
            del found["gate"]["baseline"]
        return found


def check_settings(value: dict[str, Any], where: str) -> PipelineSettings:
    """Validate a parsed TOML document and return its settings.

    Parameters
    ----------
    value
        The document.
    where
        Name of the file in errors.

    Raises
    ------
    SettingsError
        A key is unknown (the message suggests a similar one) or missing, or a value is invalid.
    """
    try:
        return PipelineSettings.model_validate(value)
    except ValidationError as error:
        raise SettingsError(f"{where}: {_first_problem(error)}") from None


# pydantic names Python's types, but the user wrote TOML.
_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "model_type": "a table",
    "string_too_short": "not be empty",
    "string_type": "text in quotes",
    "tuple_type": "a list",
}


def _first_problem(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    # A misspelt key comes first: it is the reason why another one is missing.
    unknown = [problem for problem in problems if problem["type"] == "extra_forbidden"]
    if not unknown:
        return _problem(problems[0])
    path = [str(part) for part in unknown[0]["loc"]]
    known = _known_keys(path[:-1])
    what = "optimizer" if path[:-1] == ["optimizers"] else "key"
    near = did_you_mean(path[-1], known)
    return f"unknown {what} {quote('.'.join(path))}; known here: {', '.join(known)}.{near}"


def _problem(problem: ErrorDetails) -> str:
    place = quote(".".join(map(str, problem["loc"])))
    if problem["type"] == "missing":
        return f"{place} is missing. Add it."
    if problem["type"] == "value_error":
        expected = str(problem["ctx"]["error"])
    else:
        expected = _EXPECTED.get(problem["type"], problem["msg"].removeprefix("Input should be "))
        verb = "must" if expected.startswith("not ") else "must be"
        expected = f"{verb} {expected}"
    # A sentence of its own, which names the value itself, goes without the other.
    if isinstance(problem["input"], Mapping | BaseModel) or not expected.startswith("must"):
        return f"{place}: {expected}."
    return f"{place} is {_as_toml(problem['input'])}; it {expected}."


def _as_toml(value: Any) -> str:
    """Return ``value`` roughly as written in the file, on one line."""
    if isinstance(value, str):
        return quote(value)
    text = str(value) if isinstance(value, float) else json.dumps(value, default=str)
    return one_line(text if len(text) <= 60 else text[:59] + "…")


def _known_keys(path: list[str]) -> list[str]:
    """Return the keys allowed in the table at ``path``."""
    tables: dict[tuple[str, ...], type[BaseModel]] = {
        (): PipelineSettings,
        ("data",): DataSettings,
        ("network",): NetworkSettings,
        ("training",): TrainingSettings,
        ("decision",): DecisionSettings,
        ("gate",): GateSettings,
        ("scoring",): ScoringSettings,
        ("drift",): DriftSettings,
        ("contract",): ContractSettings,
        ("schedule",): ScheduleSettings,
        ("schedule", "retrain"): When,
        ("schedule", "score"): When,
        ("inbox",): InboxSettings,
        ("notify",): NotifySettings,
        ("optimizers",): OptimizerSettings,
        ("optimizers", "sgd"): SGDSettings,
        ("optimizers", "momentum"): MomentumSettings,
        ("optimizers", "adam"): AdamSettings,
        ("optimizers", "adamw"): AdamWSettings,
    }
    # Positions in a list are not keys.
    table = tables.get(tuple(part for part in path if not part.isdecimal()))
    return list(table.model_fields) if table else []
