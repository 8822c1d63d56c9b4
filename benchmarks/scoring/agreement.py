"""Whether two sides say the same of the same rows."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["DisagreementError", "check_agreement"]

# Four decimals each, rounded from figures that differ in the last bits.
_CONFIDENCE = 2e-4
# Rows so near to a tie that those bits decide.
_TIES = 1e-5


class DisagreementError(RuntimeError):
    """A side labelled other rows, or labelled them otherwise."""


def check_agreement(side: str, ours: Path, theirs: Path) -> None:
    """Compare the last two columns of two outputs, row by row.

    Raises
    ------
    DisagreementError
        They have not as many rows, confidences differ by more than rounding, or labels in more
        rows than ties can explain.
    """
    rows = different = 0
    with _chunks(ours) as own_chunks, _chunks(theirs) as other_chunks:
        for own, other in zip_longest(own_chunks, other_chunks):
            if own is None or other is None or len(own) != len(other):
                raise DisagreementError(f"{side}: another count of rows")
            rows += len(own)
            different += int((own.iloc[:, 0].to_numpy() != other.iloc[:, 0].to_numpy()).sum())
            far = np.abs(own.iloc[:, 1].to_numpy() - other.iloc[:, 1].to_numpy()).max(initial=0)
            if far > _CONFIDENCE:
                raise DisagreementError(f"{side}: a confidence differs by {far:.5f}")
    if different > _TIES * rows:
        raise DisagreementError(f"{side}: {different:,} of {rows:,} labels differ")


def _chunks(path: Path) -> pd.io.parsers.TextFileReader:
    names = pd.read_csv(path, nrows=0).columns[-2:]
    return pd.read_csv(path, usecols=list(names), chunksize=500_000)
