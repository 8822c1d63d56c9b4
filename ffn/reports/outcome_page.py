"""The page on realised quality: what became of the predictions, in Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ffn.errors import FFNError
from ffn.monitoring.challenger_tests import ChallengerTest, read_challengers
from ffn.monitoring.realised_quality import RealisedQuality, read_quality
from ffn.monitoring.record.outcome_record import reading_record
from ffn.quantities import NOTHING, interval
from ffn.reports.markup.escaping import escape
from ffn.reports.markup.tables import table
from ffn.settings.pipeline import Pipeline

__all__ = [
    "outcome_markdown",
    "quality_in_production",
    "quality_sentences",
    "realised_section",
]

_WEEKS_SHOWN = 26


def quality_in_production(pipeline: Pipeline, version: int | None) -> RealisedQuality | None:
    """Return what became of the predictions of a version; None if nothing is known.

    A record that cannot be read counts as nothing: the verb that changes it says why.

    Parameters
    ----------
    pipeline
        The pipeline.
    version
        Number in the registry; None for none.
    """
    if version is None:
        return None
    alpha = pipeline.settings.outcomes.alpha
    try:
        with reading_record(pipeline.artifacts) as record:
            if record is None:
                return None
            found = read_quality(record, pipeline.artifacts, alpha, version)
    except FFNError:
        return None
    return found[-1] if found else None


def quality_sentences(quality: RealisedQuality | None) -> list[str]:
    """Return an alert, realised beside promised accuracy, and the estimate before labels came.

    Parameters
    ----------
    quality
        Of the version in production; None if nothing is known, which gives no sentence.
    """
    if quality is None:
        return []
    alert = quality.shortfall.sentence if quality.shortfall else ""
    return [text for text in (alert, quality.sentence, quality.estimate_sentence) if text]


def outcome_markdown(
    found: Sequence[RealisedQuality], challengers: Sequence[ChallengerTest] = ()
) -> str:
    """Return the realised quality of versions in Markdown, the newest first.

    Parameters
    ----------
    found
        Versions of which predictions are known.
    challengers
        Comparisons of production with versions that score beside it; none by default.
    """
    parts = [f"In the shadow: {escape(test.sentence)}." for test in challengers]
    beside = {test.challenger for test in challengers}
    for one in reversed(found):
        how = ", beside production" if one.version in beside else ""
        parts.append(f"**Version {one.version}{how}: {escape(one.sentence)}.**")
        if one.shortfall and one.shortfall.shown:
            parts.append(f"Warning: {escape(one.shortfall.sentence)}.")
        parts += [escape(f"{detail[:1].upper()}{detail[1:]}.") for detail in one.details]
        if one.weeks:
            rows = [
                {
                    "week of scoring": week.week,
                    "scored": f"{week.scored:,}",
                    "estimated accuracy": (
                        NOTHING if math.isnan(week.estimated) else f"{week.estimated:.3f}"
                    ),
                    "labelled": f"{week.figures.rows:,}" if week.figures else "0",
                    "realised accuracy": (
                        interval(week.figures.accuracy) if week.figures else NOTHING
                    ),
                    "log-loss": (
                        interval(week.figures.log_loss)
                        if week.figures and week.figures.log_loss
                        else NOTHING
                    ),
                }
                for week in one.weeks[-_WEEKS_SHOWN:]
            ]
            parts.append(table(rows))
            parts.append(
                f"{escape(one.estimate_sentence[:1].upper() + one.estimate_sentence[1:])}."
            )
        if one.bins:
            rows = [
                {
                    "confidence": f"{each.low:.1f} to {each.high:.1f}",
                    "rows": f"{each.rows:,}",
                    "stated": f"{each.stated:.3f}",
                    "realised": interval(each.realised),
                }
                for each in one.bins
            ]
            parts.append(table(rows))
    parts.append("All intervals are 95 % confidence sequences, valid at every look.")
    return "\n\n".join(parts)


def realised_section(pipeline: Pipeline, production: int | None) -> list[str]:
    """Return the report's section on the version that was in production; empty without labels.

    Parameters
    ----------
    pipeline
        The pipeline.
    production
        Number of the version that the new one was compared with; None if there was none.
    """
    quality = quality_in_production(pipeline, production)
    if quality is None:
        return []
    tests = [one for one in read_challengers(pipeline) if one.production == production]
    others = [quality_in_production(pipeline, one.challenger) for one in tests if one.rows]
    return [
        "## Realised quality",
        outcome_markdown([quality, *(one for one in others if one)], tests),
    ]
