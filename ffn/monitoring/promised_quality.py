"""What was promised of a version: its figures on held-out rows, or for rows of another kind."""

from __future__ import annotations

import datetime
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ffn.auditing.recorded_audit import recorded_audit
from ffn.bundles.contents import read_registered
from ffn.criteria.recorded_values import interval_in, table_in
from ffn.errors import quote
from ffn.evaluation.inference.statistics import Interval
from ffn.promotion.overview import METRICS_FILE
from ffn.promotion.verdict import VERDICT_FILE
from ffn.registry.provenance import PROVENANCE
from ffn.registry.versions import version_folder

__all__ = ["Promise", "PromisedQuality", "read_promise"]

# Intervals for rows of another kind are of few observations: the split audit has three networks or
# more, and four quarters of a stretch of time. With fewer degrees of freedom an interval grows
# faster with its level, so this number errs on the wide side.
_FREEDOM = 2
_LEVEL = 0.025


@dataclass(frozen=True, kw_only=True)
class Promise:
    """Figures that were promised of some rows.

    Attributes
    ----------
    kind
        ``held_out``: rows that are to the training rows as the held-out ones are; ``time``: later
        rows; ``group``: rows of new groups.
    column
        The column that the split audit kept apart; empty for any other promise.
    accuracy, log_loss
        With 95 % intervals; None if not recorded.
    """

    kind: Literal["held_out", "time", "group"]
    column: str
    accuracy: Interval | None
    log_loss: Interval | None

    @property
    def whose(self) -> str:
        """Whose figures they are: ``later rows``; empty for rows like the held-out ones."""
        if self.kind == "held_out":
            return ""
        if self.kind == "group":
            return f"new values of {quote(self.column)}"
        return f"rows later by {quote(self.column)}" if self.column else "later rows"


