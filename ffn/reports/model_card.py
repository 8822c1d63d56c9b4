"""The model card of a version: what it is for, what it was made of, how good it is, its limits.

The headings are those of Mitchell and others 2019, "Model Cards for Model Reporting", as far as
a table of rows has something to say under them.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ffn.bundles.bundle import BUNDLE_FOLDER, MANIFEST
from ffn.errors import one_line
from ffn.promotion.verdict import Verdict
from ffn.quantities import counted, more, percent
from ffn.reports.baselines_section import accuracy_doubt, baselines_markdown
from ffn.reports.held_out import (
    calibration_markdown,
    class_table,
    figure_table,
    importance_markdown,
    shown_name,
    temperature_markdown,
)
from ffn.reports.markup.escaping import escape
from ffn.reports.markup.tables import bullets, table
from ffn.reports.retraining_page import leaderboard_markdown, remarks, upper, without_label
from ffn.tabular.schema import Feature
from ffn.training.retrained import Retrained
from ffn.training.steps import Prepared, Refitted

__all__ = ["model_card"]

_FEATURES = 50
_CATEGORIES = 12
# With fewer held-out rows a class's recall is known to a third of the scale at best.
_FEW_ROWS = 30


def model_card(
    folder: Path,
    verdict: Verdict,
    *,
    retrained: Retrained,
) -> str:
    """Return the card of a version in Markdown.

    Parameters
    ----------
    folder
        Of the version, with its bundle and ``provenance.json``.
    verdict
        The gate's, the canary included.
    """
    prepared, evaluation = retrained.prepared, retrained.evaluation
    examination, refitted = retrained.examination, retrained.refitted
    provenance = json.loads((folder / "provenance.json").read_bytes())
    sha256 = hashlib.sha256((folder / BUNDLE_FOLDER / MANIFEST).read_bytes()).hexdigest()
    target = shown_name(prepared.schema.target)
    sections = [
        f"# Model card: {escape(retrained.pipeline.name)}",
        f"The version is the number of the folder that this card stands in. Its bundle has the "
        f"SHA-256 {sha256}. The figures are those of `metrics.json` and `verdict.json` beside it; "
        "intervals are of 95 %.",
        "## Model",
        _model(prepared, refitted),
        "## Intended use",
        f"To give rows of a table one of {len(prepared.schema.classes):,} labels for {target}, "
        "with a probability for each: rows that come about as those of the training table did, "
        "measured in the same way and the same units. It is not meant for rows of another "
        "origin, for values far outside the ranges below, or for a class that training did not "
        "have: it answers there too, and is not shown to be right. Nothing is known of what a "
        "mistake costs where it is used; who uses it has to weigh that.",
        _features(prepared.schema.features),
        "## Data",
        _data(retrained, provenance),
        "## Procedure",
        _procedure(retrained),
        temperature_markdown(refitted.temperature, examination.temperature),
        leaderboard_markdown(retrained.selection),
        "## Figures",
        f"On {counted(evaluation.rows, 'held-out row')} on which nothing was fitted, tuned or "
        "chosen, looked at once in this retraining.",
        figure_table(evaluation),
        class_table(evaluation),
        "## Calibration",
        calibration_markdown(evaluation.calibration),
        "## Beside simpler models",
        baselines_markdown(examination.baselines, examination.rows, evaluation.rows),
        "## Features",
        importance_markdown(examination.importance),
        "## Gate",
        escape(_decision(verdict)),
        "## Limits",
        bullets(_limits(retrained)),
        "## How to rebuild it",
        _rebuild(retrained.pipeline.name, provenance, sha256),
    ]
    return "\n\n".join(sections) + "\n"


def _model(prepared: Prepared, refitted: Refitted) -> str:
    network = refitted.bundle.network
    kept = len(network.parameters)
    count = "One feed-forward network" if kept == 1 else f"{kept:,} feed-forward networks, averaged"
    return (
        f"{count}: {'-'.join(map(str, network.widths))} units, ReLU between and softmax at the "
        f"end, {network.parameters.shape[1]:,} parameters, trained with "
        f"{escape(refitted.bundle.optimizer)} for {counted(refitted.epochs, 'epoch')}. Numbers are "
        "standardised, gaps filled with the median and marked by an input of their own where "
        "training had some; categories are one-hot; all of it learnt "
        f"from the {len(prepared.x_train):,} training rows."
    )


def _features(features: Sequence[Feature]) -> str:
    rows = [
        {
            "feature": shown_name(feature.name),
            "kind": feature.kind,
            "in training": _range(feature),
            "may be missing": "yes" if feature.missing else "no",
        }
        for feature in features[:_FEATURES]
    ]
    hidden = len(features) - len(rows)
    return table(rows, left=4) + (f"\n\nAnd {more(hidden, 'feature')}." if hidden else "")


def _range(feature: Feature) -> str:
    if feature.kind == "numeric":
        written = f", written as {shown_name(feature.format)}" if feature.format else ""
        return f"{feature.minimum:g} to {feature.maximum:g}{written}"
    shown = ", ".join(map(shown_name, feature.categories[:_CATEGORIES]))
    hidden = len(feature.categories) - _CATEGORIES
    return f"{shown} and {counted(hidden, 'other')}" if hidden > 0 else shown


def _data(retrained: Retrained, provenance: dict[str, Any]) -> str:
    prepared = retrained.prepared
    counts = np.bincount(prepared.labels_train, minlength=len(prepared.schema.classes))
    shares = ", ".join(
        f"{shown_name(name)} {int(count):,}"
        for name, count in list(zip(prepared.schema.classes, counts, strict=True))[:_CATEGORIES]
    )
    hidden = len(counts) - _CATEGORIES
    rows = provenance["rows"]
    training = retrained.pipeline.settings.training
    others = f", {counted(hidden, 'other')}" if hidden > 0 else ""
    return bullets(
        [
            f"{escape(provenance['source'])}, SHA-256 {provenance['source_sha256']}: "
            f"{counted(rows['train'] + rows['test'], 'labelled row')}{without_label(prepared)}",
            f"held out: {counted(rows['test'], 'row')}, {percent(training.test_share)} of each "
            "class, in the order of a hash of their content, so that a row stays on its side "
            "as the table grows",
            f"trained on: {counted(rows['train'], 'row')} ({shares}{others})",
            "the bundle holds a fingerprint of every row it was trained on",
        ]
    )


def _procedure(retrained: Retrained) -> str:
    training, optimizers = retrained.pipeline.settings.training, len(retrained.candidates)
    who = "One optimizer" if optimizers == 1 else f"Each of {optimizers:,} optimizers"
    return (
        f"{who} trained {counted(training.networks, 'network')} on resamples of the training rows "
        f"({percent(training.validation_share)} of them to validate on), "
        f"{counted(training.epochs, 'epoch')} at most, batches of "
        f"{counted(training.batch_size, 'row')}, seed {training.seed}. "
        f"{upper(escape(retrained.selection.reason))} The winner was trained anew on all training "
        f"rows, {counted(len(retrained.refitted.history.diverged), 'time')}."
    )


def _decision(verdict: Verdict) -> str:
    decided = "It was to be promoted" if verdict.promote else "It was kept back"
    beside = f" beside version {verdict.production} in production" if verdict.production else ""
    return f"{decided}{beside}: {verdict.reason}."


def _limits(retrained: Retrained) -> list[str]:
    """Return what the figures do not say, and what they say against the model."""
    evaluation = retrained.evaluation
    few = [shown_name(c.name) for c in evaluation.classes if c.rows < _FEW_ROWS]
    lines = [
        "Rows are taken to be independent. If they come in series (days, patients, devices), all "
        "intervals are too narrow.",
        "The figures hold for rows like those of the table. They say nothing of other places and "
        "later times; look at them again with new labels.",
        "What the features are worth describes this model and not the causes of the label.",
    ]
    if doubt := accuracy_doubt(retrained.examination.baselines):
        lines.append(doubt)
    if few:
        shown = ", ".join(few[:_CATEGORIES]) + (" and others" if len(few) > _CATEGORIES else "")
        lines.append(
            f"Fewer than {_FEW_ROWS} held-out rows: {shown}. See how wide their intervals are."
        )
    if evaluation.calibration.shown_wrong:
        lines.append("Its confidences are not calibrated; see above.")
    return lines + remarks(retrained)


def _rebuild(pipeline: str, provenance: dict[str, Any], sha256: str) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in provenance["packages"].items())
    return (
        f"With the data of the digest above and the settings in `provenance.json`, Python "
        f"{provenance['python']}, {escape(packages)}, code of SHA-256 "
        f"{provenance['code_sha256']}, on {escape(provenance['machine'])}:\n\n"
        f"    ffn retrain {shlex.quote(one_line(pipeline))} --force\n\n"
        f"The bundle's SHA-256 comes out as {sha256} again, with or without Prefect, in threads or "
        "processes. On another kind of processor the last digits may differ."
    )
