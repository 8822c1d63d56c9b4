"""The gate's verdict in Markdown."""

from __future__ import annotations

from ffn.promotion.evidence import HeldOutEvidence
from ffn.promotion.recipes import ResampledEvidence
from ffn.promotion.shared_rows import SharedRows
from ffn.promotion.verdict import Verdict
from ffn.quantities import counted, difference, p_equals, p_value, signed, told_apart
from ffn.reports.markup.escaping import escape
from ffn.reports.markup.tables import table

__all__ = ["verdict_markdown"]


def verdict_markdown(verdict: Verdict, version: int) -> str:
    """Return the verdict on ``version`` in a sentence, and what it rests on."""
    parts = [escape(verdict.sentence(version)), *_contract(verdict)]
    if verdict.floors:
        rows = [
            {
                "floor": escape(floor.what),
                "figure": told_apart(floor.value, floor.limit, 3),
                "limit": f"{floor.limit:g}",
                "held": "yes" if floor.held else "no",
            }
            for floor in verdict.floors
        ]
        parts.append(table(rows))
    if verdict.rows:
        parts.append(_rows(verdict.rows))
    if verdict.held_out:
        parts += _held_out(verdict.held_out)
    if verdict.resampled:
        parts.append(_resampled(verdict.resampled))
    if verdict.canary:
        said = escape(verdict.canary.problem) or "answered as in training"
        parts.append(f"Canary: {counted(verdict.canary.rows, 'row')} in a fresh process; {said}.")
    return "\n\n".join(parts)


def _contract(verdict: Verdict) -> list[str]:
    """Say in what the training table differs from that of the version it was compared with."""
    if not verdict.contract:
        kept = "The training table keeps production's contract: of what `[contract]` asks about, "
        return [f"{kept}nothing was found to differ."] if verdict.production else []
    rows = [
        {
            "the training table, unlike production's": escape(change.text),
            "key of `[contract]`": f"`{change.kind}`",
            "policy": change.policy,
        }
        for change in verdict.contract
    ]
    return [table(rows, left=3)]


def _rows(rows: SharedRows) -> str:
    return (
        f"Held out: {counted(rows.held_out, 'row')}. Left out of the comparison: "
        f"{rows.trained_on:,} that one of the two was trained on, {rows.refused:,} that "
        f"production would refuse. Left: {rows.fit:,}."
    )


def _held_out(found: HeldOutEvidence) -> list[str]:
    counts, losses = found.labels, found.log_loss
    figures = [
        {
            "challenger against production": "labels gained, lost",
            "figure": f"{counts.gained:,}, {counts.lost:,} of {counts.rows:,}",
            "bound": f"accuracy at most {found.accuracy_bound:.4f} lower",
        },
        {
            "challenger against production": "log-loss",
            "figure": signed(losses.value),
            "bound": difference(losses).partition(" ")[2],
        },
    ]
    classes = [
        {
            "class": escape(one.name),
            "rows": f"{one.rows:,}",
            "gained": f"{one.gained:,}",
            "lost": f"{one.lost:,}",
            "p of a loss (Holm)": p_value(one.p_worse),
        }
        for one in found.classes
    ]
    level = (
        f"Look {found.look} at these rows, so each bound is missed with probability "
        f"{found.alpha:.2g} at most; labels: {p_equals(found.p_value)}."
    )
    return [table(figures), level, table(classes)]


def _resampled(found: ResampledEvidence) -> str:
    return (
        f"Both recipes on {counted(found.resamples, 'common resample')} of the training part: "
        f"accuracy {signed(found.accuracy)} (at least {signed(found.accuracy_low)}), log-loss "
        f"{signed(found.log_loss)} ({signed(found.log_loss_low)} to "
        f"{signed(found.log_loss_high)}); look "
        f"{found.look}, each bound missed with probability {found.alpha:.2g}. That compares ways "
        "to make a model, not two models."
    )
