"""Parcels one after another in a pipe, each with its length before it."""

from __future__ import annotations

from typing import IO

from ffn.clusters.parcels import pack, unpack

__all__ = ["receive", "send"]

_LENGTH_BYTES = 8


def send(pipe: IO[bytes], contents: dict[str, bytes]) -> None:
    """Write pieces of bytes by name as one frame.

    Parameters
    ----------
    pipe
        Where to write.
    contents
        The pieces.

    Raises
    ------
    OSError
        Nobody reads any more.
    """
    parcel = pack(contents)
    pipe.write(len(parcel).to_bytes(_LENGTH_BYTES, "big"))
    pipe.write(parcel)
    pipe.flush()


def receive(pipe: IO[bytes]) -> dict[str, bytes] | None:
    """Read what `send` wrote; None at the end, also if that is in the middle of a frame.

    Parameters
    ----------
    pipe
        Where to read.
    """
    length = pipe.read(_LENGTH_BYTES)
    if len(length) < _LENGTH_BYTES:
        return None
    size = int.from_bytes(length, "big")
    parcel = pipe.read(size)
    return unpack(parcel) if len(parcel) == size else None
