"""A pipeline with an inbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline

GOOD = b"id,size,colour\n1,7,\n2,3,red\n"


def pipeline_with(folder: Path, **inbox: Any) -> Pipeline:
    document: dict[str, Any] = {
        "data": {"source": "t.csv", "target": "y"},
        "inbox": {"settle": "1s"} | inbox,
    }
    (folder / "inbox").mkdir(exist_ok=True)
    return Pipeline(
        name="things",
        settings=check_settings(document, "pipeline.toml"),
        folder=folder,
        artifacts=folder / "artifacts",
    )


def put(pipeline: Pipeline, name: str, content: bytes = GOOD) -> Path:
    path = pipeline.folder / "inbox" / name
    path.write_bytes(content)
    return path
