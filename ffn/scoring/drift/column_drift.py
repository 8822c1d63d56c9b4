"""Drift of one column of a scored file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ffn.scoring.drift.psi import Distance
from ffn.tabular.training_table.histograms import Histogram

__all__ = ["ColumnDrift", "mean_shift", "share_of_rows_in"]


@dataclass(frozen=True, kw_only=True)
class ColumnDrift:
    """Drift of one column, or of the predictions.

    Attributes
    ----------
    name
        Name of the column.
    distance
        Distance of its histogram from that of training.
    alarm
        True if PSI is above both the threshold and the limit of chance.
    missing, missing_before
        Shares of rows without a value, in the file and in training.
    unseen
        Share of rows with a category that training never saw.
    shift
        Of numbers: the file's mean minus training's, in training's standard deviations, from a
        sample of rows; None if there are no numbers, or it is beyond float64.
    """

    name: str
    distance: Distance
    alarm: bool
    missing: float = 0.0
    missing_before: float = 0.0
    unseen: float = 0.0
    shift: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the entry of a manifest."""
        distance = self.distance
        return {
            "psi": round(distance.psi, 6),
            "limit": round(distance.limit, 6) if np.isfinite(distance.limit) else None,
            "alarm": self.alarm,
            "total_variation": round(distance.total_variation, 6),
            "shift": None if self.shift is None else round(self.shift, 4),
            "missing": round(self.missing, 6),
            "missing_in_training": round(self.missing_before, 6),
            "unseen": round(self.unseen, 6),
        }

    @classmethod
    def from_json(cls, name: str, value: dict[str, Any]) -> ColumnDrift:
        """Rebuild what ``to_json`` returned as ``value`` for the column ``name``."""
        limit = value["limit"]
        return cls(
            name=name,
            distance=Distance(
                psi=value["psi"],
                limit=float("inf") if limit is None else limit,
                total_variation=value["total_variation"],
            ),
            alarm=value["alarm"],
            missing=value["missing"],
            missing_before=value["missing_in_training"],
            unseen=value["unseen"],
            shift=value["shift"],
        )


def share_of_rows_in(part: int, whole: int) -> float:
    """Return the share of ``part`` in ``whole``; 0 without rows."""
    return part / whole if whole else 0.0


def mean_shift(values: Any, times: Any, reference: Histogram) -> float | None:
    """Return by how many deviations of the reference the mean is higher; None if unknown.

    Parameters
    ----------
    values, times
        Sampled values [s], NaN for missing, and the frequency of each [s].
    reference
        Histogram of the training rows.
    """
    known = ~np.isnan(values)
    if not known.any() or not reference.deviation:
        return None
    mean = float(np.average(values[known], weights=times[known]))
    shift = (mean - reference.mean) / reference.deviation
    return shift if np.isfinite(shift) else None
