"""Which files go a column at a time: Parquet, known by content in and by name out."""

from __future__ import annotations

from pathlib import Path

from ffn.storage.source import Source

__all__ = ["is_columnar", "is_parquet", "names_parquet"]

_MAGIC = b"PAR1"


def is_columnar(stream: Source, output: Path) -> bool:
    """Say whether input or output is Parquet."""
    return names_parquet(output) or is_parquet(stream)


def is_parquet(stream: Source) -> bool:
    """Say whether a file is a whole Parquet file, by its first and last bytes."""
    return stream.size is not None and stream.peek(4) == stream.peek(4, stream.size - 4) == _MAGIC


def names_parquet(output: Path) -> bool:
    """Say whether an output of this name is to be Parquet."""
    return output.name.lower().endswith(".parquet")
