"""What a manifest says, and whether it still holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ffn.scoring.options import Options
from ffn.scoring.run import Run
from ffn.scoring.scorer import Scorer

__all__ = ["MANIFEST_FORMAT", "account", "work"]

MANIFEST_FORMAT = 1


def work(model: Scorer, options: Options) -> dict[str, Any]:
    """Return what decides, besides the input, what is written."""
    return {
        "format": MANIFEST_FORMAT,
        "pipeline": model.pipeline,
        "model_version": model.version,
        "bundle_sha256": model.sha256,
        "target": model.schema.target,
        "options": options.to_json(),
    }


def account(model: Scorer, options: Options, source: Path, run: Run) -> dict[str, Any]:
    """Return the manifest of a finished run."""
    return {
        **work(model, options),
        "input": {
            "path": str(source),
            "bytes": run.stream.bytes_read,
            "sha256": run.stream.sha256,
            "compression": run.records.compression,
            "encoding": run.records.encoding,
            "blank_lines": run.records.blank_lines,
        },
        **run.tally.to_json(),
        "files": run.journal.account(),
    }
