"""The result of evaluating labels, for the terminal, ``--json`` and the dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ffn.errors import FFNError
from ffn.monitoring.conclusion import Conclusion
from ffn.monitoring.realised_quality import RealisedQuality
from ffn.monitoring.record.delivery import Delivery
from ffn.quantities import counted
from ffn.scoring.inbox.inbox_contents import InboxScan
from ffn.training_history.appended_rows import AppendedRows

__all__ = ["EvaluateOutcome", "LabelsRefusedError"]

_REASONS_TOLD = 5


@dataclass(frozen=True, kw_only=True, repr=False)
class EvaluateOutcome:
    """The result of an evaluation.

    Attributes
    ----------
    pipeline
        Name of the pipeline.
    deliveries
        Files of labels that were taken up, with what became of their rows.
    refusals
        Reason by path, for files that were refused.
    troubles
        Why scored tables were not taken up, a sentence each.
    conclusion
        What follows.
    folder
        Contents of the folder of labels before the run; None if files were named.
    history
        What became of the rows that were to be appended to the training CSV; None if none were,
        or if a labelled table was scored at once, whose notices say it.
    """

    pipeline: str
    deliveries: Sequence[Delivery]
    refusals: dict[str, str]
    troubles: Sequence[str]
    conclusion: Conclusion
    folder: InboxScan | None = None
    history: AppendedRows | None = None

    def __str__(self) -> str:
        return self.note()[2]

    def __repr__(self) -> str:
        return f"<EvaluateOutcome of {self.pipeline}: {self}>"

    @property
    def quality(self) -> RealisedQuality | None:
        """Quality of the version that was judged at once, or of the one in production."""
        asked = {one.at_once for one in self.deliveries} - {None}
        wanted = asked.pop() if len(asked) == 1 else self.conclusion.production
        return next((q for q in self.conclusion.qualities if q.version == wanted), None)

    def check(self) -> None:
        """Raise ``LabelsRefusedError`` if a file was refused."""
        if self.refusals:
            raise LabelsRefusedError(self)

    def note(self) -> tuple[str, int | None, str]:
        """Return the entry for the run log: outcome, version, sentence."""
        joined = sum(one.joined for one in self.deliveries)
        rows = sum(one.rows for one in self.deliveries)
        quality = self.quality
        parts = [f"{joined:,} of {counted(rows, 'row')} with labels joined"] if rows else []
        parts += [f"version {quality.version}: {quality.sentence}"] if quality else []
        parts += [self.conclusion.rolled_back] if self.conclusion.rolled_back else []
        appended = self.history.sentence.rstrip(".") if self.history else ""
        parts += [appended] if appended else []
        reasons = list(self.refusals.values())[:_REASONS_TOLD]
        parts += [f"{len(self.refusals):,} refused: {'; '.join(reasons)}"] if reasons else []
        version = quality.version if quality else self.conclusion.production
        done = "refused" if self.refusals else "evaluated"
        told = "; ".join(parts).rstrip(".") or "no predictions of production are known"
        return done, version, f"{told}."

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        end = self.conclusion
        return {
            "pipeline": self.pipeline,
            "production": end.production,
            "rows": sum(one.rows for one in self.deliveries),
            "joined": sum(one.joined for one in self.deliveries),
            "files": [one.to_json() for one in self.deliveries],
            "refused": [{"source": name, "reason": why} for name, why in self.refusals.items()],
            "not_taken_up": list(self.troubles),
            "versions": [one.to_json() for one in end.qualities],
            "alert": end.alert,
            "predecessor": end.predecessor and asdict(end.predecessor),
            "rolled_back": end.rolled_back,
            **(
                {"challengers": [one.to_json() for one in end.challengers]}
                if end.challengers
                else {}
            ),
            **({"history": self.history.to_json()} if self.history else {}),
        }


class LabelsRefusedError(FFNError):
    """At least one file of labels was refused; ``outcome`` has the results of all."""

    def __init__(self, outcome: EvaluateOutcome) -> None:
        self.outcome = outcome
        total = len(outcome.refusals) + len(outcome.deliveries)
        reasons = "; ".join(list(outcome.refusals.values())[:_REASONS_TOLD])
        count = f"{len(outcome.refusals):,} of {total:,} files refused: " if total > 1 else ""
        super().__init__(count + reasons)
