"""A trained candidate as files: arrays in safetensors, the rest in JSON; nothing is unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from ffn.evaluation.inference.statistics import Interval
from ffn.nn import History, Network
from ffn.settings.optimizer_settings import OptimizerSearch
from ffn.storage.documents import canonical_json, parse_json
from ffn.training.rate_search import RateLine, RateSearch
from ffn.training.selection.candidate import Candidate
from ffn.training.temperature import ValidationAnswers

__all__ = ["history_arrays", "history_of", "read_candidate", "write_candidate"]

Array = npt.NDArray[Any]

_ARRAYS, _REST = "candidate.safetensors", "candidate.json"
_CURVES = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "best_epoch")
_ANSWERS = ("scores", "labels", "networks", "fingerprints")
# What rows have only if they are split by time, or weighted.
_OF_SOME = ("times", "weights")


def write_candidate(candidate: Candidate, folder: Path) -> None:
    """Write a candidate into an empty folder.

    Parameters
    ----------
    candidate
        The candidate.
    folder
        Where to write.
    """
    search = candidate.search
    losses = [(line.loss.value, line.loss.low, line.loss.high) for line in search.lines]
    arrays = {
        "rates": np.array([line.rate for line in search.lines]),
        "losses": np.array(losses, dtype=np.float64).reshape(-1, 3),
        "tried": np.array([(line.finished, line.resamples) for line in search.lines]),
        "chosen": np.array(search.chosen),
        "ratio": np.array([candidate.validation_to_train, candidate.seconds]),
        **history_arrays("history", candidate.history),
        **history_arrays("final", candidate.final),
    }
    if candidate.members is not None:
        arrays["members"] = candidate.members.parameters
    if candidate.answers is not None:
        columns = {name: getattr(candidate.answers, name) for name in (*_ANSWERS, *_OF_SOME)}
        arrays |= {f"answers.{name}": own for name, own in columns.items() if own is not None}
    rest = {
        "optimizer": candidate.optimizer,
        "best": search.best,
        "diverged": [candidate.history.diverged, candidate.final.diverged],
        "ended": candidate.ended,
        "widths": list(candidate.members.widths) if candidate.members is not None else None,
    }
    plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    (folder / _ARRAYS).write_bytes(safetensors.numpy.save(plain))
    (folder / _REST).write_bytes(canonical_json(rest))


def read_candidate(folder: Path, settings: OptimizerSearch) -> Candidate | None:
    """Read what `write_candidate` wrote; None if it is not that.

    Parameters
    ----------
    folder
        Where it was written.
    settings
        Settings of the optimizer, from which its hyper-parameters follow.
    """
    try:
        # Copies: the arrays of a file are views that cannot be written to.
        stored = safetensors.numpy.load((folder / _ARRAYS).read_bytes())
        arrays = {name: array.copy() for name, array in stored.items()}
        rest = parse_json((folder / _REST).read_bytes())
        return _assemble(arrays, rest, settings)
    except (OSError, KeyError, TypeError, ValueError, IndexError, SafetensorError):
        return None


def _assemble(
    arrays: dict[str, Array], rest: dict[str, Any], settings: OptimizerSearch
) -> Candidate:
    lines = tuple(
        RateLine(rate=rate, loss=Interval(*loss), finished=finished, resamples=resamples)
        for rate, loss, (finished, resamples) in zip(
            arrays["rates"].tolist(),
            arrays["losses"].tolist(),
            arrays["tried"].tolist(),
            strict=True,
        )
    )
    search = RateSearch(lines=lines, best=rest["best"], chosen=tuple(arrays["chosen"].tolist()))
    ratio, seconds = arrays["ratio"].tolist()
    of_history, of_final = rest["diverged"]
    return Candidate(
        optimizer=rest["optimizer"],
        hyperparameters=settings.at(search.rate),
        search=search,
        history=history_of("history", arrays, of_history),
        final=history_of("final", arrays, of_final),
        ended=rest["ended"],
        members=Network(rest["widths"], arrays["members"]) if "members" in arrays else None,
        validation_to_train=ratio,
        seconds=seconds,
        answers=_answers(arrays) if "answers.scores" in arrays else None,
        taken=True,
    )


def _answers(arrays: dict[str, Array]) -> ValidationAnswers:
    columns = {name: arrays[f"answers.{name}"] for name in _ANSWERS}
    there = (name for name in _OF_SOME if f"answers.{name}" in arrays)
    return ValidationAnswers(**columns, **{name: arrays[f"answers.{name}"] for name in there})


def history_arrays(name: str, history: History) -> dict[str, Array]:
    """Return the curves of a history as arrays whose names begin with ``name`` and a point.

    Parameters
    ----------
    name
        What the names begin with.
    history
        The history.
    """
    return {f"{name}.{curve}": getattr(history, curve) for curve in _CURVES}


def history_of(name: str, arrays: dict[str, Array], diverged: list[str | None]) -> History:
    """Return the history whose curves `history_arrays` returned.

    Parameters
    ----------
    name
        What their names begin with.
    arrays
        The curves, among other arrays.
    diverged
        Why each network diverged; None for one that did not.

    Raises
    ------
    KeyError
        A curve is not there.
    """
    curves = {curve: arrays[f"{name}.{curve}"] for curve in _CURVES}
    return History(**curves, diverged=diverged)
