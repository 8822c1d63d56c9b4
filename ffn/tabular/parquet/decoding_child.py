"""Child process that decodes Parquet files under a memory limit.

A Parquet file of a few kilobytes can expand to gigabytes: by a highly compressed page, a text of
megabytes that every row refers to, or a list of a billion values. The memory it takes is known
only after decoding, so it is decoded here, under a limit that the operating system enforces.

A request on the control socket is a file's name in JSON, with two descriptors: the file, and a
pipe for its record batches, as an Arrow IPC stream. Responses are lines of JSON: ``{"rows": 3}``
once the file is open, then ``{}`` when all batches are sent; instead of either, ``{"error":
"..."}``, or ``{"memory": n}`` if decoding takes more than n bytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc

from ffn.errors import DataError
from ffn.storage.descriptors import SharedFile
from ffn.tabular.parquet.parquet_table import MOST_ROWS, ParquetTable

__all__ = ["main"]

_LONGEST_MESSAGE = 64 * 1024
# Memory budget in bytes: a base for any file, plus a multiple of the file's size up to a maximum,
# as the pages of all columns are in memory uncompressed.
_BASE, _TIMES_ITS_SIZE, _MOST = 256 * 2**20, 4, 2**31
# Bytes of rows sent at a time, and of the longest row: the receiver needs ten times as much.
_PIECE, _LONGEST_ROW = 16 * 2**20, 20 * 2**20
# If so many rows exceed the memory, the number is divided by this.
_FEWER = 16


def main(control: int) -> None:
    """Serve requests until the other end of the socket is closed.

    Parameters
    ----------
    control
        Descriptor of the control socket.
    """
    # Ctrl-C reaches all processes of the terminal; only the parent acts on it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Other pools reserve memory in advance, which would count against the limit.
    pa.set_memory_pool(pa.system_memory_pool())
    with socket.socket(fileno=control) as connection:
        while True:
            message, descriptors, _, _ = socket.recv_fds(connection, _LONGEST_MESSAGE, 2)
            if not message:
                return
            source, sink = descriptors
            try:
                _serve(connection, json.loads(message), source, sink)
            except BrokenPipeError:
                # The parent stopped reading.
                return
            finally:
                os.close(source)


def _serve(connection: socket.socket, name: str, source: int, sink: int) -> None:
    budget = _BASE + min(_TIMES_ITS_SIZE * os.fstat(source).st_size, _MOST)
    with os.fdopen(sink, "wb", buffering=0) as stream:
        try:
            with _at_most(budget):
                for rows in _send(SharedFile(source), name, stream):
                    _tell(connection, {"rows": rows})
        except MemoryError:
            said: dict[str, Any] = {"memory": budget}
        except DataError as error:
            said = {"error": str(error)}
        except pa.ArrowException as error:
            said = {"error": f"{name} is a Parquet file that cannot be read: {error}."}
        else:
            said = {}
    _tell(connection, said)


def _send(source: SharedFile, name: str, stream: IO[bytes]) -> Iterator[int]:
    """Write a file's batches to ``stream``; before that, yield its number of rows once."""
    sent, at_once, writer = 0, MOST_ROWS, None
    with contextlib.ExitStack() as stack:
        while True:
            try:
                with source.open() as file:
                    table = ParquetTable(file, name)
                    if writer is None:
                        yield table.rows
                        writer = stack.enter_context(pa.ipc.new_stream(stream, table.schema))
                    for batch in table.batches(most_rows=at_once, skip=sent):
                        for piece in _pieces(batch):
                            if _size(piece) > _LONGEST_ROW:
                                raise _too_long(name, sent + 1)
                            writer.write_batch(piece)
                            sent += piece.num_rows
            except MemoryError:
                if writer is None or at_once == 1:
                    raise
                at_once = max(1, at_once // _FEWER)
            else:
                return


def _too_long(name: str, row: int) -> DataError:
    return DataError(
        f"{name} row {row:,}: its cells take more than {_LONGEST_ROW // 2**20} MiB, the limit for "
        "a row. Shorten them."
    )


def _pieces(batch: Any) -> Iterator[Any]:
    """Yield a batch in pieces of at most ``_PIECE`` bytes, or of a single row."""
    if _size(batch) <= _PIECE or batch.num_rows <= 1:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _pieces(batch.slice(0, half))
    yield from _pieces(batch.slice(half))


def _size(batch: Any) -> int:
    """Return the size of a batch in bytes, with dictionaries expanded."""
    return sum(map(_written_out, batch.columns))


def _written_out(column: Any) -> int:
    """Return the size of a column in bytes; a dictionary's text counts for each reference."""
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    words = column.dictionary
    if not _has_length(words.type):
        return int(column.indices.nbytes + words.nbytes * len(column) // max(1, len(words)))
    lengths = pc.binary_length(words).cast(pa.int64())
    return pc.sum(lengths.take(column.indices)).as_py() or 0


def _has_length(kind: Any) -> bool:
    kinds = pa.types
    return bool(
        kinds.is_string(kind)
        or kinds.is_large_string(kind)
        or kinds.is_binary(kind)
        or kinds.is_large_binary(kind)
    )


@contextlib.contextmanager
def _at_most(budget: int) -> Iterator[None]:
    """Limit the memory that the block may allocate to ``budget`` bytes."""
    pages = Path("/proc/self/statm")
    if not pages.exists():  # only Linux enforces the limit
        yield
        return
    taken = int(pages.read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = taken + budget if hard == resource.RLIM_INFINITY else min(taken + budget, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _tell(connection: socket.socket, message: dict[str, Any]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
