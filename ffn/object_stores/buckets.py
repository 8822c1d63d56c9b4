"""One bucket of a store: the requests that are made of it, bounded in time and memory."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ffn.errors import DataError, OutputError
from ffn.object_stores.object_address import ObjectAddress
from ffn.object_stores.store_connections import connect_to_store, object_library
from ffn.object_stores.store_errors import ChangedObjectError, told_by_store

__all__ = ["Bucket", "ObjectState", "bucket_of", "forget_buckets"]

# S3 refuses parts below 5 MiB, and takes 10,000: beyond 72 GB they are larger.
_PART = 8 * 1024 * 1024
_MOST_PARTS = 9_000
_PARTS_AT_ONCE = 4


Beat = Callable[[], object]


def _nothing() -> None:
    pass


class ObjectState(NamedTuple):
    """An object as it was found.

    Attributes
    ----------
    key
        Its name in the bucket.
    size
        Its size in bytes.
    etag
        The store's mark of this content: another one means that the object was replaced.
    """

    key: str
    size: int
    etag: str


class Bucket:
    """One bucket. Threads may share it; another process has to make its own.

    Parameters
    ----------
    address
        The bucket, or anything in it.

    Raises
    ------
    SettingsError
        The extra is not installed, or the environment names something that is not allowed.
    """

    def __init__(self, address: ObjectAddress) -> None:
        self._library = object_library()
        self._store = connect_to_store(address)
        self._root = ObjectAddress(f"{address.scheme}:", address.bucket)

    def state(self, key: str) -> ObjectState | None:
        """Return the state of the object ``key``; None if there is none."""
        address = self._root.beside(key)
        try:
            with told_by_store(address):
                found = self._library.head(self._store, key)
        except FileNotFoundError:
            # The answer to this request has no text that tells a missing bucket from a missing
            # object; that to a list has.
            self.require(address)
            return None
        return _state(found)

    def require(self, address: ObjectAddress) -> None:
        """Raise ``DataError`` if the bucket does not exist, or cannot be looked into.

        Parameters
        ----------
        address
            What to name in the message.
        """
        with told_by_store(address):
            for _ in self._library.list(self._store, prefix=f"{address.key}/", chunk_size=1):
                return

    def listing(self, prefix: str) -> Iterator[ObjectState]:
        """Yield the objects below a folder, in no particular order.

        Parameters
        ----------
        prefix
            Key of the folder; empty for the whole bucket.
        """
        with told_by_store(self._root.beside(prefix) if prefix else self._root):
            for some in self._library.list(self._store, prefix=prefix or None, chunk_size=1_000):
                for found in some:
                    yield _state(found)

    def small(self, key: str, most: int) -> tuple[bytes, str] | None:
        """Return content and mark of an object; None if there is none.

        Parameters
        ----------
        key
            Name of the object.
        most
            Largest size in bytes: a longer one is not of the expected kind, and may exceed memory.

        Raises
        ------
        DataError
            It is longer, or the store refuses.
        """
        address = self._root.beside(key)
        try:
            with told_by_store(address):
                found = self._library.get(self._store, key)
                state = _state(found.meta)
                if state.size > most:
                    raise DataError(f"{address} is longer than {most:,} bytes. Remove it.")
                return bytes(found.bytes()), state.etag
        except FileNotFoundError:
            self.require(address)
            return None

    def fetch(self, state: ObjectState, target: Path, beat: Beat = _nothing) -> None:
        """Write the content of an object to a file, a part at a time.

        Parameters
        ----------
        state
            The object as it was found. Each request says that it means this very content.
        target
            The file, which is not complete if an error is raised.
        beat
            Called before each part; what it raises ends the copy. By default nothing is done.

        Raises
        ------
        ChangedObjectError
            The object was replaced or removed meanwhile.
        DataError
            The store refuses.
        OSError
            The file cannot be written.
        """
        address = self._root.beside(state.key)
        written = 0
        with target.open("wb") as file:
            while written < state.size:
                beat()
                until = min(written + _PART, state.size)
                options: dict[str, Any] = {"range": (written, until)}
                if state.etag:
                    options["if_match"] = state.etag
                try:
                    with told_by_store(address):
                        some = self._library.get(self._store, state.key, options=options).bytes()
                except FileNotFoundError:
                    raise ChangedObjectError(
                        f"{address} was removed while it was read. Put it back."
                    ) from None
                if len(some) != until - written:
                    raise ChangedObjectError(
                        f"{address} has {state.size:,} bytes, and the store gives fewer. Try again."
                    )
                file.write(some)
                written = until

    def put(self, key: str, content: bytes, *, replacing: str | None = None) -> str:
        """Write a small object, on a condition, and return its mark.

        Parameters
        ----------
        key
            Name of the object.
        content
            Its content.
        replacing
            Mark that the object must have now; empty, if there must be none. None, the default, for
            no condition.

        Raises
        ------
        TakenObjectError
            The condition does not hold; nothing is written.
        OutputError
            The store refuses.
        """
        mode: Any = "overwrite" if replacing is None else "create"
        if replacing:
            mode = {"e_tag": replacing}
        address = self._root.beside(key)
        with told_by_store(address, "written"):
            done = self._library.put(self._store, key, content, mode=mode, use_multipart=False)
        return str(done["e_tag"] or "")

    def put_file(self, key: str, source: Path, beat: Beat = _nothing) -> None:
        """Write a file as an object, which appears whole or not at all.

        A long one is sent in parts that nobody sees before all are there. An error takes back what
        was sent; a kill leaves parts that the store's own rule for unfinished uploads removes.

        Parameters
        ----------
        key
            Name of the object; one that exists is replaced.
        source
            The file.
        beat
            Called before each part; what it raises takes back what was sent. By default nothing is
            done.

        Raises
        ------
        OutputError
            The store refuses.
        """
        address, size = self._root.beside(key), source.stat().st_size
        part = max(_PART, -(-size // _MOST_PARTS))
        try:
            # Left by an exception, the writer completes nothing and takes back its parts.
            with (
                told_by_store(address, "written"),
                source.open("rb") as file,
                self._library.open_writer(
                    self._store, key, buffer_size=part, max_concurrency=_PARTS_AT_ONCE
                ) as writer,
            ):
                while some := file.read(part):
                    beat()
                    writer.write(some)
        except FileNotFoundError:
            raise _vanished(address) from None

    def delete(self, key: str) -> None:
        """Remove the object ``key``; one that does not exist is no error."""
        try:
            with told_by_store(self._root.beside(key), "written"):
                self._library.delete(self._store, key)
        except FileNotFoundError:
            return


def bucket_of(address: ObjectAddress) -> Bucket:
    """Return the bucket of an address, the same one for all addresses in it.

    Parameters
    ----------
    address
        Anything in the bucket.

    Raises
    ------
    SettingsError
        As for `Bucket`.
    """
    return _shared(address.scheme, address.bucket, os.getpid())


def forget_buckets() -> None:
    """Make buckets anew from now on, with what is in the environment then."""
    _shared.cache_clear()


@functools.lru_cache(maxsize=16)
def _shared(scheme: str, bucket: str, _process: int) -> Bucket:
    # Of each process its own: connections do not survive a fork.
    return Bucket(ObjectAddress(f"{scheme}:", bucket))


def _vanished(address: ObjectAddress) -> OutputError:
    return OutputError(f"{address} cannot be written: the bucket is gone. Make it again.")


def _state(found: Any) -> ObjectState:
    return ObjectState(found["path"], found["size"], found["e_tag"] or "")
