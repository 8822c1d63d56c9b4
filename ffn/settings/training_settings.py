"""``[network]`` and ``[training]``: the network, and how candidates are trained and compared."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from ffn.settings.service_settings import Duration
from ffn.settings.strict import Count, Decay, Share, StrictSettings

__all__ = ["WIDEST_LAYER", "NetworkSettings", "TrainingSettings"]

WIDEST_LAYER = 100_000


class NetworkSettings(StrictSettings):
    """``[network]``: the shape of the networks.

    Attributes
    ----------
    hidden_layers
        Units of each hidden layer, first layer first.
    student_layers
        The same for the student of a ``distilled`` ensemble; by default those of its teachers.
    """

    hidden_layers: tuple[Annotated[int, Field(ge=1, le=WIDEST_LAYER)], ...] = (16, 4)
    student_layers: tuple[Annotated[int, Field(ge=1, le=WIDEST_LAYER)], ...] | None = None


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
    schedule
        ``constant`` or ``cosine``: how the learning rate goes on from epoch to epoch.
    warmup_epochs
        Epochs of linear warm-up of the learning rate before that.
    class_weight
        ``balanced`` weights each row by the inverse share of its class while the networks learn;
        their probabilities are those at the true shares all the same. ``none`` weights all rows
        equally.
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
        own validation rows; nothing is refitted. ``distilled``: of one, which was trained on the
        averaged probabilities of these K. ``true`` means ``refitted``, ``false`` ``none``.
    boosted_teachers
        Models of gradient-boosted trees from which the student of a ``distilled`` ensemble learns
        as well, each fitted on one of the resamples; 0 (the default): none.
    members
        Largest number of networks in an ensemble; default: all. Scoring takes as many times
        longer, unless the ensemble is distilled.
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
    ensemble: Literal["none", "refitted", "resamples", "distilled"] = "none"
    boosted_teachers: Annotated[int, Field(ge=0, le=4096)] = 0
    members: Annotated[int, Field(ge=1, le=4096)] | None = None
    time_budget: Duration | None = None

    @field_validator("ensemble", mode="before")
    @classmethod
    def _flags_have_names(cls, value: Any) -> Any:
        """Read the settings of earlier versions, in which it was a flag."""
        return {True: "refitted", False: "none"}[value] if isinstance(value, bool) else value

    @model_validator(mode="after")
    def _teachers_have_a_student(self) -> TrainingSettings:
        if self.boosted_teachers and self.ensemble != "distilled":
            raise ValueError(
                f"boosted_teachers is {self.boosted_teachers}, and only the student of "
                'ensemble = "distilled" learns from them. Set it, or take boosted_teachers out'
            )
        if self.boosted_teachers > self.networks:
            raise ValueError(
                f"boosted_teachers is {self.boosted_teachers}: each is fitted on a resample of its "
                f"own, of which networks = {self.networks} makes no more. Lower it, or raise that"
            )
        return self

    @model_validator(mode="after")
    def _warm_up_ends(self) -> TrainingSettings:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs must be less than epochs, {self.epochs}")
        return self
