"""What became of parts that a worker was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ffn.cluster_scoring.part_tasks import OpenPart
from ffn.cluster_scoring.shared_folder import OfferedFolder, StoredNames
from ffn.errors import DataError, OutputError
from ffn.scoring.partitioned.part_processes import PartResult, PartWork

__all__ = ["results_of"]


def results_of(
    said: Mapping[str, Any],
    pieces: Mapping[str, bytearray],
    parts: Sequence[OpenPart],
    work: PartWork,
    folder: OfferedFolder,
) -> list[PartResult] | None:
    """Return what became of parts, after putting their files into their place.

    Parameters
    ----------
    said, pieces
        The worker's answer.
    parts
        What it was asked.
    work
        What all parts are scored with.
    folder
        The work folder, as workers see it.

    Returns
    -------
    list or None
        None if the worker has written files that are not there: the disk is not shared.

    Raises
    ------
    OutputError
        The work folder cannot be written.
    KeyError, TypeError, ValueError, AttributeError
        As for `OpenPart.take`.
    """
    results: list[PartResult] = []
    files: dict[int, tuple[bytearray, bytearray] | StoredNames] = {}
    scored = [
        (number, one, found)
        for number, (one, found) in enumerate(zip(parts, said["parts"], strict=True))
        if "refusal" not in found and found["account"] is not None
    ]
    for number, one, found in scored:
        if found["stored"] is None:
            files[number] = pieces[f"{number}.output"], pieces[f"{number}.rejects"]
            continue
        sizes = found["account"]["output"]["bytes"], found["account"]["rejects"]["bytes"]
        stored = folder.found(found["stored"], one.part.key, sizes)
        if stored is None:
            return None
        files[number] = stored
    for number, (one, found) in enumerate(zip(parts, said["parts"], strict=True)):
        if "refusal" in found:
            results.append(PartResult(one.part, None, DataError(str(found["refusal"]))))
        elif number not in files:
            results.append(PartResult(one.part, None, None))
        else:
            try:
                results.append(one.take(found, files[number], work))
            except OutputError:
                raise
            except DataError as refusal:
                results.append(PartResult(one.part, None, refusal))
    return results
