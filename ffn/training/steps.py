"""The steps of a retraining, each a function of the results of earlier steps.

``ffn.pipelines.retraining`` has their order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle
from ffn.decision_rules.rule import ARGMAX, DecisionRule
from ffn.decision_rules.rule_choice import ChosenRule, choose_rule, cost_matrix
from ffn.distillation.student import Student, distil
from ffn.distillation.teaching_trees import Beside
from ffn.errors import TrainingError
from ffn.evaluation.later_periods import LaterPeriods, expect_later
from ffn.evaluation.metrics import HeldOutEvaluation, evaluate_probabilities
from ffn.leakage.leaks import find_leaks
from ffn.nn import History, Network
from ffn.quantities import counted
from ffn.search.combinations import with_combination
from ffn.settings.pipeline import Pipeline
from ffn.tabular.splitting.division import Division
from ffn.tabular.training_table.dataset import Dataset
from ffn.training.boosted_teachers import fit_boosted_teachers
from ffn.training.fit import train_stack
from ffn.training.network_groups import Observer
from ffn.training.partition import HeldOutPart, TrainingPart
from ffn.training.selection.candidate import Candidate
from ffn.training.selection.leaderboard import Selection
from ffn.training.tables.loading import load
from ffn.training.tables.splitting import split
from ffn.training.temperature import (
    Temperature,
    ValidationAnswers,
    cool,
    fit_temperature,
)
from ffn.training.training_data import Prepared, normalise

__all__ = [
    "Prepared",
    "Refitted",
    "evaluate",
    "load",
    "look_for_leaks",
    "normalise",
    "refit",
    "split",
]

Array = npt.NDArray[Any]

# Each use of randomness has its own branch of the pipeline's seed; branch 0 draws the resamples,
# and branch 1 the candidates.
_REFIT = 2
_STUDENT = 6
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
        it is ``applied``. None for an ensemble, and for its student.
    student
        How the bundle's network learnt from an ensemble; None if it did not. The other attributes
        are those of the ensemble.
    windows
        Under a split by time, the winner's predictions for the rows after each of its windows;
        otherwise None.
    decision
        The bundle's rule, and where it comes from; None if it is the most probable class.
    """

    bundle: Bundle
    history: History
    epochs: int
    learning_rate: float
    temperature: Temperature | None = None
    student: Student | None = None
    windows: ValidationAnswers | None = None
    decision: ChosenRule | None = None


def look_for_leaks(
    dataset: Dataset, division: Division, prepared: Prepared, pipeline: Pipeline
) -> Prepared:
    """Return what was prepared with the leaks that were found in its training rows, and notices.

    Nothing is refused for a leak: whether a column is known in time, only people can say.

    Parameters
    ----------
    dataset
        The training table, N rows.
    division
        The two sides of its rows.
    prepared
        Inputs for the network.
    pipeline
        Names the training CSV, and has the settings of the table and the seed.
    """
    settings = pipeline.settings
    leaks = find_leaks(
        dataset, division.training, dataset.path, settings.data, settings.training.seed
    )
    said = tuple(leak.sentence for leak in leaks)
    return replace(prepared, leaks=leaks, notices=(*prepared.notices, *said))


