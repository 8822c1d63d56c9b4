"""Alpha spending: the significance level left for the next comparison on the same rows.

A test at level alpha that is repeated every night on the same rows sooner or later promotes a model
that is no better. Here every row has one alpha for its whole life, and each comparison in which
it takes part spends a part of it: the k-th comparison ``alpha * 6 / (pi^2 k^2)``. All parts add up
to alpha, so the probability that any comparison on the same rows errs is at most alpha, however
long the history and whatever the dependence between comparisons (Bonferroni; for hypotheses tested
in sequence: alpha spending, Foster and Stine 2008; Tian and Ramdas 2021, "Online control of the
familywise error rate"). New rows have spent nothing.
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
# Limit on the size of the file, which has 16 bytes per row.
_MOST_BYTES = 4 * 1024**3
# Normal quantile of 0.8: tests are planned for a power of 80 %.
_PLANNED_Z = 0.8416


@dataclass(frozen=True, kw_only=True)
class ComparisonCounts:
    """Number of comparisons in which each row has taken part.

    Attributes
    ----------
    rows
        Fingerprints of the rows, uint64 [n], sorted.
    times
        Number of comparisons of each row, int64 [n].
    """

    rows: Array
    times: Array

    def of(self, fingerprints: Array) -> Array:
        """Return the number of comparisons, int64 [m], of each of ``fingerprints``, uint64 [m]."""
        if not len(self.rows):
            return np.zeros(len(fingerprints), dtype=np.int64)
        place = np.searchsorted(self.rows, fingerprints).clip(max=len(self.rows) - 1)
        found: Array = np.where(self.rows[place] == fingerprints, self.times[place], 0)
        return found

    def of_groups(self, fingerprints: Array, groups: Array, wanted: Array) -> Array:
        """Return the number of comparisons of groups: as many as of their row that has most.

        Rows of one group are not independent of each other, so they have one level for their
        lifetime together: a new row of a group has spent what the group has, and so has a row that
        is not held out any more.

        Parameters
        ----------
        fingerprints, groups
            All rows of the table, uint64 [N], and identifiers of their groups [N].
        wanted
            Identifiers of groups [m], each among ``groups``.
        """
        values, place = np.unique(groups, return_inverse=True)
        most = np.zeros(len(values), dtype=np.int64)
        np.maximum.at(most, place, self.of(fingerprints))
        found: Array = most[np.searchsorted(values, wanted)]
        return found

    def after(self, fingerprints: Array) -> ComparisonCounts:
        """Return the counts after one more comparison on ``fingerprints``, uint64 [m]."""
        seen = np.unique(fingerprints)
        rows = np.union1d(self.rows, seen)
        return ComparisonCounts(rows=rows, times=self.of(rows) + np.isin(rows, seen))

    def write(self, artifacts: Path) -> None:
        """Write the counts into ``artifacts``, the folder of a pipeline's results."""
        content = safetensors.numpy.save({"rows": self.rows, "times": self.times})
        write_bytes(artifacts / LOOKS_FILE, content)


@dataclass(frozen=True, kw_only=True)
class PlannedComparison:
    """Rows to compare on, and the level of the comparison.

    Attributes
    ----------
    chosen
        Booleans [n]: rows to use.
    number
        Number of this comparison, from 1, for the chosen row that has taken part in most.
    alpha
        One-sided level of this comparison.
    """

    chosen: Array
    number: int
    alpha: float


def alpha_of_look(alpha: float, number: int) -> float:
    """Return the part of ``alpha`` that comparison ``number`` (from 1) spends."""
    return alpha * 6 / (math.pi * number) ** 2


def choose_look(times: Array, alpha: float) -> PlannedComparison:
    """Choose between using all rows and using only those compared least often.

    More rows give more power; rows with fewer comparisons may be tested at a higher level. Of all
    j, the rows with fewer than j comparisons are chosen that can detect the smallest difference
    with a power of 80 %: for n rows at level a, it is proportional to
    ``(z_a + z_0.8) / sqrt(n)``. No label is used.

    Parameters
    ----------
    times
        Number of comparisons of each row so far, integers [n].
    alpha
        One-sided level that each row has for its whole life.
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
    """Read the comparison counts of a pipeline; all are zero if there is no file.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.

    Raises
    ------
    RegistryError
        The file is damaged, so that the level of the next comparison is unknown.
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
            f"{path} cannot be read ({error.strerror}), so the number of earlier comparisons on "
            "each row is unknown. Restore it, or remove it to start again from zero."
        ) from None
    except (KeyError, SafetensorError):
        sound = False
    if not sound:
        raise RegistryError(
            f"{path} is damaged, so the number of earlier comparisons on each row is unknown. "
            "Restore it, or remove it to start again from zero."
        )
    return ComparisonCounts(rows=rows, times=times)
