"""Names of the three files that scoring writes: output, rejects, manifest."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from ffn.errors import DataError, quote
from ffn.storage.source import Source

__all__ = ["COMPANIONS", "SHADOW_COMPANIONS", "Targets"]

COMPANIONS = (".rejects.csv", ".manifest.json")
"""Suffixes of the rejects and the manifest, which are written beside the output."""

SHADOW_COMPANIONS = (".disagreements.csv", ".shadow.json")
"""Suffixes of what is written beside an output where challengers score the same rows."""


class Targets(NamedTuple):
    """Paths of the files written for one input.

    Attributes
    ----------
    output
        Path of the labelled rows.
    rejects
        Path of the rejected rows.
    manifest
        Path of the manifest, which is published last.
    """

    output: Path
    rejects: Path
    manifest: Path

    @classmethod
    def beside(cls, output: Path) -> Targets:
        """Return ``output`` and the paths of the two files beside it.

        Raises
        ------
        DataError
            The path has no file name, or contains a NUL.
        """
        if not output.name or "\0" in str(output):
            raise DataError(f"{quote(output)} cannot name a file. Give another output.")
        return cls(output, *(output.with_name(output.name + suffix) for suffix in COMPANIONS))

    def check(self, source: Source) -> None:
        """Check that each path can be written or replaced, and is not the input ``source``.

        Raises
        ------
        DataError
            A path leads to a folder, a device or, by whatever link, the input; or this cannot
            be determined.
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
                raise DataError(f"{path} exists and is not a regular file. Give another output.")
            if same:
                raise DataError(f"{path} is the file to score. Give another output.")
