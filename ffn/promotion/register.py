"""Register the result of a retraining as an immutable version, and promote it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from ffn.bundles.bundle import BUNDLE_FOLDER, Bundle, read_bundle, write_bundle
from ffn.errors import BundleError
from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.promotion.verdict import VERDICT_FILE, Verdict
from ffn.registry.actor import Actor, this_process
from ffn.registry.pointer import promote
from ffn.registry.provenance import PROVENANCE, provenance
from ffn.registry.versions import add_version, production_version, version_folder
from ffn.settings.pipeline import Pipeline
from ffn.storage.atomic import write_bytes
from ffn.storage.documents import write_json
from ffn.tabular.seasonal.season_counts import (
    SeasonColumn,
    days_of,
    units_by_month,
    weeks_of,
)
from ffn.tabular.text_encoding.text_signals import text_signals
from ffn.tabular.training_table.histograms import Histogram, histogram_of
from ffn.training.retrained import Retrained
from ffn.training.selection.candidate import Candidate
from ffn.training.steps import Prepared, Refitted

__all__ = ["CARD_FILE", "Version", "bundle_of", "jsonable", "promote_version", "serialise"]

CARD_FILE = "model_card.md"
_ROWS_AT_ONCE = 2**16


@dataclass(frozen=True, kw_only=True)
class Version:
    """A registered version of a pipeline's model.

    Attributes
    ----------
    number
        Number in the registry, from 1.
    bundle
        Folder of its bundle.
    sha256
        SHA-256 of the bundle's manifest.
    verdict
        The gate's decision.
    """

    number: int
    bundle: Path
    sha256: str
    verdict: Verdict


def serialise(
    retrained: Retrained,
    judge: Callable[[Path], Verdict],
    describe: Callable[[Path, Verdict], str],
    *,
    by: Actor | None = None,
    seconds: float | None = None,
) -> Version:
    """Write bundle, metrics, provenance and verdict as a new version.

    The bundle is read back and has to have the same network and preparation, to the bit, or there
    is no version. The version does not score before `promote_version`.

    Parameters
    ----------
    retrained
        Results of all steps of the retraining.
    judge
        Called with the version's folder once everything else is in it, before it is numbered;
        returns the verdict.
    describe
        Called with the folder and the verdict; returns the model card in Markdown.
    by
        Who or what retrains; by default this process.
    seconds
        Wall time of the retraining so far, recorded in the provenance; None if not measured.

    Raises
    ------
    BundleError
        The bundle that was read back differs from the one that was written.
    """
    pipeline, prepared, refitted = retrained.pipeline, retrained.prepared, retrained.refitted
    bundle = bundle_of(prepared, refitted, retrained.evaluation)
    digests: list[str] = []
    verdicts: list[Verdict] = []

    def fill(folder: Path) -> None:
        bundle_folder = folder / BUNDLE_FOLDER
        bundle_folder.mkdir()
        digests.append(write_bundle(bundle, bundle_folder))
        _check_written(bundle, bundle_folder)
        write_json(folder / "metrics.json", _metrics(retrained))
        write_bytes(folder / "history.safetensors", _history(retrained.candidates, refitted))
        made = provenance(pipeline, prepared, by or this_process(), seconds)
        write_json(folder / PROVENANCE, made)
        verdicts.append(judge(folder))
        write_json(folder / VERDICT_FILE, jsonable(verdicts[0]))
        write_bytes(folder / CARD_FILE, describe(folder, verdicts[0]).encode())

    number = add_version(pipeline.artifacts, fill)
    return Version(
        number=number,
        bundle=version_folder(pipeline.artifacts, number) / BUNDLE_FOLDER,
        sha256=digests[0],
        verdict=verdicts[0],
    )


def bundle_of(prepared: Prepared, refitted: Refitted, evaluation: HeldOutEvaluation) -> Bundle:
    """Return the bundle of a version: the model, with its reference for drift detection.

    Parameters
    ----------
    prepared
        Inputs of the retraining.
    refitted
        The model.
    evaluation
        Its figures on the held-out rows.
    """
    reference = dataclasses.replace(prepared.reference, predicted=evaluation.predicted)
    reference = dataclasses.replace(reference, texts=_texts_of(refitted.bundle, prepared.x_test))
    seasons, times = reference.seasons, prepared.held_out.times
    if seasons is not None and times is not None:
        days = days_of(times)
        predicted = _predicted(refitted.bundle, prepared.x_test)
        seasons = dataclasses.replace(
            seasons,
            predicted=SeasonColumn.learn(predicted, len(prepared.schema.classes), days),
            predicted_days=units_by_month(days, np.asarray),
            predicted_weeks=units_by_month(days, weeks_of),
        )
        reference = dataclasses.replace(reference, seasons=seasons)
    return dataclasses.replace(refitted.bundle, reference=reference)


def _texts_of(bundle: Bundle, x: Any) -> tuple[Histogram, ...]:
    """Return the histograms of the texts of inputs [m, n_in]; none without texts."""
    encoding = bundle.preparation.texts
    if encoding is None:
        return ()
    parts = [
        text_signals(encoding, x[start : start + _ROWS_AT_ONCE])
        for start in range(0, len(x), _ROWS_AT_ONCE)
    ]
    signals = np.concatenate(parts)
    if np.isnan(signals).all(axis=0).any():
        # No held-out row has a text in a column, so nothing can be compared with it.
        return ()
    return tuple(histogram_of(column) for column in signals.T)


def _predicted(bundle: Bundle, x: Any) -> Any:
    """Return the predicted classes [m] of inputs [m, n_in]."""
    starts = range(0, len(x), _ROWS_AT_ONCE)
    answers = (bundle.probabilities(x[start : start + _ROWS_AT_ONCE]) for start in starts)
    return np.concatenate([bundle.rule.labels(own) for own in answers])


def promote_version(pipeline: Pipeline, version: Version, by: Actor | None = None) -> Version:
    """Put a version into production if its verdict says so, and record the reason in the history.

    A verdict is valid only against the version it was compared with. If another version was
    promoted in the meantime, nothing is promoted, and the returned version has a verdict that says
    so.

    Parameters
    ----------
    pipeline
        The pipeline that the version belongs to.
    version
        The version with its verdict.
    by
        Who or what promotes; by default this process.

    Raises
    ------
    RegistryError
        The version no longer exists.
    """
    verdict = version.verdict
    if not verdict.promote:
        return version
    always = verdict.mode == "always"
    done = promote(
        pipeline.artifacts,
        version.number,
        reason=f"retrained; {verdict.reason}",
        replacing="any" if always else verdict.production or "none",
        by=by,
    )
    if done:
        return version
    other = production_version(pipeline.artifacts)
    reason = f"version {other} was promoted while this one was being judged"
    return dataclasses.replace(
        version,
        verdict=dataclasses.replace(verdict, promote=False, reason=reason, production=other),
    )


def jsonable(value: Any) -> Any:
    """Return dataclasses, tuples and NumPy numbers as JSON values; NaN and infinity become null.

    Parameters
    ----------
    value
        Any nesting of dataclasses, mappings, sequences, strings, numbers and None.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # Fields that were added later are left out at their default: equal results, equal files.
        return {
            f.name: jsonable(getattr(value, f.name))
            for f in dataclasses.fields(value)
            if not (f.metadata.get("omitted") and getattr(value, f.name) == f.default)
        }
    if isinstance(value, dict):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _check_written(bundle: Bundle, folder: Path) -> None:
    again = read_bundle(folder)
    kept, made = again.preparation.to_arrays(), bundle.preparation.to_arrays()
    same = again.network.widths == bundle.network.widths and kept.keys() == made.keys()
    pairs = [(again.network.parameters, bundle.network.parameters)]
    pairs += [(kept[name], made[name]) for name in made if same]
    if not (same and all(np.array_equal(*pair) for pair in pairs)):
        raise BundleError(
            f"{folder}: the bundle that was read back is not the model that was trained; the disk "
            "may be failing. Nothing was registered."
        )


