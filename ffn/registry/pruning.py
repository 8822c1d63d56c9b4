"""Remove old versions, but never the one in production nor the one a rollback returns to."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffn.bundles.contents import read_registered
from ffn.lineage.kept_data import KeptTable, remove_unneeded
from ffn.registry.pointer import predecessor
from ffn.registry.promotion_history import recover
from ffn.registry.provenance import PROVENANCE
from ffn.registry.versions import in_production, version_folder, versions
from ffn.storage.atomic import sweep, sync_folder, temporary_name
from ffn.storage.pipeline_locks import registry_lock

__all__ = ["Pruning", "discard_tables", "prune"]


@dataclass(frozen=True, kw_only=True)
class Pruning:
    """Result of pruning, or of a dry run.

    Attributes
    ----------
    removed
        Removed versions, ascending; their reports are removed, too.
    kept
        Remaining versions, ascending.
    protected
        Remaining versions that are older than the number to keep allows.
    bytes
        Size of all removed files.
    tables
        Number of kept training tables among them, which no remaining version was trained on.
    """

    removed: tuple[int, ...]
    kept: tuple[int, ...]
    protected: tuple[int, ...]
    bytes: int
    tables: int = 0


def prune(artifacts: Path, *, keep: int, dry_run: bool = False) -> Pruning:
    """Remove all but the newest ``keep`` versions, with their reports and training tables.

    Each version is removed by one rename, so that it is either complete or gone, even if this
    process is killed. Numbers are not reused, and the history is kept. A training table is removed
    after the last version that was trained on it.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    keep
        Number of versions to keep, at least 1, because a running retraining may have registered
        the newest version without having promoted it yet.
    dry_run
        Only report what would be removed; by default it is removed.

    Raises
    ------
    RegistryError
        The pointer is damaged or lost, so the version in production is unknown.
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
        kept = [version for version in there if version not in removed]
        tables = discard_tables(artifacts, kept, dry_run=dry_run)
    return Pruning(
        removed=tuple(removed),
        kept=tuple(kept),
        protected=tuple(sorted(set(there) & guarded - newest)),
        bytes=size + sum(table.bytes for table in tables),
        tables=len(tables),
    )


def discard_tables(artifacts: Path, kept: list[int], *, dry_run: bool = False) -> list[KeptTable]:
    """Remove the training tables that no version was made from, and return them.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    kept
        Versions whose tables remain. If the provenance of one is damaged, nothing is removed.
    dry_run
        Only return what would be removed; by default it is removed.
    """
    needed: set[Any] = set()
    for version in kept:
        made = read_registered(version_folder(artifacts, version), PROVENANCE)
        if not isinstance(made.get("source_sha256"), str):
            return []
        needed |= {made["source_sha256"], made.get("test_sha256")}
    return remove_unneeded(artifacts, needed, dry_run=dry_run)


def _reports(artifacts: Path, kept: set[int]) -> list[Path]:
    """Return the report folders of versions that do not remain."""
    folder = artifacts / "reports"
    if folder.is_symlink() or not folder.is_dir():
        return []
    numbered = [entry for entry in sorted(folder.iterdir()) if _is_number(entry.name)]
    return [e for e in numbered if e.is_dir() and not e.is_symlink() and int(e.name) not in kept]


def _is_number(name: str) -> bool:
    # Versions are written in ASCII digits; a folder of other digits is not of this program.
    return name.isascii() and name.isdecimal()


def _size(folder: Path) -> int:
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_symlink() or not p.is_dir())


def _remove(folder: Path) -> None:
    """Remove a folder, by a rename first; if killed after that, the next start cleans up."""
    parent = folder.parent
    doomed = folder.rename(parent / temporary_name())
    sync_folder(parent)
    shutil.rmtree(doomed)
