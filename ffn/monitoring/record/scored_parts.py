"""The scored tables of a manifest: one file, or each part of a partitioned output.

Parts that hold are kept from run to run, and their manifest is written again whenever another part
changes. So a part is known by what it is itself, and was scored when its own file was written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ffn.errors import DataError
from ffn.extraction.table_files import partition_of
from ffn.monitoring.record.manifest_checks import check_manifest
from ffn.monitoring.record.scored_tables import ScoredTable
from ffn.scoring.output.targets import COMPANIONS, Targets
from ffn.scoring.partitioned.dataset_manifest import PublishedParts, read_published
from ffn.storage.documents import canonical_json

__all__ = ["tables_of"]


def tables_of(path: Path) -> list[ScoredTable]:
    """Return the scored tables of the manifest at ``path``; of parts, those that have a row.

    Raises
    ------
    DataError
        It is no manifest of this program, or a part is gone.
    """
    targets = Targets.beside(path.with_name(path.name.removesuffix(COMPANIONS[1])))
    if not targets.output.is_dir():
        return [ScoredTable.read(path)]
    published = read_published(targets)
    try:
        manifests = None if published is None else _as_of_files(published)
    except (KeyError, TypeError):
        manifests = None
    if manifests is None:
        raise DataError(f"{path} is not the manifest of scored parts. Remove it.")
    return [_part(manifest, name, targets.output) for name, manifest in manifests.items()]


def _as_of_files(published: PublishedParts) -> dict[str, dict[str, Any]]:
    """Return a manifest for each part that has a row. Raises whatever a wrong one causes."""
    return {
        name: _as_of_a_file(published, entry)
        for name, entry in published.entries.items()
        if entry["scored"]
    }


def _as_of_a_file(published: PublishedParts, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``entry`` of a part as the manifest of a file."""
    manifest = {
        **published.scored_by(entry),
        **{key: entry[key] for key in ("rows", "scored", "rejected", "classes")},
        "abstained": entry.get("abstained", 0),
        "files": {"output": entry["output"]},
    }
    check_manifest(manifest)
    return manifest


def _part(manifest: dict[str, Any], name: str, folder: Path) -> ScoredTable:
    output = folder / name
    try:
        at = output.stat().st_mtime
    except OSError:
        raise DataError(
            f"{output} is gone, so its predictions cannot be evaluated. Score its input again."
        ) from None
    return ScoredTable(
        output,
        manifest,
        hashlib.sha256(canonical_json({"part": f"{folder.name}/{name}", **manifest})).hexdigest(),
        at,
        name=f"{folder.name}/{name}",
        given=partition_of(name),
    )
