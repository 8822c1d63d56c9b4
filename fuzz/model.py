"""A model whose answers can be worked out by hand: ``size`` tenths is the share of "large".

The colour "red" turns the answer round; an unknown or missing one leaves it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ffn.decision_rules.rule import ARGMAX, DecisionRule
from ffn.tabular.schema import Feature, Schema

__all__ = ["COLOURS", "MISSING", "SCHEMA", "TenthsScorer"]

COLOURS = ("blue", "red", "dark blue, or \u00e9cru")
MISSING = ("", "NA")
SCHEMA = Schema(
    features=(
        Feature(name="size", kind="numeric", minimum=0.0, maximum=10.0),
        Feature(name="age", kind="numeric", missing=True, minimum=0.0, maximum=10.0),
        Feature(name="colour", kind="categorical", missing=True, categories=COLOURS),
    ),
    target="kind",
    classes=("large", 'small, "tiny"'),
    missing_values=MISSING,
)


class _Preparation:
    def transform(self, numeric, codes):
        with np.errstate(over="ignore"):
            return np.hstack((np.nan_to_num(numeric, nan=5.0), codes == 1)).astype(np.float32)


@dataclass(frozen=True)
class TenthsScorer:
    """See above."""

    pipeline: str = "things"
    version: int = 7
    sha256: str = "ab" * 32
    schema: Schema = SCHEMA
    preparation: _Preparation = field(default_factory=_Preparation)
    reference: None = None
    rule: DecisionRule = ARGMAX

    def probabilities(self, x):
        """Return shares [n, 2]; the age adds nothing, but must be finite."""
        large = np.clip(x[:, 0].astype(np.float64) / 10, 0, 1)
        large = np.where(x[:, 2] == 1, 1 - large, large)
        return np.stack((large, 1 - large), axis=1)
