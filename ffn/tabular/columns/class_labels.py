"""Convert class labels to an array: integers if all labels are integers, else texts."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Labels", "class_labels"]

Labels = npt.NDArray[np.str_] | npt.NDArray[np.int64]

# Canonical integers only: 01, +1 and -0 would be written back as other texts.
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_INT64 = np.iinfo(np.int64)


def class_labels(classes: Sequence[str]) -> Labels:
    """Return ``classes`` [C] as int64 if each is a canonical 64-bit integer, else as texts."""
    if classes and all(_INTEGER.fullmatch(label) for label in classes):
        numbers = [int(label) for label in classes]
        if _INT64.min <= min(numbers) and max(numbers) <= _INT64.max:
            return np.array(numbers, dtype=np.int64)
    return np.array(classes, dtype=np.str_)
