"""The report of a retraining in Markdown, from which the dashboard and the HTML page are made.

Text from outside goes through ``escape``, figures go through ``interval``; all intervals are 95 %
confidence intervals.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from ffn.auditing.audit_text import unseen_rows_sentence
from ffn.distillation.student_words import learnt_from
from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.evaluation.missed_classes import class_warning, missed_classes
from ffn.extras import how_to_install
from ffn.promotion.register import Version
from ffn.quantities import NOTHING, counted, interval, p_value, percent, seconds
from ffn.racing.dropping import dropped_in_words
from ffn.reports.baselines_section import accuracy_doubt, baselines_markdown, baselines_sentence
from ffn.reports.decision_section import decision_sections
from ffn.reports.figure_lines import ranking_sentence
from ffn.reports.held_out import (
    calibration_markdown,
    class_table,
    figure_table,
    importance_markdown,
    later_sentence,
    mistakes_markdown,
    shown_name,
    temperature_markdown,
)
from ffn.reports.markup.escaping import escape
from ffn.reports.markup.tables import bullets, table
from ffn.reports.outcome_page import realised_section
from ffn.reports.pictures.learning_curves import DRAWN_CURVES
from ffn.reports.pictures.search_losses import DRAWN_CANDIDATES
from ffn.reports.rates_section import edge_doubts, ended_notices, rates_markdown
from ffn.reports.slices.slices_section import slice_sections
from ffn.reports.verdict_section import verdict_markdown
from ffn.search.search_words import batches_in_words, candidate_noun
from ffn.training.fit import LEAST_FIGURE_ROWS
from ffn.training.retrained import Retrained
from ffn.training.selection.leaderboard import Ranked, Selection
from ffn.training.steps import Refitted
from ffn.training.training_data import Prepared

__all__ = [
    "curves_note",
    "leaderboard",
    "leaderboard_markdown",
    "remarks",
    "retrain_markdown",
    "upper",
    "without_pictures",
]

_MISTAKES_NAMED = 5


def leaderboard(selection: Selection) -> list[dict[str, str]]:
    """Return the candidates as rows of a table, in ascending order of mean log-loss.

    Loss and accuracy are validation means over the networks that finished. ``p (Holm)`` is the
    adjusted p-value for no difference from the first line.

    Parameters
    ----------
    selection
        Result of comparing the optimizers.
    """
    tie = sum(line.tied for line in selection.leaderboard) > 1
    raced = any(line.dropped for line in selection.leaderboard)
    return [
        {
            selection.noun: escape(line.optimizer)
            + (" (chosen)" if line.optimizer == selection.winner else ""),
            "learning rate": f"{line.learning_rate:g}",
            "log-loss": interval(line.loss),
            "accuracy": interval(line.accuracy),
            **({selection.metric: interval(line.figure)} if line.figure else {}),
            "p (Holm)": NOTHING if place == 0 else p_value(line.p_value),
            "tie": "yes" if tie and line.tied else "no",
            "finished": f"{line.finished:,} of {line.networks:,}",
            **({"race": escape(_in_race(line))} if raced else {}),
            "seconds": seconds(line.seconds),
        }
        for place, line in enumerate(selection.leaderboard)
    ]


def _in_race(line: Ranked) -> str:
    """Return how far a candidate came in the race."""
    return dropped_in_words(line.dropped) if line.dropped else "on all resamples"


def leaderboard_markdown(selection: Selection) -> str:
    """Return the leaderboard as a Markdown table, followed by notes on its columns."""
    return (
        f"{table(leaderboard(selection))}\n\n"
        "Means over the networks that finished, each evaluated on the validation rows of its own "
        "resample of the training part; log-loss in nats per row. The 95 % intervals and p-values "
        "are corrected for overlapping resamples (Nadeau and Bengio 2003). p tests for no "
        f"difference in {selection.metric or 'log-loss'} from the first line, adjusted by Holm's "
        "method for all pairs."
    )


def retrain_markdown(
    retrained: Retrained,
    version: Version,
    *,
    pictures: Mapping[str, str],
    files: Mapping[str, Path],
) -> str:
    """Return the report of a retraining in Markdown: the verdict first, then the evidence.

    Parameters
    ----------
    retrained
        Results of all steps of the retraining.
    version
        The version that was written, with the gate's verdict.
    pictures
        Addresses (file names or data URIs) of the pictures, with the keys ``curves``,
        ``confusion``, ``reliability`` and ``importance``, and where they were drawn ``search``,
        ``rates`` and ``coverage``. Empty where none can be drawn, which the report says.
    files
        Paths of related files to list at the end, each under a short description.
    """
    prepared, selection, refitted = retrained.prepared, retrained.selection, retrained.refitted
    evaluation, examination = retrained.evaluation, retrained.examination
    notices = remarks(retrained)
    sections = [
        f"# {escape(retrained.pipeline.name)}: version {version.number}",
        _summary(retrained, version),
        f"Choice of {selection.noun}: {escape(selection.reason)}",
        "## Gate",
        verdict_markdown(version.verdict, version.number),
        *realised_section(retrained.pipeline, version.verdict.production),
        "## Leaderboard",
        leaderboard_markdown(selection),
        *_picture(
            "Validation log-loss of each candidate, with its interval", pictures.get("search")
        ),
        "## Learning rates",
        rates_markdown(selection.leaderboard, pictures.get("rates")),
        "## Learning curves",
        *_picture(
            f"Loss and accuracy per epoch for each {selection.noun}, "
            "training beside validation rows",
            pictures.get("curves"),
        ),
        *_not_all_drawn(selection, pictures),
        *([] if pictures else [f"{upper(without_pictures())}."]),
        *curves_note(len(prepared.x_train)),
        "## Held-out rows",
        f"{counted(evaluation.rows, 'row')} on which nothing was fitted, tuned or chosen; "
        f"{len(prepared.x_train):,} rows were used for training. All intervals in this report are "
        "95 % confidence intervals.",
        figure_table(evaluation),
        class_table(evaluation.classes),
        "Recall: share of the class's rows that were predicted as it. Precision: share of the rows "
        "predicted as the class that belong to it. ROC-AUC and average precision: how well the "
        "probability of the class ranks its rows above all others.",
        *decision_sections(retrained, pictures.get("coverage")),
        "## Confusion matrix",
        *_picture("Counts of held-out rows by label and prediction", pictures.get("confusion")),
        _confusions(evaluation),
        "## Calibration",
        calibration_markdown(evaluation.calibration),
        *_picture(
            "Accuracy on held-out rows by the model's confidence", pictures.get("reliability")
        ),
        temperature_markdown(
            refitted.temperature, examination.temperature, distilled=refitted.student is not None
        ),
        "## Feature importance",
        *_picture("Log-loss added by permuting each feature", pictures.get("importance")),
        importance_markdown(examination.importance),
        "## Baselines",
        baselines_markdown(examination.baselines, examination.rows, evaluation.rows),
        *slice_sections(examination.slices),
        "## Most confident mistakes",
        mistakes_markdown(examination.mistakes, examination.importance),
        *(["## Notices", bullets(notices)] if notices else []),
        "## Data and training",
        _training(retrained),
        "## Files",
        bullets(
            [
                f"bundle: {escape(version.bundle)} (SHA-256 {version.sha256})",
                *(f"{escape(what)}: {escape(path)}" for what, path in files.items()),
            ]
        ),
    ]
    return "\n\n".join(sections) + "\n"


def _picture(shows: str, address: str | None) -> list[str]:
    return [f"![{shows}]({address})"] if address else []


def without_pictures() -> str:
    """Return a clause for the user of an installation that cannot draw."""
    return (
        "the report has no pictures, because matplotlib is not installed; to have them next time: "
        f"{how_to_install('report')}"
    )


def _not_all_drawn(selection: Selection, pictures: Mapping[str, str]) -> list[str]:
    """Return which candidates of a search the pictures above show, if they do not show all."""
    count = len(selection.leaderboard)
    # There are fewer optimizers.
    if not pictures or count <= DRAWN_CURVES:
        return []
    if count <= DRAWN_CANDIDATES:
        return [
            f"The pictures of rates and curves show the first {DRAWN_CURVES} of {count:,} "
            "candidates, and the chosen one."
        ]
    return [
        f"The picture of losses shows the first {DRAWN_CANDIDATES} of {count:,} candidates; those "
        f"of rates and curves show the first {DRAWN_CURVES}, and the chosen one."
    ]


def _summary(retrained: Retrained, version: Version) -> str:
    """Return the decision, the held-out accuracy, and how simpler models compare."""
    evaluation, examination = retrained.evaluation, retrained.examination
    usual, reached = evaluation.classes[evaluation.usual], evaluation.baseline
    doubt = accuracy_doubt(examination.baselines)
    missed = class_warning(version.number, missed_classes(evaluation.classes))
    alarm = f"**{escape(missed)}** " if missed else ""
    # What comes first is not repeated by the verdict.
    decided = dataclasses.replace(version.verdict, missed="").sentence(version.number)
    ranking = ranking_sentence(
        evaluation.auc,
        evaluation.average_precision,
        evaluation.balanced_accuracy,
        evaluation.positive,
        evaluation.classes,
        shown_name,
    )
    return (
        f"{alarm}**{escape(decided)}** "
        f"{upper(escape(retrained.selection.winner))} was chosen. It labels {evaluation.correct:,} "
        f"of {evaluation.judges} correctly: "
        f"**accuracy {interval(evaluation.accuracy)}**. {ranking}. "
        f"{_with_space(later_sentence(evaluation))}"
        f"{_with_space(escape(unseen_rows_sentence(version.verdict.audit)))}"
        f"Always predicting {shown_name(usual.name)}, the most frequent class in "
        f"training, labels {usual.rows:,} correctly: {interval(reached)}."
        f"{f' **{doubt}**' if doubt else ''} "
        f"{escape(baselines_sentence(examination.baselines, examination.rows, evaluation.rows))}"
    )


def _with_space(text: str) -> str:
    return f"{text} " if text else ""


def upper(text: str) -> str:
    """Return ``text`` with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def _confusions(evaluation: HeldOutEvaluation) -> str:
    """Say which confusions were the most frequent."""
    names = [shown_name(figures.name) for figures in evaluation.classes]
    wrong = sorted(
        (-count, label, prediction)
        for label, prediction, count in evaluation.confusions
        if label != prediction
    )
    if not wrong:
        return "No held-out row was misclassified."
    lines = [
        f"{-count:,} of {evaluation.classes[label].rows:,} {names[label]} "
        f"predicted as {names[prediction]}"
        for count, label, prediction in wrong[:_MISTAKES_NAMED]
    ]
    others = sum(-count for count, *_ in wrong[_MISTAKES_NAMED:])
    if others:
        lines.append(counted(others, "other mistake"))
    return "Classes are in the order of the table above. The most frequent mistakes:\n\n" + bullets(
        lines
    )


