"""``files.json`` of a version: size and SHA-256 of every other file in its folder.

It also names the pipeline and version, so a folder that was renumbered, or copied from another
pipeline, is recognised. The bundle's signature is not listed: it is verified by the key, and may be
added to a version later.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffn.bundles.bundle import BUNDLE_FOLDER, MANIFEST, SIGNATURE, read_bundle, sign_bundle
from ffn.errors import BundleError, RegistryError, quote
from ffn.storage.atomic import write_bytes
from ffn.storage.documents import canonical_json, parse_json
from ffn.storage.plain_files import open_plain, read_plain

__all__ = [
    "FILES",
    "Contents",
    "Damage",
    "check_bundle",
    "damages",
    "measure",
    "read_contents",
    "read_registered",
    "registered_bytes",
    "seal",
    "sign_version",
]

FILES = "files.json"
_FORMAT = 1
_MOST_BYTES = 16 * 1024 * 1024
_MOST_RECORD_BYTES = 256 * 1024 * 1024
_AT_ONCE = 2**20
_UNLISTED = {FILES, f"{BUNDLE_FOLDER}/{SIGNATURE}"}

Measures = dict[str, dict[str, int | str]]


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Content of ``files.json``.

    Attributes
    ----------
    pipeline, version
        Pipeline name and version number of the folder.
    files
        ``bytes`` and ``sha256`` by path relative to the folder.
    """

    pipeline: str
    version: int
    files: Measures

    @property
    def bundle_sha256(self) -> str:
        """SHA-256 of the bundle (that is, of its manifest); empty if there is no bundle."""
        return str(self.files.get(f"{BUNDLE_FOLDER}/{MANIFEST}", {}).get("sha256", ""))


@dataclass(frozen=True, kw_only=True)
class Damage:
    """A damaged file: its path, and a predicate such as ``is missing``."""

    path: Path
    problem: str


def measure(folder: Path) -> Measures:
    """Return size and SHA-256 of every file below ``folder``.

    Raises
    ------
    RegistryError
        The folder contains a link or device; a version holds plain files only.
    """
    return {name: _measure(folder / name) for name in _names(folder) if name not in _UNLISTED}


def seal(folder: Path, files: Measures, *, pipeline: str, version: int) -> None:
    """Write ``files.json``; afterwards the folder must not change.

    Parameters
    ----------
    folder
        Folder of the version.
    files
        Result of `measure`.
    pipeline, version
        Pipeline name and version number.
    """
    write_bytes(folder / FILES, _to_bytes(pipeline, version, files))


def read_contents(folder: Path, *, pipeline: str, version: int) -> Contents:
    """Read the ``files.json`` of a version.

    Parameters
    ----------
    folder
        Folder of the version.
    pipeline, version
        Pipeline name and version number that it must have.

    Raises
    ------
    RegistryError
        It is missing, damaged, or belongs to another version.
    """
    path = folder / FILES
    try:
        found = _read(path)
    except OSError as error:
        raise RegistryError(
            f"{path} cannot be read ({error.strerror}), so version {version} cannot be verified. "
            "Use another version, or retrain."
        ) from None
    if found is None:
        raise RegistryError(f"{path} is damaged. Use another version, or retrain.")
    if (found.pipeline, found.version) != (pipeline, version):
        raise RegistryError(
            f"{path} belongs to {quote(found.pipeline)}, version {found.version}. "
            "Move the folder back to where it was."
        )
    return found


def _read(path: Path) -> Contents | None:
    """Return the content of a ``files.json`` of any version; None if it is damaged."""
    with open_plain(path) as (file, size):
        text = file.read(min(size, _MOST_BYTES))
    try:
        document = parse_json(text)
        format_, files = document["format"], document["files"]
        found = Contents(pipeline=document["pipeline"], version=document["version"], files=files)
    except (ValueError, KeyError, TypeError):
        return None
    # The file must equal its canonical form, so that any changed byte is found.
    return found if format_ == _FORMAT and _is_sound(found, text) else None


def read_registered(folder: Path, name: str) -> dict[str, Any]:
    """Return the JSON object in a version's file, as it was registered.

    Empty if the file is missing or does not match ``files.json``, so that altered figures are
    neither shown nor used in decisions.

    Parameters
    ----------
    folder
        Folder of the version.
    name
        Path of the file, relative to the folder.
    """
    with contextlib.suppress(ValueError):
        content = parse_json(registered_bytes(folder, name) or b"")
        return content if isinstance(content, dict) else {}
    return {}


