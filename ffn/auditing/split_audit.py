"""Judge the recipe once with the values of each audited column kept apart, and once as usual.

Nothing is chosen by it: the model is as it was, and the held-out rows are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.auditing.arms import (
    FOLDS,
    Arm,
    connected,
    forward_arm,
    ordinary_arm,
    separate_arm,
    stretches,
    trimmed,
)
from ffn.auditing.audit_figures import ColumnAudit, SplitAudit
from ffn.auditing.audit_text import apart_reason
from ffn.auditing.audited_columns import AuditedColumn
from ffn.auditing.optimism import Optimism, mean_by_network, measure_optimism
from ffn.auditing.unknown_values import unknowing_answers, unknown_inputs
from ffn.evaluation.inference.paired_losses import row_losses
from ffn.evaluation.inference.statistics import Interval
from ffn.search.combinations import with_combination
from ffn.settings.pipeline import Pipeline
from ffn.tabular.splitting.by_content import sampling_units
from ffn.tabular.splitting.division import Division
from ffn.training.fit import train_stack
from ffn.training.partition import TrainingPart, rows_of_part
from ffn.training.steps import Prepared, Refitted

__all__ = ["audit_split"]

Array = npt.NDArray[Any]

# Branch of the pipeline's seed: `ffn.training.steps` and the gate have those before.
_AUDIT = 7
# The time to come is foreseen by quarters of the time that judges, of so many stretches each, since
# what changes with time makes neighbours alike.
_IN_A_QUARTER = 5
# A network whose training loss is so near to that of knowing nothing has learnt nothing.
_LEARNT_NOTHING = 0.95
_FEWEST_NETWORKS = 3
# Rows that judge: a random sample where there are more.
_MOST_JUDGED = 100_000


@dataclass(frozen=True)
class _Judged:
    """Figures of the networks of an arm, by network and row; NaN where it did not judge.

    Attributes
    ----------
    right, losses
        Whether the prediction is right, 0 or 1, and the log-loss: [F, m].
    sound
        Networks that learnt something [F].
    """

    right: Array
    losses: Array
    sound: Array


def audit_split(
    columns: Sequence[AuditedColumn],
    division: Division,
    prepared: Prepared,
    refitted: Refitted,
    pipeline: Pipeline,
    on_epoch: Callable[[int], None] | None = None,
) -> SplitAudit | None:
    """Return the audit of some columns; None if there are none.

    For each split, five networks are trained by the recipe of the model: its optimizer, learning
    rate and number of epochs, from the same initial weights for each split. Together they train on
    no more rows than the networks of one candidate, as long as that has five or more.

    Parameters
    ----------
    columns
        The columns, from `choose_audited`.
    division
        The two sides of the table's rows.
    prepared
        Inputs for the network.
    refitted
        The model, whose recipe is judged.
    pipeline
        Settings of network, training, gate and split.
    on_epoch
        Called with the number of epochs done in the current split; by default not at all.
    """
    if not columns:
        return None
    left_out = {one.name: apart_reason(one.kind) for one in columns if one.apart}
    columns = [one for one in columns if not one.apart]
    settings, part = pipeline.settings, prepared.training
    own_rows = rows_of_part(division.training)
    times = part.times
    base = (
        part.groups if part.groups is not None else sampling_units(part.labels, part.fingerprints)
    )
    seed = np.random.SeedSequence(settings.training.seed, spawn_key=(_AUDIT,))
    # By time and group, later rows of other groups judge, and so they do here.
    usual = ordinary_arm if times is None or part.groups is None else separate_arm
    arms = {"": usual(base, np.random.default_rng(seed), times, part.embargo)}
    clusters: dict[str, Array] = {}
    for column in columns:
        values = column.values[own_rows]
        if column.kind == "time":
            arm = (
                forward_arm(values)
                if part.groups is None
                else separate_arm(part.groups, np.random.default_rng(seed), values)
            )
            clusters[column.name] = stretches(values, np.unique(np.concatenate(arm.judged)))
        else:
            groups = connected([values] if part.groups is None else [values, part.groups])
            arm = separate_arm(groups, np.random.default_rng(seed), times, part.embargo)
            clusters[column.name] = groups
        if min(map(len, (*arm.train, *arm.judged))) < 1 or arm.fewest < part.rows / FOLDS:
            left_out[column.name] = "its values cannot be kept apart: too few rows would be left"
        else:
            arms[column.name] = arm
    if len(arms) == 1:
        # Nothing to compare the ordinary split with.
        arms = {}
    sample = _draw(part.rows, np.random.default_rng(seed))
    rows = min((arm.fewest for arm in arms.values()), default=0)
    rows = max(1, min(rows, settings.training.networks * rows // FOLDS))
    judged = {
        name: _judge(
            arm, rows, sample, part, pipeline, refitted, unknown_inputs(name, part), on_epoch
        )
        for name, arm in arms.items()
    }
    alpha = settings.gate.alpha / (2 * max(1, len(columns)))
    found = []
    for column in columns:
        if column.name not in judged:
            continue
        ratio = len(arms[column.name].judged[0]) / rows
        pair = judged[""], judged[column.name]
        made = _compare(
            pair,
            clusters[column.name][sample],
            ratio,
            alpha,
            weights=None if part.weights is None else part.weights[sample],
            later=column.kind == "time",
        )
        if made is None:
            left_out[column.name] = "too few of its networks learnt anything"
            continue
        count, (accuracy, log_loss), expected = made
        margins = settings.gate
        found.append(
            ColumnAudit(
                column=column.name,
                kind=column.kind,
                values=column.distinct,
                feature=column.feature,
                rows=count,
                accuracy=accuracy,
                log_loss=log_loss,
                expected_accuracy=expected[0],
                expected_log_loss=expected[1],
                matters=accuracy.bound > margins.accuracy_margin
                or log_loss.bound > margins.log_loss_margin,
            )
        )
    return SplitAudit(
        policy=settings.split.audit,
        alpha=alpha,
        accuracy_margin=settings.gate.accuracy_margin,
        log_loss_margin=settings.gate.log_loss_margin,
        networks=FOLDS,
        columns=tuple(found),
        left_out=left_out,
        decided=refitted.decision is not None,
    )


def _judge(
    arm: Arm,
    rows: int,
    sample: Array,
    part: TrainingPart,
    pipeline: Pipeline,
    refitted: Refitted,
    unknown: tuple[list[int], list[int]],
    on_epoch: Callable[[int], None] | None,
) -> _Judged:
    pipeline, search = with_combination(pipeline, refitted.bundle.optimizer)
    training = pipeline.settings.training
    seed = np.random.SeedSequence(training.seed, spawn_key=(_AUDIT, 1))
    # Five networks, whatever the recipe's number: each has the initial weights of its number.
    five = replace(
        pipeline,
        settings=pipeline.settings.model_copy(
            update={"training": training.model_copy(update={"networks": FOLDS})}
        ),
    )
    network, history = train_stack(
        part,
        five,
        search,
        [refitted.learning_rate],
        branch=_AUDIT,
        epochs=min(refitted.epochs, training.epochs),
        rows=trimmed(arm, rows, np.random.default_rng(seed)),
        on_epoch=on_epoch,
    )
    right, losses = np.full((2, FOLDS, len(sample)), np.nan)
    labels = np.asarray(part.labels)
    for f in np.flatnonzero(history.finished).tolist():
        places = np.flatnonzero(np.isin(sample, arm.judged[f], assume_unique=True))
        own = sample[places]
        answers = unknowing_answers(network.select([f]), np.array(part.x[own]), unknown)
        right[f, places] = refitted.bundle.rule.labels(answers) == labels[own]
        losses[f, places] = row_losses(answers, labels[own])
    totals = np.bincount(labels, part.weights)
    shares = totals / totals.sum()
    nothing = -float((shares[shares > 0] * np.log(shares[shares > 0])).sum())
    last = history.train_loss[-1]
    learnt = history.finished & (last < _LEARNT_NOTHING * nothing)
    # Where none learns anything, that is what there is to be learnt.
    sound = learnt if np.count_nonzero(learnt) * 2 > FOLDS else history.finished
    return _Judged(right=right, losses=losses, sound=sound)


def _compare(
    pair: tuple[_Judged, _Judged],
    clusters: Array,
    ratio: float,
    alpha: float,
    *,
    weights: Array | None,
    later: bool,
) -> tuple[int, list[Optimism], list[Interval]] | None:
    """Return the number of rows that both judged, how much too good each figure is, and each apart.

    Accuracy is the first of either list, and log-loss the second. The time to come is another
    stretch of time, whose mean varies as much as that of the one that judged: where it is foreseen,
    the interval is that of the difference of two such means, wider by the root of two.
    """
    usual, apart = pair
    if min(usual.sound.sum(), apart.sound.sum()) < _FEWEST_NETWORKS:
        return None
    paired: list[Optimism] = []
    alone: list[Interval] = []
    longer = clusters // _IN_A_QUARTER if later else clusters
    rows = np.zeros(0, dtype=np.int64)
    for one, other, sign, most in (
        (usual.right, apart.right, 1, 1.0),
        (usual.losses, apart.losses, -1, np.inf),
    ):
        figures = other[apart.sound]
        differences = sign * (_mean_of(one[usual.sound]) - figures)
        rows = np.flatnonzero(~np.isnan(differences).all(axis=0))
        of_rows = None if weights is None else weights[rows]
        found = [
            measure_optimism(
                _mean_of(each[:, rows]),
                own[rows],
                mean_by_network(each[:, rows], of_rows),
                ratio,
                alpha,
                of_rows,
            )
            for each, own in ((differences, clusters), (figures, longer))
        ]
        paired.append(found[0])
        mean, half = found[1].value, (found[1].high - found[1].value) * (2**0.5 if later else 1)
        alone.append(Interval(mean, max(0.0, mean - half), min(most, mean + half)))
    return len(rows), paired, alone


def _mean_of(values: Array) -> Array:
    """Return the mean over networks [n] of those that judged a row; NaN where none did."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        found: Array = np.where(known, values, 0).sum(axis=0) / known.sum(axis=0)
    return found


def _draw(n: int, generator: np.random.Generator) -> Array:
    if n <= _MOST_JUDGED:
        return np.arange(n)
    return np.sort(generator.choice(n, _MOST_JUDGED, replace=False))
