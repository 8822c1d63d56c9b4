"""From a pipeline's folder to a version's bundle: any version's, or the one that was promoted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ffn.bundles.bundle import Bundle, read_bundle
from ffn.errors import BundleError
from ffn.registry.production import POINTER, ProductionVersion
from ffn.registry.versions import (
    bundle_folder,
    in_production,
    production,
    version_folder,
    versions,
)

__all__ = ["Unreadable", "read_production", "require_production", "version_bundle"]


@dataclass(frozen=True)
class Unreadable:
    """A version in production that cannot be loaded, and so cannot score.

    Attributes
    ----------
    version
        Number in the registry.
    problem
        Why, in one sentence or more.
    """

    version: int
    problem: str


def version_bundle(artifacts: Path, version: int) -> Bundle:
    """Read the bundle of any version, promoted or not.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    version
        Number in the registry.

    Raises
    ------
    RegistryError
        Its folder is a link.
    BundleError
        There is no bundle, or it is damaged or too new.
    """
    return read_bundle(bundle_folder(artifacts, version), version=version)


def read_production(artifacts: Path) -> Bundle | Unreadable | None:
    """Read the bundle in production: the very one that was promoted. None if none ever was.

    If another version is promoted meanwhile and this one removed, the other's is read.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.

    Raises
    ------
    RegistryError
        The pointer is damaged or lost, or the version's folder is a link.
    """
    scoring = in_production(artifacts)
    while scoring is not None:
        found = _promoted(artifacts, scoring)
        # Promoted over and removed since the pointer was read: then there is another.
        now = in_production(artifacts) if isinstance(found, Unreadable) else scoring
        if now == scoring:
            return found
        scoring = now
    return None


def require_production(artifacts: Path) -> Bundle:
    """Read the bundle in production, which has to be there and to be the one that was promoted.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.

    Raises
    ------
    RegistryError
        No version is in production, the pointer is damaged or lost, or the version is gone or its
        folder a link.
    BundleError
        The version has no bundle, or it is damaged, too new, or not the one that was promoted.
    """
    while not isinstance(found := read_production(artifacts), Bundle):
        # Refuses where no version was ever promoted, or the one that was is gone.
        scoring = production(artifacts)
        if isinstance(found, Unreadable) and found.version == scoring.version:
            raise BundleError(found.problem)
    return found


def _promoted(artifacts: Path, scoring: ProductionVersion) -> Bundle | Unreadable:
    """Return the bundle of the version that the pointer names, if it is the one it names."""
    version, promoted = scoring
    if version not in versions(artifacts):
        return Unreadable(version, f"{version_folder(artifacts, version)} is not there.")
    try:
        bundle = version_bundle(artifacts, version)
    except BundleError as error:
        return Unreadable(version, str(error))
    if bundle.sha256 == promoted:
        return bundle
    problem = (
        f"{bundle_folder(artifacts, version)}: not the bundle that was promoted (its SHA-256 is "
        f"{bundle.sha256}, {POINTER} says {promoted}). Promote a version again, or retrain."
    )
    return Unreadable(version, problem)
