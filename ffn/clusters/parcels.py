"""Files and texts as one piece of bytes, which crosses to another machine; nothing is unpickled.

A parcel is a safetensors file with an array of bytes for each file, so that what arrives is as long
as it says, and nothing in it is code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError, deserialize

__all__ = ["pack", "pack_files", "pieces_of", "unpack", "write_files"]


def pack(contents: Mapping[str, bytes]) -> bytes:
    """Return a parcel of named pieces of bytes.

    Parameters
    ----------
    contents
        The pieces by name.
    """
    arrays = {name: np.frombuffer(content, np.uint8) for name, content in contents.items()}
    return safetensors.numpy.save(arrays)


def unpack(parcel: bytes) -> dict[str, bytes]:
    """Return the pieces in a parcel.

    Parameters
    ----------
    parcel
        What `pack` returned.

    Raises
    ------
    ValueError
        It is not a parcel.
    """
    return {name: bytes(piece) for name, piece in pieces_of(parcel).items()}


def pieces_of(parcel: bytes) -> dict[str, bytearray]:
    """Return the pieces in a parcel, of which there is then one copy besides the parcel.

    Parameters
    ----------
    parcel
        What `pack` returned.

    Raises
    ------
    ValueError
        It is not a parcel.
    """
    try:
        arrays: Any = deserialize(parcel)  # type: ignore[no-untyped-call]
    except (SafetensorError, TypeError) as error:
        raise ValueError(f"not a parcel ({error})") from None
    return {name: array["data"] for name, array in arrays}


def pack_files(paths: Iterable[Path]) -> bytes:
    """Return a parcel of files, each under its name.

    Parameters
    ----------
    paths
        The files, whose names differ.
    """
    return pack({path.name: path.read_bytes() for path in paths})


def write_files(parcel: bytes, folder: Path, names: Collection[str]) -> None:
    """Write the files of a parcel into a folder.

    Parameters
    ----------
    parcel
        What `pack_files` returned.
    folder
        An empty folder.
    names
        Names that a file may have: one from elsewhere cannot lead out of the folder.

    Raises
    ------
    ValueError
        It is not a parcel, or has a file of another name.
    """
    for name, content in unpack(parcel).items():
        if name not in names:
            raise ValueError(f"not a parcel of these files ({name})")
        (folder / name).write_bytes(content)
