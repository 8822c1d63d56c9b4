"""Versions of a pipeline's model: immutable folders, a production pointer and a history.

::

    artifacts/<pipeline>/
      models/0001/        never changed once it exists
      production.json     the version in production, replaced atomically; authoritative
      history.jsonl       what was promoted when, why and by whom; only ever appended to
"""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Callable
from pathlib import Path

from ffn.bundles.bundle import BUNDLE_FOLDER
from ffn.bundles.bundle_files import parse_json
from ffn.bundles.contents import measure, seal
from ffn.errors import RegistryError
from ffn.registry.promotion_history import (
    HISTORY,
    MOST_POINTER_BYTES,
    POINTER,
    is_version,
    read_history,
    settle,
)
from ffn.storage.atomic import staging_folder, sweep, sync_folder, write_json
from ffn.storage.plain_files import open_plain, read_plain
from ffn.storage.registry_lock import registry_lock

__all__ = [
    "LAST_NUMBER",
    "add_version",
    "bundle_folder",
    "in_production",
    "production",
    "production_version",
    "require_version",
    "version_folder",
    "versions",
]

LAST_NUMBER = ".last.json"
_VERSION = re.compile(r"[0-9]{4}|[1-9][0-9]{4,}")


def version_folder(artifacts: Path, version: int) -> Path:
    """Return the folder of ``version`` under a pipeline's ``artifacts``."""
    return artifacts / "models" / f"{version:04d}"


def bundle_folder(artifacts: Path, version: int) -> Path:
    """Return the folder of a version's bundle.

    Raises
    ------
    RegistryError
        It, the version's folder or ``models`` is a link, and may lead outside the registry.
    """
    folder = version_folder(artifacts, version)
    bundle = folder / BUNDLE_FOLDER
    for path in (folder.parent, folder, bundle):
        _refuse_link(path)
    return bundle


def versions(artifacts: Path) -> list[int]:
    """Return the numbers of the existing versions, ascending; links are ignored.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.

    Raises
    ------
    RegistryError
        The folder of versions is a link.
    """
    folder = artifacts / "models"
    _refuse_link(folder)
    entries = folder.iterdir() if folder.is_dir() else ()
    return sorted(
        int(entry.name)
        for entry in entries
        if _VERSION.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink()
    )


def add_version(artifacts: Path, fill: Callable[[Path], None]) -> int:
    """Create a new version, and return its number.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, created if it does not exist.
    fill
        Called with an empty folder, into which it writes the version's files. Their digests are
        then recorded in ``files.json``, and the folder is renamed to its number. If ``fill``
        raises, there is no version. Numbers are never reused, even if the version was removed or
        its writer was killed.
    """
    models = artifacts / "models"
    _refuse_link(models)
    models.mkdir(parents=True, exist_ok=True)
    sweep(models)
    with staging_folder(models) as staging:
        fill(staging)
        files = measure(staging)
        with registry_lock(artifacts):
            # An unfinished promotion does not block adding a version.
            with contextlib.suppress(OSError):
                settle(artifacts)
            version = max([_last_number(artifacts), *versions(artifacts)]) + 1
            # The number is recorded first: a failure in between wastes it instead of reusing it.
            write_json(models / LAST_NUMBER, {"version": version})
            seal(staging, files, pipeline=artifacts.name, version=version)
            sync_folder(staging)
            _rename_new(staging, version_folder(artifacts, version))
    sync_folder(models)
    return version


def production_version(artifacts: Path) -> int:
    """Return the number of the version in production; raises the errors of `production`."""
    return production(artifacts)[0]


def production(artifacts: Path) -> tuple[int, str]:
    """Return the version in production and the SHA-256 of its bundle when it was promoted.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.

    Raises
    ------
    RegistryError
        No version is in production, the pointer is damaged or lost, or the version is gone.
    """
    found = in_production(artifacts)
    if found is None:
        raise RegistryError(
            f"{artifacts.name}: no model in production ({artifacts / POINTER} does not exist). "
            f"Make one with: ffn retrain {artifacts.name}"
        )
    if found[0] not in (there := versions(artifacts)):
        raise RegistryError(
            f"{artifacts / POINTER}: version {found[0]} is in production but does not exist; "
            f"there are: {_listed(there)}. {_way_out(artifacts)}"
        )
    return found


def in_production(artifacts: Path) -> tuple[int, str] | None:
    """Return the version in production, and the SHA-256 its bundle had when it was promoted.

    None if no version was ever promoted. Whether the version still exists is not checked.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.

    Raises
    ------
    RegistryError
        The pointer is damaged or lost.
    OSError
        There is no pointer, and the history, which shows whether one was lost, cannot be read.
    """
    found = _read_pointer(artifacts)
    if found is None:
        history = read_history(artifacts)
        if not history.entries and not history.damaged:
            return None
        # The pointer is written before the history, so it may have appeared while that was read.
        found = _read_pointer(artifacts)
    if found is None:
        raise RegistryError(
            f"{artifacts / POINTER}: missing, and {HISTORY} says that versions were promoted. "
            f"{_way_out(artifacts)}"
        )
    return found


def _read_pointer(artifacts: Path) -> tuple[int, str] | None:
    pointer = artifacts / POINTER
    try:
        with open_plain(pointer) as (file, size):
            content = parse_json(file.read(min(size, MOST_POINTER_BYTES)))
        version, sha256 = content["version"], content["bundle_sha256"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        version = sha256 = None
    if not is_version(version) or not isinstance(sha256, str):
        raise RegistryError(f"{pointer}: damaged. {_way_out(artifacts)}")
    return version, sha256


def _way_out(artifacts: Path) -> str:
    name = artifacts.name
    if not versions(artifacts):
        return f"Remove {POINTER} and {HISTORY}, and start again: ffn retrain {name}"
    return f"Promote an existing version: ffn promote {name} N, or roll back: ffn rollback {name}"


def require_version(artifacts: Path, version: int) -> Path:
    """Return the folder of an existing version.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    version
        Number in the registry.

    Raises
    ------
    RegistryError
        The version does not exist; the message lists those that do.
    """
    if version not in (there := versions(artifacts)):
        raise RegistryError(
            f"{artifacts.name}: version {version} does not exist; there are: {_listed(there)}. "
            "Choose an existing version, or retrain."
        )
    return bundle_folder(artifacts, version).parent


def _listed(there: list[int]) -> str:
    return ", ".join(map(str, there[-20:])) or "none"


def _last_number(artifacts: Path) -> int:
    """Return the highest number ever used, even if that version was removed."""
    known = []
    with contextlib.suppress(OSError):
        known += [entry.version for entry in read_history(artifacts).entries]
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        text = read_plain(artifacts / "models" / LAST_NUMBER, MOST_POINTER_BYTES)
        given = parse_json(text)["version"]
        known += [given] if is_version(given) else []
    return max(known, default=0)


def _rename_new(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise RegistryError(f"{target} exists already. Remove it and try again.") from None
        raise


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise RegistryError(
            f"{path} is a link; versions are kept in plain folders. Put the folder itself there."
        )
