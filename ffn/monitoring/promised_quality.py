"""What was promised of a version: its figures on held-out rows, or for a later period."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffn.bundles.contents import read_registered
from ffn.criteria.recorded_values import interval_in, table_in
from ffn.evaluation.inference.statistics import Interval
from ffn.promotion.overview import METRICS_FILE
from ffn.registry.provenance import PROVENANCE
from ffn.registry.versions import version_folder

__all__ = ["PromisedQuality", "read_promise"]


@dataclass(frozen=True, kw_only=True)
class PromisedQuality:
    """The figures that a version was registered with.

    Attributes
    ----------
    accuracy, log_loss
        With 95 % intervals: under a split by time the prediction intervals for a later period,
        which scored rows are of, otherwise those of the held-out rows. None if not recorded.
    correct, rows
        Correctly labelled held-out rows, and all of them; 0 if they are not recorded.
    made_at
        When the version was made, in seconds since 1970; None if unknown.
    weighted
        Whether rows were weighted. Scored rows have no weights, so what becomes of them is not
        compared with figures in which rows count differently.
    grouped
        Whether ``accuracy`` is an interval of held-out rows that are of groups.
    """

    accuracy: Interval | None
    log_loss: Interval | None
    correct: int
    rows: int
    made_at: float | None
    weighted: bool = False
    grouped: bool = False

    def floor(self, alpha: float) -> float | None:
        """Return an accuracy that the true one is below with a probability of at most ``alpha``.

        The exact one-sided lower bound of Clopper and Pearson 1934, or the lower end of the
        promised interval if that is lower, as for a later period. Where rows are of groups, those
        to come are of other groups, whose mean differs from the true one as well: the interval is
        wider by the square root of 2, which is that of a prediction for as many groups as were held
        out. None without held-out rows, or if they are weighted.
        """
        if not self.rows or self.weighted:
            return None
        if not self.correct:
            return 0.0
        from scipy import special

        exact = float(special.betaincinv(self.correct, self.rows - self.correct + 1, alpha))
        if not self.accuracy:
            return exact
        if not self.grouped:
            return min(exact, self.accuracy.low)
        wider = math.sqrt(2) * (self.accuracy.value - self.accuracy.low)
        return max(min(exact, self.accuracy.value - wider), 0.0)


def read_promise(artifacts: Path, version: int) -> PromisedQuality:
    """Return what was promised of a version; fields that its files do not give are empty.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    version
        Number in the registry.
    """
    folder = version_folder(artifacts, version)
    test = table_in(read_registered(folder, METRICS_FILE), "test")
    correct, rows = _count(test.get("correct")), _count(test.get("rows"))
    later = table_in(test, "later")
    return PromisedQuality(
        accuracy=interval_in(later, "accuracy") or interval_in(test, "accuracy"),
        log_loss=interval_in(later, "log_loss") or interval_in(test, "log_loss"),
        correct=correct if correct <= rows else 0,
        rows=rows if correct <= rows else 0,
        made_at=_time(read_registered(folder, PROVENANCE).get("created_at")),
        weighted=bool(test.get("effective_rows")),
        grouped=bool(_count(test.get("groups"))) and not later,
    )


def _count(value: Any) -> int:
    return value if type(value) is int and value >= 0 else 0


def _time(value: Any) -> float | None:
    try:
        return datetime.datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return None
