"""Versions of a pipeline's model: immutable folders, one production pointer, a history.

::

    artifacts/<pipeline>/
      models/0001/        never changed once there
      production.json     the version that scores, replaced atomically: the truth
      history.jsonl       what was promoted when and why; only ever appended to. Its line is
                          written after the pointer, so a run killed between lacks one
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Literal

from ffn.errors import RegistryError
from ffn.files import staging_folder, sweep, sync_folder, write_json
from ffn.models.bundle import BUNDLE_FOLDER, MANIFEST

__all__ = [
    "add_version",
    "production",
    "production_version",
    "promote",
    "version_folder",
    "versions",
]

_VERSION = re.compile(r"[0-9]{4}|[1-9][0-9]{4,}")


def version_folder(artifacts: Path, version: int) -> Path:
    """Return the folder of ``version`` under a pipeline's ``artifacts``."""
    return artifacts / "models" / f"{version:04d}"


def versions(artifacts: Path) -> list[int]:
    """Return the version numbers that exist, ascending."""
    folder = artifacts / "models"
    entries = folder.iterdir() if folder.is_dir() else ()
    return sorted(
        int(entry.name) for entry in entries if _VERSION.fullmatch(entry.name) and entry.is_dir()
    )


def add_version(artifacts: Path, fill: Callable[[Path], None]) -> int:
    """Make a new version and return its number.

    Parameters
    ----------
    artifacts
        The pipeline's folder; made if need be.
    fill
        Writes the version's files into the folder it is given. The folder takes its number
        by one rename after ``fill`` returned; if it raises, there is no version. No number
        is given twice, also where the version was removed or its writer died.
    """
    models = artifacts / "models"
    models.mkdir(parents=True, exist_ok=True)
    sweep(models)
    sweep(artifacts)
    with staging_folder(models) as staging:
        fill(staging)
        sync_folder(staging)
        with _lock(artifacts):
            version = max([_last_number(artifacts), *versions(artifacts)]) + 1
            # First the number, then the folder: whatever fails between them costs a number.
            write_json(models / ".last.json", {"version": version})
            _rename_new(staging, version_folder(artifacts, version))
    sync_folder(models)
    return version


def promote(
    artifacts: Path, version: int, *, reason: str, replacing: int | Literal["any", "none"] = "any"
) -> bool:
    """Make ``version`` the one that scores, then add a line to the history.

    The pointer holds the SHA-256 of the bundle's manifest as it is on disk now, so no other
    bundle can take its place unseen.

    Parameters
    ----------
    replacing
        Which version has to be in production still; where another is, nothing is done.

    Returns
    -------
    bool
        Whether it was done.

    Raises
    ------
    RegistryError
        There is no such version, or its bundle has no manifest.
    OSError
        A file cannot be written. If it is the history, the version is in production already.
    """
    _require(artifacts, version, f"{artifacts.name}: version {version} does not exist")
    with _lock(artifacts):
        if replacing != "any" and replacing != _scoring(artifacts):
            return False
        sha256 = _bundle_sha256(artifacts, version)
        write_json(artifacts / "production.json", {"bundle_sha256": sha256, "version": version})
        entry = {
            "action": "promote",
            "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "bundle_sha256": sha256,
            "reason": reason,
            "version": version,
        }
        line = json.dumps(entry, sort_keys=True, ensure_ascii=False).encode() + b"\n"
        with (artifacts / "history.jsonl").open("a+b") as file:
            file.write(_line_end_owed(file) + line)
            file.flush()
            os.fsync(file.fileno())
    return True


def _scoring(artifacts: Path) -> int | Literal["none"]:
    there = (artifacts / "production.json").exists()
    return production(artifacts)[0] if there else "none"


def production_version(artifacts: Path) -> int:
    """Return the version in production. Raises what ``production`` does."""
    return production(artifacts)[0]


def production(artifacts: Path) -> tuple[int, str]:
    """Return the version in production, and the SHA-256 its bundle had when it was promoted.

    Raises
    ------
    RegistryError
        There is none, the pointer is damaged, or what it points to is gone.
    """
    pointer = artifacts / "production.json"
    try:
        content = json.loads(pointer.read_bytes())
        version, sha256 = content["version"], content["bundle_sha256"]
    except FileNotFoundError:
        raise RegistryError(
            f"{artifacts.name}: no model in production ({pointer} is not there). "
            f"Make one with: ffn retrain {artifacts.name}"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        version = sha256 = None
    if type(version) is not int or version < 1 or not isinstance(sha256, str):
        raise RegistryError(f"{pointer}: damaged. Promote a version again.")
    _require(artifacts, version, f"{pointer}: version {version} is in production and not there")
    return version, sha256


def _require(artifacts: Path, version: int, otherwise: str) -> None:
    there = versions(artifacts)
    if version not in there:
        shown = ", ".join(map(str, there[-20:])) or "none"
        raise RegistryError(
            f"{otherwise}; there are: {shown}. Promote one that is there, or retrain."
        )


def _bundle_sha256(artifacts: Path, version: int) -> str:
    manifest = version_folder(artifacts, version) / BUNDLE_FOLDER / MANIFEST
    try:
        return hashlib.sha256(manifest.read_bytes()).hexdigest()
    except OSError as error:
        raise RegistryError(
            f"{manifest} cannot be read ({error.strerror}), so version {version} cannot score. "
            "Promote another, or retrain."
        ) from None


def _last_number(artifacts: Path) -> int:
    """Return the highest number ever given, also where that version was removed."""
    try:
        return int(json.loads((artifacts / "models" / ".last.json").read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return 0


def _line_end_owed(file: IO[bytes]) -> bytes:
    """Return the line end that a writer who died in mid-line did not write."""
    if not file.seek(0, os.SEEK_END):
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read(1) == b"\n" else b"\n"


def _rename_new(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise RegistryError(f"{target} exists already; remove what does not belong.") from None
        raise


@contextlib.contextmanager
def _lock(artifacts: Path) -> Iterator[None]:
    """Let one process at a time change the registry; the lock dies with its process."""
    path = artifacts / ".lock"
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RegistryError(f"{path} is a link, and locks are none. Remove it.") from None
        raise
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
