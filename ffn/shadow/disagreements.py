"""Rows that a challenger labels differently from production, in a file beside the output.

``<output>.disagreements.csv`` has a line for each row and challenger, and ``<output>.shadow.json``
the counts and the digests of both, so it marks the file as complete and as one of this output.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ffn.errors import FFNError
from ffn.monitoring.record.scored_tables import ScoredTable
from ffn.quantities import counted
from ffn.scoring.output.targets import COMPANIONS, SHADOW_COMPANIONS
from ffn.storage.atomic import atomic_files, remove
from ffn.storage.documents import canonical_json, parse_json
from ffn.storage.plain_files import read_plain
from ffn.tabular.csv.formula_guard import FormulaGuard
from ffn.tabular.csv.writer import write_record

__all__ = [
    "ChallengerCount",
    "Disagreement",
    "ShadowedTable",
    "read_shadowed",
    "remove_shadowed",
    "write_shadowed",
]

_FORMAT = 1
_MOST_BYTES = 1024 * 1024
_HEADER = (
    "row",
    "id",
    "version",
    "label",
    "confidence",
    "challenger",
    "challenger_label",
    "challenger_confidence",
)


class Disagreement(NamedTuple):
    """A row that a challenger labels differently, as it stands in the file.

    Attributes
    ----------
    row, id
        Number in the input, from 1, and id; an empty text if the table has none.
    version, label, confidence
        Number of the version in production, and what it says.
    challenger, challenger_label, challenger_confidence
        Number of the challenger, and what it says.
    """

    row: int
    id: str
    version: int
    label: str
    confidence: str
    challenger: int
    challenger_label: str
    challenger_confidence: str


@dataclass(frozen=True, kw_only=True)
class ChallengerCount:
    """What one challenger says of a table.

    Attributes
    ----------
    version, bundle_sha256
        Its number and the SHA-256 of its bundle.
    rows
        Rows that it scored.
    rejected
        Rows of those taken from the table that it cannot score.
    differing
        Rows that it labels differently.
    """

    version: int
    bundle_sha256: str
    rows: int
    rejected: int
    differing: int

    @property
    def sentence(self) -> str:
        """The count in words, without a full stop."""
        told = (
            f"version {self.version} labels {self.differing:,} of {counted(self.rows, 'row')} "
            "differently"
        )
        return f"{told} and cannot score {self.rejected:,}" if self.rejected else told


@dataclass(frozen=True, kw_only=True)
class ShadowedTable:
    """A scored table whose rows challengers have scored, too.

    Attributes
    ----------
    output
        Path of the output of production.
    manifest_sha256
        SHA-256 of its manifest.
    production
        Number of the version that it is of.
    rows, every
        Number of its rows, and the distance of those that challengers scored.
    challengers
        What they say, the newest first.
    """

    output: Path
    manifest_sha256: str
    production: int
    rows: int
    every: int
    challengers: tuple[ChallengerCount, ...]

    @property
    def path(self) -> Path:
        """Path of the file of disagreements."""
        return _paths(self.output)[0]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "production": self.production,
            "rows": self.rows,
            "every": self.every,
            "challengers": [asdict(one) for one in self.challengers],
        }


def _paths(output: Path) -> tuple[Path, Path]:
    first, second = (output.with_name(output.name + suffix) for suffix in SHADOW_COMPANIONS)
    return first, second


def write_shadowed(
    found: ShadowedTable, rows: Iterable[Disagreement], guard: FormulaGuard | None
) -> None:
    """Write the disagreements, and what marks them as complete; both appear whole or not at all.

    Parameters
    ----------
    found
        The counts.
    rows
        The disagreements.
    guard
        Protection of ids and labels against being evaluated by a spreadsheet; None for none.
    """
    digest, size = hashlib.sha256(), 0
    with atomic_files(*_paths(found.output)) as (file, mark):
        for line in (_HEADER, *sorted(rows)):
            cells = [guard.text(str(cell)) if guard else cell for cell in line]
            content = write_record(cells).encode() + b"\n"
            digest.update(content)
            size += file.write(content)
        document = {
            "format": _FORMAT,
            "manifest_sha256": found.manifest_sha256,
            "disagreements": {"bytes": size, "sha256": digest.hexdigest()},
        }
        mark.write(canonical_json(document | found.to_json()))


def read_shadowed(output: Path) -> ShadowedTable | None:
    """Return what challengers say of the present output; None if nothing complete is there.

    Parameters
    ----------
    output
        Path of the output.
    """
    path, mark = _paths(output)
    document = _mark(mark)
    try:
        table = ScoredTable.read(output.with_name(output.name + COMPANIONS[1]))
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        whole = document["disagreements"] == {"bytes": path.stat().st_size, "sha256": sha256}
        found = ShadowedTable(
            output=output,
            manifest_sha256=document["manifest_sha256"],
            production=document["production"],
            rows=document["rows"],
            every=document["every"],
            challengers=tuple(ChallengerCount(**one) for one in document["challengers"]),
        )
    except (FFNError, OSError, KeyError, TypeError, ValueError):
        return None
    return found if whole and found.manifest_sha256 == table.digest else None


def remove_shadowed(output: Path) -> None:
    """Remove the file of disagreements of an earlier output of this name, if there is one.

    A file of that name without its mark is somebody else's and stays.

    Parameters
    ----------
    output
        Path of the output.
    """
    path, mark = _paths(output)
    if _mark(mark):
        remove(path)
        remove(mark)


def _mark(path: Path) -> dict[str, Any]:
    """Return the content of a mark; empty if it is none of this program."""
    try:
        document = parse_json(read_plain(path, _MOST_BYTES))
        known = document["format"] == _FORMAT and "manifest_sha256" in document
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return dict(document) if known else {}
