"""The result of scoring as the manifest of an output describes it."""

from __future__ import annotations

from typing import Any

from ffn.scoring.drift.drift_report import DriftReport
from ffn.scoring.output.manifest import unknown_columns
from ffn.scoring.output.score_result import ScoreResult, unknown_sentences
from ffn.scoring.output.targets import Targets

__all__ = ["described_result"]


def described_result(manifest: dict[str, Any], targets: Targets, seconds: float) -> ScoreResult:
    """Return the result of an output that was there already.

    Parameters
    ----------
    manifest
        Manifest of the output.
    targets
        Where it is.
    seconds
        How long the run took, in seconds.
    """
    return ScoreResult(
        pipeline=manifest["pipeline"],
        version=manifest["model_version"],
        rows=manifest["rows"],
        scored=manifest["scored"],
        rejected=manifest["rejected"],
        output=targets.output,
        rejects=targets.rejects,
        manifest=targets.manifest,
        class_counts=manifest["classes"],
        abstained=manifest.get("abstained", 0),
        reject_reasons=manifest["rejects"],
        mean_confidence=manifest["mean_confidence"],
        drift=None if manifest["drift"] is None else DriftReport.from_json(manifest["drift"]),
        warnings=(
            *manifest.get("warnings", ()),
            *unknown_sentences(unknown_columns(manifest)),
        ),
        unknown_columns=unknown_columns(manifest),
        seconds=seconds,
        unchanged=True,
    )
