"""The version in production (the champion), as a challenger is compared with it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle
from ffn.bundles.contents import read_registered
from ffn.errors import SettingsError
from ffn.registry.production_bundle import Unreadable, read_production, version_bundle
from ffn.registry.promotion_history import read_history
from ffn.registry.provenance import PROVENANCE, code_sha256
from ffn.registry.versions import version_folder, versions
from ffn.search.combinations import combinations
from ffn.settings.document import PipelineSettings, check_settings
from ffn.settings.pipeline import Pipeline
from ffn.tabular.splitting.division import Division
from ffn.tabular.splitting.hashing import seeded_hash
from ffn.tabular.splitting.split_figures import SplitFigures, recorded_figures
from ffn.tabular.training_table.dataset import Dataset

__all__ = [
    "Opponent",
    "Unreadable",
    "read_opponent",
    "read_version",
    "unchanged_since",
    "unrelated_rows",
]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Opponent:
    """The version in production.

    Attributes
    ----------
    bundle
        Its bundle, with its number in the registry.
    settings
        Settings it was trained with; None if this release cannot read them.
    epochs
        Epochs of its refit; None if not recorded.
    learning_rate
        At which it was trained; None if neither recorded nor fixed by its settings.
    columns
        Kind by name of the columns from which its fingerprints were computed; None if not
        recorded.
    unlabelled
        Share of rows without a label in its training table, 0 to 1; None if not recorded.
    split
        How far its training rows reached in time and which groups they were of; None if it was
        not trained under ``[split]``, or by a release that did not record it.
    """

    bundle: Bundle
    settings: PipelineSettings | None
    epochs: int | None
    learning_rate: float | None
    columns: dict[str, str] | None
    unlabelled: float | None = None
    split: SplitFigures | None = None

    @property
    def version(self) -> int:
        """Number in the registry."""
        return self.bundle.version


def read_opponent(pipeline: Pipeline) -> Opponent | Unreadable | None:
    """Read the version in production; None if nothing was ever promoted.

    Parameters
    ----------
    pipeline
        Names the registry to read.

    Raises
    ------
    RegistryError
        The pointer is damaged or lost, or the version's folder is a link.
    """
    found = read_production(pipeline.artifacts)
    if found is None or isinstance(found, Unreadable):
        return found
    return _with_records(pipeline.artifacts, found)


def read_version(artifacts: Path, version: int) -> Opponent:
    """Read any version as an opponent in a comparison. Raises what `version_bundle` does."""
    return _with_records(artifacts, version_bundle(artifacts, version))


def _with_records(artifacts: Path, bundle: Bundle) -> Opponent:
    """Add to a version's bundle what else was registered of it."""
    folder = version_folder(artifacts, bundle.version)
    settings, provenance = None, read_registered(folder, PROVENANCE)
    with contextlib.suppress(SettingsError):
        settings = check_settings(provenance.get("settings", {}), str(folder))
    metrics = read_registered(folder, "metrics.json")
    epochs, rate = metrics.get("epochs"), metrics.get("learning_rate")
    columns = read_registered(folder, "verdict.json").get("columns")
    return Opponent(
        bundle=bundle,
        settings=settings,
        epochs=epochs if type(epochs) is int else None,
        learning_rate=rate if type(rate) is float else _only_rate(settings, bundle.optimizer),
        columns=columns if isinstance(columns, dict) else None,
        unlabelled=_unlabelled(provenance.get("rows")),
        split=recorded_figures(provenance.get("split")),
    )


def _only_rate(settings: PipelineSettings | None, optimizer: str) -> float | None:
    """Return the learning rate that settings fix for an optimizer, if they do."""
    known = combinations(settings) if settings else {}
    if settings is None or optimizer not in known:
        return None
    rates = settings.optimizers.candidates()[known[optimizer].optimizer].rates
    return rates[0] if len(rates) == 1 else None


def _unlabelled(rows: Any) -> float | None:
    """Return the share of rows without a label from the row counts of a version's provenance."""
    if not isinstance(rows, dict) or not all(type(n) is int and n >= 0 for n in rows.values()):
        return None
    total = sum(rows.values())
    return rows.get("unlabelled", 0) / total if total else None