def _metrics(retrained: Retrained) -> dict[str, Any]:
    test, chosen = jsonable(retrained.evaluation), retrained.refitted.decision
    # What is not used is absent, as it was before there were decision rules.
    figures = test.pop("decision", None)
    decision = {}
    if chosen is not None:
        origin = {"source": chosen.source, "metric": chosen.metric, "rows": chosen.rows}
        if chosen.coverage is not None:
            origin |= {"coverage": chosen.coverage, "calibration_rows": chosen.calibration_rows}
        decision = {"decision": {"rule": chosen.rule.to_json(), **origin, "test": figures}}
    return {
        **decision,
        "epochs": retrained.refitted.epochs,
        "learning_rate": retrained.refitted.learning_rate,
        "examination": jsonable(retrained.examination),
        "selection": jsonable(retrained.selection),
        "temperature": jsonable(retrained.refitted.temperature),
        "test": test,
    }


def _history(candidates: Sequence[Candidate], refitted: Refitted) -> bytes:
    """Return the learning curves [epochs, K] of the candidates and the refit as safetensors."""
    curves = {}
    for name, history in [
        *((candidate.optimizer, candidate.history) for candidate in candidates),
        ("refit", refitted.history),
        *([("student", refitted.student.history)] if refitted.student else []),
    ]:
        for figure in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
            curves[f"{name}.{figure}"] = np.ascontiguousarray(getattr(history, figure))
    return safetensors.numpy.save(curves)
