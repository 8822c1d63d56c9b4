"""Small partitioned folders, and what is published of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from ffn.scoring.partitioned.score_dataset import score_dataset
from tests.helpers.scorers import TenthsScorer

LAKE = {
    "colour=red/part-0.csv": "id,size\n1,7\n2,x\n",
    "colour=red/part-1.csv": "id,size\n3,2\n",
    "colour=blue/part-0.csv": 'id,size\n"4\n",9\n,\n5,-9\n',
    "colour=__HIVE_DEFAULT_PARTITION__/part-0.csv": "id,size\n6,1\n",
}


def write_lake(folder: Path, parts: dict[str, str]) -> Path:
    """Write files by their paths below a folder."""
    for name, text in parts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return folder


def score(source: Path, output: Path, model: Any = None, **options: Any) -> Any:
    return score_dataset(model or TenthsScorer(), source, output, **options)


def published(output: Path) -> dict[str, bytes]:
    """Everything that is published of an output, by its path beside it."""
    files = [path for path in output.rglob("*") if path.is_file()]
    files += [output.with_name(output.name + end) for end in (".rejects.csv", ".manifest.json")]
    return {
        str(path.relative_to(output.parent)): path.read_bytes() for path in files if path.exists()
    }


def content(output: Path) -> tuple[dict[str, bytes], Any]:
    """What does not depend on which rows were scored in the last run."""
    files = {name: text for name, text in published(output).items() if "manifest" not in name}
    return files, manifest_of(output)["parts"]


def manifest_of(output: Path) -> Any:
    return json.loads(output.with_name(f"{output.name}.manifest.json").read_bytes())


def rejects_of(output: Path) -> list[dict[str, str]]:
    with output.with_name(f"{output.name}.rejects.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