def refit(
    part: TrainingPart,
    pipeline: Pipeline,
    selection: Selection,
    candidates: Sequence[Candidate],
    on_epoch: Callable[[int], None] | None = None,
    observe: Observer | None = None,
) -> Refitted:
    """Make the model of the winner: refit it on the whole training part, or keep its networks.

    To refit, K networks are trained, and the one with the lowest training loss is kept, which
    excludes networks with units that were dead from the start; for a ``refitted`` ensemble, all
    that finished are kept. With early stopping, the number of epochs is the median best epoch of
    the resamples. For an ensemble of the ``resamples`` nothing is trained: it consists of the
    networks that were, each on its resample. From a ``distilled`` one, a student learns, and from
    boosted trees as well if the settings say so.

    A single network is given the temperature fitted on the candidates' validation rows, if it is
    shown to lower the log-loss. An ensemble is not: the average of K networks is less confident
    than each of them, by an amount that these predictions do not show. Nor is a student, whose
    answers are the average's. It has none of its own for rows that its teachers did not learn from.

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
    observe
        Is shown the networks that are refitted between epochs; by default nothing is.

    Raises
    ------
    TrainingError
        Every network diverged, or the student.
    """
    winner = next(c for c in candidates if c.optimizer == selection.winner)
    pipeline, search = with_combination(pipeline, winner.optimizer)
    training, ensemble = pipeline.settings.training, pipeline.settings.ensemble
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
            search,
            [winner.search.rate],
            branch=_REFIT,
            epochs=epochs,
            on_epoch=on_epoch,
            observe=observe,
        )
    if not history.finished.any():
        raise TrainingError(
            f"{winner.optimizer}: every network diverged on the whole training part "
            f"({history.diverged[0]}). Lower its learning rate in [optimizers]."
        )
    kept = np.flatnonzero(history.finished)
    if ensemble == "none":
        kept = kept[[int(np.argmin(history.train_loss[-1, kept]))]]
    chosen = network.select(kept[: training.members].tolist())
    temperature = None
    if winner.answers is not None and ensemble == "none":
        temperature = fit_temperature(winner.answers, winner.validation_to_train)
        if temperature.applied:
            cool(chosen, temperature.value)
    decision = _decide(part, pipeline, winner, temperature)
    student = None
    if training.ensemble == "distilled":
        beside = fit_boosted_teachers(part, pipeline, winner)
        student = _distil(chosen, beside, part, pipeline, on_epoch)
        chosen = student.network
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
        student=student,
        windows=winner.answers if part.times is not None else None,
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
        np.bincount(part.labels, part.weights, minlength=len(part.schema.classes)),
        None if answers is None else (answers.probabilities(cooled), answers.labels),
        None if answers is None else answers.weights,
    )


def _distil(
    teacher: Network,
    beside: Beside | None,
    part: TrainingPart,
    pipeline: Pipeline,
    on_epoch: Callable[[int], None] | None,
) -> Student:
    """Train one network on the averaged probabilities of ``teacher`` and those beside it."""
    training, shape = pipeline.settings.training, pipeline.settings.network
    layers = shape.hidden_layers if shape.student_layers is None else shape.student_layers
    student = distil(
        teacher,
        part.x,
        part.preparation.inputs_of_features(),
        layers,
        np.random.SeedSequence(training.seed, spawn_key=(_STUDENT,)),
        batch_size=training.batch_size,
        beside=beside,
        on_epoch=on_epoch,
    )
    if not student.history.finished.all():
        raise TrainingError(
            f"the student diverged ({student.history.diverged[0]}), although "
            f"{counted(len(teacher.parameters), 'network')} to learn from did not. Set "
            'training.ensemble = "resamples" to use these themselves.'
        )
    return student


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
    classes, rule = prepared.schema.classes, refitted.bundle.rule
    found = evaluate_probabilities(
        probabilities,
        prepared.labels_test,
        classes,
        pipeline.settings.training.seed,
        usual=int(np.bincount(prepared.labels_train, prepared.training.weights).argmax()),
        groups=prepared.held_out.groups,
        weights=prepared.held_out.weights,
        rule=rule,
        costs=cost_matrix(pipeline.settings.decision, classes) if refitted.decision else None,
    )
    later = _expect_later(refitted.windows, probabilities, prepared.held_out, rule)
    return replace(found, later=later) if later else found


def _expect_later(
    windows: ValidationAnswers | None,
    probabilities: Array,
    held_out: HeldOutPart,
    rule: DecisionRule,
) -> LaterPeriods | None:
    """Return what to expect of later rows; None without a split by time.

    The windows' networks were stopped on their validation rows, and the rate was chosen on these,
    which makes their figures slightly too good. They were trained on fewer rows than the model,
    which makes them slightly too bad.
    """
    if windows is None or windows.times is None or held_out.times is None:
        return None
    scores = np.concatenate(
        [windows.scores, np.log(np.maximum(probabilities, np.finfo(float).tiny))]
    )
    labels = np.concatenate([windows.labels, held_out.labels])
    weights = None
    if windows.weights is not None and held_out.weights is not None:
        weights = np.concatenate([windows.weights, held_out.weights])
    return expect_later(
        np.concatenate([windows.times, held_out.times]),
        rule.labels(np.exp(scores)) == labels,
        -scores[np.arange(len(labels)), labels],
        weights,
    )
