"""Test scored rows for drift, column by column, and report what was found."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ffn.errors import DataError, quote
from ffn.quantities import more
from ffn.scoring.drift.column_drift import ColumnDrift, mean_shift, share_of_rows_in
from ffn.scoring.drift.date_drift import other_times
from ffn.scoring.drift.diagnosis import suspect
from ffn.scoring.drift.same_season import choose_reference
from ffn.scoring.drift.swapped_columns import exchanged_categories
from ffn.scoring.drift.text_drift import text_drift
from ffn.scoring.rows.day_counts import DayCounts
from ffn.scoring.rows.drift_counts import DriftCounts
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.rows.tally import Tally
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.histograms import Reference

__all__ = ["ALPHA", "DriftReport", "HeldError", "build_drift_report", "check_drift"]

ALPHA = 0.001
"""Probability of a false alarm for a file without drift, over all of its columns."""

_COLUMNS_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class DriftReport:
    """Comparison of a scored file with the training rows of its model.

    Attributes
    ----------
    rows
        Number of scored rows.
    judged
        False if there are too few rows for a test.
    columns
        Drift of each feature, in the order of the schema.
    predictions
        Drift of the predicted classes; None if the model has no reference for them.
    suspicions
        Likely causes, a sentence each.
    compared
        What the file was compared with, and why, as a clause; empty if training has no seasons.
    months
        Months whose training rows it was compared with; empty if with all.
    """

    rows: int
    judged: bool
    columns: tuple[ColumnDrift, ...]
    predictions: ColumnDrift | None
    suspicions: tuple[str, ...]
    compared: str = ""
    months: str = ""

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the columns that drifted, the worst first."""
        found = [column for column in self.columns if column.alarm]
        return tuple(c.name for c in sorted(found, key=lambda c: -c.distance.psi))

    @property
    def detected(self) -> bool:
        """Whether anything drifted."""
        return bool(self.drifted) or bool(self.predictions and self.predictions.alarm)

    @property
    def sentence(self) -> str:
        """Drifted columns and likely causes in one line; empty if nothing drifted."""
        if not self.detected:
            return ""
        by_name = {column.name: column for column in self.columns}
        told = [
            f"{quote(name)} (PSI {by_name[name].distance.psi:.2f})"
            for name in self.drifted[:_COLUMNS_NAMED]
        ]
        if len(self.drifted) > _COLUMNS_NAMED:
            told.append(more(len(self.drifted) - _COLUMNS_NAMED, "column"))
        if self.predictions and self.predictions.alarm:
            told.append(f"the predicted classes (PSI {self.predictions.distance.psi:.2f})")
        looks = "".join(f"; {suspicion}" for suspicion in self.suspicions[:_COLUMNS_NAMED])
        before = f"training rows of {self.months}" if self.months else "training"
        why = f" (compared {self.compared})" if self.compared and not self.months else ""
        return f"unlike {before}: {', '.join(told)}{looks}{why}"

    def to_json(self) -> dict[str, Any]:
        """Return the entry of a manifest."""
        return {
            "detected": self.detected,
            "judged": self.judged,
            "rows": self.rows,
            "columns": {column.name: column.to_json() for column in self.columns},
            "predictions": self.predictions.to_json() if self.predictions else None,
            "suspicions": list(self.suspicions),
            **({"compared": self.compared} if self.compared else {}),
            **({"months": self.months} if self.months else {}),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> DriftReport:
        """Rebuild what ``to_json`` returned as ``value``."""
        columns = (ColumnDrift.from_json(name, one) for name, one in value["columns"].items())
        said = value["predictions"]
        return cls(
            rows=value["rows"],
            judged=value["judged"],
            columns=tuple(columns),
            predictions=None if said is None else ColumnDrift.from_json("", said),
            suspicions=tuple(value["suspicions"]),
            compared=value.get("compared", ""),
            months=value.get("months", ""),
        )


class HeldError(DataError):
    """A file is held because its rows drifted: nothing of it is published.

    Parameters
    ----------
    message
        The error in one line.
    report
        Details of the drift; None if unknown.
    """

    def __init__(self, message: str, report: DriftReport | None = None) -> None:
        super().__init__(message)
        self.report = report

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.report)


def check_drift(model: Scorer, tally: Tally, options: Options) -> DriftReport | None:
    """Test the scored rows for drift; None if drift is off or the model has no reference.

    Parameters
    ----------
    model
        The model that scored them.
    tally
        Counts over the scored rows.
    options
        Options of scoring.
    """
    if model.reference is None or tally.drift is None:
        return None
    return build_drift_report(
        model.schema,
        model.reference,
        tally.drift,
        tally.predictions.most_likely,
        tally.examples,
        threshold=options.drift_psi,
        min_rows=options.drift_min_rows,
        days=tally.days,
    )


