"""Compare the texts of a scored file with held-out texts, by a few numbers of each."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from ffn.scoring.drift.column_drift import ColumnDrift, mean_shift, share_of_rows_in
from ffn.scoring.drift.psi import distribution_distance
from ffn.scoring.rows.drift_counts import DriftCounts
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.histograms import Reference

__all__ = ["text_drift"]

Array = npt.NDArray[Any]


def text_drift(
    schema: Schema,
    reference: Reference,
    counts: DriftCounts,
    sample: Array,
    times: Array,
    alpha: float,
    threshold: float,
) -> dict[str, ColumnDrift]:
    """Return the drift of each column of texts, that of its signal that drifted most, by name.

    The reference are held-out rows: the encoding was learnt from the training rows, whose own
    components are unlike those of all others. They are compared with all of them, also where other
    columns are compared with rows of the same months.

    Parameters
    ----------
    schema
        Features of the model.
    reference
        Histograms, those of texts among them; without these nothing is compared.
    counts
        Histograms of the scored rows.
    sample, times
        Signals of sampled rows [s, T S], and the frequency of each [s].
    alpha
        Probability of a false alarm of each signal.
    threshold
        PSI from which a difference matters; infinite if there are too few rows for an alarm.
    """
    if not reference.texts or not schema.texts:
        return {}
    each = len(reference.texts) // len(schema.texts)
    binned, missing = counts.numeric, counts.missing.tolist()
    found = {}
    for t, feature in enumerate(schema.texts):
        columns = []
        for place in range(t * each, (t + 1) * each):
            own, at = reference.texts[place], len(schema.numeric) + place
            gaps = missing[at]
            # Gaps are those of the text, so they count with the first of its signals.
            with_gaps = feature.missing and place == t * each
            distance = distribution_distance(
                [
                    counts.effective * count
                    for count in [*binned[at].tolist(), *([gaps] if with_gaps else [])]
                ],
                [*own.counts, *([own.missing] if with_gaps else [])],
                alpha,
            )
            columns.append(
                ColumnDrift(
                    name=feature.name,
                    distance=distance,
                    alarm=distance.psi > max(threshold, distance.limit),
                    missing=share_of_rows_in(gaps, counts.rows),
                    missing_before=share_of_rows_in(own.missing, own.rows),
                    shift=mean_shift(sample[:, place], times, own),
                )
            )
        found[feature.name] = max(columns, key=lambda one: (one.alarm, _excess(one)))
    return found


def _excess(one: ColumnDrift) -> float:
    return one.distance.psi - one.distance.limit
