"""The split audit in words, all made of its figures."""

from __future__ import annotations

from typing import Literal

from ffn.auditing.audit_figures import ColumnAudit, SplitAudit
from ffn.auditing.optimism import Optimism
from ffn.errors import quote
from ffn.quantities import counted, difference, interval

__all__ = [
    "apart_reason",
    "audit_finding",
    "audit_refusal",
    "audit_remedy",
    "audit_warning",
    "column_sentence",
    "kept_finding",
    "unseen_rows_sentence",
]


def audit_refusal(audit: SplitAudit | None) -> str:
    """Return why an ``audit`` keeps a version back, as a clause; empty if it does not."""
    if audit is None or audit.policy != "refuse":
        return ""
    found = [one for one in audit.columns if one.matters and not one.feature]
    if not found:
        return ""
    told = "; ".join(f"{audit_finding(one)} ({audit_remedy(one)})" for one in found)
    return f'{told}, and split.audit is "refuse"'


def audit_warning(audit: SplitAudit | None) -> str:
    """Return what an ``audit`` found and does not refuse, as sentences; empty if nothing."""
    if audit is None:
        return ""
    refused = audit.policy == "refuse"
    found = [one for one in audit.columns if one.matters and (one.feature or not refused)]
    return " ".join(f"{_upper(audit_finding(one))} ({audit_remedy(one)})." for one in found)


def kept_finding(audit: SplitAudit | None, reason: str) -> str:
    """Return all that an ``audit`` found to matter and ``reason`` does not say, as sentences.

    Parameters
    ----------
    audit
        That of a registered version, which may have been promoted by hand; None if it has none.
    reason
        Why the gate decided as it did.
    """
    if audit is None:
        return ""
    found = [(one, audit_finding(one)) for one in audit.columns if one.matters]
    return " ".join(
        f"{_upper(finding)} ({audit_remedy(one)})."
        for one, finding in found
        if finding not in reason
    )


def unseen_rows_sentence(audit: SplitAudit | None) -> str:
    """Return what to expect of later rows and new groups where no more is shown, as sentences.

    Held-out rows of the same time, or of the same groups, as the training rows tell nothing of
    others. That the difference is not shown to matter does not say that there is none. Of plain
    categories nothing is said: new rows of the same ones are what they are for.

    Parameters
    ----------
    audit
        The audit of a version; None if nothing was audited.
    """
    if audit is None:
        return ""
    told = []
    for one in audit.columns:
        if one.matters or one.feature:
            continue
        name = quote(one.column)
        later = one.kind == "time"
        rows = f"rows later by {name}" if later else f"new values of {name}"
        others = "earlier rows" if later else "other values"
        told.append(
            f"For {rows} expect accuracy {interval(one.expected_accuracy)} and log-loss "
            f"{interval(one.expected_log_loss)}, as of networks trained on {others} only; if such "
            f"rows will be scored, set split.{one.kind} = {name}."
        )
    return " ".join(told)


def apart_reason(kind: Literal["group", "time"]) -> str:
    """Return why a column of some ``kind`` is not audited that the two sides keep apart."""
    if kind == "time":
        return (
            "all held-out rows are later than the training rows, so the held-out figures are those "
            "of later rows"
        )
    return (
        "no held-out row has a value of a training row, so the held-out figures are those of new "
        "values"
    )


def audit_finding(one: ColumnAudit) -> str:
    """Return what was found about a column that matters, as a clause."""
    name = quote(one.column)
    whose, how, whom = f"rows later by {name}", "trained on earlier rows only", "later rows"
    if one.kind == "group":
        how = f"with its {counted(one.values, 'value')} kept apart"
        whose, whom = f"new values of {name}", "new values"
    return (
        f"the held-out figures are too good for {whose}: {how}, accuracy is "
        f"{_of(one.accuracy)} lower and log-loss {_of(one.log_loss)} higher than on an ordinary "
        f"split, so for {whom} expect accuracy {interval(one.expected_accuracy)} and log-loss "
        f"{interval(one.expected_log_loss)}"
    )


def audit_remedy(one: ColumnAudit) -> str:
    """Return what to do about a column that matters, as a clause."""
    name = quote(one.column)
    if one.kind == "time":
        return (
            f"set split.time = {name} or, if new rows are of the same time, split.ignore = [{name}]"
        )
    return f"set split.group = {name} or, if new rows have known values, split.ignore = [{name}]"


def column_sentence(one: ColumnAudit, audit: SplitAudit) -> str:
    """Return the result for a column of the ``audit`` in one sentence, whatever it is."""
    if one.matters:
        return f"{_upper(audit_finding(one))} ({audit_remedy(one)})."
    what = "its values kept apart" if one.kind == "group" else "training on earlier rows only"
    return (
        f"Column {quote(one.column)}: with {what}, accuracy is {_of(one.accuracy)} lower and "
        f"log-loss {_of(one.log_loss)} higher, which is not shown to be more than the gate's "
        f"margins ({audit.accuracy_margin:g} and {audit.log_loss_margin:g})."
    )


def _of(found: Optimism) -> str:
    return difference(found, 3).replace("+", "")


def _upper(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
