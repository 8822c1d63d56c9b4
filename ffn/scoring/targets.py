"""The three files that scoring writes, by their names."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ffn.errors import DataError

__all__ = ["COMPANIONS", "Targets"]

COMPANIONS = (".rejects.csv", ".manifest.json")
"""What the names of the files beside an output end with."""


class Targets(NamedTuple):
    """Where the files of one input go; the manifest is last."""

    output: Path
    rejects: Path
    manifest: Path

    @classmethod
    def beside(cls, output: Path) -> Targets:
        """Return ``output`` and the two files named after it."""
        return cls(output, *(output.with_name(output.name + suffix) for suffix in COMPANIONS))

    def check(self, source: Path) -> None:
        """Make sure that each can be replaced, and is not the input.

        Raises
        ------
        DataError
            One is a folder or a device, or the file to score by whatever link.
        """
        for path in self:
            if not path.exists():
                continue
            if not path.is_file():
                raise DataError(f"{path} is there and is no ordinary file. Give another output.")
            if path.samefile(source):
                raise DataError(f"{path} is the file to score. Give another output.")
