"""The steps of a retraining, each a function of the results of earlier steps.

``ffn.pipelines.retraining`` has their order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ffn.bundles.bundle import Bundle
from ffn.decision_rules.rule import ARGMAX
from ffn.decision_rules.rule_choice import ChosenRule, choose_rule, cost_matrix
from ffn.errors import TrainingError
from ffn.evaluation.decision_evaluation import evaluate_rule
from ffn.evaluation.metrics import HeldOutEvaluation, evaluate_probabilities
from ffn.nn import History
from ffn.settings.pipeline import Pipeline
from ffn.training.fit import train_stack
from ffn.training.partition import TrainingPart
from ffn.training.selection import Candidate, Selection
from ffn.training.temperature import Temperature, cool, fit_temperature
from ffn.training.training_data import Prepared, load, normalise, split

__all__ = [
    "Prepared",
    "Refitted",
    "evaluate",
    "load",
    "normalise",
    "refit",
    "split",
]

# Each use of randomness has its own branch of the pipeline's seed; branch 0 draws the resamples,
# and branch 1 the candidates.
_REFIT = 2
_ROWS_AT_ONCE = 2**16


@dataclass(frozen=True, kw_only=True)
class Refitted:
    """The model of the winning optimizer.

    Attributes
    ----------
    bundle
        The model, ready to be written.
    history
        Losses and accuracies of all networks as trained, before any temperature is applied.
    epochs
        Number of epochs trained; of networks that each stopped by themselves, the median.
    learning_rate
        At which it was trained.
    temperature
        Temperature fitted on the candidates' validation rows; the bundle's network includes it if
        it is ``applied``. None for an ensemble.
    decision
        The bundle's rule, and where it comes from; None if it is the most probable class.
    """

    bundle: Bundle
    history: History
    epochs: int
    learning_rate: float
    temperature: Temperature | None = None
    decision: ChosenRule | None = None


def refit(
    part: TrainingPart,
    pipeline: Pipeline,
    selection: Selection,
    candidates: Sequence[Candidate],
    on_epoch: Callable[[int], None] | None = None,
) -> Refitted:
    """Make the model of the winner: refit it on the whole training part, or keep its networks.

    To refit, K networks are trained, and the one with the lowest training loss is kept, which
    excludes networks with units that were dead from the start; for a ``refitted`` ensemble, all
    that finished are kept. With early stopping, the number of epochs is the median best epoch of
    the resamples. For an ensemble of the ``resamples`` nothing is trained: it consists of the
    networks that were, each on its resample.

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
    if training.patience or training.time_budget:
        finished = winner.final.best_epoch[winner.final.finished]
        epochs = int(np.median(finished)) + 1
    if winner.members is not None:
        network, history = winner.members, winner.final
    else:
        network, history = train_stack(
            part,
            pipeline,
            pipeline.settings.optimizers.candidates()[winner.optimizer],
            [winner.search.rate],
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
    if training.ensemble == "none":
        kept = kept[[int(np.argmin(history.train_loss[-1, kept]))]]
    chosen = network.select(kept[: training.members].tolist())
    temperature = None
    if winner.answers is not None and training.ensemble == "none":
        temperature = fit_temperature(winner.answers, winner.validation_to_train)
        if temperature.applied:
            cool(chosen, temperature.value)
    decision = _decide(part, pipeline, winner, temperature)
    bundle = Bundle(
        pipeline=pipeline.name,
        optimizer=winner.optimizer,
        schema=part.schema,
        preparation=part.preparation,
        network=chosen,
        fingerprints=np.sort(part.fingerprints),
        rule=decision.rule,
    )
    return Refitted(
        bundle=bundle,
        history=history,
        epochs=epochs,
        learning_rate=winner.search.rate,
        temperature=temperature,
        decision=None if decision.rule == ARGMAX else decision,
    )


def _decide(
    part: TrainingPart, pipeline: Pipeline, winner: Candidate, temperature: Temperature | None
) -> ChosenRule:
    """Return the rule that the settings ask for, tuned on the winner's validation rows."""
    answers = winner.answers
    cooled = temperature.value if temperature and temperature.applied else 1.0
    return choose_rule(
        pipeline.settings.decision,
        part.schema.classes,
        np.bincount(part.labels, minlength=len(part.schema.classes)),
        None if answers is None else answers.probabilities(cooled),
        None if answers is None else answers.labels,
    )


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
    seed, rule = pipeline.settings.training.seed, refitted.bundle.rule
    labels, classes = np.asarray(prepared.labels_test), prepared.schema.classes
    found = evaluate_probabilities(
        probabilities,
        labels,
        classes,
        seed,
        usual=int(np.bincount(prepared.labels_train).argmax()),
        rule=rule,
    )
    if refitted.decision is None:
        return found
    costs = cost_matrix(pipeline.settings.decision, classes)
    return replace(found, decision=evaluate_rule(probabilities, labels, rule, costs, seed))
