"""A model whose probabilities tell which category each row has."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ffn.scoring.model import Model
from ffn.tabular.schema import Feature, Schema

MISSING = ("", "NA", "-9")
FILL = 0.5


class Codes:
    """Passes codes and numbers on."""

    def transform(self, numeric, codes):
        return np.hstack((np.nan_to_num(numeric, nan=FILL), codes)).astype(np.float64)


@dataclass(frozen=True)
class CodeScorer:
    """The probability of "a" tells the category: (code + 3) / 100."""

    schema: Schema
    pipeline: str = "codes"
    version: int = 1
    sha256: str = "cd" * 32
    preparation: Codes = field(default_factory=Codes)
    reference: None = None

    def probabilities(self, x):
        share = (x[:, -1] + 3) / 100
        return np.stack((share, 1 - share), axis=1)


def model(*categories, missing=MISSING, classes=("a", "b")):
    feature = Feature(name="c", kind="categorical", missing=True, categories=categories)
    schema = Schema(features=(feature,), target="y", classes=classes, missing_values=missing)
    return Model(CodeScorer(schema))


def codes(found):
    """Category codes that probabilities tell."""
    return np.rint(found[:, 0] * 100 - 3).astype(int).tolist()


def asked(own, rows):
    return codes(own.predict_proba(rows))
