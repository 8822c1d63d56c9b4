"""Verify a pipeline's registry: recompute every digest and compare it with the recorded one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ffn.bundles.contents import FILES, Contents, Damage, damages, read_contents
from ffn.errors import BundleError, RegistryError
from ffn.lineage.kept_data import damaged_tables, kept_tables
from ffn.registry.alpha_spending import LOOKS_FILE, read_looks
from ffn.registry.production import POINTER, is_version, read_pointer
from ffn.registry.production_bundle import version_bundle
from ffn.registry.promotion_history import HISTORY, read_history
from ffn.registry.versions import LAST_NUMBER, version_folder, versions
from ffn.storage.atomic import is_temporary
from ffn.storage.documents import canonical_json, parse_json
from ffn.storage.plain_files import open_plain

__all__ = ["Verification", "verify"]


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Result of a verification.

    Attributes
    ----------
    versions
        Existing versions.
    files, bytes
        Number and size of the files that were read.
    damages
        What is damaged; empty if everything is as it was written.
    """

    versions: tuple[int, ...]
    files: int
    bytes: int
    damages: tuple[Damage, ...]


def verify(artifacts: Path) -> Verification:
    """Check every version, the pointer and the history of a pipeline, without changing anything.

    A version is checked against its ``files.json``, and its bundle is read as scoring reads it,
    including its signature. A history to which a line is owed is valid, as the pointer has it. Each
    kept training table is checked against the digest that it is named by.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.

    Raises
    ------
    RegistryError
        There is no version, or the folder of versions is a link.
    """
    there = versions(artifacts)
    if not there:
        raise RegistryError(
            f"{artifacts.name}: no versions in {artifacts / 'models'}. "
            f"Make one with: ffn retrain {artifacts.name}"
        )
    found = list(_strangers(artifacts))
    sealed: dict[int, Contents] = {}
    for version in there:
        folder = version_folder(artifacts, version)
        try:
            sealed[version] = read_contents(folder, pipeline=artifacts.name, version=version)
        except RegistryError as error:
            found.append(_told(folder / FILES, error))
            continue
        wrong = list(damages(folder, sealed[version]))
        found += wrong or _bundle(artifacts, version)
    found += _pointer(artifacts, sealed)
    found += _history(artifacts)
    found += _counters(artifacts, there[-1])
    found += (Damage(path=path, problem=told) for path, told in damaged_tables(artifacts))
    measures = [own for contents in sealed.values() for own in contents.files.values()]
    tables = kept_tables(artifacts)
    return Verification(
        versions=tuple(there),
        files=len(measures) + len(tables),
        bytes=sum(int(own["bytes"]) for own in measures) + sum(own.bytes for own in tables),
        damages=tuple(found),
    )


def _told(path: Path, error: RegistryError) -> Damage:
    """Return an error whose message begins with a path as a `Damage`."""
    return Damage(path=path, problem=str(error).removeprefix(str(path)).lstrip())


def _strangers(artifacts: Path) -> Iterator[Damage]:
    """Yield entries of the folder of versions that are not versions."""
    known = {version_folder(artifacts, version).name for version in versions(artifacts)}
    for entry in sorted((artifacts / "models").iterdir()):
        if entry.name not in known | {LAST_NUMBER} and not is_temporary(entry):
            yield Damage(path=entry, problem="is not a version and does not belong here")


def _bundle(artifacts: Path, version: int) -> Iterator[Damage]:
    """Yield the reason why a bundle with intact files cannot score, if there is one."""
    folder = version_folder(artifacts, version)
    try:
        version_bundle(artifacts, version)
    except (RegistryError, BundleError) as error:
        yield Damage(path=folder / "bundle", problem=f"cannot score: {error}")


def _pointer(artifacts: Path, sealed: dict[int, Contents]) -> Iterator[Damage]:
    path = artifacts / POINTER
    pointer = read_pointer(artifacts)
    entry = pointer.promotion
    if entry is None:
        if not pointer.missing:
            yield Damage(path=path, problem="is damaged; promote a version again")
        elif read_history(artifacts).entries:
            yield Damage(path=path, problem="is missing; promote a version again")
        return
    if not pointer.is_canonical:
        yield Damage(path=path, problem="was changed; promote a version again")
    contents = sealed.get(entry.version)
    if entry.version not in versions(artifacts):
        yield Damage(path=path, problem=f"names version {entry.version}, which does not exist")
    elif contents and contents.bundle_sha256 != entry.bundle_sha256:
        yield Damage(
            path=path, problem=f"does not have the SHA-256 of the bundle of version {entry.version}"
        )


def _history(artifacts: Path) -> Iterator[Damage]:
    path = artifacts / HISTORY
    try:
        history = read_history(artifacts)
    except OSError as error:
        yield Damage(path=path, problem=f"cannot be read ({error.strerror})")
        return
    for line in history.damaged:
        yield Damage(
            path=path, problem=f"line {line} is damaged, or the line before it was changed"
        )
    entry = read_pointer(artifacts).promotion
    if entry is not None and history.entries[-1:] != (entry,):
        yield Damage(path=path, problem=f"does not end with the promotion in {POINTER}")


def _counters(artifacts: Path, newest: int) -> Iterator[Damage]:
    path = artifacts / "models" / LAST_NUMBER
    try:
        with open_plain(path) as (file, _):
            text = file.read(4096)
        last = parse_json(text)["version"]
    except (OSError, ValueError, KeyError, TypeError):
        last = None
    if not is_version(last) or last < newest or text != canonical_json({"version": last}):
        problem = f"does not record that number {newest} was used; retraining writes it again"
        yield Damage(path=path, problem=problem)
    try:
        read_looks(artifacts)
    except RegistryError as error:
        yield _told(artifacts / LOOKS_FILE, error)
