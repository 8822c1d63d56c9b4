"""Realised quality: the figures of rows whose labels have come, by version and week.

Every interval is a 95 % confidence sequence, so it may be looked at after each row.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ffn.bundles.contents import read_contents
from ffn.errors import RegistryError
from ffn.monitoring.promise_words import beside_promises, is_below_all, promised_losses
from ffn.monitoring.promised_quality import PromisedQuality, read_promise
from ffn.monitoring.realised_figures import (
    CalibrationBin,
    RealisedFigures,
    calibration_bins,
    realised_figures_of,
)
from ffn.monitoring.record.outcome_record import OutcomeRecord
from ffn.monitoring.shortfall import Shortfall, find_shortfall
from ffn.quantities import counted, difference, interval
from ffn.registry.versions import version_folder, versions
from ffn.scoring.rows.suffixes import UNITS

__all__ = ["RealisedQuality", "WeekQuality", "read_quality"]


@dataclass(frozen=True, kw_only=True)
class WeekQuality:
    """One ISO week of scored rows, and what was estimated before their labels came.

    Attributes
    ----------
    week
        ``2026-W48``, UTC, by the time of scoring.
    scored
        Rows scored in that week.
    estimated
        Their mean confidence: the accuracy to be expected if confidences are calibrated.
    figures
        RealisedFigures of those whose label has come; None if there are none.
    """

    week: str
    scored: int
    estimated: float
    figures: RealisedFigures | None

    @property
    def was_right(self) -> bool | None:
        """Whether the estimate lies in the interval of the realised accuracy; None if unknown."""
        if self.figures is None:
            return None
        return self.figures.accuracy.low <= self.estimated <= self.figures.accuracy.high


@dataclass(frozen=True, kw_only=True)
class RealisedQuality:
    """What became of the predictions of one version.

    Attributes
    ----------
    version
        Number in the registry.
    figures
        Of all rows whose label has come; None if there are none.
    promised
        The figures that the version was registered with.
    since
        When the first of these rows was scored, in seconds since 1970.
    weeks
        By ISO week, in order.
    bins
        Calibration, by tenths of the confidence.
    shortfall
        The test whether accuracy is below what was promised; None if it cannot be made.
    unchecked
        Rows with a label of which it is not known whether the version was trained on them.
    """

    version: int
    figures: RealisedFigures | None
    promised: PromisedQuality
    since: float | None
    weeks: tuple[WeekQuality, ...]
    bins: tuple[CalibrationBin, ...]
    shortfall: Shortfall | None
    unchecked: int = 0

    @property
    def is_below_promise(self) -> bool:
        """Whether the interval of the realised accuracy ends below all that may be promised."""
        return self.figures is not None and is_below_all(self.figures.accuracy, self.promised)

    @property
    def sentence(self) -> str:
        """Realised beside promised accuracy, in one sentence without a full stop."""
        figures = self.figures
        if figures is None or self.since is None:
            return "no labels have come yet"
        start = datetime.datetime.fromtimestamp(self.since, datetime.UTC)
        told = (
            f"realised accuracy {interval(figures.accuracy)} on {counted(figures.rows, 'row')} "
            f"since {start.day} {start:%B %Y}"
        )
        promised = self.promised.accuracy
        if promised and self.promised.weighted:
            return (
                f"{told}; the promised {interval(promised)} counts rows by weight, which scored "
                "rows do not have, so the two are not compared"
            )
        shown = self.shortfall is not None and self.shortfall.shown
        return f"{told}{beside_promises(figures.accuracy, self.promised, shown=shown)}"

    @property
    def estimate_sentence(self) -> str:
        """The estimate from confidences, and how right it was before; empty without rows."""
        if not self.weeks:
            return ""
        scored = sum(week.scored for week in self.weeks)
        mean = sum(week.estimated * week.scored for week in self.weeks) / scored if scored else 0.0
        told = (
            f"estimated accuracy {mean:.3f} of all {counted(scored, 'row')} scored, if confidences "
            "are calibrated"
        )
        known = [week.was_right for week in self.weeks if week.was_right is not None]
        if not known:
            return f"{told}; not yet compared with labels"
        return (
            f"{told}; so far the estimate was within the realised interval in {sum(known):,} of "
            f"{counted(len(known), 'week')}"
        )

    @property
    def details(self) -> list[str]:
        """Sentences about log-loss and calibration."""
        figures = self.figures
        if figures is None:
            return []
        if figures.log_loss is None:
            loss = (
                f"log-loss not computed: the probability of the true label is not known for "
                f"{figures.without_loss:,} of {counted(figures.rows, 'row')}; score with "
                "--probabilities"
            )
        else:
            loss = f"realised log-loss {interval(figures.log_loss)}{promised_losses(self.promised)}"
        gap = figures.overconfidence
        what = "overconfident" if gap.low > 0 else "underconfident" if gap.high < 0 else ""
        said = f"shown to be {what}" if what else "not shown to differ from 0"
        found = [loss, f"confidence minus accuracy {difference(gap)}, {said}"]
        if self.unchecked:
            found.append(
                f"whether the version was trained on {self.unchecked:,} of "
                f"{counted(figures.rows, 'row')} is not known: their outputs lack the features, or "
                "its training table has few patterns"
            )
        return found

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "version": self.version,
            "sentence": self.sentence,
            "estimate": self.estimate_sentence,
            "since": self.since and _iso(self.since),
            "figures": _plain(self.figures),
            "promised": self.promised.to_json(),
            "weeks": [
                {
                    "week": week.week,
                    "scored": week.scored,
                    "estimated": None if math.isnan(week.estimated) else week.estimated,
                    "was_right": week.was_right,
                    "figures": _plain(week.figures),
                }
                for week in self.weeks
            ],
            "calibration": [_plain(one) for one in self.bins],
            "shortfall": _plain(self.shortfall),
            "unchecked": self.unchecked,
        }


def _iso(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="seconds")


def _plain(value: Any) -> dict[str, Any] | None:
    return None if value is None else asdict(value)


def read_quality(
    record: OutcomeRecord, artifacts: Path, alpha: float, version: int | None = None
) -> list[RealisedQuality]:
    """Return what became of the predictions of every version that scored, in order.

    Parameters
    ----------
    record
        The record.
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    alpha
        Level of the test for a shortfall.
    version
        Only this version; None, the default, for all.
    """
    there = set(versions(artifacts))
    found = []
    for model, number, sha256 in record.connection.execute(
        "SELECT model, version, bundle_sha256 FROM models ORDER BY version, model"
    ).fetchall():
        if version not in (None, number) or not _is_current(artifacts, number, sha256, there):
            continue
        found.append(_of_model(record, artifacts, alpha, number, model))
    return found


def _is_current(artifacts: Path, version: int, sha256: str, there: set[int]) -> bool:
    """Return whether the version of this number is the model; true for one that was deleted."""
    if version not in there:
        return True
    folder = version_folder(artifacts, version)
    try:
        found = read_contents(folder, pipeline=artifacts.name, version=version)
    except RegistryError:
        return True
    return found.bundle_sha256 == sha256


def _of_model(
    record: OutcomeRecord, artifacts: Path, alpha: float, version: int, model: int
) -> RealisedQuality:
    rows = record.connection.execute(
        "SELECT joined.class = predicted, joined.confidence, truth, week, at, checked "
        "FROM joined JOIN scorings USING (scoring) WHERE joined.model = ? ORDER BY place",
        (model,),
    ).fetchall()
    correct = np.array([row[0] for row in rows], dtype=bool)
    confidence = np.array([row[1] for row in rows], dtype=float) / UNITS
    truth = np.array([np.nan if row[2] is None else row[2] for row in rows], dtype=float) / UNITS
    week = np.array([row[3] for row in rows], dtype=object)
    promised = read_promise(artifacts, version)
    weeks = []
    for name, scored, units in record.connection.execute(
        "SELECT week, sum(rows), sum(confidence) FROM scorings WHERE model = ? AND NOT beside "
        "GROUP BY week ORDER BY week",
        (model,),
    ):
        own = week == name
        weeks.append(
            WeekQuality(
                week=name,
                scored=scored,
                estimated=units / UNITS / scored if scored else math.nan,
                figures=realised_figures_of(correct[own], confidence[own], truth[own])
                if own.any()
                else None,
            )
        )
    return RealisedQuality(
        version=version,
        figures=realised_figures_of(correct, confidence, truth) if len(rows) else None,
        promised=promised,
        since=min((row[4] for row in rows), default=None),
        weeks=tuple(weeks),
        bins=calibration_bins(correct, confidence),
        unchecked=sum(not row[5] for row in rows),
        shortfall=find_shortfall(correct, week.tolist(), promised, alpha),
    )
