"""A finished step of a backtest as files, from which an interrupted one goes on."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from ffn.evaluation.inference.statistics import Interval
from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.quantities import counted, listed
from ffn.storage.documents import canonical_json, parse_json

__all__ = [
    "Answered",
    "PastDecision",
    "PastPromise",
    "WalkStep",
    "read_step",
    "step_in_words",
    "write_step",
]

Array = npt.NDArray[Any]

_STEP, _ANSWERS = "step.json", "answers.safetensors"
_FIGURES = ("accuracy", "log_loss", "later_accuracy", "later_log_loss")
# Stands for a figure that was not promised.
_NONE = Interval(-1.0, -1.0, -1.0)


@dataclass(frozen=True, kw_only=True)
class PastDecision:
    """What the gate decided on a model for one schedule.

    Attributes
    ----------
    promoted
        Whether the model went into production.
    reason
        Why, or why not, as a clause.
    """

    promoted: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class PastPromise:
    """What a model promised: its figures on held-out rows, and for a later period.

    Attributes
    ----------
    rows
        Held-out rows.
    accuracy, log_loss
        Figures on them, with 95 % intervals.
    later_accuracy, later_log_loss
        Expected of a later period, with 95 % prediction intervals; None if that was not said.
    """

    rows: int
    accuracy: Interval
    log_loss: Interval
    later_accuracy: Interval | None = None
    later_log_loss: Interval | None = None

    @classmethod
    def of(cls, evaluation: HeldOutEvaluation) -> PastPromise:
        """Return what the figures of a model promise."""
        later = evaluation.later
        return cls(
            rows=evaluation.rows,
            accuracy=evaluation.accuracy,
            log_loss=evaluation.log_loss,
            later_accuracy=later.accuracy if later else None,
            later_log_loss=later.log_loss if later else None,
        )


@dataclass(frozen=True, kw_only=True)
class WalkStep:
    """One retraining of the past.

    Attributes
    ----------
    number
        From 0.
    at
        Its time.
    rows
        Rows whose labels were known then.
    tried
        The schedules that retrained then; a schedule does not if there were no new rows since.
    problem
        Why there is no model; empty if there is one.
    promise
        What the model promised; None if there is none.
    decisions
        The gate's decision by schedule, for those that retrained then.
    production
        Number of the step whose model was then in production, by schedule.
    newest
        Number of the last step so far that gave a model; None if none did.
    """

    number: int
    at: float
    rows: int
    tried: list[str] = field(default_factory=list)
    problem: str = ""
    promise: PastPromise | None = None
    decisions: dict[str, PastDecision] = field(default_factory=dict)
    production: dict[str, int] = field(default_factory=dict)
    newest: int | None = None


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Answers for the rows between a step and the next one.

    Attributes
    ----------
    rows
        Row numbers in the table [n].
    truth, right
        Probability of the label, and whether it was given [n], by schedule or model.
    rejected, unknown, related
        Booleans [n] of rows that are left out: one of the models rejects them, does not know their
        class, or was trained on rows of their group.
    """

    rows: Array
    truth: dict[str, Array]
    right: dict[str, Array]
    rejected: Array
    unknown: Array
    related: Array

    @property
    def judged(self) -> Array:
        """Booleans [n] of the rows that every model judges."""
        found: Array = ~(self.rejected | self.unknown | self.related)
        return found


def step_in_words(step: WalkStep) -> str:
    """Return what became of a retraining, as a clause.

    Parameters
    ----------
    step
        The step.
    """
    if step.problem:
        return f"no new model, because {step.problem}"
    known = f"a model of {counted(step.rows, 'known row')}"
    promoted = [name for name, one in step.decisions.items() if one.promoted]
    if len(promoted) == len(step.decisions):
        return f"{known}, promoted"
    return f"{known}, promoted for {listed(promoted)}" if promoted else f"{known}, kept back"


def write_step(folder: Path, step: WalkStep, answered: Answered) -> None:
    """Write a step into its folder.

    Parameters
    ----------
    folder
        Where to write; it exists.
    step, answered
        The step, and the answers for the rows after it.
    """
    arrays = {
        name: getattr(answered, name).astype(np.uint8 if name != "rows" else np.int64)
        for name in ("rows", "rejected", "unknown", "related")
    }
    for name in answered.truth:
        arrays[f"truth {name}"] = answered.truth[name].astype(np.float64)
        arrays[f"right {name}"] = answered.right[name].astype(np.uint8)
    said = dataclasses.asdict(step)
    if step.promise is not None:
        # Not as JSON, which has no infinite bounds.
        figures = [getattr(step.promise, name) or _NONE for name in _FIGURES]
        arrays["promise"] = np.array([(one.value, one.low, one.high) for one in figures])
        said["promise"] = step.promise.rows
    (folder / _ANSWERS).write_bytes(safetensors.numpy.save(arrays))
    # Last: without it there is no step.
    (folder / _STEP).write_bytes(canonical_json(said))


def read_step(folder: Path) -> tuple[WalkStep, Answered] | None:
    """Read what `write_step` wrote; None if it is not there or not that.

    Parameters
    ----------
    folder
        Where it was written.
    """
    try:
        found = parse_json((folder / _STEP).read_bytes())
        arrays = safetensors.numpy.load((folder / _ANSWERS).read_bytes())
        return _step(found, arrays.get("promise")), _answered(arrays)
    except (OSError, KeyError, TypeError, ValueError, SafetensorError):
        return None


def _step(found: dict[str, Any], figures: Array | None) -> WalkStep:
    promise = None
    if figures is not None:
        told = [Interval(*one) for one in figures.tolist()]
        given = {
            name: None if one == _NONE else one for name, one in zip(_FIGURES, told, strict=True)
        }
        promise = PastPromise(rows=found["promise"], **given)  # type: ignore[arg-type]
    decisions = {name: PastDecision(**one) for name, one in found["decisions"].items()}
    return WalkStep(**(found | {"promise": promise, "decisions": decisions}))


def _answered(arrays: dict[str, Array]) -> Answered:
    def by_name(what: str) -> dict[str, Array]:
        return {
            name.removeprefix(what): array.copy()
            for name, array in arrays.items()
            if name.startswith(what)
        }

    return Answered(
        rows=arrays["rows"].copy(),
        truth=by_name("truth "),
        right={name: array.astype(bool) for name, array in by_name("right ").items()},
        rejected=arrays["rejected"].astype(bool),
        unknown=arrays["unknown"].astype(bool),
        related=arrays["related"].astype(bool),
    )
