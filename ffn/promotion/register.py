"""From a finished retraining to an immutable version on disk."""

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
from ffn.promotion.verdict import VERDICT_FILE, Verdict
from ffn.registry.actor import Actor, this_process
from ffn.registry.pointer import promote
from ffn.registry.provenance import PROVENANCE, provenance
from ffn.registry.versions import add_version, production_version, version_folder
from ffn.settings.pipeline import Pipeline
from ffn.storage.atomic import write_bytes
from ffn.storage.documents import write_json
from ffn.training.retrained import Retrained
from ffn.training.selection import Candidate
from ffn.training.steps import Prepared, Refitted

__all__ = ["CARD_FILE", "Version", "jsonable", "promote_version", "serialise"]

CARD_FILE = "model_card.md"
_ROWS_AT_ONCE = 2**16


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of a pipeline's model: its number, its bundle's folder and SHA-256, its verdict."""

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
    """Write the bundle, its figures, its provenance and its verdict as a new version.

    The bundle is read back and has to give the same probabilities for the training rows
    before the version counts. It does not score before ``promote_version``.

    Parameters
    ----------
    retrained
        What the steps found.
    judge
        Called with the folder when all else is in it, and before it has its number; returns
        the verdict.
    describe
        Called with the folder and the verdict; returns the model card.
    by
        Who or what retrains; by default this process.
    seconds
        Wall time of the retraining so far.

    Raises
    ------
    BundleError
        What was read back is not what was written.
    """
    pipeline, prepared, refitted = retrained.pipeline, retrained.prepared, retrained.refitted
    bundle = dataclasses.replace(
        refitted.bundle,
        reference=dataclasses.replace(prepared.reference, predicted=retrained.evaluation.predicted),
    )
    digests: list[str] = []
    verdicts: list[Verdict] = []

    def fill(folder: Path) -> None:
        bundle_folder = folder / BUNDLE_FOLDER
        bundle_folder.mkdir()
        digests.append(write_bundle(bundle, bundle_folder))
        _check_written(bundle, bundle_folder, prepared)
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


def promote_version(pipeline: Pipeline, version: Version, by: Actor | None = None) -> Version:
    """Make a version the one that scores if its verdict says so, with the reason in the history.

    A verdict holds against the version that it was found against. Where another run was
    promoted meanwhile, the version that is returned has a verdict that says so.

    Raises
    ------
    RegistryError
        The version is not there any more.
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
    reason = f"version {other} was promoted while this one was judged"
    return dataclasses.replace(
        version,
        verdict=dataclasses.replace(verdict, promote=False, reason=reason, production=other),
    )


def jsonable(value: Any) -> Any:
    """Return dataclasses, tuples and numbers as JSON has them; not finite becomes null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: jsonable(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _check_written(bundle: Bundle, folder: Path, prepared: Prepared) -> None:
    again, x = read_bundle(folder), prepared.x_train
    parts = (x[start : start + _ROWS_AT_ONCE] for start in range(0, len(x), _ROWS_AT_ONCE))
    if not all(np.array_equal(again.probabilities(p), bundle.probabilities(p)) for p in parts):
        raise BundleError(
            f"{folder}: the bundle read back does not predict what the trained network does; "
            "the disk may be failing. Nothing was registered."
        )


def _metrics(retrained: Retrained) -> dict[str, Any]:
    return {
        "epochs": retrained.refitted.epochs,
        "examination": jsonable(retrained.examination),
        "selection": jsonable(retrained.selection),
        "temperature": jsonable(retrained.refitted.temperature),
        "test": jsonable(retrained.evaluation),
    }


def _history(candidates: Sequence[Candidate], refitted: Refitted) -> bytes:
    """Return every candidate's curves [epochs, K], and the refit's, as safetensors."""
    curves = {}
    for name, history in [
        *((candidate.optimizer, candidate.history) for candidate in candidates),
        ("refit", refitted.history),
    ]:
        for figure in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
            curves[f"{name}.{figure}"] = np.ascontiguousarray(getattr(history, figure))
    return safetensors.numpy.save(curves)
