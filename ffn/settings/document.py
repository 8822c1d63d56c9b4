"""Schema of ``pipeline.toml``: every key with its type, range and default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from ffn.databases.table_names import check_table_name
from ffn.errors import SettingsError, did_you_mean, one_line, quote
from ffn.settings.data_settings import DataSettings, as_address, as_query
from ffn.settings.decision_settings import DecisionSettings
from ffn.settings.drift_settings import ContractSettings, DriftSettings
from ffn.settings.feature_settings import FeatureSettings
from ffn.settings.gate_settings import GateSettings
from ffn.settings.optimizer_settings import (
    AdamSettings,
    AdamWSettings,
    MomentumSettings,
    OptimizerSettings,
    SearchSettings,
    SGDSettings,
)
from ffn.settings.outcome_settings import OutcomeSettings, ShadowSettings
from ffn.settings.service_settings import (
    InboxSettings,
    NotifySettings,
    RunnerSettings,
    ScheduleSettings,
    When,
)
from ffn.settings.split_settings import SplitSettings
from ffn.settings.strict import Limit, Name, StrictSettings
from ffn.settings.training_settings import NetworkSettings, TrainingSettings

__all__ = [
    "OptimizerSettings",
    "PipelineSettings",
    "ScoringSettings",
    "check_settings",
]


class ScoringSettings(StrictSettings):
    """``[scoring]``: how files are scored, unless the command overrides it.

    Attributes
    ----------
    on_unknown
        ``score`` or ``reject`` rows with a category that is unknown from training.
    max_reject_rate
        Largest share of rejected rows (0 to 1) with which an output is still written; by default
        any.
    database
        Address of the database that has rows to score; default: that of ``data.source``.
    query
        What ``--query`` of ``ffn score`` selects from it.
    table
        Table of that database to which the labelled rows are appended.
    new_by
        Column of query and table: rows whose value is in the table already are left out.
    explain
        Number of reasons that are added to each row: the columns that moved its answer most.
    """

    on_unknown: Literal["score", "reject"] = "score"
    max_reject_rate: Limit = 1.0
    database: Annotated[Name, AfterValidator(as_address)] | None = None
    query: Annotated[Name, AfterValidator(as_query)] | None = None
    table: Annotated[str, AfterValidator(check_table_name)] | None = None
    new_by: Name | None = None
    explain: Annotated[int, Field(ge=0)] = 0


class PipelineSettings(StrictSettings):
    """The whole of ``pipeline.toml``."""

    data: DataSettings
    split: SplitSettings = Field(default={}, validate_default=True)
    features: FeatureSettings = Field(default={}, validate_default=True)
    network: NetworkSettings = Field(default={}, validate_default=True)
    training: TrainingSettings = Field(default={}, validate_default=True)
    optimizers: OptimizerSettings = Field(default={}, validate_default=True)
    search: SearchSettings = Field(default={}, validate_default=True)
    decision: DecisionSettings = Field(default={}, validate_default=True)
    gate: GateSettings = Field(default={}, validate_default=True)
    scoring: ScoringSettings = Field(default={}, validate_default=True)
    drift: DriftSettings = Field(default={}, validate_default=True)
    contract: ContractSettings = Field(default={}, validate_default=True)
    schedule: ScheduleSettings = Field(default={}, validate_default=True)
    inbox: InboxSettings = Field(default={}, validate_default=True)
    notify: NotifySettings = Field(default={}, validate_default=True)
    outcomes: OutcomeSettings = Field(default={}, validate_default=True)
    shadow: ShadowSettings = Field(default={}, validate_default=True)
    runner: RunnerSettings = Field(default={}, validate_default=True)

    @model_validator(mode="after")
    def _data_that_can_be_watched(self) -> PipelineSettings:
        if self.data.query is not None and "data" in self.schedule.retrain_on:
            raise ValueError(
                'schedule.retrain_on = ["data"] watches files, and data.source is a database. Give '
                "schedule.retrain instead: a retraining of unchanged rows is skipped"
            )
        return self

    @model_validator(mode="after")
    def _statistics_that_take_weights(self) -> PipelineSettings:
        if self.data.weight is None:
            return self
        if self.decision.metric != "log_loss":
            raise ValueError(
                f'decision.metric = "{self.decision.metric}" counts each row once, and data.weight '
                "weights the rows. Take one of the two out"
            )
        if self.decision.label_sets is not None:
            raise ValueError(
                "decision.label_sets guarantees a share of rows that count alike, and data.weight "
                "weights the rows. Take one of the two out"
            )
        return self

    @model_validator(mode="after")
    def _decay_of_adamw(self) -> PipelineSettings:
        if self.search.weight_decay is not None and "adamw" not in self.optimizers.candidates():
            raise ValueError(
                "search.weight_decay is tried with AdamW alone, which [optimizers] does not name. "
                "Add [optimizers.adamw], or take weight_decay out of [search]"
            )
        return self

    @property
    def ensemble(self) -> Literal["none", "refitted", "resamples"]:
        """Of what networks the model consists, or learns, given how rows are split.

        Under ``split.time`` an ensemble of the resamples is one of refitted networks: those of the
        resamples were trained on windows before their cuts, and never saw the newest rows. A
        distilled model learns from the same.
        """
        chosen = self.training.ensemble
        if chosen == "resamples" or chosen == "distilled":
            return "resamples" if self.split.time is None else "refitted"
        return chosen

    def of_training(self) -> dict[str, Any]:
        """Return the settings that a trained version depends on, as JSON values."""
        service = {
            "scoring",
            "drift",
            "contract",
            "schedule",
            "inbox",
            "notify",
            "outcomes",
            "shadow",
            "runner",
            "split",
        }
        found = self.model_dump(mode="json", exclude_none=True, exclude=service)
        # No model depends on whether its table is kept.
        del found["data"]["keep"]
        # Recorded settings from before these keys existed must compare equal.
        if not self.data.formats:
            del found["data"]["formats"]
        if self.features == FeatureSettings():
            del found["features"]
        elif self.features.text_components == FeatureSettings().text_components:
            del found["features"]["text_components"]
        if not self.training.boosted_teachers:
            del found["training"]["boosted_teachers"]
        if self.search == SearchSettings():
            del found["search"]
        elif self.search.race == SearchSettings().race:
            del found["search"]["race"]
        if self.decision == DecisionSettings():
            del found["decision"]
        found |= self.split.recorded()
        later = {
            "baseline",
            "metric_margin",
            "min_balanced_accuracy",
            "min_auc",
            "min_average_precision",
        }
        for key in later:
            if getattr(self.gate, key) == GateSettings.model_fields[key].default:
                del found["gate"][key]
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
        ("split",): SplitSettings,
        ("network",): NetworkSettings,
        ("training",): TrainingSettings,
        ("search",): SearchSettings,
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
        ("outcomes",): OutcomeSettings,
        ("shadow",): ShadowSettings,
        ("runner",): RunnerSettings,
        ("optimizers",): OptimizerSettings,
        ("optimizers", "sgd"): SGDSettings,
        ("optimizers", "momentum"): MomentumSettings,
        ("optimizers", "adam"): AdamSettings,
        ("optimizers", "adamw"): AdamWSettings,
    }
    # Positions in a list are not keys.
    table = tables.get(tuple(part for part in path if not part.isdecimal()))
    return list(table.model_fields) if table else []
