"""Which groups a version was trained on: those of the rows of its kept training table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.contents import read_registered
from ffn.errors import DataError
from ffn.lineage.kept_data import extract_table, kept_path
from ffn.promotion.champion import Opponent
from ffn.registry.provenance import PROVENANCE
from ffn.registry.versions import version_folder
from ffn.scoring.trained_rows import TrainedRows
from ffn.settings.document import PipelineSettings
from ffn.storage.source import open_source
from ffn.tabular.cells import trim
from ffn.tabular.csv.reader import Records
from ffn.tabular.splitting.hashing import seeded_hash, text_digest

__all__ = ["training_groups"]

Array = npt.NDArray[Any]


def training_groups(artifacts: Path, version: Opponent, trained: TrainedRows) -> Array:
    """Return the identifiers of the groups that a version was trained on, uint64 [G].

    A bundle has fingerprints of its training rows, which do not tell their groups, so the kept
    training table is read again. Rows of a held-out group may be equal to training rows: a group
    whose hash puts it on the side of the held-out ones is taken for one of training only if most of
    its rows are recognised, as those of a group are that was too large to be held out.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results.
    version
        The version, which was trained with a group column.
    trained
        Its training rows.

    Raises
    ------
    DataError
        The table is not kept, or is damaged, or rows cannot be recognised in it.
    """
    settings = version.settings
    if settings is None or not settings.split.group:
        raise DataError(f"version {version.version} has no group column.")
    provenance = read_registered(version_folder(artifacts, version.version), PROVENANCE)
    sha256 = str(provenance.get("source_sha256"))
    # Read once for its digest alone, before anything that it says is believed.
    extract_table(artifacts, sha256, Path(os.devnull))
    groups, seen = _groups_of_rows(kept_path(artifacts, sha256), settings, trained)
    values, place = np.unique(groups, return_inverse=True)
    rows, recognised = np.bincount(place), np.bincount(place, seen)
    found = recognised > 0
    if version.split is not None and version.split.limit:
        hashes, limit = seeded_hash(values, settings.training.seed), int(version.split.limit, 16)
        # As Python's integers, because the limit may be 2**64.
        chosen = np.array([value >= limit for value in hashes.tolist()], dtype=bool)
        found &= chosen | (2 * recognised >= rows)
    of_training: Array = values[found]
    return of_training


def _groups_of_rows(
    path: Path, settings: PipelineSettings, trained: TrainedRows
) -> tuple[Array, Array]:
    """Return the group of each row of a table [N], and whether it was trained on [N]."""
    data, group = settings.data, settings.split.group
    groups, seen = [np.empty(0, dtype=np.uint64)], [np.empty(0, dtype=bool)]
    with open_source(path) as source:
        records = Records(source, str(path), delimiter=data.delimiter, given_encoding=data.encoding)
        names = list(records.header.names)
        if group not in names or not trained.are_in(names):
            raise DataError(f"{path} lacks a column by which training rows are recognised.")
        for block in records.blocks():
            texts = {
                name: list(map(trim, block.cells(names.index(name)))) for name in trained.columns
            }
            seen.append(trained.known(texts, len(block), data.decimal))
            cells = map(trim, block.cells(names.index(group)))
            groups.append(np.array(list(map(text_digest, cells)), dtype=np.uint64))
    return np.concatenate(groups), np.concatenate(seen)
