"""The report's section on the gate: the verdict and the evidence for it, in Markdown."""

from __future__ import annotations

from ffn.auditing.audit_figures import SplitAudit
from ffn.auditing.audit_text import column_sentence
from ffn.criteria.resampled_evidence import ResampledEvidence
from ffn.errors import quote
from ffn.promotion.evidence import HeldOutEvidence
from ffn.promotion.shared_rows import SharedRows
from ffn.promotion.simpler_models import BaselineEvidence
from ffn.promotion.verdict import Verdict
from ffn.quantities import counted, difference, p_equals, p_value, signed, told_apart
from ffn.reports.markup.escaping import escape
from ffn.reports.markup.tables import table

__all__ = ["verdict_markdown"]


def verdict_markdown(verdict: Verdict, version: int) -> str:
    """Return the verdict in one sentence, followed by the evidence for it.

    Parameters
    ----------
    verdict
        The gate's decision.
    version
        Number of the version that was judged.
    """
    parts = [escape(verdict.sentence(version)), *_contract(verdict)]
    if verdict.floors:
        rows = [
            {
                "floor": escape(floor.what),
                "value": told_apart(floor.value, floor.limit, 3),
                "limit": f"{floor.limit:g}",
                "met": "yes" if floor.held else "no",
            }
            for floor in verdict.floors
        ]
        parts.append(table(rows))
    if verdict.baseline:
        parts += _baseline(verdict.baseline)
    if verdict.audit:
        parts += _audit(verdict.audit)
    if verdict.rows:
        parts.append(_rows(verdict.rows))
    if verdict.held_out:
        parts += _held_out(verdict.held_out)
    if verdict.resampled:
        parts.append(_resampled(verdict.resampled))
    if verdict.canary:
        said = escape(verdict.canary.problem) or "the same predictions as in training"
        parts.append(f"Canary: {counted(verdict.canary.rows, 'row')} in a fresh process; {said}.")
    return "\n\n".join(parts)


def _contract(verdict: Verdict) -> list[str]:
    """Return how the training table differs from the one that production was trained on."""
    if not verdict.contract:
        kept = "The training table keeps production's contract: "
        return [f"{kept}no check of `[contract]` found a change."] if verdict.production else []
    rows = [
        {
            "change since production's training table": escape(change.text),
            "key of `[contract]`": f"`{change.kind}`",
            "policy": change.policy,
        }
        for change in verdict.contract
    ]
    return [table(rows, left=3)]


def _baseline(found: BaselineEvidence) -> list[str]:
    rows = [
        {
            "new version minus simpler model": model.name,
            "log-loss": difference(model.log_loss),
            "simpler model shown to be better": "yes" if model.shown_better else "no",
        }
        for model in found.models
    ]
    of_all = "" if found.rows == found.held_out else f" of {found.held_out:,}"
    return [
        table(rows),
        f"Simpler models on {found.rows:,}{of_all} held-out rows. Each bound is tested at the "
        f"one-sided level {found.alpha / len(found.models):.2g}, which is {found.alpha:g} divided "
        f"by the number of models; `gate.baseline` is `{found.policy}`.",
    ]


def _audit(found: SplitAudit) -> list[str]:
    """Return what the figures owe to columns whose values are not kept apart."""
    lines = [escape(column_sentence(one, found)) for one in found.columns]
    lines += [
        escape(f"Column {quote(name)} was not audited: {why}.")
        for name, why in found.left_out.items()
    ]
    if not found.columns:
        return lines
    level = (
        f"Split audit: {counted(found.networks, 'network')} of the model's recipe on each split of "
        "the training rows, on equally many of them. Intervals are 95 % intervals for rows of one "
        "group or stretch of time together; what is shown is tested at the one-sided level "
        f"{found.alpha:.2g}. `split.audit` is `{found.policy}`."
    )
    return [*lines, level]


def _rows(rows: SharedRows) -> str:
    return (
        f"Held-out rows: {rows.held_out:,}. Excluded from the comparison: "
        f"{rows.trained_on:,} that one of the two models was trained on, "
        + (
            f"{rows.related:,} of groups or times that production was trained on, "
            if rows.related
            else ""
        )
        + f"{rows.refused:,} that production would reject. Compared: {rows.fit:,}"
        + (f" of {counted(rows.groups, 'group')}." if rows.groups else ".")
    )


def _held_out(found: HeldOutEvidence) -> list[str]:
    counts, losses = found.labels, found.log_loss
    by_weight = ""
    if found.accuracy is not None:
        by_weight = f"weighted accuracy {signed(found.accuracy)}; weighted "
    figures = [
        {
            "challenger minus production": "labels gained, lost",
            "value": f"{counts.gained:,}, {counts.lost:,} of {counts.rows:,}",
            "bound": f"{by_weight}accuracy at most {found.accuracy_bound:.4f} lower",
        },
        {
            "challenger minus production": "log-loss",
            "value": signed(losses.value),
            "bound": difference(losses).partition(" ")[2],
        },
    ]
    if metric := found.metric:
        figures.insert(
            0,
            {
                "challenger minus production": f"{metric.words}: the gain, which decides alone",
                "value": signed(metric.gain),
                "bound": f"{signed(metric.gain_low)} to {signed(metric.gain_high)}",
            },
        )
    classes = [
        {
            "class": escape(one.name),
            "rows": f"{one.rows:,}",
            "gained": f"{one.gained:,}",
            "lost": f"{one.lost:,}",
            "p, lower recall (Holm)": p_value(one.p_worse),
        }
        for one in found.classes
    ]
    level = (
        f"This is comparison {found.look} on these rows, so each one-sided bound is tested at "
        f"level {found.alpha:.2g}; test of the labels: {p_equals(found.p_value)}."
    )
    if found.metric:
        level += (
            f" The {found.metric.words} is {found.metric.challenger:.4f}, production's "
            f"{found.metric.production:.4f}; of no gain: {p_equals(found.metric.p_value)}. Labels "
            "are those of each model's decision rule there, and the most probable class elsewhere."
        )
    return [table(figures), level, table(classes)]


def _resampled(found: ResampledEvidence) -> str:
    return (
        f"Both recipes trained on the same {counted(found.resamples, 'resample')} of the training "
        f"part, challenger minus production: accuracy {signed(found.accuracy)} (at least "
        f"{signed(found.accuracy_low)}), log-loss {signed(found.log_loss)} "
        f"({signed(found.log_loss_low)} to {signed(found.log_loss_high)})"
        + (
            f", and by the metric, which decides alone, a gain of {signed(found.gain)} (at least "
            f"{signed(found.gain_low)})"
            if found.gain is not None and found.gain_low is not None
            else ""
        )
        + f". This is comparison {found.look}, so each one-sided bound is tested at level "
        f"{found.alpha:.2g}. It compares "
        "training recipes, not the two models themselves."
    )
