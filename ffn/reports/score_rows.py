"""Scoring results as table rows for the dashboard, one row per file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ffn.quantities import NOTHING, counted, seconds
from ffn.reports.markup.escaping import escape
from ffn.reports.pictures.canvas import middle_cut
from ffn.scoring.output.score_result import ScoreResult

__all__ = ["score_rows"]

_CLASSES_NAMED = 10
_NAME_LETTERS = 40


def score_rows(
    results: Sequence[ScoreResult], refused: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """Return one table row per file, all with the same keys.

    Parameters
    ----------
    results
        One for each file that was scored.
    refused
        Reason by file, for files that could not be scored; their rows come last.
    """
    return [
        {
            "file": escape(result.output.name),
            "rows": f"{result.rows:,}",
            "scored": f"{result.scored:,}",
            "rejected": f"{result.rejected:,}",
            "reasons": _counts(result.reject_reasons),
            "classes": _counts(result.class_counts | _abstained(result)),
            "drift": _drift(result),
            "mean confidence": NOTHING
            if result.mean_confidence is None
            else f"{result.mean_confidence:.3f}",
            "seconds": seconds(result.seconds),
            "output": escape(result.output),
        }
        for result in results
    ] + [
        {
            "file": escape(file),
            "rows": NOTHING,
            "scored": NOTHING,
            "rejected": NOTHING,
            "reasons": f"not scored: {escape(reason)}",
            "classes": NOTHING,
            "drift": NOTHING,
            "mean confidence": NOTHING,
            "seconds": NOTHING,
            "output": NOTHING,
        }
        for file, reason in (refused or {}).items()
    ]


def _abstained(result: ScoreResult) -> dict[str, int]:
    """Return the count of rows without a label, to be listed behind the classes."""
    return {"abstained": result.abstained} if result.abstained else {}


def _drift(result: ScoreResult) -> str:
    """Return the drift found, or a dash where drift was not tested."""
    if result.drift is None or not result.drift.judged:
        return NOTHING
    beside = f" (compared {result.drift.compared})" if result.drift.compared else ""
    return escape(result.drift.sentence or f"none{beside}")


def _counts(counts: Mapping[str, int]) -> str:
    """Return ``name count`` pairs in the given order; of more than ten only the largest ten."""
    if not counts:
        return NOTHING
    if len(counts) > _CLASSES_NAMED:
        largest = sorted(counts, key=lambda name: -counts[name])[:_CLASSES_NAMED]
        others = sum(counts.values()) - sum(counts[name] for name in largest)
        return (
            f"{_listed(largest, counts)}, {counted(len(counts) - len(largest), 'other')} {others:,}"
        )
    return _listed(counts, counts)


def _listed(names: Sequence[str] | Mapping[str, int], counts: Mapping[str, int]) -> str:
    return ", ".join(
        f"{escape(middle_cut(name, _NAME_LETTERS))} {counts[name]:,}" for name in names
    )
