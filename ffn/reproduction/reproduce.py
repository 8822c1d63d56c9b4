"""Make a version again from its recorded data and settings, and compare the bundles."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ffn.blas_threads import one_blas_thread
from ffn.bundles.bundle import Bundle, write_bundle
from ffn.bundles.contents import read_contents, read_registered
from ffn.errors import BundleError, FFNError, RegistryError
from ffn.pipelines.execution import InProcess
from ffn.pipelines.progress import stage
from ffn.pipelines.retraining import fit, prepare
from ffn.pipelines.retraining_steps import LOAD
from ffn.promotion.register import bundle_of
from ffn.registry.production_bundle import version_bundle
from ffn.registry.provenance import PROVENANCE, circumstances
from ffn.registry.versions import require_version
from ffn.reproduction.bundle_differences import bundle_differences
from ffn.reproduction.circumstances_compared import compare_circumstances
from ffn.reproduction.label_changes import label_changes
from ffn.reproduction.outcome import Reproduction
from ffn.reproduction.recorded_tables import put_tables, recorded_pipeline, recorded_settings
from ffn.settings.document import PipelineSettings
from ffn.settings.pipeline import Pipeline
from ffn.storage.atomic import staging_folder, sweep
from ffn.tabular.training_table.dataset import Dataset

__all__ = ["reproduce"]


@dataclass(frozen=True)
class _Made:
    """A bundle that was made again, with the table and the rows held out of it."""

    bundle: Bundle
    sha256: str
    dataset: Dataset
    held_out: Any


def reproduce(pipeline: Pipeline, version: int) -> Reproduction:
    """Make a version again in a temporary folder, and compare the result with it.

    Neither the registry nor the pointer nor the gate's counts are touched. What stands in the way,
    such as data that was not kept, is in the result.

    Parameters
    ----------
    pipeline
        The pipeline, whose present settings are not used.
    version
        Number in the registry.

    Raises
    ------
    RegistryError
        There is no such version, or its ``files.json`` or ``provenance.json`` is missing or
        damaged, so nothing is known of how it was made.
    OSError
        The disk is full.
    """
    started = time.perf_counter()
    artifacts = pipeline.artifacts
    folder = require_version(artifacts, version)
    contents = read_contents(folder, pipeline=artifacts.name, version=version)
    recorded = read_registered(folder, PROVENANCE)
    if not isinstance(recorded.get("settings"), dict):
        raise RegistryError(
            f"{folder / PROVENANCE} is missing or damaged, so nothing says how version {version} "
            "was made. Choose another version."
        )
    found = Reproduction(
        pipeline=artifacts.name,
        version=version,
        recorded_sha256=contents.bundle_sha256,
        circumstances=compare_circumstances(recorded, circumstances()),
    )
    cache = artifacts / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    sweep(cache)
    # In the cache: whoever next opens it removes what a killed process left there.
    with staging_folder(cache) as room, one_blas_thread():
        settings, problems = recorded_settings(recorded["settings"])
        tables, origin, missing = put_tables(pipeline, recorded, settings, room)
        if settings is None or missing:
            return replace(found, data=origin, obstacles=(*problems, *missing))
        try:
            made = _make(pipeline.name, settings, tables, room)
        except (FFNError, ArithmeticError, ValueError) as error:
            obstacles = [f"training: {str(error).rstrip('.')}"]
            return replace(found, data=origin, obstacles=tuple(obstacles))
        found = replace(
            found,
            data=origin,
            made_sha256=made.sha256,
            timed=settings.training.time_budget is not None,
            seconds=time.perf_counter() - started,
        )
        return found if found.same else _compared(found, artifacts, made)


def _make(name: str, settings: PipelineSettings, tables: list[Path], room: Path) -> _Made:
    """Train on tables with the settings of a version, and write the bundle."""
    again = recorded_pipeline(name, settings, tables, room)
    executor = InProcess()
    stage("reading the data")
    dataset = executor.run(LOAD, again)
    division, prepared = prepare(again, dataset, executor)
    fitted = fit(again, prepared, executor, dataset, division)
    bundle = bundle_of(prepared, fitted.refitted, fitted.evaluation)
    folder = room / "bundle"
    folder.mkdir()
    sha256 = write_bundle(bundle, folder)
    return _Made(bundle, sha256, dataset, division.held_out)


def _compared(found: Reproduction, artifacts: Path, made: _Made) -> Reproduction:
    """Add in what the bundle differs from the recorded one, and which labels change by it."""
    stage("comparing the bundles")
    try:
        recorded = version_bundle(artifacts, found.version)
    except (BundleError, RegistryError) as error:
        return replace(found, obstacles=(f"bundle: {str(error).rstrip('.')}",))
    return replace(
        found,
        differences=tuple(bundle_differences(recorded, made.bundle)),
        labels=label_changes(made.dataset, made.held_out, recorded, made.bundle),
    )
