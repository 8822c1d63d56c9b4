"""Whether a pipeline needs attention: green, amber or red, with the reasons.

The rule is a list of findings, each of one colour. A pipeline has the colour of its worst finding,
and is green if there is none. Red means that something does not work or is shown to be worse than
promised; amber means that somebody should look. Of runs only the newest of each kind counts, so a
failure stands until a run of its kind ends well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from ffn.quantities import counted

if TYPE_CHECKING:
    from ffn.reports.status_page import Status

__all__ = ["Colour", "Finding", "Health", "health_of"]

Colour = Literal["green", "amber", "red"]

_KINDS = {"retrain": "retraining", "score": "scoring", "evaluate": "evaluation"}
_FAILED = {"failed": "failed", "refused": "was refused", "crashed": "crashed"}
_CUT_SHORT = {"interrupted": "was interrupted", "missed": "was missed"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One reason to look at a pipeline.

    Attributes
    ----------
    colour
        ``amber`` or ``red``.
    text
        What was found, in a few words; the status has the details.
    """

    colour: Literal["amber", "red"]
    text: str


@dataclass(frozen=True, kw_only=True)
class Health:
    """How a pipeline is.

    Attributes
    ----------
    findings
        All that was found, the red ones first.
    """

    findings: tuple[Finding, ...] = ()

    @property
    def colour(self) -> Colour:
        """That of the worst finding; green if there is none."""
        return self.findings[0].colour if self.findings else "green"

    @property
    def sentence(self) -> str:
        """The colour and the reasons, in one line without a full stop."""
        if not self.findings:
            return "green: nothing needs attention"
        return f"{self.colour}: {'; '.join(finding.text for finding in self.findings)}"

    def to_json(self) -> dict[str, Any]:
        """Return colour and findings as a JSON object."""
        return {
            "colour": self.colour,
            "findings": [asdict(finding) for finding in self.findings],
        }


def health_of(status: Status) -> Health:
    """Return the health of a pipeline.

    Parameters
    ----------
    status
        What was read of it.
    """
    found = [*_of_production(status), *_of_runs(status), *_of_quality(status), *_of_input(status)]
    # Stable, so within a colour the order is that of the rule.
    return Health(findings=tuple(sorted(found, key=lambda finding: finding.colour != "red")))


def _of_production(status: Status) -> Iterator[Finding]:
    if status.problem and (status.versions or status.production is not None):
        yield Finding(colour="red", text="it cannot score")
    elif status.production is None and status.versions:
        yield Finding(colour="red", text="no version is in production")
    elif status.production is None and not any(run.what == "retrain" for run in status.at_work):
        yield Finding(colour="amber", text="nothing is trained yet")


def _of_runs(status: Status) -> Iterator[Finding]:
    for kind, name in _KINDS.items():
        newest = next((run for run in status.latest if run.what == kind), None)
        if newest is not None and newest.outcome in _FAILED:
            # Without new labels, production goes on as it did.
            colour: Literal["amber", "red"] = "amber" if kind == "evaluate" else "red"
            yield Finding(colour=colour, text=f"the last {name} {_FAILED[newest.outcome]}")
        elif newest is not None and newest.outcome in _CUT_SHORT:
            yield Finding(colour="amber", text=f"the last {name} {_CUT_SHORT[newest.outcome]}")


def _of_quality(status: Status) -> Iterator[Finding]:
    quality = status.quality
    if quality is not None and quality.shortfall is not None and quality.shortfall.shown:
        whose = _promised_of(quality.shortfall.whose)
        yield Finding(
            colour="red", text=f"realised accuracy is shown to be below what was promised{whose}"
        )
    elif quality is not None and quality.is_below_promise:
        whose = _promised_of(quality.promised.applying[0].whose)
        yield Finding(colour="amber", text=f"realised accuracy is below what was promised{whose}")
    if status.held_out.missed:
        yield Finding(colour="amber", text="a class is never found")
    if status.warning:
        yield Finding(colour="amber", text="a simpler model is shown to be better")
    if status.audit is not None and any(
        one.matters and not one.feature for one in status.audit.columns
    ):
        yield Finding(colour="amber", text="the held-out figures are shown to be too good")


def _promised_of(whose: str) -> str:
    return f" for {whose}" if whose else ""


def _of_input(status: Status) -> Iterator[Finding]:
    if status.inbox.refused:
        files = counted(len(status.inbox.refused), "file")
        yield Finding(colour="amber", text=f"{files} in the inbox refused")
    if status.drift is not None and status.drift.drift and status.drift.drift.detected:
        yield Finding(colour="amber", text="the last files tested have drifted")
