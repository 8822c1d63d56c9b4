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
from ffn.bundles.contents import measure, seal
from ffn.errors import RegistryError
from ffn.registry.production import POINTER, ProductionVersion, is_version, read_pointer
from ffn.registry.promotion_history import (
    HISTORY,
    read_history,
    recover,
)
from ffn.storage.atomic import staging_folder, sweep, sync_folder
from ffn.storage.documents import parse_json, write_json
from ffn.storage.pipeline_locks import registry_lock
from ffn.storage.plain_files import read_plain

__all__ = [
    "LAST_NUMBER",
    "add_version",
    "bundle_folder",
    "in_production",
    "number_of",
    "production",
    "production_version",
    "require_version",
    "version_folder",
    "versions",
]

LAST_NUMBER = ".last.json"
_MODELS = "models"
_MOST_NUMBER_BYTES = 64 * 1024
_VERSION = re.compile(r"[0-9]{4}|[1-9][0-9]{4,}")


def version_folder(artifacts: Path, version: int) -> Path:
    """Return the folder of ``version`` under a pipeline's ``artifacts``."""
    return artifacts / _MODELS / f"{version:04d}"


def number_of(bundle: Path) -> int:
    """Return the number of the version whose folder holds ``bundle``; 0 if none does.

    A bundle does not know its number, its place does: that in ``models/0003`` is version 3's.
    """
    folder = bundle.absolute().parent
    registered = folder.parent.name == _MODELS and _VERSION.fullmatch(folder.name)
    return int(folder.name) if registered else 0


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
    folder = artifacts / _MODELS
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
    models = artifacts / _MODELS
    _refuse_link(models)
    models.mkdir(parents=True, exist_ok=True)
    sweep(models)
    with staging_folder(models) as staging:
        fill(staging)
        files = measure(staging)
        with registry_lock(artifacts):
            # An unfinished promotion does not block adding a version.
            with contextlib.suppress(OSError):
                recover(artifacts)
            version = max([_last_number(artifacts), *versions(artifacts)]) + 1
            # The number is recorded first: a failure in between wastes it instead of reusing it.
            write_json(models / LAST_NUMBER, {"version": version})
            seal(staging, files, pipeline=artifacts.name, version=version)
            sync_folder(staging)
            _rename_new(staging, version_folder(artifacts, version))
    sync_folder(models)
    return version


def _first_step(artifacts: Path) -> str:
    """Return how something gets into production: the last version there is was kept back."""
    name = artifacts.name
    if not (there := versions(artifacts)):
        return f"Make one with: ffn retrain {name}"
    newest = there[-1]
    return (
        f"Version {newest} is not promoted; ffn models {name} {newest} says why. Change the "
        f"settings or the data, and ffn retrain {name}; or put it into production all the same: "
        f"ffn promote {name} {newest}"
    )


def production_version(artifacts: Path) -> int:
    """Return the version in production. Raises what ``production`` does."""
    return production(artifacts).version


def production(artifacts: Path) -> ProductionVersion:
    """Return what ``in_production`` does, which has to be something and there.

    Raises
    ------
    RegistryError
        No version is in production, the pointer is damaged or lost, or the version is gone.
    """
    found = in_production(artifacts)
    if found is None:
        raise RegistryError(
            f"{artifacts.name}: no model in production ({artifacts / POINTER} does not exist). "
            f"{_first_step(artifacts)}"
        )
    if found.version not in (there := versions(artifacts)):
        raise RegistryError(
            f"{artifacts / POINTER}: version {found.version} is in production but does not exist; "
            f"there are: {_listed(there)}. {_way_out(artifacts)}"
        )
    return found


def in_production(artifacts: Path) -> ProductionVersion | None:
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
    pointer = read_pointer(artifacts)
    if pointer.missing:
        history = read_history(artifacts)
        if not history.entries and not history.damaged:
            return None
        # The pointer is written first: it may have come while the history was read.
        pointer = read_pointer(artifacts)
    if pointer.missing:
        raise RegistryError(
            f"{artifacts / POINTER}: missing, and {HISTORY} says that versions were promoted. "
            f"{_way_out(artifacts)}"
        )
    if pointer.unreadable:
        raise RegistryError(
            f"{artifacts / POINTER} cannot be read: {pointer.unreadable}. Nothing was changed; let "
            f"this user read the files of {artifacts}."
        )
    if pointer.target is None:
        raise RegistryError(f"{artifacts / POINTER}: damaged. {_way_out(artifacts)}")
    return pointer.target


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
        text = read_plain(artifacts / _MODELS / LAST_NUMBER, _MOST_NUMBER_BYTES)
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
