"""Results of finished runs, for the terminal, ``--json`` and the dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffn.errors import FFNError, one_line
from ffn.quantities import counted, more
from ffn.registry.run_log import DriftNote
from ffn.scoring.drift.drift_report import DriftReport, HeldError
from ffn.scoring.output.score_result import ScoreResult

if TYPE_CHECKING:
    from ffn.evaluation.metrics import HeldOutEvaluation
    from ffn.promotion.register import Version
    from ffn.reports.retraining_report import Report
    from ffn.scoring.inbox.inbox_scan import InboxScan
    from ffn.shadow.shadow_scoring import ShadowPass
    from ffn.training.examination import Examination
    from ffn.training.selection.leaderboard import Selection

__all__ = [
    "FilesRefusedError",
    "Refusal",
    "RetrainOutcome",
    "ScoreOutcome",
    "SkippedOutcome",
]


_REASONS_TOLD = 5
_FILES_TOLD = 3
_COLUMNS_TOLD = 50
_LONGEST_TEXT = 1_000


@dataclass(frozen=True, kw_only=True, repr=False)
class RetrainOutcome:
    """The result of a retraining: a new version and its evidence.

    Attributes
    ----------
    pipeline, version, selection, evaluation, examination, report
        Name of the pipeline, and results of the steps of the retraining.
    export
        Path of the file for notebooks; None if it was left unchanged, as without a promotion.
    notices
        Notices about the training table, a clause each.
    failures
        Optimizers without a trained network, with the reason. They are not on the leaderboard.
    seconds
        Wall-clock time of the steps, in seconds.
    """

    pipeline: str
    version: Version
    selection: Selection
    evaluation: HeldOutEvaluation
    examination: Examination
    report: Report
    export: Path | None
    notices: tuple[str, ...]
    failures: dict[str, str]
    seconds: float

    def __str__(self) -> str:
        return self.note()[2]

    def __repr__(self) -> str:
        return f"<RetrainOutcome of {self.pipeline}: {self}>"

    def note(self) -> tuple[str, int, str]:
        """Return the entry for the run log: outcome, version, sentence."""
        verdict, number = self.version.verdict, self.version.number
        return "promoted" if verdict.promote else "kept", number, verdict.sentence(number)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object; figures have value, low and high."""
        from ffn.promotion.register import jsonable

        return {
            "pipeline": self.pipeline,
            "version": self.version.number,
            "promoted": self.version.verdict.promote,
            "verdict": jsonable(self.version.verdict),
            "winner": self.selection.winner,
            "reason": self.selection.reason,
            "optimizers": {line.optimizer: jsonable(line) for line in self.selection.leaderboard},
            "failures": self.failures,
            "test": jsonable(self.evaluation),
            "examination": jsonable(self.examination),
            "bundle": str(self.version.bundle),
            "bundle_sha256": self.version.sha256,
            "export": None if self.export is None else str(self.export),
            "report": str(self.report.html),
            "notices": list(self.notices),
            "seconds": self.seconds,
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class SkippedOutcome:
    """A retraining of ``pipeline`` that was skipped, as it would have reproduced ``version``."""

    pipeline: str
    version: int

    def __str__(self) -> str:
        return self.sentence

    def __repr__(self) -> str:
        return f"<SkippedOutcome of {self}>"

    @property
    def sentence(self) -> str:
        """The reason, in one line."""
        return (
            f"{self.pipeline}: data, settings and code equal those of version {self.version}; "
            "unchanged, skipped. Use --force to train anyway."
        )

    def note(self) -> tuple[str, int, str]:
        """Return an empty outcome, as frequent skipped runs would fill the run log."""
        return "", self.version, self.sentence

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "pipeline": self.pipeline,
            "version": self.version,
            "promoted": False,
            "skipped": self.sentence,
        }


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A file that was not scored.

    Attributes
    ----------
    source
        Path of the input.
    reason
        Why it was not scored, in one line.
    drift
        Drift for which the file was held; None if it was refused for another reason.
    """

    source: Path
    reason: str
    drift: DriftReport | None = None

    @classmethod
    def of(cls, source: Path, error: Exception) -> Refusal:
        """Return the refusal of the file ``source`` for ``error``."""
        drift = error.report if isinstance(error, HeldError) else None
        return cls(source=source, reason=str(error), drift=drift)


@dataclass(frozen=True, kw_only=True, repr=False)
class ScoreOutcome:
    """The files of one scoring run.

    Attributes
    ----------
    pipeline, version
        Name of the pipeline, and number of the version that scored the files.
    results, refusals
        Results of the scored files, and the files that were not scored.
    inbox
        Contents of the inbox before the run; None if the run did not score an inbox.
    not_taken_up
        Why scored files cannot be evaluated when labels come; empty without ``outcomes.id``.
    shadow
        What challengers say of the scored files; None unless ``shadow.versions`` is set.
    """

    pipeline: str
    version: int
    results: Sequence[ScoreResult]
    refusals: Sequence[Refusal]
    inbox: InboxScan | None = None
    not_taken_up: tuple[str, ...] = ()
    shadow: ShadowPass | None = None

    def __str__(self) -> str:
        return self.note()[2]

    def __repr__(self) -> str:
        return f"<ScoreOutcome of {self.pipeline}: {self}>"

    @property
    def drift(self) -> dict[str, DriftReport]:
        """Drift reports by file name, for the files of this run in which drift was detected."""
        reports = [(r.output.name, r.drift) for r in self.results if not r.unchanged]
        reports += [(refusal.source.name, refusal.drift) for refusal in self.refusals]
        return {name: report for name, report in reports if report and report.detected}

    @property
    def drift_note(self) -> DriftNote | None:
        """The drift entry for the run log; None if no file was compared."""
        asked = [r.drift for r in self.results if not r.unchanged]
        asked += [refusal.drift for refusal in self.refusals]
        judged = sum(report is not None and report.judged for report in asked)
        if not judged:
            return None
        found = self.drift
        told = [f"{name}, {report.sentence}" for name, report in islice(found.items(), _FILES_TOLD)]
        if len(found) > _FILES_TOLD:
            told.append(more(len(found) - _FILES_TOLD, "file"))
        columns = sorted({name for report in found.values() for name in report.drifted})
        return DriftNote(
            judged=judged,
            detected=len(found),
            columns=tuple(columns[:_COLUMNS_TOLD]),
            text=one_line("; ".join(told))[:_LONGEST_TEXT],
        )

    def check(self) -> None:
        """Raise ``FilesRefusedError`` if a file was not scored."""
        if self.refusals:
            raise FilesRefusedError(self)

    def note(self) -> tuple[str, int, str]:
        """Return the entry for the run log: outcome, version, sentence."""
        rows = sum(result.rows for result in self.results)
        rejected = sum(result.rejected for result in self.results)
        done = (
            f"{counted(len(self.results), 'file')} scored with version {self.version}: "
            f"{rows - rejected:,} of {counted(rows, 'row')}"
        )
        if warned := [warning for result in self.results for warning in result.warnings]:
            more = f" (and {len(warned) - 1:,} more)" if len(warned) > 1 else ""
            done += f"; warning{more}: {warned[0].removesuffix('.')}"
        if self.not_taken_up:
            done += f"; not kept for outcomes: {self.not_taken_up[0].removesuffix('.')}"
        if self.shadow and self.shadow.note:
            done += f"; {self.shadow.note}"
        if not self.refusals:
            end = "" if done.endswith(("?", "!")) else "."
            return "scored", self.version, f"{done}{end}"
        reasons = "; ".join(refusal.reason for refusal in self.refusals[:_REASONS_TOLD])
        return "refused", self.version, f"{done}; {len(self.refusals):,} refused: {reasons}"

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object with the totals and each file."""
        files = [
            {
                "rows": result.rows,
                "scored": result.scored,
                "rejected": result.rejected,
                "output": str(result.output),
                "rejects": str(result.rejects),
                "manifest": str(result.manifest),
                "class_counts": result.class_counts,
                **({"abstained": result.abstained} if result.abstained else {}),
                "reject_reasons": result.reject_reasons,
                "mean_confidence": result.mean_confidence,
                "warnings": list(result.warnings),
                "unchanged": result.unchanged,
                "drift": None if result.drift is None else result.drift.to_json(),
                "unknown_columns": result.unknown_columns,
                **({"parts": result.parts.to_json()} if result.parts else {}),
            }
            for result in self.results
        ]
        outputs = [str(result.output) for result in self.results]
        left = {} if self.inbox is None else {"being_written": sorted(self.inbox.settling)}
        left |= {"not_taken_up": list(self.not_taken_up)} if self.not_taken_up else {}
        beside = {} if self.shadow is None else {"shadow": self.shadow.to_json()}
        return {
            "pipeline": self.pipeline,
            "version": self.version,
            "rows": sum(result.rows for result in self.results),
            "scored": sum(result.scored for result in self.results),
            "rejected": sum(result.rejected for result in self.results),
            "output": outputs[0] if len(outputs) == 1 else outputs,
            "files": files,
            "refused": [{"source": str(one.source), "reason": one.reason} for one in self.refusals],
            **left,
            **beside,
        }


class FilesRefusedError(FFNError):
    """At least one file of a scoring run was not scored; ``outcome`` has the results of all."""

    def __init__(self, outcome: ScoreOutcome) -> None:
        self.outcome = outcome
        total = len(outcome.refusals) + len(outcome.results)
        reasons = "; ".join(refusal.reason for refusal in outcome.refusals[:_REASONS_TOLD])
        count = f"{len(outcome.refusals):,} of {total:,} files refused: " if total > 1 else ""
        super().__init__(count + reasons)
