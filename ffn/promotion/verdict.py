"""The gate's verdict on a version, as ``verdict.json`` records it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ffn.auditing.audit_figures import SplitAudit
from ffn.auditing.audit_text import audit_warning
from ffn.criteria.resampled_evidence import ResampledEvidence
from ffn.promotion.evidence import HeldOutEvidence
from ffn.promotion.floors import Floor
from ffn.promotion.shared_rows import SharedRows
from ffn.promotion.simpler_models import BaselineEvidence, warning_sentence
from ffn.training.table_change import TableChange

__all__ = ["VERDICT_FILE", "Canary", "Verdict"]

VERDICT_FILE = "verdict.json"


@dataclass(frozen=True, kw_only=True)
class Canary:
    """Result of scoring a few known rows with a new version in a fresh process.

    Attributes
    ----------
    rows
        Number of rows in the canary file.
    problem
        What went wrong; empty if nothing did.
    """

    rows: int
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The gate's decision on a new version.

    Attributes
    ----------
    promote
        Whether the version is to be promoted.
    reason
        Why, as a clause in lower case without a full stop.
    mode
        The gate's mode, ``gate.mode``.
    production
        Number of the version in production; None if there was none.
    floors
        Metrics with a required limit.
    calibration_error
        Expected calibration error on all held-out rows.
    held_out
        Comparison of the two models on held-out rows; None if there was none.
    resampled
        Comparison of the two recipes on resamples; None if there was none.
    columns
        Kind by name of the columns from which the rows' fingerprints are computed.
    baseline
        Comparison with simpler models; None if there was none.
    contract
        Differences of the training table from production's, each with the policy applied.
    rows
        Numbers of rows available for a comparison; None if that was not determined.
    canary
        Result of the canary; None before it has run.
    missed
        Classes that the version never finds on the held-out rows, as a clause of
        `missed_classes`; empty if it finds rows of each.
    audit
        What the figures owe to columns that are not kept apart; None if none was audited.
    """

    promote: bool
    reason: str
    mode: str
    production: int | None
    floors: tuple[Floor, ...]
    calibration_error: float
    columns: dict[str, str]
    baseline: BaselineEvidence | None = None
    contract: tuple[TableChange, ...] = ()
    rows: SharedRows | None = None
    held_out: HeldOutEvidence | None = None
    resampled: ResampledEvidence | None = None
    canary: Canary | None = None
    missed: str = ""
    audit: SplitAudit | None = None

    @property
    def warning(self) -> str:
        """That a simpler model is shown to be better, or the figures too good; in sentences.

        Empty if neither is so, or the reason says it.
        """
        finding = self.baseline.finding if self.baseline else ""
        simpler = "" if finding in self.reason else warning_sentence(finding)
        return " ".join(filter(None, (simpler, audit_warning(self.audit))))

    @property
    def warnings(self) -> str:
        """All that has to be said beside the decision: classes not found, then `warning`."""
        missed = f"Warning: it {self.missed}." if self.missed else ""
        return " ".join(filter(None, (missed, self.warning)))

    def sentence(self, version: int) -> str:
        """Return the verdict on ``version``, a registry number, and its warnings."""
        stays = f"version {self.production} stays" if self.production else "nothing is"
        decided = "promoted" if self.promote else f"not promoted; {stays} in production"
        said = f"Version {version} is {decided}: {self.reason}."
        return f"{said} {self.warnings}" if self.warnings else said

    def after(self, canary: Canary) -> Verdict:
        """Return the verdict after the canary has run: if it failed, nothing is promoted."""
        if not canary.problem:
            return replace(self, canary=canary)
        reason = f"its bundle failed in a fresh process: {canary.problem}"
        return replace(self, canary=canary, promote=False, reason=reason)
