"""What is read of the production pointer, whatever stands in its place."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ffn.errors import RegistryError
from ffn.registry.actor import Actor
from ffn.registry.production import Pointer, ProductionVersion, Promotion, read_pointer
from ffn.registry.versions import in_production
from ffn.storage.documents import canonical_json


@pytest.fixture
def promotion() -> Promotion:
    by = Actor(user="u", host="h", command="ffn promote p 2")
    return Promotion(
        action="promote",
        at="2026-01-02T03:04:05+00:00",
        version=2,
        bundle_sha256="ab",
        replaced=None,
        reason="é",
        by=by,
        previous_sha256="",
    )


def put(artifacts: Path, content: bytes) -> Pointer:
    """Write the pointer and read it."""
    (artifacts / "production.json").write_bytes(content)
    return read_pointer(artifacts)


def test_what_was_written_is_read(tmp_path: Path, promotion: Promotion) -> None:
    content = canonical_json(promotion.to_json())
    found = put(tmp_path, content)
    assert found.promotion == promotion
    assert found.target == ProductionVersion(promotion.version, promotion.bundle_sha256)
    assert found.content == content
    assert found.is_canonical
    assert not found.missing


def test_other_bytes_that_say_the_same_are_not_canonical(
    tmp_path: Path, promotion: Promotion
) -> None:
    found = put(tmp_path, json.dumps(promotion.to_json()).encode())
    assert found.promotion == promotion
    assert not found.is_canonical


@pytest.mark.parametrize("lost", ["at", "by", "reason", "from", "action", "previous_sha256"])
def test_what_scores_is_known_where_the_rest_is_damaged(
    tmp_path: Path, promotion: Promotion, lost: str
) -> None:
    entry = promotion.to_json()
    del entry[lost]
    found = put(tmp_path, canonical_json(entry))
    assert found.target == ProductionVersion(promotion.version, promotion.bundle_sha256)
    assert found.promotion is None
    assert not found.is_canonical


@pytest.mark.parametrize(
    "values",
    [{"version": "2"}, {"version": True}, {"version": 0}, {"version": 2.0}, {"version": 10**9},
     {"bundle_sha256": 1}, {"bundle_sha256": None}],
)  # fmt: skip
def test_a_value_of_another_kind_is_damage(
    tmp_path: Path, promotion: Promotion, values: dict[str, object]
) -> None:
    content = canonical_json(promotion.to_json() | values)
    assert put(tmp_path, content) == Pointer(content=content)


def test_a_pointer_that_is_not_there(tmp_path: Path) -> None:
    assert read_pointer(tmp_path) == Pointer(missing=True)
    assert read_pointer(tmp_path / "never made") == Pointer(missing=True)


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        os.mkdir,
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.write_bytes(b" " * 100_000),
    ],
)
def test_what_is_no_pointer_is_damage_and_no_pipe_is_waited_for(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "production.json")
    assert read_pointer(tmp_path) == Pointer()


def test_a_pointer_that_may_not_be_read_is_not_called_damaged(tmp_path: Path) -> None:
    """To remove or overwrite it, as for a damaged one, would be wrong."""
    artifacts = tmp_path / "artifacts"
    artifacts.write_text("no folder")
    assert read_pointer(artifacts) == Pointer(unreadable="Not a directory")
    with pytest.raises(RegistryError, match=r"production\.json cannot be read: Not a directory\."):
        in_production(artifacts)
