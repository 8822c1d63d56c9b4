"""The manifest of a partitioned output: one for all of its parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffn.errors import quote
from ffn.scoring.output.targets import Targets
from ffn.scoring.partitioned.part_account import PartAccount
from ffn.scoring.rows.suffixes import UNITS
from ffn.storage.documents import parse_json
from ffn.storage.plain_files import read_plain

__all__ = [
    "PublishedParts",
    "differing_columns",
    "manifest_of",
    "part_entry",
    "read_published",
    "totals_of",
]

_MOST_BYTES = 1024 * 1024 * 1024
_SUMS = ("rows", "scored", "rejected", "abstained")
# What the manifest says of the model and the options, and each part that another one scored.
_WORK = ("pipeline", "model_version", "bundle_sha256", "target", "options")


@dataclass(frozen=True, eq=False)
class PublishedParts:
    """A partitioned output as its manifest describes it.

    Attributes
    ----------
    manifest
        Content of the manifest.
    entries
        Its parts, by the names of their outputs.
    """

    manifest: dict[str, Any]
    entries: dict[str, dict[str, Any]]

    @property
    def source(self) -> str:
        """Path of the input."""
        path: str = self.manifest["input"]["path"]
        return path

    @property
    def rejects(self) -> dict[str, Any]:
        """Size and digest of the rejects."""
        found: dict[str, Any] = self.manifest["files"]["rejects"]
        return found

    def is_work_of(self, work: Mapping[str, Any], form: str) -> bool:
        """Return whether it was made by the model and the options of ``work``, in this ``form``."""
        same = all(self.manifest.get(key) == value for key, value in work.items())
        return same and self.manifest.get("partitioned") == form

    def columns_of(self, entry: Mapping[str, Any]) -> Sequence[str]:
        """Return the names of the columns of a part's input, given its ``entry``."""
        found: list[str] = self.manifest["columns"][entry["columns"]]
        return found

    def scored_by(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return the model and the options that scored the part of this ``entry``."""
        # The input of a part may be gone since another version scored it.
        found: dict[str, Any] | None = entry.get("scored_by")
        return found or {key: self.manifest[key] for key in _WORK}

    def as_vanished(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return the ``entry`` of a part whose input is gone."""
        return {**entry, "vanished": True, "scored_by": self.scored_by(entry)}


def read_published(targets: Targets) -> PublishedParts | None:
    """Return what the manifest of an output says; None if there is none, or it is damaged.

    Parameters
    ----------
    targets
        Paths of the output, the rejects and the manifest.
    """
    try:
        return _published(parse_json(read_plain(targets.manifest, _MOST_BYTES)))
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None


def _published(manifest: dict[str, Any]) -> PublishedParts:
    """Return what a manifest says. Raises whatever a wrong one causes."""
    found = PublishedParts(manifest, {entry["name"]: entry for entry in manifest["parts"]})
    if not (isinstance(found.source, str) and isinstance(manifest["partitioned"], str)):
        raise TypeError("input")
    for entry in (*found.entries.values(), {"output": found.rejects, "input": found.rejects}):
        for kind in ("input", "output"):
            if not (
                isinstance(entry[kind]["bytes"], int) and isinstance(entry[kind]["sha256"], str)
            ):
                raise TypeError(kind)
    for name, entry in found.entries.items():
        if not _is_below(name):
            raise ValueError(name)
        found.columns_of(entry)
        totals_of([entry])
    return found


def _is_below(name: str) -> bool:
    """Return whether a part's ``name`` is that of a file below the output, and of no other."""
    parts = name.split("/")
    return not any(part in ("", ".", "..") or "\0" in part for part in parts)


def part_entry(account: PartAccount) -> dict[str, Any]:
    """Return the entry of a scored part, whose columns are still written out."""
    counts = account.counts
    return {
        "name": account.name,
        "input": account.source,
        "output": account.output,
        **{key: counts[key] for key in _SUMS if key in counts},
        "classes": counts["classes"],
        "rejects": counts["rejects"],
        "confidence_units": account.confidence_units,
        "columns": list(account.columns),
    }


def totals_of(entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sums of parts, as in the manifest of a file."""
    sums: Counter[str] = Counter(dict.fromkeys(_SUMS, 0))
    classes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    units = 0
    for entry in entries:
        sums.update({key: entry.get(key, 0) for key in _SUMS})
        classes.update(entry["classes"])
        reasons.update(entry["rejects"])
        units += entry["confidence_units"]
    scored = sums["scored"]
    return {
        **{key: sums[key] for key in _SUMS if key != "abstained" or sums[key]},
        "classes": dict(classes),
        "rejects": dict(reasons.most_common()),
        "mean_confidence": round(units / (UNITS * scored), 6) if scored else None,
    }


def manifest_of(
    work: Mapping[str, Any],
    form: str,
    source: Path,
    entries: Iterable[Mapping[str, Any]],
    rejects: Mapping[str, Any],
    of_this_run: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the content of a manifest.

    Parameters
    ----------
    work
        What determines the output besides the input.
    form
        Format of the parts.
    source
        Path of the input.
    entries
        All parts, whose columns are written out.
    rejects
        Size and digest of the rejects.
    of_this_run
        What was found in the rows of this run: warnings, drift, unknown categories.
    """
    columns: dict[tuple[str, ...], int] = {}
    parts = []
    for entry in sorted(entries, key=lambda entry: entry["name"]):
        place = columns.setdefault(tuple(entry["columns"]), len(columns))
        parts.append({**entry, "columns": place})
    return {
        **work,
        "partitioned": form,
        "input": {
            "path": str(source),
            "bytes": sum(entry["input"]["bytes"] for entry in parts),
        },
        **totals_of(parts),
        "files": {
            "output": {"bytes": sum(entry["output"]["bytes"] for entry in parts)},
            "rejects": rejects,
        },
        "columns": [list(names) for names in columns],
        "parts": parts,
        **of_this_run,
    }


def differing_columns(entries: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence if the parts, given as ``entries``, do not all have the same columns."""
    first: dict[tuple[str, ...], str] = {}
    for name in sorted(entries):
        first.setdefault(tuple(entries[name]["columns"]), name)
    if len(first) > 1:
        (_, one), (_, other) = list(first.items())[:2]
        yield (
            f"The parts do not have the same columns: {quote(other, 100)} has others than "
            f"{quote(one, 100)}."
        )