@dataclass(frozen=True, kw_only=True)
class PromisedQuality:
    """The figures that a version was registered with.

    Attributes
    ----------
    accuracy, log_loss
        With 95 % intervals: under a split by time the prediction intervals for a later period,
        which scored rows are of, otherwise those of the held-out rows. None if not recorded.
    correct, rows
        Correctly labelled held-out rows, and all of them; 0 if they are not recorded.
    made_at
        When the version was made, in seconds since 1970; None if unknown.
    weighted
        Whether rows were weighted. Scored rows have no weights, so what becomes of them is not
        compared with figures in which rows count differently.
    grouped
        Whether ``accuracy`` is an interval of held-out rows that are of groups.
    held_out
        Accuracy on the held-out rows, if ``accuracy`` is that for a later period; otherwise None.
    unseen
        What the split audit expects of later rows and of new groups.
    """

    accuracy: Interval | None
    log_loss: Interval | None
    correct: int
    rows: int
    made_at: float | None
    weighted: bool = False
    grouped: bool = False
    held_out: Interval | None = None
    unseen: tuple[Promise, ...] = ()

    @property
    def applying(self) -> tuple[Promise, ...]:
        """The promises that may apply to scored rows; empty if none is recorded.

        Scored rows come after the version was made, so where something was promised of later rows,
        that applies and not what the held-out rows say. Whether they are of new groups is not
        known: a promise for these stands beside the others.
        """
        kind: Literal["held_out", "time"] = "time" if self.held_out else "held_out"
        own = Promise(kind=kind, column="", accuracy=self.accuracy, log_loss=self.log_loss)
        later = [one for one in self.unseen if one.kind == "time"]
        groups = [one for one in self.unseen if one.kind == "group"]
        found = [*(later or [own]), *groups]
        return tuple(one for one in found if one.accuracy is not None)

    @property
    def beside(self) -> Interval | None:
        """Accuracy on the held-out rows where another promise takes its place; otherwise None."""
        if any(one.kind == "time" for one in self.unseen):
            return self.held_out or self.accuracy
        return self.held_out

    def floor(self, alpha: float) -> float | None:
        """Return an accuracy that the true one is below with a probability of at most ``alpha``.

        The lowest of `bounds`; None if there is none.
        """
        found = self.bounds(alpha)
        return found[0][0] if found else None

    def bounds(self, alpha: float) -> list[tuple[float, str]]:
        """Return the lower bound of each promise at the level ``alpha``, with whose it is.

        They are in ascending order. Only the first one is tested, so it is wrong with a probability
        of at most ``alpha`` if any of the promises is one for the rows that are scored; a test of
        each would err more often.

        That of the held-out rows is the exact one-sided bound of Clopper and Pearson 1934, or the
        lower end of the promised interval if that is lower, as for a later period. Where rows are
        of groups, those to come are of other groups, whose mean differs from the true one as well:
        the interval is wider by the square root of 2, which is that of a prediction for as many
        groups as were held out. Likewise for new groups of the split audit; what it says of later
        rows is a prediction already. Empty without held-out rows, or if they are weighted.
        """
        if not self.rows or self.weighted:
            return []
        from scipy import special

        quantile = special.stdtrit(_FREEDOM, 1 - alpha) / special.stdtrit(_FREEDOM, 1 - _LEVEL)
        wider = max(1.0, float(quantile))

        def low(figure: Interval, times: float) -> float:
            return max(figure.value - times * (figure.value - figure.low), 0.0)

        exact = 0.0
        if self.correct:
            exact = float(special.betaincinv(self.correct, self.rows - self.correct + 1, alpha))
        found = [(exact, "")]
        if self.accuracy:
            times = math.sqrt(2) if self.grouped else wider if self.held_out else 1.0
            found.append((low(self.accuracy, times), "later rows" if self.held_out else ""))
        for one in self.unseen:
            if one.accuracy:
                times = wider * (math.sqrt(2) if one.kind == "group" else 1.0)
                found.append((low(one.accuracy, times), one.whose))
        return sorted(found, key=lambda one: one[0])

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object; what else than held-out figures may apply is under ``applies``."""
        applying = self.applying
        others = [
            {"to": one.whose or "rows like the held-out ones"}
            | {name: _plain(getattr(one, name)) for name in ("accuracy", "log_loss")}
            for one in applying
        ]
        return {
            "accuracy": _plain(self.accuracy),
            "log_loss": _plain(self.log_loss),
            "rows": self.rows,
            **({"applies": others} if any(one.whose for one in applying) else {}),
        }


def read_promise(artifacts: Path, version: int) -> PromisedQuality:
    """Return what was promised of a version; fields that its files do not give are empty.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    version
        Number in the registry.
    """
    folder = version_folder(artifacts, version)
    test = table_in(read_registered(folder, METRICS_FILE), "test")
    correct, rows = _count(test.get("correct")), _count(test.get("rows"))
    later = table_in(test, "later")
    period = interval_in(later, "accuracy")
    return PromisedQuality(
        accuracy=period or interval_in(test, "accuracy"),
        log_loss=interval_in(later, "log_loss") or interval_in(test, "log_loss"),
        correct=correct if correct <= rows else 0,
        rows=rows if correct <= rows else 0,
        made_at=_time(read_registered(folder, PROVENANCE).get("created_at")),
        weighted=bool(test.get("effective_rows")),
        grouped=bool(_count(test.get("groups"))) and not later,
        held_out=interval_in(test, "accuracy") if period else None,
        unseen=_unseen(read_registered(folder, VERDICT_FILE), decided=bool(test.get("decision"))),
    )


def _unseen(verdict: dict[str, Any], *, decided: bool) -> tuple[Promise, ...]:
    """Return what the split audit expects of rows that are not like the held-out ones.

    Nothing of plain categories: new rows of the same ones are what they are for. Nor of audits of
    earlier releases that judged other labels than those that the version gives.
    """
    audit = recorded_audit(verdict)
    if audit is None or (decided and not audit.decided):
        return ()
    return tuple(
        Promise(
            kind=one.kind,
            column=one.column,
            accuracy=one.expected_accuracy,
            log_loss=one.expected_log_loss,
        )
        for one in audit.columns
        if not one.feature
    )


def _count(value: Any) -> int:
    return value if type(value) is int and value >= 0 else 0


def _plain(figure: Interval | None) -> dict[str, Any] | None:
    return None if figure is None else asdict(figure)


def _time(value: Any) -> float | None:
    try:
        return datetime.datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return None
