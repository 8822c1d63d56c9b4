"""Why a version took production's place, or did not: what the gate writes down."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ffn.promotion.evidence import HeldOutEvidence
from ffn.promotion.floors import Floor
from ffn.promotion.recipes import ResampledEvidence
from ffn.promotion.shared_rows import SharedRows
from ffn.training.table_change import TableChange

__all__ = ["VERDICT_FILE", "Canary", "Verdict"]

VERDICT_FILE = "verdict.json"


@dataclass(frozen=True, kw_only=True)
class Canary:
    """How a new version scored a few known rows in a fresh process.

    Attributes
    ----------
    rows
        Rows in the file.
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
        Whether it takes production's place.
    reason
        Why, a clause that begins with a small letter and has no full stop.
    mode
        Of the gate.
    production
        The version it was compared with; None if there was none.
    floors
        Figures with a limit.
    calibration_error
        Expected calibration error on all held-out rows.
    held_out
        The comparison on held-out rows, if there was one.
    resampled
        The comparison on resamples, if there was one.
    columns
        Kind by name of the columns that the fingerprints of the training rows are made of.
    contract
        In what the training table differs from production's, each with the policy that applied.
    rows
        Rows for a comparison, if any were looked for.
    canary
        How the finished bundle scored; None before that.
    """

    promote: bool
    reason: str
    mode: str
    production: int | None
    floors: tuple[Floor, ...]
    calibration_error: float
    columns: dict[str, str]
    contract: tuple[TableChange, ...] = ()
    rows: SharedRows | None = None
    held_out: HeldOutEvidence | None = None
    resampled: ResampledEvidence | None = None
    canary: Canary | None = None

    def sentence(self, version: int) -> str:
        """Return one line about ``version``."""
        if self.promote:
            return f"Version {version} is promoted: {self.reason}."
        stays = f"version {self.production} stays" if self.production else "nothing is"
        return f"Version {version} is not promoted; {stays} in production: {self.reason}."

    def after(self, canary: Canary) -> Verdict:
        """Return the verdict once the finished bundle was tried: a failure keeps production."""
        if not canary.problem:
            return replace(self, canary=canary)
        reason = f"its bundle failed in a fresh process: {canary.problem}"
        return replace(self, canary=canary, promote=False, reason=reason)
