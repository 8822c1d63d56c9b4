"""Values in a registry's files that are valid JSON, and that nothing of ours ever wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ffn.bundles.contents import measure, read_contents, read_registered, seal
from ffn.errors import RegistryError
from ffn.promotion.overview import summaries
from ffn.registry.production import read_pointer
from ffn.registry.promotion_history import read_history
from ffn.registry.verification import verify
from ffn.registry.versions import add_version, production
from ffn.storage.documents import canonical_json
from tests.helpers.registries import fill, registry

HALF = "\ud800"


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    return registry(tmp_path / "things")


def damaged(artifacts: Path) -> list[str]:
    return [damage.path.relative_to(artifacts).as_posix() for damage in verify(artifacts).damages]


@pytest.mark.parametrize(
    "change",
    [
        {"pipeline": float("nan")},
        {"pipeline": HALF},
        {"version": 10**400},
        {"files": {"metrics.json": {"bytes": 10**400, "sha256": "0"}}},
        {"files": {"metrics.json": {"bytes": -1, "sha256": "0"}}},
        {"files": {HALF: {"bytes": 1, "sha256": "0"}}},
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_in_what_lists_a_version(artifacts: Path, change: dict[str, Any]) -> None:
    path = artifacts / "models/0002/files.json"
    document = json.loads(path.read_bytes()) | change
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    with pytest.raises(RegistryError, match=r"0002/files\.json is damaged\."):
        read_contents(path.parent, pipeline="things", version=2)
    assert [one.bytes > 0 for one in summaries(artifacts)] == [True, False, True]
    assert damaged(artifacts) == ["models/0002/files.json"]


PROMOTIONS = [
    {"reason": HALF},
    {"version": 10**300},
    {"version": 10**9},
    {"version": True},
    {"from": 10**300},
    {"from": -1},
    {"by": {"user": 3, "host": "", "command": ""}},
    {"by": {"user": HALF, "host": "", "command": ""}},
    {"by": []},
]


@pytest.mark.parametrize("change", PROMOTIONS, ids=lambda value: ascii(value)[:40])
def test_in_the_history(artifacts: Path, change: dict[str, Any]) -> None:
    path = artifacts / "history.jsonl"
    first, last = path.read_text().splitlines()
    path.write_text(json.dumps(json.loads(first) | change, sort_keys=True) + f"\n{last}\n")
    # The line after it does not follow it any more, either.
    assert read_history(artifacts).damaged == (1, 2)
    assert damaged(artifacts) == ["history.jsonl"] * 2


@pytest.mark.parametrize("change", PROMOTIONS, ids=lambda value: ascii(value)[:40])
def test_in_the_pointer(artifacts: Path, change: dict[str, Any]) -> None:
    path = artifacts / "production.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    assert read_pointer(artifacts).promotion is None
    assert damaged(artifacts) == ["production.json"]


@pytest.mark.parametrize("number", ["1e999", "1" + "0" * 300, "1000000000", '"9"', "9.0", "true"])
def test_in_the_last_number(artifacts: Path, number: str) -> None:
    (artifacts / "models/.last.json").write_text(f'{{"version": {number}}}')
    assert damaged(artifacts) == ["models/.last.json"]
    assert add_version(artifacts, fill(7)) == 4
    assert damaged(artifacts) == []


def test_a_record_that_was_changed_is_told_to_nobody(artifacts: Path) -> None:
    folder = artifacts / "models/0003"
    figures = {"test": {"rows": 9, "accuracy": {"value": 0.5, "low": 0.4, "high": 0.6}}}
    (folder / "metrics.json").write_bytes(canonical_json(figures))
    assert read_registered(folder, "metrics.json") == {}
    seal(folder, measure(folder), pipeline="things", version=3)
    assert read_registered(folder, "metrics.json") == figures
    # So long as it was.
    (folder / "metrics.json").write_bytes(canonical_json(figures).replace(b"0.5", b"0.9"))
    assert read_registered(folder, "metrics.json") == {}
    assert [one.rows for one in summaries(artifacts)] == [None] * 3
    assert production(artifacts)[0] == 3


def test_a_version_without_a_list_of_its_files_is_listed(artifacts: Path) -> None:
    (artifacts / "models/0003/files.json").unlink()
    assert read_registered(artifacts / "models/0003", "metrics.json") == {}
    assert [(one.version, one.production) for one in summaries(artifacts)] == [
        (1, False),
        (2, False),
        (3, True),
    ]