def remarks(retrained: Retrained) -> list[str]:
    """Return notices about data, simpler models and networks that diverged, each as Markdown."""
    notices = (*retrained.prepared.notices, *retrained.examination.notices)
    lines = [escape(notice) for notice in notices]
    leaderboard = retrained.selection.leaderboard
    lines += [escape(doubt) for doubt in edge_doubts(leaderboard)]
    lines += [escape(f"{notice}.") for notice in ended_notices(leaderboard)]
    histories = [
        *((candidate.optimizer, candidate.history) for candidate in retrained.candidates),
        ("Refit on all training rows", retrained.refitted.history),
    ]
    for what, history in histories:
        reasons = [reason for reason in history.diverged if reason is not None]
        if reasons:
            lines.append(
                f"{escape(what)}: {len(reasons):,} of {counted(len(history.diverged), 'network')} "
                f"diverged (first reason: {escape(reasons[0])})."
            )
    return lines


def without_label(prepared: Prepared) -> str:
    """Return a parenthesis with the number of unlabelled rows, to follow a count of the others."""
    return f" ({prepared.unlabelled:,} without a label left out)" if prepared.unlabelled else ""


def _training(retrained: Retrained) -> str:
    pipeline, candidates = retrained.pipeline, retrained.candidates
    prepared, refitted = retrained.prepared, retrained.refitted
    schema, network = prepared.schema, refitted.bundle.network
    training = pipeline.settings.training
    started, kept = len(refitted.history.diverged), len(network.parameters)
    which = _which_networks(pipeline.settings.ensemble, started, kept)
    trained = _trained(refitted, pipeline.settings.ensemble, len(prepared.x_train))
    student = refitted.student
    how = f"which {learnt_from(student)}" if student else f"{trained}: {which}"
    hyperparameters = (
        ", ".join(f"{key} {value}" for key, value in vars(candidate.hyperparameters).items())
        for candidate in candidates
    )
    return bullets(
        [
            f"{escape(pipeline.settings.data.source)} (SHA-256 {prepared.source_sha256}): "
            f"{counted(prepared.labelled, 'row')}"
            f"{without_label(prepared)}, {counted(len(schema.features), 'feature')} to predict "
            f"{shown_name(schema.target)}",
            f"network of {'-'.join(map(str, network.widths))} units, {how}",
            f"{counted(training.networks, 'network')} for each "
            f"{candidate_noun(pipeline.settings)}, on resamples that "
            f"validate on {percent(training.validation_share)} of these rows, at most "
            f"{counted(training.epochs, 'epoch')}, {batches_in_words(pipeline.settings)}, seed "
            f"{training.seed}",
            *(
                f"{escape(candidate.optimizer)}: {escape(settings)}"
                for candidate, settings in zip(candidates, hyperparameters, strict=True)
            ),
        ]
    )


def curves_note(training_rows: int) -> list[str]:
    """Say that the curves of training rows are those of some rows, where there are many."""
    if training_rows <= LEAST_FIGURE_ROWS:
        return []
    return [
        "The figures on training rows are those of as many rows as a network validates on, or of "
        f"{LEAST_FIGURE_ROWS:,} if these are fewer."
    ]


def _trained(refitted: Refitted, ensemble: str, rows: int) -> str:
    """Say for how long the model was trained, and on what."""
    if ensemble == "resamples":
        return (
            f"each trained on its resample up to its best epoch, of which the median is "
            f"{refitted.epochs:,}"
        )
    return f"{counted(refitted.epochs, 'epoch')} on all {rows:,} training rows"


def _which_networks(ensemble: str, started: int, kept: int) -> str:
    """Say of how many networks the model consists."""
    if ensemble == "none":
        return f"the one of {started:,} with the lowest training loss"
    if kept == 1:
        return f"one of {started:,}"
    return f"an ensemble of {kept:,}, whose probabilities are averaged"
