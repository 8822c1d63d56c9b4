"""A model small enough to score by hand: the answer can be read off the row.

``size`` tenths is the probability of "large"; a missing size counts as 5. The colour "red"
turns the answer round, an unknown or missing colour leaves it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.decision_rules.rule import ARGMAX, DecisionRule
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.histograms import Histogram, Reference

Array = npt.NDArray[Any]

SIZE = Feature(name="size", kind="numeric", minimum=0.0, maximum=10.0)
COLOUR = Feature(name="colour", kind="categorical", missing=True, categories=("blue", "red"))
SCHEMA = Schema(
    features=(SIZE, COLOUR),
    target="kind",
    classes=("large", "small"),
    missing_values=("", "NA", "-9"),
)
# Of ten sizes a unit, in quarters, and few that are red.
REFERENCE = Reference(
    numeric=(
        Histogram(edges=(2.5, 5.0, 7.5), counts=(25,) * 4, missing=0, mean=5.0, deviation=2.9),
    ),
    categorical=(Histogram(counts=(90, 10), missing=0),),
    labels=(50, 50),
    predicted=(50, 50),
)


class Preparation:
    def transform(self, numeric: Array, codes: Array) -> Array:
        size = np.where(np.isnan(numeric), 5, numeric)
        with np.errstate(over="ignore"):
            return np.hstack((size, codes == 1)).astype(np.float32)


@dataclass(frozen=True)
class TenthsScorer:
    pipeline: str = "things"
    version: int = 7
    sha256: str = "ab" * 32
    schema: Schema = SCHEMA
    preparation: Preparation = field(default_factory=Preparation)
    reference: Reference | None = None
    rule: DecisionRule = ARGMAX

    def probabilities(self, x: Array) -> Array:
        large = np.clip(x[:, 0].astype(np.float64) / 10, 0, 1)
        large = np.where(x[:, 1] == 1, 1 - large, large)
        return np.stack((large, 1 - large), axis=1)
