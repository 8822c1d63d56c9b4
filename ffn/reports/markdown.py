"""A retraining in Markdown: the one source of the dashboard's and the HTML's words.

Foreign text goes through ``escape``, figures through ``interval``; all intervals are 95 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ffn.models.evaluation import Evaluation
from ffn.models.pipeline import Pipeline
from ffn.models.retraining import Prepared, Refitted
from ffn.models.selection import Candidate, Selection
from ffn.models.serialisation import Version
from ffn.models.statistics import wilson
from ffn.reports.canvas import middle_cut
from ffn.reports.escaping import escape
from ffn.reports.numbers import NOTHING, interval, p_value, seconds
from ffn.reports.tables import table
from ffn.reports.verdict import verdict_markdown

__all__ = ["leaderboard", "leaderboard_markdown", "retrain_markdown"]

# Longer names would push the figures off the screen.
_NAME_LETTERS = 60
_MISTAKES_NAMED = 5


def leaderboard(selection: Selection) -> list[dict[str, str]]:
    """Return the candidates as rows of a table, the lowest mean log-loss first.

    Loss and accuracy are means over the validation rows of the networks that finished.
    ``p (Holm)`` is the adjusted p-value of no difference to the first line.
    """
    tie = sum(line.tied for line in selection.leaderboard) > 1
    return [
        {
            "optimizer": escape(line.optimizer)
            + (" (chosen)" if line.optimizer == selection.winner else ""),
            "log-loss": interval(line.loss),
            "accuracy": interval(line.accuracy),
            "p (Holm)": NOTHING if place == 0 else p_value(line.p_value),
            "tie": "yes" if tie and line.tied else "no",
            "finished": f"{line.finished:,} of {line.networks:,}",
            "seconds": seconds(line.seconds),
        }
        for place, line in enumerate(selection.leaderboard)
    ]


def leaderboard_markdown(selection: Selection) -> str:
    """Return the leaderboard as a Markdown table with what its columns mean."""
    return (
        f"{table(leaderboard(selection))}\n\n"
        "Means over the networks that finished, each on the validation rows of its own resample "
        "of the training part; log-loss in nats a row. 95 % intervals and p by Nadeau and Bengio, "
        "who allow for the rows that resamples share; p is of no difference in log-loss to the "
        "first line, adjusted by Holm for all pairs."
    )


def retrain_markdown(
    *,
    pipeline: Pipeline,
    version: Version,
    prepared: Prepared,
    candidates: Sequence[Candidate],
    selection: Selection,
    refitted: Refitted,
    evaluation: Evaluation,
    pictures: Mapping[str, str],
    files: Mapping[str, Path],
) -> str:
    """Return the report of a retraining: the verdict in words, then what it rests on.

    Parameters
    ----------
    pictures
        Addresses of the pictures ``curves`` and ``confusion``: file names or data URIs.
    files
        What else is worth opening, by a word or two.
    """
    notices = _notices(prepared, candidates, refitted)
    sections = [
        f"# {escape(pipeline.name)}: version {version.number}",
        _verdict(prepared, selection, evaluation),
        "## Gate",
        verdict_markdown(version.verdict, version.number),
        "## Leaderboard",
        leaderboard_markdown(selection),
        "## Learning curves",
        f"![Loss and accuracy per epoch for each optimizer]({pictures['curves']})",
        "## Held-out rows",
        _held_out(prepared, evaluation),
        table(_class_rows(evaluation)),
        "Recall: share of the class's rows that were found. Precision: share of the rows called "
        "so that are.",
        "## Confusion matrix",
        f"![Counts of held-out rows by label and prediction]({pictures['confusion']})",
        _mistakes(evaluation),
        *(["## Notices", _bullets(notices)] if notices else []),
        "## What was trained",
        _training(pipeline, prepared, candidates, refitted),
        "## Files",
        _bullets(
            [
                f"bundle: {escape(version.bundle)} (SHA-256 {version.sha256})",
                *(f"{escape(what)}: {escape(path)}" for what, path in files.items()),
            ]
        ),
    ]
    return "\n\n".join(sections) + "\n"


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _name(name: str) -> str:
    return escape(middle_cut(name, _NAME_LETTERS))


def _verdict(prepared: Prepared, selection: Selection, evaluation: Evaluation) -> str:
    """Say how good the model is, beside the answer that needs none, and why it was chosen."""
    usual = int(np.bincount(prepared.labels_train).argmax())
    usual_right = evaluation.classes[usual].rows
    reached = wilson(usual_right, evaluation.rows)
    doubt = (
        " **The interval includes that share: this model has not been shown to know more.**"
        if evaluation.accuracy.low <= reached.value
        else ""
    )
    return (
        f"**{_upper(escape(selection.winner))} was chosen; it gets {evaluation.correct:,} of "
        f"{evaluation.rows:,} held-out rows right: accuracy {interval(evaluation.accuracy)}.** "
        f"Always answering {_name(evaluation.classes[usual].name)}, the most frequent class in "
        f"training, gets {usual_right:,} right: {interval(reached)}.{doubt}\n\n"
        f"Why this optimizer: {escape(selection.reason)}"
    )


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _held_out(prepared: Prepared, evaluation: Evaluation) -> str:
    return (
        f"{evaluation.rows:,} rows on which nothing was fitted, tuned or chosen, beside "
        f"{len(prepared.x_train):,} to train on. Accuracy {interval(evaluation.accuracy)}, "
        f"log-loss {interval(evaluation.log_loss)} nats a row, with 95 % intervals as "
        "everywhere here; that of the log-loss is approximate."
    )


def _class_rows(evaluation: Evaluation) -> list[dict[str, str]]:
    return [
        {
            "class": _name(figures.name),
            "rows": f"{figures.rows:,}",
            "recall": interval(figures.recall),
            "precision": interval(figures.precision),
        }
        for figures in evaluation.classes
    ]


def _mistakes(evaluation: Evaluation) -> str:
    """Say which confusions were the most frequent."""
    names = [_name(figures.name) for figures in evaluation.classes]
    wrong = sorted(
        (-count, label, prediction)
        for label, row in enumerate(evaluation.confusion)
        for prediction, count in enumerate(row)
        if count and label != prediction
    )
    if not wrong:
        return "No mistake."
    lines = [
        f"{-count:,} of {evaluation.classes[label].rows:,} {names[label]} "
        f"called {names[prediction]}"
        for count, label, prediction in wrong[:_MISTAKES_NAMED]
    ]
    others = sum(-count for count, *_ in wrong[_MISTAKES_NAMED:])
    if others:
        lines.append(f"{others:,} other mistake{'s' if others > 1 else ''}")
    return (
        "Classes are in the order of the table above. Mistakes, the most frequent first:\n\n"
        + _bullets(lines)
    )


def _notices(prepared: Prepared, candidates: Sequence[Candidate], refitted: Refitted) -> list[str]:
    """Return what the data and the training gave to remark."""
    lines = [escape(notice) for notice in prepared.notices]
    histories = [(candidate.optimizer, candidate.history) for candidate in candidates]
    for what, history in [*histories, ("The chosen one on all training rows", refitted.history)]:
        reasons = [reason for reason in history.diverged if reason is not None]
        if reasons:
            lines.append(
                f"{escape(what)}: {len(reasons):,} of {len(history.diverged):,} networks "
                f"diverged (the first: {escape(reasons[0])})."
            )
    return lines


def _training(
    pipeline: Pipeline, prepared: Prepared, candidates: Sequence[Candidate], refitted: Refitted
) -> str:
    schema, network = prepared.schema, refitted.bundle.network
    started, kept = len(refitted.history.diverged), len(network.parameters)
    which = (
        f"the one of {started:,} with the lowest training loss"
        if kept == 1
        else f"an ensemble of {kept:,}, whose probabilities are averaged"
    )
    hyperparameters = (
        ", ".join(f"{key} {value}" for key, value in candidate.hyperparameters.items())
        for candidate in candidates
    )
    return _bullets(
        [
            f"{escape(pipeline.settings.data.source)} (SHA-256 {prepared.source_sha256}): "
            f"{len(prepared.x_train) + len(prepared.x_test):,} rows, "
            f"{len(schema.features):,} features to predict {_name(schema.target)}",
            f"network of {'-'.join(map(str, network.widths))} units, "
            f"{refitted.epochs:,} epochs on all {len(prepared.x_train):,} training rows: {which}",
            *(
                f"{escape(candidate.optimizer)}: {escape(settings)}"
                for candidate, settings in zip(candidates, hyperparameters, strict=True)
            ),
        ]
    )