def unchanged_since(
    pipeline: Pipeline,
    source_sha256: str,
    opponent: Opponent | Unreadable | None,
    test_sha256: str | None = None,
) -> int | None:
    """Return the version that a retraining would only reproduce; None if there is none.

    Training depends on data, settings and code alone. If all three are those of the newest version
    or of the one in production, a retraining would give the same bundle and the same verdict.
    There are exceptions, in which retraining is worthwhile. Always: the version in production
    cannot be loaded. Where only the newest version has the same inputs and was not promoted:
    ``[gate]`` changed, so its verdict may change; it was to be promoted and never was, because its
    run died; its canary failed, for which a busy machine may have been the reason; or
    ``gate.mode`` is ``"always"``, which promotes it now.

    Parameters
    ----------
    pipeline
        The pipeline to retrain.
    source_sha256
        SHA-256 of the training table.
    opponent
        The version in production; None if there is none.
    test_sha256
        SHA-256 of the user's file of held-out rows; None, the default, if there is none.
    """
    there = versions(pipeline.artifacts)
    if not there or isinstance(opponent, Unreadable):
        return None
    now = {
        "settings": pipeline.settings.of_training(),
        "source_sha256": source_sha256,
        "test_sha256": test_sha256,
        "code_sha256": code_sha256(),
    }
    if opponent and _ungated(_inputs(pipeline.artifacts, opponent.version)) == _ungated(now):
        return opponent.version
    if pipeline.settings.gate.mode == "always":
        return None
    newest = there[-1]
    promoted = {entry.version for entry in read_history(pipeline.artifacts).entries}
    verdict = read_registered(version_folder(pipeline.artifacts, newest), "verdict.json")
    canary = verdict.get("canary")
    failed = isinstance(canary, dict) and canary.get("problem")
    settled = newest in promoted or not (verdict.get("promote") or failed)
    return newest if settled and _inputs(pipeline.artifacts, newest) == now else None


def unrelated_rows(dataset: Dataset, division: Division, known: Array, opponent: Opponent) -> Array:
    """Return booleans [N] of the rows whose group and time production knew nothing of.

    By time these are the rows later than production's latest training row, by group those of groups
    of which no row was trained on. Both are recorded with a version that was trained in the same
    way; otherwise they follow from the rows that are recognised. Rows are recognised by their
    content, and rows of equal content may be of different groups, so of a version with a record
    only groups that are recognised for the most part are added to those recorded.

    Parameters
    ----------
    dataset
        The training table, N rows.
    division
        How the challenger's rows were split; without time and group every row is unrelated.
    known
        Booleans [N]: rows that production was trained on.
    opponent
        The version in production.
    """
    unrelated = np.ones(dataset.rows, dtype=bool)
    then, settings = opponent.split, opponent.settings
    times, groups = division.times, division.groups
    early = np.ones(dataset.rows, dtype=bool)
    if times is not None:
        same = then is not None and (then.time, then.kind) == (dataset.time, dataset.time_kind)
        if then is not None and same and then.until is not None:
            early = times <= then.until
            unrelated &= ~early
        elif known.any():
            unrelated &= times > times[known].max()
    if groups is None:
        return unrelated
    values, place = np.unique(groups, return_inverse=True)
    recognised = np.bincount(place, known, minlength=len(values))
    if then is not None and settings and then.limit and then.group == dataset.group:
        hashes = seeded_hash(values, settings.training.seed)
        chosen = np.array([value >= int(then.limit, 16) for value in hashes.tolist()], dtype=bool)
        trained = chosen & (np.bincount(place, early, minlength=len(values)) > 0)
        trained |= recognised >= np.bincount(place) / 2
    else:
        trained = recognised > 0
    return unrelated & ~trained[place]


def _inputs(artifacts: Path, version: int) -> dict[str, Any]:
    """Return what a version was made from."""
    provenance = read_registered(version_folder(artifacts, version), PROVENANCE)
    return {
        "settings": provenance.get("settings", {}),
        "source_sha256": provenance.get("source_sha256"),
        "test_sha256": provenance.get("test_sha256"),
        "code_sha256": provenance.get("code_sha256"),
    }


def _ungated(inputs: dict[str, Any]) -> dict[str, Any]:
    settings = {name: table for name, table in inputs["settings"].items() if name != "gate"}
    return {**inputs, "settings": settings}