def build_drift_report(
    schema: Schema,
    reference: Reference,
    counts: DriftCounts,
    per_class: Sequence[int],
    examples: Mapping[str, Collection[str]],
    *,
    threshold: float,
    min_rows: int,
    days: DayCounts | None = None,
) -> DriftReport:
    """Compare the rows of a file with the training rows.

    Parameters
    ----------
    schema
        Features and classes of the model.
    reference
        Histograms of the training rows.
    counts
        Histograms of the scored rows.
    per_class
        Number of scored rows by predicted class [C].
    examples
        Some unseen category texts by categorical feature.
    threshold
        PSI from which a difference matters in practice.
    min_rows
        With fewer rows no test is made, as it would have too little power.
    days
        Scored rows by day, to compare them with training rows of the same months; None, the
        default: with all training rows.
    """
    compared = choose_reference(reference, days, with_predictions=bool(reference.predicted))
    reference = compared.reference
    rows = int(sum(per_class))
    judged = rows >= min_rows
    # Texts have no histogram in bundles of earlier releases.
    watched = [one for one in schema.features if one.kind != "text" or reference.texts]
    # Bonferroni: one comparison for each of them, or each signal of texts, and one for predictions.
    comparisons = len(schema.numeric) + len(schema.categorical) + len(reference.texts)
    alpha = ALPHA / (comparisons + 1)
    sample, times = counts.sample()
    # Both properties count all columns on each access.
    missing, binned = counts.missing.tolist(), counts.numeric

    def column(
        name: str, found: Sequence[float], before: Sequence[int], place: int | None, **more: Any
    ) -> ColumnDrift:
        distance = compared.distance(found, before, alpha, place)
        alarm = judged and distance.psi > max(threshold, distance.limit)
        return ColumnDrift(name=name, distance=distance, alarm=alarm, **more)

    columns: dict[str, ColumnDrift] = {}
    for f, (feature, own) in enumerate(zip(schema.numeric, reference.numeric, strict=True)):
        gaps = missing[f]
        bins = [*binned[f].tolist(), *([gaps] if feature.missing else [])]
        columns[feature.name] = column(
            feature.name,
            # A row that represents eight is less evidence than eight independent rows.
            [counts.effective * count for count in bins],
            [*own.counts, *([own.missing] if feature.missing else [])],
            f,
            missing=share_of_rows_in(gaps, counts.rows),
            missing_before=share_of_rows_in(own.missing, own.rows),
            shift=mean_shift(sample[:, f], times, own),
        )
    for g, (feature, own) in enumerate(zip(schema.categorical, reference.categorical, strict=True)):
        unseen, gaps, *known = counts.categorical[g].tolist()
        columns[feature.name] = column(
            feature.name,
            [*known, unseen, *([gaps] if feature.missing else [])],
            [*own.counts, 0, *([own.missing] if feature.missing else [])],
            len(schema.numeric) + g,
            missing=share_of_rows_in(gaps, rows),
            missing_before=share_of_rows_in(own.missing, own.rows),
            unseen=share_of_rows_in(unseen, rows),
        )
    columns |= text_drift(
        schema,
        reference,
        counts,
        sample[:, len(schema.numeric) :],
        times,
        alpha,
        threshold if judged else math.inf,
    )
    numeric, categorical = _drifted(schema.numeric, columns), _drifted(schema.categorical, columns)
    # A date has no unit that could be mistaken, and no column to be exchanged with.
    dates = [f for f in numeric if schema.numeric[f].date_form is not None]
    # Nor has a time of day.
    times_of_day = [f for f in numeric if schema.numeric[f].clock_form is not None]
    numeric = {f: psi for f, psi in numeric.items() if f not in {*dates, *times_of_day}}
    names = [feature.name for feature in schema.numeric]
    suspicions = [
        *(other_times(schema.numeric[f], sample[:, f], times, reference.numeric[f]) for f in dates),
        *suspect(names, reference.numeric, sample[:, : len(names)], times, numeric, threshold),
        *exchanged_categories(
            schema.categorical,
            reference.categorical,
            [own.tolist() for own in counts.categorical],
            examples,
            categorical,
            threshold,
        ),
    ]
    return DriftReport(
        rows=rows,
        judged=judged,
        columns=tuple(columns[feature.name] for feature in watched),
        predictions=(
            column("", per_class, reference.predicted, None) if reference.predicted else None
        ),
        suspicions=tuple(suspicions),
        compared=compared.note,
        months=compared.months,
    )


def _drifted(features: Sequence[Feature], columns: Mapping[str, ColumnDrift]) -> dict[int, float]:
    """Return PSI by index of the features that raised an alarm, the highest first."""
    found = {
        place: columns[feature.name].distance.psi
        for place, feature in enumerate(features)
        if columns[feature.name].alarm
    }
    return dict(sorted(found.items(), key=lambda one: -one[1]))
