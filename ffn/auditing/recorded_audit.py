"""A split audit as it was recorded in ``verdict.json``, which may be damaged or older."""

from __future__ import annotations

from typing import Any

from ffn.auditing.audit_figures import ColumnAudit, SplitAudit
from ffn.auditing.optimism import Optimism
from ffn.criteria.recorded_values import interval_in, table_in

__all__ = ["recorded_audit"]


def recorded_audit(verdict: dict[str, Any]) -> SplitAudit | None:
    """Return the audit that was recorded with a version; None if there is none, or not a whole one.

    Parameters
    ----------
    verdict
        Content of its ``verdict.json``. Versions of earlier releases have no such entry.
    """
    found = table_in(verdict, "audit")
    listed, policy, networks = (found.get(key) for key in ("columns", "policy", "networks"))
    numbers = [found.get(key) for key in ("alpha", "accuracy_margin", "log_loss_margin")]
    columns = [_of_column(one) for one in listed] if isinstance(listed, list) else [None]
    if policy not in ("refuse", "warn", "ignore") or type(networks) is not int:
        return None
    if not all(type(number) in (int, float) for number in numbers) or None in columns:
        return None
    alpha, accuracy_margin, log_loss_margin = map(float, numbers)  # type: ignore[arg-type]
    return SplitAudit(
        policy=policy,
        alpha=alpha,
        accuracy_margin=accuracy_margin,
        log_loss_margin=log_loss_margin,
        networks=networks,
        columns=tuple(one for one in columns if one is not None),
        left_out={name: str(why) for name, why in table_in(found, "left_out").items()},
        decided=found.get("decided") is True,
    )


def _of_column(found: Any) -> ColumnAudit | None:
    if not isinstance(found, dict) or not isinstance(found.get("column"), str):
        return None
    kind, counts = found.get("kind"), [found.get("values"), found.get("rows")]
    flags = [found.get("feature"), found.get("matters")]
    optimisms = [_optimism(table_in(found, key)) for key in ("accuracy", "log_loss")]
    expected = [interval_in(found, f"expected_{key}") for key in ("accuracy", "log_loss")]
    if kind not in ("group", "time") or not all(type(one) is int for one in counts):
        return None
    if not all(type(flag) is bool for flag in flags) or None in [*optimisms, *expected]:
        return None
    return ColumnAudit(
        column=found["column"],
        kind=kind,
        values=counts[0],  # type: ignore[arg-type]
        feature=flags[0],  # type: ignore[arg-type]
        rows=counts[1],  # type: ignore[arg-type]
        accuracy=optimisms[0],  # type: ignore[arg-type]
        log_loss=optimisms[1],  # type: ignore[arg-type]
        expected_accuracy=expected[0],  # type: ignore[arg-type]
        expected_log_loss=expected[1],  # type: ignore[arg-type]
        matters=flags[1],  # type: ignore[arg-type]
    )


def _optimism(found: dict[str, Any]) -> Optimism | None:
    numbers = [found.get(key) for key in ("value", "low", "high", "bound")]
    if not all(type(number) in (int, float) for number in numbers):
        return None
    value, low, high, bound = map(float, numbers)  # type: ignore[arg-type]
    return Optimism(value=value, low=low, high=high, bound=bound)
