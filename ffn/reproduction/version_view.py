"""The view of a finished version: its recorded curves, and its network on its own rows."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from ffn.bundles.bundle import Bundle
from ffn.bundles.contents import read_contents, read_registered, registered_bytes
from ffn.errors import FFNError, RegistryError
from ffn.registry.production_bundle import version_bundle
from ffn.registry.provenance import PROVENANCE
from ffn.registry.versions import require_version
from ffn.reproduction.recorded_tables import put_tables, recorded_pipeline, recorded_settings
from ffn.settings.pipeline import Pipeline
from ffn.storage.atomic import staging_folder, sweep
from ffn.training.tables.loading import load
from ffn.training.tables.splitting import split
from ffn.watching.class_map import class_map, principal_plane
from ffn.watching.live_view import MAP_HEIGHT, MAP_WIDTH, map_note, rows_note
from ffn.watching.observation import LayerFigures, Sample, layer_figures, sample_of
from ffn.watching.snapshots import REFITTING, Curve
from ffn.watching.view import TrainingView, View

__all__ = ["version_view"]

Array = npt.NDArray[Any]

_HISTORY = "history.safetensors"
_STUDENT = "student"


def version_view(pipeline: Pipeline, version: int) -> View:
    """Return how the networks of a version learned, and what the one that was kept answers.

    The rows are read from the table that was kept, or from the training CSV if it still is that
    table, into a folder that is removed afterwards. Without them there are only the curves.

    Parameters
    ----------
    pipeline
        The pipeline, whose present settings are not used.
    version
        Number in the registry.

    Raises
    ------
    RegistryError
        There is no such version, or its learning curves are missing or damaged.
    BundleError
        Its bundle is damaged.
    """
    artifacts = pipeline.artifacts
    folder = require_version(artifacts, version)
    read_contents(folder, pipeline=artifacts.name, version=version)
    curves = _curves(folder, version)
    metrics = read_registered(folder, "metrics.json")
    bundle = version_bundle(artifacts, version)
    title = f"{artifacts.name}, version {version}: {bundle.optimizer}"
    found, notes = _rows(pipeline, folder, bundle), []
    layers: tuple[LayerFigures, ...] = ()
    rates = _rates(metrics)
    names = [*(name for name in rates if name in curves), REFITTING, _STUDENT]
    names = [name for name in names if name in curves]
    kept = names[-1]
    picture = None
    if isinstance(found, str):
        notes.append(f"no map, gradients and dead units, because {found}")
    else:
        sample, rows = found
        plane = principal_plane(sample)
        layers = tuple(layer_figures(bundle.network, sample))
        picture = class_map(bundle.network, plane, sample, width=MAP_WIDTH, height=MAP_HEIGHT)
        notes += [map_note(plane), rows_note(len(sample.x), rows)]
    if len(bundle.network.parameters) > 1:
        notes.append(
            f"{len(bundle.network.parameters):,} networks: the map is of their average, gradients "
            "are the median, dead units the sum"
        )
    temperature = metrics.get("temperature") or {}
    if temperature.get("applied"):
        notes.append(
            f"the scores of the network are divided by the temperature {temperature['value']:.3g}, "
            "so its gradients are not those of the last epoch"
        )
    rates |= {REFITTING: metrics.get("learning_rate", math.nan)}
    return View(
        title=title,
        trainings=[
            _training(name, curves[name], rates.get(name, math.nan), layers if name == kept else ())
            for name in names
        ],
        classes=bundle.schema.classes,
        shown=kept if picture else "",
        map=picture,
        notes=notes,
    )


def _curves(folder: Path, version: int) -> dict[str, tuple[Array, Array]]:
    """Return losses on training and validation rows [epochs, K] by the name of the training."""
    content = registered_bytes(folder, _HISTORY)
    problem = f"{folder / _HISTORY} is missing or damaged, so nothing says how version {version} "
    if content is None:
        raise RegistryError(f"{problem}learned. Choose another version.")
    try:
        arrays = safetensors.numpy.load(content)
        names = {name.rpartition(".")[0] for name in arrays}
        return {
            name: (arrays[f"{name}.train_loss"], arrays[f"{name}.validation_loss"])
            for name in names
        }
    except (KeyError, SafetensorError):
        raise RegistryError(f"{problem}learned. Choose another version.") from None


def _rates(metrics: dict[str, Any]) -> dict[str, float]:
    """Return the learning rate of each candidate, in the order of the leaderboard."""
    selection = metrics.get("selection") or {}
    return {
        str(line["optimizer"]): float(line["learning_rate"])
        for line in selection.get("leaderboard", ())
    }


def _training(
    name: str, losses: tuple[Array, Array], rate: float, layers: tuple[LayerFigures, ...]
) -> TrainingView:
    train, validation = losses
    ran = np.flatnonzero(np.isfinite(train).any(axis=1))
    epoch = int(ran[-1]) + 1 if len(ran) else 0
    return TrainingView(
        label=name,
        rate=rate,
        epoch=epoch,
        epochs=len(train),
        networks=train.shape[1],
        curve=Curve.thinned(_mean(train[:epoch]), _mean(validation[:epoch])),
        layers=layers,
    )


def _mean(losses: Array) -> Array:
    """Return the mean over the networks that were in training [epochs]; NaN where none was."""
    known = np.isfinite(losses)
    counts = known.sum(axis=1)
    sums = np.where(known, losses, 0.0).sum(axis=1)
    found: Array = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return found


def _rows(pipeline: Pipeline, folder: Path, bundle: Bundle) -> tuple[Sample, int] | str:
    """Return some of a version's training rows as inputs, and how many there are; or why not."""
    recorded = read_registered(folder, PROVENANCE)
    if not isinstance(recorded.get("settings"), dict):
        return f"{folder / PROVENANCE} is missing or damaged"
    settings, problems = recorded_settings(recorded["settings"])
    if settings is None:
        return problems[0]
    cache = pipeline.artifacts / "cache"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        sweep(cache)
        with staging_folder(cache) as room:
            tables, _, missing = put_tables(pipeline, recorded, settings, room)
            if missing:
                return missing[0]
            again = recorded_pipeline(pipeline.name, settings, tables, room)
            dataset = load(again)
            if dataset.classes != bundle.schema.classes:
                return "the table has other classes than the model"
            # The fingerprints as well: another release may have divided the table otherwise.
            known = np.isin(dataset.fingerprints, bundle.fingerprints)
            mine = np.flatnonzero(split(dataset, again).training & known)
            # Numbered, so that only those that are drawn are turned into inputs.
            drawn = sample_of(mine[:, np.newaxis], dataset.labels[mine])
            chosen = drawn.x[:, 0].astype(int)
            parts = [
                bundle.preparation.transform(numeric[own], codes[own], np.float64)
                for part, numeric, codes in dataset.pieces(bundle.schema)
                if len(own := chosen[(chosen >= part.start) & (chosen < part.stop)] - part.start)
            ]
            return Sample(np.concatenate(parts), drawn.labels), len(mine)
    except FFNError as error:
        return str(error).rstrip(".")
    except OSError as error:
        return f"{cache}: {error.strerror or error}"
