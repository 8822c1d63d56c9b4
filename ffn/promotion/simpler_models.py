"""Comparison of a new version with simpler models, for the gate: ``gate.baseline``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ffn.evaluation.baselines import MAJORITY
from ffn.evaluation.inference.paired_losses import LossBounds
from ffn.quantities import counted, difference
from ffn.settings.gate_settings import GateSettings
from ffn.training.examination import Examination

__all__ = [
    "BaselineEvidence",
    "SimplerModel",
    "better_model",
    "recorded_warning",
    "warning_sentence",
    "weigh_baselines",
]


@dataclass(frozen=True, kw_only=True)
class SimplerModel:
    """A simpler model beside the new version.

    Attributes
    ----------
    name
        Its name.
    log_loss
        Log-loss of the new version minus its own, nats per row, with one-sided bounds.
    """

    name: str
    log_loss: LossBounds

    @property
    def shown_better(self) -> bool:
        """Whether its log-loss is shown to be lower."""
        return self.log_loss.low > 0


@dataclass(frozen=True, kw_only=True)
class BaselineEvidence:
    """Result of comparing a new version with simpler models on the same held-out rows.

    Attributes
    ----------
    policy
        ``gate.baseline``: what follows if one of them is shown to be better.
    alpha
        Probability with which any of them is shown to be better than a version that is no worse.
    rows, held_out
        Rows on which all were compared, and all held-out rows, of which they may be a sample.
    models
        The simpler models, the simplest first; none for which there is no comparison.
    finding
        The best model that is shown to be better, with the figures, as a clause in lower case
        without a full stop; empty if none is.
    """

    policy: Literal["warn", "refuse"]
    alpha: float
    rows: int
    held_out: int
    models: tuple[SimplerModel, ...]
    finding: str

    @property
    def refuses(self) -> bool:
        """Whether the version is to be kept back."""
        return bool(self.finding) and self.policy == "refuse"


def weigh_baselines(
    settings: GateSettings, examination: Examination, held_out: int
) -> BaselineEvidence | None:
    """Return whether a simpler model is shown to be better; None if that is not to be compared.

    The comparison never promotes a version. It therefore spends nothing of the level that the
    held-out rows have for comparisons with production, and uses the whole ``gate.alpha`` for each
    version, divided among the models.

    Parameters
    ----------
    settings
        Settings of the gate.
    examination
        Analyses of the new version, with its comparison with baselines.
    held_out
        Number of all held-out rows.
    """
    if settings.baseline == "ignore" or not examination.baselines:
        return None
    models = tuple(
        SimplerModel(name=one.name, log_loss=one.bounds) for one in examination.baselines
    )
    return BaselineEvidence(
        policy=settings.baseline,
        alpha=settings.alpha,
        rows=examination.rows,
        held_out=held_out,
        models=models,
        finding=better_model(models, examination.rows, held_out),
    )


def better_model(models: Sequence[SimplerModel], rows: int, held_out: int) -> str:
    """Return which simpler model is shown to be better, as a clause; empty if none is.

    If several are, the one with the lowest log-loss is named.

    Parameters
    ----------
    models
        The simpler models.
    rows, held_out
        Rows on which they were compared, and all held-out rows.
    """
    better = [model for model in models if model.shown_better]
    if not better:
        return ""
    best = max(better, key=lambda model: model.log_loss.value)
    where = (
        f"the same {counted(rows, 'held-out row')}"
        if rows == held_out
        else f"{rows:,} of the {held_out:,} held-out rows"
    )
    name = "always predicting the class shares" if best.name == MAJORITY else best.name
    return (
        f"a simpler model is shown to have a lower log-loss: on {where} the network's log-loss "
        f"minus that of {name} is {difference(best.log_loss)}"
    )


def warning_sentence(finding: str) -> str:
    """Return a finding of `better_model` as a sentence; empty if there is none."""
    return f"{finding[:1].upper()}{finding[1:]}." if finding else ""


def recorded_warning(verdict: dict[str, Any]) -> str:
    """Return the sentence that was recorded with a version; empty if there is none.

    Parameters
    ----------
    verdict
        Content of its ``verdict.json``. Versions of earlier releases have no such entry.
    """
    found = verdict.get("baseline")
    finding = found.get("finding") if isinstance(found, dict) else None
    return warning_sentence(finding) if isinstance(finding, str) else ""
