"""Scored files as table and Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ffn.reports.canvas import middle_cut
from ffn.reports.escaping import escape
from ffn.reports.numbers import NOTHING, seconds
from ffn.reports.tables import table
from ffn.scoring.batch import ScoreResult

__all__ = ["score_markdown", "score_rows"]

_CLASSES_NAMED = 10
_NAME_LETTERS = 40


def score_rows(
    results: Sequence[ScoreResult], refused: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """Return one row a file, all with the same keys.

    Parameters
    ----------
    refused
        Reasons, by file, why others were not scored; their rows come last.
    """
    return [
        {
            "file": escape(result.output.name),
            "rows": f"{result.rows:,}",
            "scored": f"{result.scored:,}",
            "rejected": f"{result.rejected:,}",
            "classes": _counts(result.class_counts),
            "reasons": _counts(result.reject_reasons),
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
            "classes": NOTHING,
            "reasons": f"not scored: {escape(reason)}",
            "mean confidence": NOTHING,
            "seconds": NOTHING,
            "output": NOTHING,
        }
        for file, reason in (refused or {}).items()
    ]


def score_markdown(
    pipeline: str,
    version: int,
    results: Sequence[ScoreResult],
    refused: Mapping[str, str] | None = None,
) -> str:
    """Return the report of a scoring run: what became of the rows, then each file."""
    rows = sum(result.rows for result in results)
    rejected = sum(result.rejected for result in results)
    files = "file" if len(results) == 1 else "files"
    not_scored = f" {len(refused):,} refused." if refused else ""
    parts = [
        f"# {escape(pipeline)}: scored with version {version}",
        f"**{rows - rejected:,} of {rows:,} rows in {len(results):,} {files} scored, "
        f"{rejected:,} rejected.**{not_scored}",
    ]
    if results or refused:
        parts.append(table(score_rows(results, refused)))
    rejects = [result for result in results if result.rejected]
    if rejects:
        parts.append("Rejected rows, with the reason for each:")
        parts.append("\n".join(f"- {escape(result.rejects)}" for result in rejects))
    return "\n\n".join(parts) + "\n"


def _counts(counts: Mapping[str, int]) -> str:
    """Return ``name count`` for each, in the order given; of very many only the largest."""
    if not counts:
        return NOTHING
    if len(counts) > _CLASSES_NAMED:
        largest = sorted(counts, key=lambda name: -counts[name])[:_CLASSES_NAMED]
        others = sum(counts.values()) - sum(counts[name] for name in largest)
        return f"{_listed(largest, counts)}, {len(counts) - len(largest):,} others {others:,}"
    return _listed(counts, counts)


def _listed(names: Sequence[str] | Mapping[str, int], counts: Mapping[str, int]) -> str:
    return ", ".join(
        f"{escape(middle_cut(name, _NAME_LETTERS))} {counts[name]:,}" for name in names
    )
