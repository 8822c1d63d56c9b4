"""The report of a scoring run: files, rejected rows with examples, predicted classes."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ffn.bundles.contents import read_registered
from ffn.monitoring.realised_quality import RealisedQuality
from ffn.promotion.overview import METRICS_FILE
from ffn.quantities import NOTHING, counted, share_of
from ffn.registry.provenance import PROVENANCE
from ffn.registry.versions import version_folder
from ffn.reports.markup.escaping import escape
from ffn.reports.markup.tables import table
from ffn.reports.pictures.canvas import middle_cut
from ffn.scoring.output.score_result import ScoreResult

if TYPE_CHECKING:
    from ffn.shadow.shadow_scoring import ShadowPass

__all__ = ["estimate_sentence", "score_page", "score_sentence", "training_counts"]

_EXAMPLES, _FILES_LOOKED_AT, _ROWS_LOOKED_AT = 3, 20, 10_000
_REFUSED_SHOWN, _CLASSES_SHOWN, _LETTERS = 20, 30, 80


def training_counts(artifacts: Path, version: int) -> dict[str, int]:
    """Return the number of held-out rows by class of a version; empty if not recorded.

    Rows are held out class by class, so the shares are those of the training table; under
    ``[split]`` they are not, and the result is empty.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    version
        Number in the registry.
    """
    try:
        folder = version_folder(artifacts, version)
        metrics = read_registered(folder, METRICS_FILE)
        if "split" in read_registered(folder, PROVENANCE):
            return {}
        return {str(one["name"]): int(one["rows"]) for one in metrics["test"]["classes"]}
    except (ValueError, KeyError, TypeError):
        return {}


def score_sentence(results: Sequence[ScoreResult], refused: Mapping[str, str]) -> str:
    """Return one sentence with the numbers of files and rows scored, rejected and refused.

    Parameters
    ----------
    results
        One for each file that was scored.
    refused
        Reason by file, for files that could not be scored.
    """
    rows, scored = (sum(getattr(r, name) for r in results) for name in ("rows", "scored"))
    parts = [f"{counted(len(results), 'file')} scored: {scored:,} of {counted(rows, 'row')}"]
    parts += [f"{counted(rows - scored, 'row')} rejected"] if rows > scored else []
    abstained = sum(result.abstained for result in results)
    parts += [f"{counted(abstained, 'row')} without a label"] if abstained else []
    parts += [f"{counted(len(refused), 'file')} refused"] if refused else []
    return "; ".join(parts) + "."


def score_page(
    results: Sequence[ScoreResult],
    refused: Mapping[str, str],
    training: Mapping[str, int],
    quality: RealisedQuality | None = None,
    shadow: ShadowPass | None = None,
) -> str:
    """Return the report of a scoring run in Markdown.

    Parameters
    ----------
    results
        One for each file that was scored.
    refused
        Reason by file, for files that could not be scored.
    training
        Rows by class in training, from `training_counts`.
    quality
        What became of earlier predictions, to judge the estimate by; None, the default, if
        predictions are not recorded for labels that come later: then nothing is estimated.
    shadow
        What challengers say of the same rows; None, the default, if none scores beside production.
    """
    parts = [f"**{score_sentence(results, refused)}**"]
    if quality is not None:
        parts += [escape(estimate_sentence(results)), escape(f"So far: {quality.sentence}.")]
    if shadow is not None:
        parts += [escape(f"Beside production: {text}.") for text in shadow.sentences]
        left_out = shadow.left_out[:_REFUSED_SHOWN]
        parts += [escape(f"Left out of the shadow: {text}.") for text in left_out]
    warned = [(result.output.name, text) for result in results for text in result.warnings]
    if warned:
        rows = [
            {"file": _cell(file), "warning": _cell(text, 3 * _LETTERS)}
            for file, text in warned[:_REFUSED_SHOWN]
        ]
        parts += ["### Warnings", table(rows, left=2)]
        parts += _others(len(warned) - _REFUSED_SHOWN)
    if refused:
        rows = [
            {"refused file": _cell(file), "reason": _cell(reason, 3 * _LETTERS)}
            for file, reason in islice(refused.items(), _REFUSED_SHOWN)
        ]
        parts += ["### Refused files", table(rows, left=2)]
        parts += _others(len(refused) - _REFUSED_SHOWN)
    reasons = sum((Counter(result.reject_reasons) for result in results), Counter[str]())
    if reasons:
        examples = _examples(results)
        rows = [
            {
                "reason": escape(reason),
                "examples": "; ".join(examples.get(reason, [NOTHING])),
                "rows": f"{count:,}",
            }
            for reason, count in reasons.most_common()
        ]
        parts += ["### Rejected rows", table(rows, left=2)]
    counts = sum((Counter(result.class_counts) for result in results), Counter[str]())
    if counts.total():
        parts += ["### Classes", _classes(counts, training)]
    if abstained := sum(result.abstained for result in results):
        parts.append(
            f"{counted(abstained, 'scored row')} got no label, because the confidence is below the "
            "limit of the model, `abstain_below`; the shares are those of the others."
        )
    return "\n\n".join(parts) + "\n"


def estimate_sentence(results: Sequence[ScoreResult]) -> str:
    """Return the accuracy of scored rows to be expected from their confidences.

    Parameters
    ----------
    results
        One for each file that was scored.
    """
    scored = sum(result.scored for result in results)
    if not scored:
        return "No row was scored, so no accuracy is estimated."
    total = sum(result.scored * (result.mean_confidence or 0.0) for result in results)
    return (
        f"Estimated accuracy {total / scored:.3f}, the mean confidence of "
        f"{counted(scored, 'row')}, if confidences are calibrated on them: only labels can show "
        "that."
    )


def _classes(counts: Counter[str], training: Mapping[str, int]) -> str:
    """Return a table of the classes' shares in this run and in training."""
    here, there = counts.total(), sum(training.values())
    shown = [name for name, _ in counts.most_common(_CLASSES_SHOWN)]
    rows = [
        {
            "class": _cell(name),
            "rows": f"{counts[name]:,}",
            "share": share_of(counts[name], here),
            "share in training": share_of(training[name], there) if name in training else NOTHING,
        }
        for name in shown
    ]
    return "\n\n".join([table(rows), *_others(len(counts) - len(shown))])


def _examples(results: Sequence[ScoreResult]) -> dict[str, list[str]]:
    """Return the first rejected rows of each reason: file, line, column and value."""
    found: dict[str, list[str]] = {}
    for result in [result for result in results if result.rejected][:_FILES_LOOKED_AT]:
        try:
            with result.rejects.open(newline="", encoding="utf-8", errors="replace") as file:
                for row in islice(csv.DictReader(file), _ROWS_LOOKED_AT):
                    seen = found.setdefault(str(row.get("reason")), [])
                    if len(seen) < _EXAMPLES:
                        seen.append(_example(result, row))
        # The file was replaced or damaged in the meantime; the page can do without examples.
        except (OSError, csv.Error):
            continue
    return found


def _example(result: ScoreResult, row: Mapping[str, str | None]) -> str:
    column = f", {_cell(str(row['column']))}" if row.get("column") else ""
    value = _cell(str(row.get("value") or "")) or "nothing"
    return f"{_cell(result.output.name)} line {escape(row.get('line') or '?')}{column}: {value}"


def _others(count: int) -> list[str]:
    return [f"and {counted(count, 'other')}."] if count > 0 else []


def _cell(text: str, letters: int = _LETTERS) -> str:
    return escape(middle_cut(text, letters))
