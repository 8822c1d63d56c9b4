"""The model card of a version: intended use, training data, metrics and limitations.

The headings follow Mitchell et al. 2019, "Model Cards for Model Reporting", as far as they apply
to tabular data.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ffn.auditing.audit_text import unseen_rows_sentence
from ffn.bundles.bundle import BUNDLE_FOLDER, MANIFEST
from ffn.distillation.student_words import learnt_from, teachers_in_words
from ffn.errors import one_line
from ffn.evaluation.missed_classes import missed_classes
from ffn.promotion.verdict import Verdict
from ffn.quantities import counted, more, percent
from ffn.reports.baselines_section import accuracy_doubt, baselines_markdown
from ffn.reports.decision_section import decision_sections
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
from ffn.reports.retraining_page import (
    leaderboard_markdown,
    remarks,
    upper,
    without_label,
)
from ffn.reports.slices.slices_section import slice_sections
from ffn.search.search_words import batches_in_words, candidate_noun
from ffn.tabular.cell_forms import held_in
from ffn.tabular.schema import Feature
from ffn.training.retrained import Retrained
from ffn.training.steps import Prepared, Refitted

__all__ = ["model_card"]

_FEATURES = 50
_CATEGORIES = 12
# With fewer held-out rows the interval of a class's recall can be a third of the scale wide.
_FEW_ROWS = 30


def model_card(
    folder: Path,
    verdict: Verdict,
    *,
    retrained: Retrained,
) -> str:
    """Return the model card of a version in Markdown.

    Parameters
    ----------
    folder
        Folder of the version, which holds its bundle and ``provenance.json``.
    verdict
        The gate's decision, with the result of the canary.
    retrained
        Results of all steps of the retraining.
    """
    prepared, evaluation = retrained.prepared, retrained.evaluation
    examination, refitted = retrained.examination, retrained.refitted
    provenance = json.loads((folder / "provenance.json").read_bytes())
    sha256 = hashlib.sha256((folder / BUNDLE_FOLDER / MANIFEST).read_bytes()).hexdigest()
    target = shown_name(prepared.schema.target)
    missed = missed_classes(evaluation.classes)
    sections = [
        f"# Model card: {escape(retrained.pipeline.name)}",
        *([f"**Warning: this version {escape(missed)}.**"] if missed else []),
        f"The version number is the name of the folder that holds this card. Bundle SHA-256: "
        f"{sha256}. The figures come from `metrics.json` and `verdict.json` in the same folder; "
        "all intervals are 95 % confidence intervals.",
        "## Model",
        _model(prepared, refitted),
        "## Intended use",
        f"The model classifies rows of a table: it predicts one of "
        f"{len(prepared.schema.classes):,} labels for {target}, with a probability for each. It "
        "is meant for rows from the same source as the training table, measured in the same way "
        "and in the same units. It is not meant for rows from another source, for values far "
        "outside the ranges below, or for classes that were not in the training table: it "
        "answers there, too, but its answers have not been validated. The cost of a mistake "
        "depends on the application and must be weighed by its user.",
        _features(prepared.schema.features),
        "## Data",
        _data(retrained, provenance),
        "## Training procedure",
        _procedure(retrained),
        temperature_markdown(
            refitted.temperature, examination.temperature, distilled=refitted.student is not None
        ),
        leaderboard_markdown(retrained.selection),
        "## Metrics",
        f"Measured on {evaluation.judges}. Nothing was fitted, tuned or "
        "chosen on them, and this retraining used them once.",
        figure_table(evaluation),
        class_table(evaluation.classes),
        *decision_sections(retrained),
        "## Calibration",
        calibration_markdown(evaluation.calibration),
        "## Baselines",
        baselines_markdown(examination.baselines, examination.rows, evaluation.rows),
        "## Feature importance",
        importance_markdown(examination.importance),
        *slice_sections(examination.slices),
        "## Gate",
        escape(_decision(verdict)),
        "## Limitations",
        bullets(_limits(retrained)),
        "## Reproducing the model",
        _rebuild(retrained.pipeline.name, provenance, sha256),
    ]
    return "\n\n".join(sections) + "\n"


def _model(prepared: Prepared, refitted: Refitted) -> str:
    network = refitted.bundle.network
    kept = len(network.parameters)
    count = "One feed-forward network" if kept == 1 else f"{kept:,} feed-forward networks, averaged"
    trained = (
        f"trained on the averaged probabilities of {teachers_in_words(student)}"
        if (student := refitted.student)
        else f"trained with {escape(refitted.bundle.optimizer)} for "
        f"{counted(refitted.epochs, 'epoch')}"
    )
    texts = (
        "; texts are encoded by their character n-grams (tf-idf, singular value decomposition)"
        if prepared.schema.texts
        else ""
    )
    return (
        f"{count}: {'-'.join(map(str, network.widths))} units, ReLU activations and a softmax "
        f"output, {network.parameters.shape[1]:,} parameters, {trained}. Numeric "
        "features are standardised; missing values are replaced by the median, with an indicator "
        f"input where training had any; categories are one-hot encoded{texts}. All of these "
        f"statistics come from the {len(prepared.x_train):,} training rows."
    )


def _features(features: Sequence[Feature]) -> str:
    rows = [
        {
            "feature": shown_name(feature.name),
            "kind": _kind(feature),
            "in training": _range(feature),
            "may be missing": "yes" if feature.missing else "no",
        }
        for feature in features[:_FEATURES]
    ]
    hidden = len(features) - len(rows)
    return table(rows, left=4) + (f"\n\nAnd {more(hidden, 'feature')}." if hidden else "")


def _kind(feature: Feature) -> str:
    plain = feature.form is None or feature.number_format is not None
    return feature.kind if plain else held_in(feature.form)


def _range(feature: Feature) -> str:
    low, high = feature.minimum, feature.maximum
    moments = feature.date_form or feature.clock_form
    if moments is not None and low is not None and high is not None:
        ends = f"{moments.written(low)} to {moments.written(high)}"
        return f"{ends}, written as {shown_name(feature.format or '')}"
    if feature.kind == "numeric":
        written = f", written as {shown_name(feature.format)}" if feature.format else ""
        return f"{feature.minimum:g} to {feature.maximum:g}{written}"
    if feature.kind == "text":
        return "texts"
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
            f"{counted(prepared.labelled, 'labelled row')}{without_label(prepared)}",
            escape(prepared.split.sentence())
            if prepared.split
            else f"held out: {counted(rows['test'], 'row')}, {percent(training.test_share)} of "
            "each class, chosen by a hash of their content, so that rows keep their side of the "
            "split as the table grows",
            *([f"held-out rows: SHA-256 {prepared.test_sha256}"] if prepared.test_sha256 else []),
            f"trained on: {counted(rows['train'], 'row')} ({shares}{others})",
            "the bundle holds a fingerprint of every training row",
        ]
    )


def _procedure(retrained: Retrained) -> str:
    settings, count = retrained.pipeline.settings, len(retrained.candidates)
    training, noun = settings.training, candidate_noun(settings)
    who = f"One {noun}" if count == 1 else f"Each of {count:,} {noun}s"
    return (
        f"{who} trained {counted(training.networks, 'network')} on resamples of the training rows "
        f"(validating on {percent(training.validation_share)} of them), for at most "
        f"{counted(training.epochs, 'epoch')}, in {batches_in_words(settings)}, with seed "
        f"{training.seed}. "
        f"{upper(escape(retrained.selection.reason))} {_made_of(retrained)}"
    )


def _made_of(retrained: Retrained) -> str:
    """Say what the model was made of once the optimizer was chosen."""
    refitted = retrained.refitted
    times = counted(len(refitted.history.diverged), "time")
    at = f"at the learning rate {refitted.learning_rate:g}"
    ensemble = retrained.pipeline.settings.ensemble
    if refitted.student is not None:
        where = f"on all training rows, {times}," if ensemble == "refitted" else "on resamples"
        return (
            f"The winner's networks were trained {where} {at}. The model is one network that "
            f"{learnt_from(refitted.student)}."
        )
    if ensemble == "resamples":
        members = counted(len(refitted.bundle.network.parameters), "network")
        return f"The model is the average of {members} that the winner trained on resamples {at}."
    return f"The winner was then refitted on all training rows, {times}, {at}."


def _decision(verdict: Verdict) -> str:
    decided = "The gate decided to promote it" if verdict.promote else "The gate did not promote it"
    over = f" over version {verdict.production} in production" if verdict.production else ""
    said = (verdict.warnings, unseen_rows_sentence(verdict.audit))
    return " ".join(filter(None, (f"{decided}{over}: {verdict.reason}.", *said)))


def _limits(retrained: Retrained) -> list[str]:
    """Return the general limitations of the figures, and what they show against the model."""
    evaluation = retrained.evaluation
    few = [shown_name(c.name) for c in evaluation.classes if c.rows < _FEW_ROWS]
    lines = [
        "Rows are assumed to be independent. If they are grouped (by day, patient or device), all "
        "intervals are too narrow.",
        "The figures hold for rows like those of the table. They may not hold for other places or "
        "later times; measure again with new labels.",
        "Feature importance describes this model, not the causes of the label.",
    ]
    if doubt := accuracy_doubt(retrained.examination.baselines):
        lines.append(doubt)
    if few:
        shown = ", ".join(few[:_CATEGORIES]) + (" and others" if len(few) > _CATEGORIES else "")
        lines.append(
            f"Classes with fewer than {_FEW_ROWS} held-out rows: {shown}. Their intervals are wide."
        )
    if evaluation.calibration.shown_wrong:
        lines.append("The model is not well calibrated; see Calibration.")
    return lines + remarks(retrained)


def _rebuild(pipeline: str, provenance: dict[str, Any], sha256: str) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in provenance["packages"].items())
    return (
        f"Use the data with the digest above, the settings in `provenance.json`, Python "
        f"{provenance['python']}, {escape(packages)} and the code with SHA-256 "
        f"{provenance['code_sha256']}. The model was trained on "
        f"{escape(provenance['machine'])}.\n\n"
        f"    ffn retrain {shlex.quote(one_line(pipeline))} --force\n\n"
        f"The new bundle has the same SHA-256, {sha256}, with or without Prefect, in threads or "
        "processes. On another processor the last digits of the parameters may differ."
    )
