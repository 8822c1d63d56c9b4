"""The promotion gate: decide whether a new version replaces the one in production."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.auditing.audit_figures import SplitAudit
from ffn.auditing.audit_text import audit_refusal
from ffn.bundles.bundle import Bundle
from ffn.criteria.criterion import criterion_of
from ffn.criteria.resampled_evidence import ResampledEvidence, weigh_resamples
from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.evaluation.missed_classes import missed_classes
from ffn.promotion.champion import Opponent, Unreadable, unrelated_rows
from ffn.promotion.evidence import HeldOutEvidence, can_suffice, weigh
from ffn.promotion.floors import Floor, check_floors
from ffn.promotion.recipes import cross_validate
from ffn.promotion.shared_rows import columns_of, find_contest, production_rows
from ffn.promotion.simpler_models import weigh_baselines
from ffn.promotion.too_few import too_few
from ffn.promotion.verdict import Verdict
from ffn.quantities import counted, difference, signed, told_apart
from ffn.registry.alpha_spending import alpha_of_look, choose_look, read_looks
from ffn.settings.pipeline import Pipeline
from ffn.tabular.splitting.division import Division
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.fingerprints import recognise
from ffn.training.examination import Examination
from ffn.training.steps import Prepared, Refitted
from ffn.training.training_data import training_part

__all__ = ["decide"]

Array = npt.NDArray[Any]


def decide(
    pipeline: Pipeline,
    dataset: Dataset,
    division: Division,
    prepared: Prepared,
    refitted: Refitted,
    evaluation: HeldOutEvaluation,
    examination: Examination,
    opponent: Opponent | Unreadable | None,
    audit: SplitAudit | None = None,
) -> Verdict:
    """Judge a new model before it is written.

    The criteria are applied in this order: the floors, and simpler models if they are a reason to
    refuse; the modes that compare nothing; no version in production, or one that cannot be loaded,
    which any model may replace that passes the former; a model identical to production; a
    comparison on held-out rows that neither model was trained on; and, if these rows are too few
    whatever the challenger, a comparison on resamples of the training part. Each comparison with
    production is recorded for its rows before this function returns, so that a run that is killed
    later has spent the level that it used.

    Parameters
    ----------
    pipeline
        Settings of the gate, and the registry.
    dataset
        The training table, N rows.
    division
        The rows of the challenger's training, and those held out of it.
    prepared
        Inputs for the network.
    refitted
        The new model.
    evaluation
        Its metrics on all held-out rows.
    examination
        Its comparison with simpler models.
    opponent
        The version in production; None if there is none.
    audit
        What its figures owe to columns that are not kept apart; None, the default, if there is no
        such column.

    Raises
    ------
    RegistryError
        The record of comparisons is damaged.
    SettingsError
        A floor is set for a class that does not exist.
    """
    settings = pipeline.settings.gate
    floors = check_floors(settings, evaluation)
    baseline = weigh_baselines(settings, examination, evaluation.rows)

    def verdict(promote: bool, reason: str, **evidence: Any) -> Verdict:
        return Verdict(
            promote=promote,
            reason=reason,
            mode=settings.mode,
            production=opponent.version if opponent else None,
            floors=floors,
            calibration_error=evaluation.calibration.error,
            columns=columns_of(dataset),
            baseline=baseline,
            contract=prepared.changes,
            missed=missed_classes(evaluation.classes),
            audit=audit,
            **evidence,
        )

    broken = [
        f"{floor.what} is {_measured(floor)}, and gate.{floor.setting} is {floor.limit:g}"
        for floor in floors
        if not floor.held
    ]
    if baseline and baseline.refuses:
        broken.append(f'{baseline.finding}, and gate.baseline is "refuse"')
    if refused := audit_refusal(audit):
        broken.append(refused)
    if broken:
        return verdict(False, "; ".join(broken))
    if settings.mode == "never":
        return verdict(False, 'gate.mode is "never"')
    if settings.mode == "always":
        return verdict(True, 'gate.mode is "always", so nothing was compared')
    if opponent is None:
        return verdict(True, "no version was in production")
    if isinstance(opponent, Unreadable):
        problem = f"version {opponent.version} in production cannot be loaded"
        return verdict(True, f"{problem}, so nothing was compared")
    if _same(refitted.bundle, opponent.bundle):
        if refitted.bundle.rule != opponent.bundle.rule:
            # The settings decide on the rule; there is nothing else to compare.
            return verdict(True, "only its decision rule differs from the model in production")
        return verdict(False, "it is identical to the model in production, bit for bit")

    known = production_rows(dataset, prepared.schema, opponent)
    if isinstance(known, str):
        return verdict(
            False,
            f"the rows that production was trained on cannot be identified, because {known}",
        )
    looks = read_looks(pipeline.artifacts)
    contest, rows = find_contest(
        dataset,
        division.held_out,
        known,
        refitted.bundle,
        opponent.bundle,
        unrelated=unrelated_rows(dataset, division, known, opponent),
        groups=division.groups,
    )
    times = (
        looks.of(contest.fingerprints)
        if division.groups is None or contest.groups is None
        else looks.of_groups(dataset.fingerprints, division.groups, contest.groups)
    )
    look = choose_look(times, settings.alpha)
    chosen = contest.take(look.chosen)
    criterion = criterion_of(pipeline.settings.decision, dataset.classes)
    if can_suffice(chosen, settings, look.alpha, criterion):
        looks.after(chosen.fingerprints).write(pipeline.artifacts)
        found = weigh(chosen, settings, look, pipeline.settings.training.seed, criterion)
        return verdict(found.shown, _of_rows(found, settings.mode), rows=rows, held_out=found)

    training = pipeline.settings.training
    few = too_few(
        len(chosen.labels),
        rows,
        opponent,
        training,
        columns_of(dataset),
        pipeline.settings.split,
    )
    if settings.small_holdout == "keep":
        return verdict(False, few, rows=rows)
    known_to_train = recognise(prepared.fingerprints, dataset.fingerprints[known])
    encode = partial(training_part, dataset, division)
    differences = cross_validate(prepared, pipeline, refitted, opponent, known_to_train, encode)
    if isinstance(differences, str):
        return verdict(False, f"{few}, and {differences}", rows=rows)
    number = int(looks.of(prepared.fingerprints).max()) + 1
    looks.after(prepared.fingerprints).write(pipeline.artifacts)
    resampled = weigh_resamples(
        differences.losses,
        differences.accuracies,
        differences.validation_to_train,
        settings,
        look=number,
        alpha=alpha_of_look(settings.alpha, number),
        gains=differences.gains,
        criterion=criterion,
    )
    reason = f"{few}; {_of_resamples(resampled, settings.mode)}"
    return verdict(resampled.shown, reason, rows=rows, resampled=resampled)


def _measured(floor: Floor) -> str:
    if np.isnan(floor.value):
        return "not measured, as no held-out row has the class"
    return told_apart(floor.value, floor.limit, 3)


def _same(challenger: Bundle, production: Bundle) -> bool:
    """Return whether two bundles would have the same bytes, but for the decision rule."""
    ours, theirs = (
        {
            **bundle.preparation.to_arrays(),
            "parameters": bundle.network.parameters,
            "fingerprints": bundle.fingerprints,
        }
        for bundle in (challenger, production)
    )
    return (
        challenger.schema == production.schema
        and ours.keys() == theirs.keys()
        and all(np.array_equal(array, theirs[name]) for name, array in ours.items())
    )


def _of_rows(found: HeldOutEvidence, mode: str) -> str:
    counts, losses = found.labels, found.log_loss
    figures = (
        f"on {counted(counts.rows, 'row')}{_of_groups(found)} that neither was trained on, "
        f"{counted(counts.gained, 'label')} gained and {counts.lost:,} lost, {_weighted(found)}"
        f"log-loss {difference(losses)}{_of_metric(found)}"
    )
    return f"{'; '.join(found.failures) or _shown(mode)}: {figures}"


def _weighted(found: HeldOutEvidence) -> str:
    """Return the difference of weighted accuracies, which the numbers of labels do not show."""
    return "" if found.accuracy is None else f"weighted accuracy {found.accuracy:+.4f}, "


def _of_metric(found: HeldOutEvidence) -> str:
    one = found.metric
    if one is None:
        return ""
    return (
        f", {one.words} {one.challenger:.3f} after {one.production:.3f} (gain {signed(one.gain)}, "
        f"at least {signed(one.gain_low)})"
    )


def _of_groups(found: HeldOutEvidence) -> str:
    return f" of {counted(found.groups, 'group')}" if found.groups else ""


def _of_resamples(found: ResampledEvidence, mode: str) -> str:
    """Return the result for the recipes; it says nothing about the two models themselves."""
    failures = "; ".join(found.failures)
    what = f"for its recipe {failures}" if failures else f"its recipe is {_shown(mode)}"
    return f"on {counted(found.resamples, 'resample')}, {what}"


def _shown(mode: str) -> str:
    return "shown to be better" if mode == "better" else "shown to be not worse"
