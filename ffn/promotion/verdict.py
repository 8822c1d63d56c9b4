"""The gate's verdict on a version, as ``verdict.json`` records it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ffn.auditing.audit_figures import SplitAudit
from ffn.auditing.audit_text import audit_warning, kept_finding
from ffn.auditing.recorded_audit import recorded_audit
from ffn.bundles.contents import read_registered
from ffn.criteria.resampled_evidence import ResampledEvidence
from ffn.promotion.evidence import HeldOutEvidence
from ffn.promotion.floors import Floor
from ffn.promotion.shared_rows import SharedRows
from ffn.promotion.simpler_models import BaselineEvidence, recorded_warning, warning_sentence
from ffn.registry.versions import version_folder
from ffn.training.table_change import TableChange

__all__ = [
    "VERDICT_FILE",
    "Canary",
    "Verdict",
    "all_warnings",
    "audit_of",
    "warning_about",
    "warnings_in",
]

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


def warning_about(artifacts: Path, version: int) -> str:
    """Return the sentence that a simpler model is shown to be better; empty if it is not.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    version
        Number in the registry. Without a readable verdict there is no sentence.
    """
    return recorded_warning(_verdict(artifacts, version))


def all_warnings(artifacts: Path, version: int) -> str:
    """Return that a simpler model is shown to be better, or the figures too good; empty if not.

    Parameters
    ----------
    artifacts, version
        As for `warning_about`.
    """
    return warnings_in(_verdict(artifacts, version), "")


def audit_of(artifacts: Path, version: int) -> SplitAudit | None:
    """Return the split audit of a version; None if it has none that can be read.

    Parameters
    ----------
    artifacts, version
        As for `warning_about`.
    """
    return recorded_audit(_verdict(artifacts, version))


def warnings_in(verdict: dict[str, Any], reason: str) -> str:
    """Return the warnings of a recorded verdict, as sentences; empty if there are none.

    Parameters
    ----------
    verdict
        Content of a ``verdict.json``.
    reason
        What is shown beside the warnings, which do not repeat it.
    """
    too_good = kept_finding(recorded_audit(verdict), reason)
    return " ".join(filter(None, (recorded_warning(verdict), too_good)))


def _verdict(artifacts: Path, version: int) -> dict[str, Any]:
    return read_registered(version_folder(artifacts, version), VERDICT_FILE)
