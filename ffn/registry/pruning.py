"""Removing old versions: never the one in production, nor the one that a rollback goes to."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ffn.registry.pointer import predecessor
from ffn.registry.promotion_history import recover
from ffn.registry.versions import in_production, version_folder, versions
from ffn.storage.atomic import sweep, sync_folder, temporary_name
from ffn.storage.pipeline_locks import registry_lock

__all__ = ["Pruning", "prune"]


@dataclass(frozen=True, kw_only=True)
class Pruning:
    """What was removed, or would be.

    Attributes
    ----------
    removed
        Versions, ascending; their reports went with them.
    kept
        Versions that are there now.
    protected
        Those of them that are kept though older than the ones asked for.
    bytes
        Of all files removed.
    """

    removed: tuple[int, ...]
    kept: tuple[int, ...]
    protected: tuple[int, ...]
    bytes: int


def prune(artifacts: Path, *, keep: int, dry_run: bool = False) -> Pruning:
    """Remove all but the newest ``keep`` versions, with their reports.

    Each version goes by one rename, so it is there whole or not at all whenever this ends.
    Numbers are not given again, and the history keeps what it has.

    Parameters
    ----------
    keep
        At least 1: a retraining that has registered its version, the newest, has still to
        promote it.
    dry_run
        Only say what would be removed.

    Raises
    ------
    RegistryError
        The pointer is damaged or lost: it is not known what must not be removed.
    """
    with registry_lock(artifacts):
        there = versions(artifacts)
        guarded = {predecessor(artifacts)}
        if scoring := in_production(artifacts):
            guarded.add(scoring.version)
        newest = set(there[-keep:])
        removed = [version for version in there if version not in newest | guarded]
        folders = [version_folder(artifacts, version) for version in removed]
        folders += _reports(artifacts, set(there) - set(removed))
        size = sum(map(_size, folders))
        if not dry_run:
            recover(artifacts)
            sweep(artifacts / "models")
            for folder in folders:
                _remove(folder)
    return Pruning(
        removed=tuple(removed),
        kept=tuple(version for version in there if version not in removed),
        protected=tuple(sorted(set(there) & guarded - newest)),
        bytes=size,
    )


def _reports(artifacts: Path, kept: set[int]) -> list[Path]:
    """Return the folders of reports on versions that are gone, or about to go."""
    folder = artifacts / "reports"
    if folder.is_symlink() or not folder.is_dir():
        return []
    numbered = [entry for entry in sorted(folder.iterdir()) if entry.name.isdecimal()]
    return [e for e in numbered if e.is_dir() and not e.is_symlink() and int(e.name) not in kept]


def _size(folder: Path) -> int:
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_symlink() or not p.is_dir())


def _remove(folder: Path) -> None:
    """Take a folder out by one rename; what dies after that is swept by the next start."""
    parent = folder.parent
    doomed = folder.rename(parent / temporary_name())
    sync_folder(parent)
    shutil.rmtree(doomed)
