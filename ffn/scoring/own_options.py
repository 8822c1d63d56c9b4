"""Options of scoring from the settings of a pipeline."""

from __future__ import annotations

from typing import Any

from ffn.settings.pipeline import Pipeline

__all__ = ["own_options"]


def own_options(pipeline: Pipeline) -> dict[str, Any]:
    """Return the options of scoring in the settings of ``pipeline``, by name."""
    data, scoring, drift = (
        pipeline.settings.data,
        pipeline.settings.scoring,
        pipeline.settings.drift,
    )
    return {
        "on_unknown": scoring.on_unknown,
        "max_reject_rate": scoring.max_reject_rate,
        "delimiter": data.delimiter,
        "decimal": data.decimal,
        "encoding": data.encoding,
        "drift": drift.policy,
        "drift_psi": drift.psi,
        "drift_min_rows": drift.min_rows,
        "explain": scoring.explain,
    }
