"""Manifests of scored files: their content, and whether they are still valid."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ffn.attribution.shapley_rows import Explainer
from ffn.scoring.drift.drift_report import DriftReport
from ffn.scoring.output.targets import Targets
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.rows.tally import Tally
from ffn.storage.plain_files import read_plain
from ffn.storage.source import Source
from ffn.tabular.csv.reader import Records

__all__ = ["MANIFEST_FORMAT", "input_of", "is_done", "reasons_entry", "unknown_columns", "work"]

MANIFEST_FORMAT = 1
_MOST_BYTES = 64 * 1024 * 1024
# Keys that `is_done` requires, because the result of a skipped run is made of them.
_TOLD = {"rows", "scored", "rejected", "classes", "rejects", "mean_confidence", "drift"}


def work(model: Scorer, options: Options) -> dict[str, Any]:
    """Return everything besides the input that determines the output, for the manifest.

    Parameters
    ----------
    model
        The model.
    options
        Options of scoring.
    """
    return {
        "format": MANIFEST_FORMAT,
        "pipeline": model.pipeline,
        "model_version": model.version,
        "bundle_sha256": model.sha256,
        "target": model.schema.target,
        "options": options.to_json(),
    }


def reasons_entry(model: Scorer, options: Options, tally: Tally) -> dict[str, Any]:
    """Return what a manifest says of reasons; empty if none were asked for.

    Parameters
    ----------
    model
        The model.
    options
        Options of scoring.
    tally
        Counts of the scored rows.
    """
    if not options.explain:
        return {}
    return {"reasons": Explainer(model).to_json(model.schema) | tally.predictions.explained}


def input_of(source: Path | str, stream: Source, records: Records) -> dict[str, Any]:
    """Return the manifest's entry for a CSV file that was read to its end.

    Parameters
    ----------
    source
        Path or name of the file.
    stream
        The file.
    records
        Reader of ``stream``.
    """
    return {
        "path": str(source),
        "bytes": stream.bytes_read,
        "sha256": stream.sha256,
        "compression": records.compression,
        "encoding": records.encoding,
        "blank_lines": records.blank_lines,
    }


def is_done(work: dict[str, Any], stream: Source, targets: Targets) -> dict[str, Any]:
    """Return the manifest if the output of this work already exists, else an empty dictionary.

    Input, output and rejects are read completely, and must have the digests in the manifest.

    Parameters
    ----------
    work
        As returned by the function of that name.
    stream
        The input; afterwards it is at its beginning.
    targets
        Paths of the output, the rejects and the manifest.
    """
    try:
        manifest = json.loads(read_plain(targets.manifest, _MOST_BYTES))
        same = all(manifest[key] == value for key, value in work.items())
        if not same or manifest["input"]["bytes"] != stream.size:
            return {}
        for name, path in (("output", targets.output), ("rejects", targets.rejects)):
            if not _holds(path, manifest["files"][name]):
                return {}
        if manifest["drift"] is not None:
            DriftReport.from_json(manifest["drift"])
        unknown_columns(manifest)
        before = manifest["input"]["sha256"]
        if not manifest.keys() >= _TOLD:
            return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return dict(manifest) if stream.read_through() == before else {}


def unknown_columns(manifest: dict[str, Any]) -> dict[str, list[str]]:
    """Return some texts of each column without a known category, by name, from a ``manifest``."""
    seen = manifest["unseen_categories"]
    return {name: list(seen[name]["examples"]) for name in manifest["unknown_columns"]}


def _holds(path: Path, found: dict[str, Any]) -> bool:
    if path.stat().st_size != found["bytes"]:
        return False
    with path.open("rb") as file:
        return bool(hashlib.file_digest(file, "sha256").hexdigest() == found["sha256"])
