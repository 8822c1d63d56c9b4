"""The process that decodes Parquet: it may take so much memory and no more, and may die of it.

A Parquet file of some kilobytes can ask for gigabytes: a page that unpacks to that, a text of
megabytes that every row refers to, a list of a thousand million values. What it will take is known
only by doing it, so it is done here, under a limit that the system enforces.

On the control socket comes a file's name in JSON with two descriptors: the file, and where its
record batches go, as a stream of Arrow's. Back go lines of JSON: ``{"rows": 3}`` once the file is
open, then ``{}`` when all is sent; in place of either ``{"error": "..."}``, or ``{"memory": n}``
where it takes more than n bytes.
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
# What any file may take, and what a large one may beyond that: its pages are in memory by the
# column, and unpacked.
_BASE, _TIMES_ITS_SIZE, _MOST = 256 * 2**20, 4, 2**31
# Bytes of rows that are handed over at a time, and of the longest row: the process that asks
# needs ten times as much.
_PIECE, _LONGEST_ROW = 16 * 2**20, 20 * 2**20
# Where rows are too long to have so many at a time, fewer.
_FEWER = 16


def main(control: int) -> None:
    """Serve files until the other end of the socket ``control`` is closed."""
    # Ctrl-C goes to all; the process that asks decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Of this one alone all memory comes from the system as it is asked for.
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
                # Whoever asked has lost interest.
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
    """Write a file's batches; yields the count of its rows once, before."""
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
        f"{name} row {row:,}: its cells take more than {_LONGEST_ROW // 2**20} MiB, the most that "
        "a row may. Shorten them."
    )


def _pieces(batch: Any) -> Iterator[Any]:
    """Yield a batch in pieces of so many bytes, or of a single row."""
    if _size(batch) <= _PIECE or batch.num_rows <= 1:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _pieces(batch.slice(0, half))
    yield from _pieces(batch.slice(half))


def _size(batch: Any) -> int:
    """Return a batch's bytes as they are once texts are written out."""
    return sum(map(_written_out, batch.columns))


def _written_out(column: Any) -> int:
    """Return a column's bytes; a text in a dictionary counts each time it is referred to."""
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
    """Let the block take so many bytes of memory beyond what the process has already."""
    pages = Path("/proc/self/statm")
    if not pages.exists():  # not Linux, whose limits are no use
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
