"""The version in production, with all that a challenger has to know of it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffn.bundles.bundle import Bundle, read_bundle
from ffn.bundles.contents import read_registered
from ffn.errors import BundleError, SettingsError
from ffn.registry.promotion_history import read_history
from ffn.registry.provenance import PROVENANCE, code_sha256
from ffn.registry.versions import bundle_folder, in_production, version_folder, versions
from ffn.settings.document import PipelineSettings, check_settings
from ffn.settings.pipeline import Pipeline

__all__ = ["Opponent", "Unreadable", "read_opponent", "read_version", "unchanged_since"]


@dataclass(frozen=True, kw_only=True)
class Opponent:
    """The version in production.

    Attributes
    ----------
    bundle
        With its number.
    settings
        What it was trained with; None where this version of the product cannot read them.
    epochs
        Of its refit; None if not recorded.
    columns
        Kind by name of the columns that its fingerprints are made of; None if not recorded.
    unlabelled
        Share of the rows of its table that had no label; None if not recorded.
    """

    bundle: Bundle
    settings: PipelineSettings | None
    epochs: int | None
    columns: dict[str, str] | None
    unlabelled: float | None = None

    @property
    def version(self) -> int:
        """Number in the registry."""
        return self.bundle.version


@dataclass(frozen=True)
class Unreadable:
    """A version in production that cannot be loaded, so that it scores nothing either.

    Attributes
    ----------
    version
        Number in the registry.
    problem
        Why, a sentence or more.
    """

    version: int
    problem: str


def read_opponent(pipeline: Pipeline) -> Opponent | Unreadable | None:
    """Read the version in production; None if nothing was ever promoted.

    Raises
    ------
    RegistryError
        The pointer is damaged or lost.
    """
    scoring = in_production(pipeline.artifacts)
    if scoring is None:
        return None
    version = scoring.version
    folder = version_folder(pipeline.artifacts, version)
    if version not in versions(pipeline.artifacts):
        return Unreadable(version, f"{folder} is not there.")
    try:
        opponent = read_version(pipeline.artifacts, version)
    except BundleError as error:
        return Unreadable(version, str(error))
    if opponent.bundle.sha256 != scoring.bundle_sha256:
        return Unreadable(version, f"{folder}: not the bundle that was promoted.")
    return opponent


def read_version(artifacts: Path, version: int) -> Opponent:
    """Read any version as one to compare with.

    Raises
    ------
    RegistryError
        Its folder is a link.
    BundleError
        Its bundle is damaged.
    """
    bundle = read_bundle(bundle_folder(artifacts, version), version=version)
    folder = version_folder(artifacts, version)
    settings, provenance = None, read_registered(folder, PROVENANCE)
    with contextlib.suppress(SettingsError):
        settings = check_settings(provenance.get("settings", {}), str(folder))
    epochs = read_registered(folder, "metrics.json").get("epochs")
    columns = read_registered(folder, "verdict.json").get("columns")
    return Opponent(
        bundle=bundle,
        settings=settings,
        epochs=epochs if type(epochs) is int else None,
        columns=columns if isinstance(columns, dict) else None,
        unlabelled=_unlabelled(provenance.get("rows")),
    )


def _unlabelled(rows: Any) -> float | None:
    """Return the share of rows without a label, of what a version's provenance says of rows."""
    if not isinstance(rows, dict) or not all(type(n) is int and n >= 0 for n in rows.values()):
        return None
    total = sum(rows.values())
    return rows.get("unlabelled", 0) / total if total else None


def unchanged_since(
    pipeline: Pipeline, source_sha256: str, opponent: Opponent | Unreadable | None
) -> int | None:
    """Return the version that a retraining would only repeat; None if there is none.

    Training depends on nothing but data, settings and code. So where all three are those of
    the newest version or of the one in production, the same bundle would come out, and the
    same verdict. A change of ``[gate]`` alone may give a version that was kept back another one;
    a version that was to be promoted, and never was, is that of a run that died; and what a canary
    failed of may have passed, as a machine too busy has. Where the version in production cannot be
    loaded, another one is wanted.
    """
    there = versions(pipeline.artifacts)
    wanted = pipeline.settings.gate.mode == "always" or isinstance(opponent, Unreadable)
    if not there or wanted:
        return None
    now = {
        "settings": pipeline.settings.of_training(),
        "source_sha256": source_sha256,
        "code_sha256": code_sha256(),
    }
    if opponent and _ungated(_inputs(pipeline.artifacts, opponent.version)) == _ungated(now):
        return opponent.version
    newest = there[-1]
    promoted = {entry.version for entry in read_history(pipeline.artifacts).entries}
    verdict = read_registered(version_folder(pipeline.artifacts, newest), "verdict.json")
    canary = verdict.get("canary")
    failed = isinstance(canary, dict) and canary.get("problem")
    settled = newest in promoted or not (verdict.get("promote") or failed)
    return newest if settled and _inputs(pipeline.artifacts, newest) == now else None


def _inputs(artifacts: Path, version: int) -> dict[str, Any]:
    """Return what a version was made from."""
    provenance = read_registered(version_folder(artifacts, version), PROVENANCE)
    return {
        "settings": provenance.get("settings", {}),
        "source_sha256": provenance.get("source_sha256"),
        "code_sha256": provenance.get("code_sha256"),
    }


def _ungated(inputs: dict[str, Any]) -> dict[str, Any]:
    settings = {name: table for name, table in inputs["settings"].items() if name != "gate"}
    return {**inputs, "settings": settings}
