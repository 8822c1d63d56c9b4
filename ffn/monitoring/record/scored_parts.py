"""The scored tables of a manifest: one file, or each part of a partitioned output.

Parts that hold are kept from run to run, and their manifest is written again whenever another part
changes. So a part is known by what it is itself, and was scored when its own file was written.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ffn.errors import DataError
from ffn.extraction.table_files import partition_of
from ffn.monitoring.record.scored_tables import ScoredTable
from ffn.scoring.output.targets import COMPANIONS, Targets
from ffn.scoring.partitioned.dataset_manifest import PublishedParts, read_published
from ffn.storage.documents import canonical_json

__all__ = ["tables_of"]

_WORK = ("pipeline", "model_version", "bundle_sha256", "target", "options")


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
    if published is None:
        raise DataError(f"{path} is not the manifest of scored parts. Remove it.")
    return [
        _part(published, name, targets.output)
        for name, entry in published.entries.items()
        if entry["scored"]
    ]


def _part(published: PublishedParts, name: str, folder: Path) -> ScoredTable:
    entry = published.entries[name]
    # The input of this part may be gone since another version scored it.
    work = entry.get("scored_by") or {key: published.manifest[key] for key in _WORK}
    manifest = {
        **{key: work[key] for key in _WORK},
        **{key: entry[key] for key in ("rows", "scored", "rejected", "classes")},
        "abstained": entry.get("abstained", 0),
        "files": {"output": entry["output"]},
    }
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
