"""Detect Parquet: an input by its content, an output by its name."""

from __future__ import annotations

from pathlib import Path

from ffn.storage.source import Source

__all__ = ["is_columnar", "is_parquet", "names_parquet"]

_MAGIC = b"PAR1"


def is_columnar(stream: Source, output: Path) -> bool:
    """Return whether input or output is Parquet.

    Parameters
    ----------
    stream
        The input, recognised by its content.
    output
        Path of the output, recognised by its suffix.
    """
    return names_parquet(output) or is_parquet(stream)


def is_parquet(stream: Source) -> bool:
    """Return whether ``stream`` is a complete Parquet file, by its first and last bytes."""
    return stream.size is not None and stream.peek(4) == stream.peek(4, stream.size - 4) == _MAGIC


def names_parquet(output: Path) -> bool:
    """Return whether the path ``output`` ends in ``.parquet``, so that Parquet is written."""
    return output.name.lower().endswith(".parquet")
