"""What a version's records say to expect of rows unlike the held-out ones: later, or new groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ffn.auditing.audit_figures import SplitAudit
from ffn.criteria.recorded_values import interval_in, table_in
from ffn.errors import quote
from ffn.evaluation.inference.statistics import Interval

__all__ = ["UnseenFigures", "unseen_figures"]


@dataclass(frozen=True, kw_only=True)
class UnseenFigures:
    """Figures to expect of some rows unlike the held-out ones.

    Attributes
    ----------
    rows
        Which rows, such as ``a later period`` or ``new values of "customer"``.
    accuracy, log_loss
        With 95 % intervals, for a later period prediction intervals; log-loss in nats per row.
    """

    rows: str
    accuracy: Interval
    log_loss: Interval


def unseen_figures(test: dict[str, Any], audit: SplitAudit | None) -> tuple[UnseenFigures, ...]:
    """Return all such figures of a version; none of plain categories, whose values are known.

    Parameters
    ----------
    test
        The object ``test`` of the version's ``metrics.json``.
    audit
        Its split audit; None if nothing was audited.
    """
    later, found = table_in(test, "later"), []
    accuracy, log_loss = (interval_in(later, key) for key in ("accuracy", "log_loss"))
    if accuracy is not None and log_loss is not None:
        found.append(UnseenFigures(rows="a later period", accuracy=accuracy, log_loss=log_loss))
    for one in audit.columns if audit is not None else ():
        if not one.feature:
            which = "rows later by" if one.kind == "time" else "new values of"
            found.append(
                UnseenFigures(
                    rows=f"{which} {quote(one.column)}",
                    accuracy=one.expected_accuracy,
                    log_loss=one.expected_log_loss,
                )
            )
    return tuple(found)
