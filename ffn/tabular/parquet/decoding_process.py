"""Decode Parquet files in a child process with limited memory.

Child processes are reused for further files, and replaced after a failure.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self

import pyarrow as pa

from ffn.errors import DataError
from ffn.storage.descriptors import SharedFile
from ffn.tabular.parquet.parquet_table import as_header

__all__ = ["DecodedParquet"]

# The paths are passed, as an isolated interpreter uses neither this folder nor PYTHONPATH.
_CHILD = "import sys; sys.path[:] = {paths!r}; from {module} import main; main({control})"
_MODULE = "ffn.tabular.parquet.decoding_child"
_MOST_IDLE = 2
# Linux's default maximum for unprivileged users.
_PIPE_BYTES = 2**20
_SECONDS_TO_END = 5


class DecodedParquet:
    """An open Parquet file that is decoded in a child process; create it with `opened`.

    Parameters
    ----------
    process
        The child, which has begun to decode the file.
    stream
        Pipe from which its record batches are read.
    rows
        Number of rows of the file.
    name
        Name of the file in errors.

    Attributes
    ----------
    schema, header, rows
        As in `ParquetTable`.

    Raises
    ------
    DataError
        The file cannot be read, or takes more memory than the limit for its size.
    """

    def __init__(self, process: _Process, stream: IO[bytes], rows: int, name: str) -> None:
        self._process, self._name = process, name
        self.rows = rows
        try:
            self._stream = pa.ipc.open_stream(stream)
        except (pa.ArrowException, OSError):
            raise process.failure(name) from None
        self.schema = self._stream.schema
        self.header = as_header(self.schema.names)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, file: SharedFile, name: str) -> Iterator[Self]:
        """Open ``file``, called ``name`` in errors, while the block runs."""
        with _taken() as process:
            rows, stream = process.begin(file, name)
            with stream:
                yield cls(process, stream, rows, name)

    def batches(self) -> Iterator[Any]:
        """Yield record batches, in order, of some thousand rows and at most 16 MiB, or one row.

        Raises
        ------
        DataError
            The file is damaged, or takes too much memory.
        """
        while True:
            try:
                batch = self._stream.read_next_batch()
            except StopIteration:
                break
            except (pa.ArrowException, OSError):
                raise self._process.failure(self._name) from None
            yield batch
        self._process.end(self._name)


class _Process:
    """A process that decodes one file at a time.

    Attributes
    ----------
    ready
        Whether it can take another file.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        code = _CHILD.format(paths=_paths(), module=_MODULE, control=theirs.fileno())
        self.owner = os.getpid()
        with theirs:
            self._child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        self._control = ours
        self._said = ours.makefile("rb")
        self.ready = True

    @property
    def lives(self) -> bool:
        """Whether the child is running and was started by this process."""
        return self.owner == os.getpid() and self._child.poll() is None

    def begin(self, file: SharedFile, name: str) -> tuple[int, IO[bytes]]:
        """Send a file to the child; return its number of rows, and the stream of its batches."""
        self.ready = False
        source, sink = os.pipe()
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            # The pipe then buffers most of a batch, so the processes wait less for each other.
            with contextlib.suppress(OSError):
                fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                message = json.dumps(name).encode()
                socket.send_fds(self._control, [message], [file.descriptor, sink])
        finally:
            os.close(sink)
        stream = os.fdopen(source, "rb")
        try:
            return self._next(name)["rows"], stream
        except BaseException:
            stream.close()
            raise

    def end(self, name: str) -> None:
        """Check that all batches were sent."""
        self._next(name)
        self.ready = True

    def failure(self, name: str) -> DataError:
        """Return the error that ended a stream of batches."""
        try:
            self._next(name)
        except DataError as error:
            return error
        return DataError(f"{name} is a Parquet file whose cells cannot be transferred.")

    def _next(self, name: str) -> dict[str, Any]:
        line = self._said.readline()
        if not line.endswith(b"\n"):
            raise DataError(
                f"{name} is a Parquet file that crashed the process that reads it. The file is "
                "damaged or malicious, or memory is short. Write it again, or give CSV."
            )
        said: dict[str, Any] = json.loads(line)
        if "memory" in said:
            raise DataError(
                f"{name} is a Parquet file that takes more than {said['memory'] // 2**20:,} MB of "
                "memory to read, the limit for a file of its size. Write it with smaller row "
                "groups and pages, or give CSV."
            )
        if "error" in said:
            raise DataError(said["error"])
        return said

    def close(self) -> None:
        """Close the socket and wait for the child to end; kill it if it is busy or too slow."""
        self._said.close()
        self._control.close()
        if self.owner == os.getpid():
            if not self.ready:
                self._child.kill()
            try:
                self._child.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()


def _paths() -> list[str]:
    """Return the module search path of the child, without the current folder."""
    here = str(Path.cwd())
    home = str(Path(__file__).parents[3])
    return [*(path for path in sys.path if path not in ("", here, home)), home]


_idle: list[_Process] = []
_lock = threading.Lock()


@contextlib.contextmanager
def _taken() -> Iterator[_Process]:
    """Use an idle process, or start one."""
    process = _take_idle() or _Process()
    try:
        yield process
    finally:
        with _lock:
            kept = process.ready and len(_idle) < _MOST_IDLE
            if kept:
                _idle.append(process)
        if not kept:
            process.close()


def _take_idle() -> _Process | None:
    while True:
        with _lock:
            process = _idle.pop() if _idle else None
        if process is None or process.lives:
            return process
        # It was killed meanwhile; or this is a fork, and it belongs to the parent.
        process.close()


@atexit.register
def _end_all() -> None:
    while _idle:
        _idle.pop().close()