def registered_bytes(folder: Path, name: str) -> bytes | None:
    """Return a version's file ``name`` in its ``folder``; None if it is not as registered."""
    try:
        contents = _read(folder / FILES)
        text = read_plain(folder / name, _MOST_RECORD_BYTES)
    except OSError:
        return None
    registered = contents is not None and contents.files.get(name) == _measure_of(text)
    return text if registered else None


def check_bundle(folder: Path, *, pipeline: str, version: int) -> str:
    """Verify the bundle of a version and return its SHA-256.

    The parameters ``folder``, ``pipeline`` and ``version`` are those of `read_contents`.

    Raises
    ------
    RegistryError
        As for `read_contents`.
    BundleError
        The bundle is damaged, or not the registered one.
    """
    contents = read_contents(folder, pipeline=pipeline, version=version)
    bundle = folder / BUNDLE_FOLDER
    sha256 = read_bundle(bundle).sha256
    _compare_bundles(bundle, sha256, contents)
    return sha256


def sign_version(folder: Path, *, pipeline: str, version: int) -> None:
    """Sign the bundle of a version with the key in ``FFN_SIGNING_KEY``, replacing any signature.

    The parameters ``folder``, ``pipeline`` and ``version`` are those of `read_contents`.

    Raises
    ------
    SettingsError
        There is no key.
    RegistryError, BundleError
        As for `check_bundle`, except that a damaged or missing signature is no error.
    """
    contents = read_contents(folder, pipeline=pipeline, version=version)
    bundle = folder / BUNDLE_FOLDER
    _compare_bundles(bundle, str(_measure(bundle / MANIFEST)["sha256"]), contents)
    sign_bundle(bundle)


def _compare_bundles(folder: Path, sha256: str, contents: Contents) -> None:
    if sha256 != contents.bundle_sha256:
        raise BundleError(
            f"{folder}: not the bundle that was registered as version {contents.version}. "
            "Use another version, or retrain."
        )


def damages(folder: Path, contents: Contents) -> Iterator[Damage]:
    """Yield every difference between the files in a version's ``folder`` and its ``contents``."""
    try:
        there = {name for name in _names(folder) if name not in _UNLISTED}
    except RegistryError as error:
        yield Damage(path=folder, problem=str(error))
        return
    for name in sorted(there - set(contents.files)):
        yield Damage(path=folder / name, problem=f"is not in {FILES}: it was added later")
    for name, declared in sorted(contents.files.items()):
        problem = _compare(folder / name, declared) if name in there else "is missing"
        if problem:
            yield Damage(path=folder / name, problem=problem)


def _compare(path: Path, declared: dict[str, int | str]) -> str:
    """Return how a file differs from its declaration; empty if it does not."""
    try:
        with open_plain(path) as (_, size):
            pass
        if size != declared["bytes"]:
            return f"has {size:,} bytes, but {FILES} says {declared['bytes']:,}"
        found = _measure(path)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if found == declared else f"has another SHA-256 than {FILES} says"


def _names(folder: Path) -> list[str]:
    """Return the paths of all files below ``folder``, sorted; links are not followed."""
    names = []
    for parent, folders, files in os.walk(folder, onerror=_raise):
        for name in (*folders, *files):
            path = Path(parent, name)
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise RegistryError(f"{path}: neither a plain file nor a folder")
        names += [Path(parent, name).relative_to(folder).as_posix() for name in files]
    return sorted(names)


def _raise(error: OSError) -> None:
    raise error


def _measure(path: Path) -> dict[str, int | str]:
    digest, size = hashlib.sha256(), 0
    with open_plain(path) as (file, _):
        while block := file.read(_AT_ONCE):
            digest.update(block)
            size += len(block)
    return {"bytes": size, "sha256": digest.hexdigest()}


def _measure_of(content: bytes) -> dict[str, int | str]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _is_sound(found: Contents, text: bytes) -> bool:
    declared = isinstance(found.files, dict) and all(map(_is_measure, found.files.values()))
    return declared and _to_bytes(found.pipeline, found.version, found.files) == text


def _is_measure(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and type(value.get("bytes")) is int
        and value["bytes"] >= 0
        and isinstance(value.get("sha256"), str)
    )


def _to_bytes(pipeline: str, version: int, files: Measures) -> bytes:
    return canonical_json(
        {"files": files, "format": _FORMAT, "pipeline": pipeline, "version": version}
    )
