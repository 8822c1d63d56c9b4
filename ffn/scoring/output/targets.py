"""Names of the three files that scoring writes: output, rejects, manifest."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from ffn.errors import DataError, quote
from ffn.storage.source import Source

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
        """Return ``output`` and the two files named after it.

        Raises
        ------
        DataError
            It has no name, or one with NUL.
        """
        if not output.name or "\0" in str(output):
            raise DataError(f"{quote(output)} cannot name a file. Give another output.")
        return cls(output, *(output.with_name(output.name + suffix) for suffix in COMPANIONS))

    def check(self, source: Source) -> None:
        """Make sure that each can be replaced, and is not the input.

        Raises
        ------
        DataError
            One is a folder or a device, or the file to score by whatever link; or nobody can
            say.
        """
        for path in self:
            try:
                if not path.exists():
                    continue
                ordinary, same = path.is_file(), os.path.samestat(path.stat(), source.status)
            except OSError as error:
                raise DataError(
                    f"{path} cannot be written: {error.strerror}. Give another output."
                ) from None
            if not ordinary:
                raise DataError(f"{path} is there and is no ordinary file. Give another output.")
            if same:
                raise DataError(f"{path} is the file to score. Give another output.")
