"""How often each row has been looked at, and what that leaves for the next look.

A test at level alpha repeated every night on the same rows promotes a model that is no better
sooner or later. Here every row has one alpha for its whole life, and each comparison in which
it takes part spends a piece of it: the k-th look ``alpha * 6 / (pi^2 k^2)``. All pieces together
are alpha, so however long the history, the probability that any comparison of the same rows
errs is at most alpha, whatever the dependence between them (Bonferroni; as a rule for
hypotheses that come one after another: alpha-spending, Foster and Stine 2008; Tian and Ramdas
2021, "Online control of the familywise error rate"). Rows that are new have spent nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from ffn.errors import RegistryError
from ffn.storage.atomic import write_bytes
from ffn.storage.plain_files import read_plain

__all__ = [
    "LOOKS_FILE",
    "ComparisonCounts",
    "PlannedComparison",
    "alpha_of_look",
    "choose_look",
    "read_looks",
]

Array = npt.NDArray[Any]

LOOKS_FILE = "looks.safetensors"
# Sixteen a row.
_MOST_BYTES = 4 * 1024**3
# One-sided power of 80 % is what tests are planned for.
_PLANNED_Z = 0.8416


@dataclass(frozen=True, kw_only=True)
class ComparisonCounts:
    """Rows that were compared on.

    Attributes
    ----------
    rows
        uint64 [n], sorted: fingerprints.
    times
        int64 [n]: comparisons that each took part in.
    """

    rows: Array
    times: Array

    def of(self, fingerprints: Array) -> Array:
        """Return how often each of ``fingerprints`` [m] was looked at, int64 [m]."""
        if not len(self.rows):
            return np.zeros(len(fingerprints), dtype=np.int64)
        place = np.searchsorted(self.rows, fingerprints).clip(max=len(self.rows) - 1)
        found: Array = np.where(self.rows[place] == fingerprints, self.times[place], 0)
        return found

    def after(self, fingerprints: Array) -> ComparisonCounts:
        """Return what is known after one more look at ``fingerprints`` [m]."""
        seen = np.unique(fingerprints)
        rows = np.union1d(self.rows, seen)
        return ComparisonCounts(rows=rows, times=self.of(rows) + np.isin(rows, seen))

    def write(self, artifacts: Path) -> None:
        """Write the file in a pipeline's ``artifacts``."""
        content = safetensors.numpy.save({"rows": self.rows, "times": self.times})
        write_bytes(artifacts / LOOKS_FILE, content)


@dataclass(frozen=True, kw_only=True)
class PlannedComparison:
    """Which rows to compare on, and at what level.

    Attributes
    ----------
    chosen
        Booleans [n] of the rows offered.
    number
        The how manieth look at the most looked at of them.
    alpha
        One-sided level of this look.
    """

    chosen: Array
    number: int
    alpha: float


def alpha_of_look(alpha: float, number: int) -> float:
    """Return the piece of ``alpha`` that look ``number`` (from 1) spends."""
    return alpha * 6 / (math.pi * number) ** 2


def choose_look(times: Array, alpha: float) -> PlannedComparison:
    """Choose between all rows and those that were looked at least, knowing no label.

    All rows are more, rows not yet looked at may be tested at a higher level. Rows looked at
    less than j times are taken for the j that can show the smallest difference with 80 %
    power: of n rows at level a it is proportional to ``(z_a + z_0.8) / sqrt(n)``.

    Parameters
    ----------
    times
        Integers [n]: how often each row was looked at.
    """
    from scipy import special

    if not len(times):
        return PlannedComparison(chosen=times == 0, number=1, alpha=alpha_of_look(alpha, 1))
    levels, counts = np.unique(times, return_counts=True)
    numbers = levels + 1
    alphas = np.array([alpha_of_look(alpha, int(number)) for number in numbers])
    smallest = (_PLANNED_Z - special.ndtri(alphas)) / np.sqrt(np.cumsum(counts))
    best = int(np.argmin(smallest))
    return PlannedComparison(
        chosen=times <= levels[best], number=int(numbers[best]), alpha=float(alphas[best])
    )


def read_looks(artifacts: Path) -> ComparisonCounts:
    """Read the looks of a pipeline; none if there is no file.

    Raises
    ------
    RegistryError
        The file is damaged. Without it no comparison knows its level.
    """
    path = artifacts / LOOKS_FILE
    try:
        arrays = safetensors.numpy.load(read_plain(path, _MOST_BYTES))
        rows, times = arrays["rows"], arrays["times"]
        sound = (
            (rows.dtype.str, times.dtype.str) == ("<u8", "<i8")
            and rows.ndim == 1
            and rows.shape == times.shape
            and bool((rows[1:] > rows[:-1]).all() and (times > 0).all())
        )
    except FileNotFoundError:
        return ComparisonCounts(
            rows=np.empty(0, dtype=np.uint64), times=np.empty(0, dtype=np.int64)
        )
    except OSError as error:
        raise RegistryError(
            f"{path} cannot be read ({error.strerror}), so it is not known how often each row was "
            "compared on. Restore it, or remove it to start again from none."
        ) from None
    except (KeyError, SafetensorError):
        sound = False
    if not sound:
        raise RegistryError(
            f"{path} is damaged, so it is not known how often each row was compared on. Restore "
            "it, or remove it to start again from none."
        )
    return ComparisonCounts(rows=rows, times=times)
