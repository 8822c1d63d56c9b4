"""What is said of a column of dates that drifted."""

from __future__ import annotations

from typing import Any

import numpy as np

from ffn.errors import quote
from ffn.tabular.date_form import DateForm
from ffn.tabular.encodings.date_parts import DAY_SECONDS
from ffn.tabular.schema import Feature
from ffn.tabular.training_table.histograms import Histogram

__all__ = ["other_times"]


def other_times(feature: Feature, seconds: Any, times: Any, reference: Histogram) -> str:
    """Return in words where the dates of a column lie, and where they lay in training.

    Parameters
    ----------
    feature
        The column.
    seconds, times
        Sampled dates in seconds since 1970 [s], NaN for missing, and the frequency of each [s].
    reference
        Histogram of the training rows.
    """
    known = ~np.isnan(seconds)
    if not known.any():
        return f"{quote(feature.name)} has no dates"
    mean = float(np.average(seconds[known], weights=times[known]))
    now, before = (_day_of(one) for one in (mean, reference.mean))
    return f"{quote(feature.name)} has dates around {now}, and training had them around {before}"


def _day_of(seconds: float) -> str:
    return DateForm().written(seconds - seconds % DAY_SECONDS)
