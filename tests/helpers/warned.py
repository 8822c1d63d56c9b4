"""Registered versions with a recorded warning."""

from __future__ import annotations

import json
from pathlib import Path

from ffn.bundles.contents import measure, seal


def warn(root: Path, version: int) -> str:
    """Record with a version that a simpler model is better; returns the sentence."""
    finding = "a simpler model is shown to have a lower log-loss: +0.5 [+0.1, +0.9]"
    folder = root / f"artifacts/iris/models/{version:04d}"
    verdict = json.loads((folder / "verdict.json").read_bytes())
    verdict["baseline"]["finding"] = finding
    (folder / "verdict.json").write_text(json.dumps(verdict))
    seal(folder, measure(folder), pipeline="iris", version=version)
    return f"A{finding[1:]}."
