"""Find objects by a pattern, as files are found by one: ``s3://bucket/history/*.parquet``."""

from __future__ import annotations

import fnmatch
import glob
from collections.abc import Sequence

from ffn.errors import DataError, quote
from ffn.object_stores.buckets import ObjectState, bucket_of
from ffn.object_stores.object_address import ObjectAddress, key_problem

__all__ = ["is_pattern", "matching_objects", "pattern_folder"]


def is_pattern(address: ObjectAddress) -> bool:
    """Say whether an address has ``*``, ``?`` or ``[…]``, which an object's name rarely has."""
    return glob.has_magic(address.key)


def pattern_folder(address: ObjectAddress) -> ObjectAddress:
    """Return the folder that the pattern ``address`` begins with."""
    parts = address.parts[2:]
    fixed = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return ObjectAddress(*address.parts[: 2 + fixed])


def matching_objects(address: ObjectAddress) -> list[ObjectState]:
    """Return the objects that match a pattern, in the order of their names.

    Names are compared part by part, as those of files: ``*``, ``?`` and ``[…]`` do not go across a
    slash, ``**`` does. Empty objects that stand for folders are passed over.

    Parameters
    ----------
    address
        The pattern.

    Raises
    ------
    DataError
        The store refuses, or a name that matches cannot be that of a file: it could lead out of its
        folder.
    """
    folder = pattern_folder(address)
    wanted = address.parts[len(folder.parts) :]
    listed = list(bucket_of(address).listing(folder.key))
    folders = {parent for state in listed for parent in _parents(state.key)}
    found = []
    for state in listed:
        below = state.key.removeprefix(folder.key).removeprefix("/")
        # What some programs make for an empty folder; the library leaves out the slash at its end.
        if not below or (state.size == 0 and state.key in folders):
            continue
        if not _matches(below.split("/"), wanted):
            continue
        if problem := key_problem(state.key):
            raise DataError(
                f"{folder}: the object {quote(state.key, 200)} {problem}. Rename it, or give a "
                "pattern without it."
            )
        found.append(state)
    return sorted(found)


def _parents(key: str) -> list[str]:
    parts = key.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]


def _matches(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    if not wanted:
        return not parts
    first, rest = wanted[0], wanted[1:]
    if first == "**":
        # Any number of folders; at the end, whatever is in them.
        if not rest:
            return bool(parts)
        return any(_matches(parts[skipped:], rest) for skipped in range(len(parts)))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], first) and _matches(parts[1:], rest)
