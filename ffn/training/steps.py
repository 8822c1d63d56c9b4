"""The steps of a retraining, each a function of the results of earlier steps.

``ffn.pipelines.retraining`` has their order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ffn.bundles.bundle import Bundle
from ffn.errors import TrainingError
from ffn.evaluation.metrics import HeldOutEvaluation, evaluate_probabilities
from ffn.nn import History
from ffn.settings.pipeline import Pipeline
from ffn.training.fit import train_stack
from ffn.training.partition import TrainingPart
from ffn.training.resampling import candidate_resamples
from ffn.training.selection import Candidate, Selection
from ffn.training.temperature import Temperature, ask_on_validation, cool, fit_temperature
from ffn.training.training_data import Prepared, load, normalise, split

__all__ = [
    "Prepared",
    "Refitted",
    "evaluate",
    "load",
    "normalise",
    "refit",
    "split",
    "train_candidate",
]

# Each use of randomness has its own branch of the pipeline's seed; branch 0 draws the resamples.
_CANDIDATES, _REFIT = 1, 2
_ROWS_AT_ONCE = 2**16


@dataclass(frozen=True, kw_only=True)
class Refitted:
    """The winner, trained on the whole training part.

    Attributes
    ----------
    bundle
        The model, ready to be written.
    history
        Losses and accuracies of all networks as trained, before any temperature is applied.
    epochs
        Number of epochs trained.
    temperature
        Temperature fitted on the candidates' validation rows; the bundle's network includes it if
        it is ``applied``. None for an ensemble.
    """

    bundle: Bundle
    history: History
    epochs: int
    temperature: Temperature | None = None


def train_candidate(
    part: TrainingPart,
    pipeline: Pipeline,
    optimizer: str,
    on_epoch: Callable[[int], None] | None = None,
) -> Candidate:
    """Train one optimizer's K networks, each on its own resample of the training part.

    Every optimizer gets the same resamples, initial weights and batch orders.

    Parameters
    ----------
    part
        The training part.
    pipeline
        Settings of network, training and optimizers.
    optimizer
        Name of one of the candidates under ``[optimizers]``.
    on_epoch
        Called with the number of epochs done, for progress; by default not at all.
    """
    training = pipeline.settings.training
    hyperparameters = pipeline.settings.optimizers.candidates()[optimizer]
    started = time.perf_counter()
    train_rows, validation_rows = candidate_resamples(part, training)
    network, history = train_stack(
        part,
        pipeline,
        hyperparameters,
        branch=_CANDIDATES,
        epochs=training.epochs,
        rows=train_rows,
        validation_rows=validation_rows,
        patience=training.patience or None,
        on_epoch=on_epoch,
    )
    return Candidate(
        optimizer=optimizer,
        hyperparameters=hyperparameters,
        history=history,
        validation_to_train=validation_rows.shape[1] / train_rows.shape[1],
        answers=ask_on_validation(network, history.finished, part, validation_rows),
        seconds=time.perf_counter() - started,
    )


def refit(
    part: TrainingPart,
    pipeline: Pipeline,
    selection: Selection,
    candidates: Sequence[Candidate],
    on_epoch: Callable[[int], None] | None = None,
) -> Refitted:
    """Train the winner's networks on the whole training part, and keep the best.

    K networks are trained, and the one with the lowest training loss is kept, which excludes
    networks with units that were dead from the start. With ``ensemble`` all that finished are kept.
    With early stopping, the number of epochs is the median best epoch of the resamples.

    A single network is given the temperature fitted on the candidates' validation rows, if it is
    shown to lower the log-loss. An ensemble is not: the average of K networks is less confident
    than each of them, by an amount that these predictions do not show.

    Parameters
    ----------
    part
        The training part.
    pipeline
        Settings of network and training.
    selection
        Names the winner.
    candidates
        All candidates, with their histories and validation predictions.
    on_epoch
        Called with the number of epochs done, for progress; by default not at all.

    Raises
    ------
    TrainingError
        Every network diverged.
    """
    training = pipeline.settings.training
    winner = next(c for c in candidates if c.optimizer == selection.winner)
    epochs = training.epochs
    if training.patience:
        finished = winner.history.best_epoch[winner.history.finished]
        epochs = int(np.median(finished)) + 1
    network, history = train_stack(
        part,
        pipeline,
        winner.hyperparameters,
        branch=_REFIT,
        epochs=epochs,
        on_epoch=on_epoch,
    )
    if not history.finished.any():
        raise TrainingError(
            f"{winner.optimizer}: every network diverged on the whole training part "
            f"({history.diverged[0]}). Lower its learning rate in [optimizers]."
        )
    kept = np.flatnonzero(history.finished)
    if not training.ensemble:
        kept = kept[[int(np.argmin(history.train_loss[-1, kept]))]]
    chosen = network.select(kept.tolist())
    temperature = None
    if winner.answers is not None and not training.ensemble:
        temperature = fit_temperature(winner.answers, winner.validation_to_train)
        if temperature.applied:
            cool(chosen, temperature.value)
    bundle = Bundle(
        pipeline=pipeline.name,
        optimizer=winner.optimizer,
        schema=part.schema,
        preparation=part.preparation,
        network=chosen,
        fingerprints=np.sort(part.fingerprints),
    )
    return Refitted(bundle=bundle, history=history, epochs=epochs, temperature=temperature)


def evaluate(refitted: Refitted, prepared: Prepared, pipeline: Pipeline) -> HeldOutEvaluation:
    """Return the metrics of the model on the held-out rows.

    Parameters
    ----------
    refitted
        The model.
    prepared
        Inputs, with the held-out rows.
    pipeline
        Settings with the seed of the intervals.
    """
    x = prepared.x_test
    probabilities = np.empty((len(x), len(prepared.schema.classes)))
    for start in range(0, len(x), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        probabilities[some] = refitted.bundle.probabilities(x[some])
    return evaluate_probabilities(
        probabilities,
        prepared.labels_test,
        prepared.schema.classes,
        pipeline.settings.training.seed,
        usual=int(np.bincount(prepared.labels_train).argmax()),
    )
