"""Tables whose files are objects in a store: found by their address, each fetched once.

An object is kept in the pipeline's cache under a name made of its address and the store's mark of
its content, never under its own name, which somebody else chose. So only objects that are new or
changed are fetched, and none can be written outside the cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ffn.errors import DataError, FFNError, one_line, quote
from ffn.extraction.table_files import TableFile, check_partitions, is_passed_over, partition_of
from ffn.object_stores.buckets import ObjectState, bucket_of
from ffn.object_stores.object_address import ObjectAddress, parse_object_address
from ffn.object_stores.object_patterns import is_pattern, matching_objects, pattern_folder
from ffn.storage.cache import Cache, CacheEntry
from ffn.storage.documents import canonical_json

__all__ = ["FetchedTables", "ObjectTables", "fetched_tables", "kept_objects", "object_tables"]

# Hidden, because the cache of tables removes what none of its tables needs.
_FOLDER = ".objects"


@dataclass(frozen=True)
class ObjectTables:
    """The objects of a table, as a store lists them.

    Attributes
    ----------
    address
        The address or pattern.
    folder
        The folder below which they have their names.
    states
        The objects, in the order of their names.
    """

    address: ObjectAddress
    folder: ObjectAddress
    states: tuple[ObjectState, ...]

    @property
    def stamp(self) -> int:
        """A number that changes when an object is replaced, appears or disappears."""
        text = canonical_json([list(state) for state in self.states])
        return int(hashlib.sha256(text).hexdigest()[:15], 16)

    def name(self, state: ObjectState) -> str:
        """Return the name of an object below the folder.

        Parameters
        ----------
        state
            One of ``states``.
        """
        return state.key.removeprefix(self.folder.key).removeprefix("/")


@dataclass(frozen=True)
class FetchedTables:
    """Copies of the objects of a table.

    Attributes
    ----------
    files
        The copies, as files of a table.
    entries
        Cache entries that hold them, which are not removed while this object lives.
    addresses
        Address of each object by the path of its copy.
    """

    files: tuple[TableFile, ...]
    entries: tuple[CacheEntry, ...]
    addresses: dict[Path, ObjectAddress]

    @contextlib.contextmanager
    def named(self) -> Iterator[None]:
        """Name the objects in errors of the block, instead of their copies."""
        try:
            yield
        except FFNError as error:
            text = str(error)
            for path, address in self.addresses.items():
                text = text.replace(str(path), str(address))
            error.args = (one_line(text),)
            raise


def object_tables(source: str) -> ObjectTables:
    """List the objects of a table.

    Parameters
    ----------
    source
        Address of an object; of a folder, with a slash at its end, of which all tables are taken,
        those in folders named ``column=value`` included; or a pattern. What is taken of these is
        what `table_files` takes of files.

    Raises
    ------
    DataError
        There is no such object, the store refuses, or a name could lead out of its folder.
    SettingsError
        It is no address, or the extra is not installed.
    """
    address = parse_object_address(source)
    is_folder = source.endswith("/") or not address.key
    if not is_folder and not is_pattern(address):
        state = bucket_of(address).state(address.key)
        if state is None:
            raise DataError(f"{address} does not exist. Give the address of a table.")
        return ObjectTables(address, address.parent, (state,))
    folder = address if is_folder else pattern_folder(address)
    found = ObjectTables(
        address, folder, tuple(matching_objects(address / "**" if is_folder else address))
    )
    wanted = [
        state
        for state in found.states
        if not is_passed_over(found.name(state), partitions_alone=is_folder)
    ]
    if not wanted:
        what = (
            f"{address}/ holds no table"
            if is_folder
            else f"no object matches {quote(address, 200)}"
        )
        raise DataError(f"{what}. Give objects of a table (.csv, .tsv, .tab, .parquet).")
    # In the order of names below the folder, as files are.
    return ObjectTables(address, folder, tuple(sorted(wanted, key=found.name)))


def kept_objects(cache: Cache) -> Cache:
    """Return the cache of objects beside that of the tables in ``cache``."""
    return Cache(cache.folder / _FOLDER)


def fetched_tables(tables: ObjectTables, cache: Cache) -> FetchedTables:
    """Fetch the objects of a table that are not in the cache yet.

    Parameters
    ----------
    tables
        Result of `object_tables`.
    cache
        Where copies are kept: see `kept_objects`.

    Raises
    ------
    DataError
        An object was replaced or removed meanwhile, the store refuses, or the disk is full.
    """
    files, entries, addresses = [], [], {}
    bucket = bucket_of(tables.address)
    given = len(tables.states) == 1 and tables.states[0].key == tables.address.key
    for state in tables.states:
        address = tables.address.beside(state.key)
        # Without a mark nobody can say whether the object is still the same.
        mark = state.etag or secrets.token_hex(16)
        digest = hashlib.sha256(canonical_json([str(address), mark, state.size])).hexdigest()[:32]
        # A name that no other file has: errors are rewritten by it.
        name = f"{digest}-object"

        def fetch(folder: Path, state: ObjectState = state, name: str = name) -> None:
            bucket.fetch(state, folder / name)

        entry = cache.entry(name, fetch)
        path = entry.path / name
        entries.append(entry)
        below = tables.name(state)
        files.append(TableFile(path, below, partition_of(below), given=given))
        addresses[path] = address
    found = FetchedTables(tuple(files), tuple(entries), addresses)
    with found.named():
        check_partitions(files, Path(tables.folder))
    return found
