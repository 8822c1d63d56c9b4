"""Rolling back: to what was in production before, one promotion a time."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffn.bundles.bundle import write_bundle
from ffn.errors import BundleError, RegistryError
from ffn.registry.pointer import promote, rollback
from ffn.registry.versions import add_version, production_version, version_folder
from tests.helpers.bundles import make


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """Five versions, none in production."""
    found = tmp_path / "iris"
    for seed in range(5):
        add_version(
            found, lambda folder, seed=seed: write_bundle(make(seed=seed), folder / "bundle")
        )  # type: ignore[misc]
    return found


def scoring(artifacts: Path, *steps: int) -> list[int | str]:
    """Promote each version in turn, 0 being a rollback; return what scored after each."""
    found: list[int | str] = []
    for version in steps:
        try:
            if version:
                promote(artifacts, version, reason="")
            else:
                rollback(artifacts, reason="")
            found.append(production_version(artifacts))
        except RegistryError:
            found.append("refused")
    return found


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        # To what scored before, which is not the newest and not the next lower number.
        ([2, 5, 0], [2, 5, 2]),
        ([5, 2, 0], [5, 2, 5]),
        # Each rollback goes one further.
        ([1, 2, 3, 0, 0], [1, 2, 3, 2, 1]),
        ([1, 2, 3, 0, 0, 0], [1, 2, 3, 2, 1, "refused"]),
        # What was rolled back from is not returned to.
        ([1, 2, 3, 0, 4, 0, 0], [1, 2, 3, 2, 4, 2, 1]),
        # A version may have scored twice, with another between.
        ([1, 2, 1, 0, 0], [1, 2, 1, 2, 1]),
        # Promoting what scores already is no promotion to undo.
        ([1, 2, 2, 0], [1, 2, 2, 1]),
        ([0], ["refused"]),
        ([3, 0], [3, "refused"]),
    ],
    ids=str,
)
def test_a_rollback_undoes_the_last_promotion_not_undone_yet(artifacts, steps, expected) -> None:
    assert scoring(artifacts, *steps) == expected


@settings(max_examples=15)
@given(st.lists(st.integers(min_value=0, max_value=3), min_size=3, max_size=10))
def test_any_history_is_walked_back_like_an_undo_list(tmp_path_factory, steps) -> None:
    artifacts = tmp_path_factory.mktemp("r") / "iris"
    for _ in range(3):
        add_version(artifacts, lambda folder: write_bundle(make(), folder / "bundle"))  # type: ignore[arg-type, return-value]
    done: list[int] = []
    expected: list[int | str] = []
    for version in steps:
        if version and done[-1:] != [version]:
            done.append(version)
        if not version and len(done) > 1:
            done.pop()
        elif not version:
            expected.append("refused")
            continue
        expected.append(done[-1])
    assert scoring(artifacts, *steps) == expected


def test_the_history_says_who_went_back_and_why(artifacts: Path) -> None:
    scoring(artifacts, 1, 4)
    entry = rollback(artifacts, reason="worse on Mondays")
    assert (entry.action, entry.replaced, entry.version) == ("rollback", 4, 1)
    last = json.loads((artifacts / "history.jsonl").read_bytes().splitlines()[-1])
    assert (last["action"], last["from"], last["version"]) == ("rollback", 4, 1)
    assert last["reason"] == "worse on Mondays"
    assert json.loads((artifacts / "production.json").read_bytes()) == last


def test_what_is_gone_is_passed_over(artifacts: Path) -> None:
    scoring(artifacts, 1, 2, 3)
    shutil.rmtree(version_folder(artifacts, 2))
    assert scoring(artifacts, 0, 0) == [1, "refused"]


def test_one_can_go_back_where_production_is_gone(artifacts: Path) -> None:
    scoring(artifacts, 1, 2)
    shutil.rmtree(version_folder(artifacts, 2))
    assert scoring(artifacts, 0) == [1]


def test_a_damaged_bundle_is_not_gone_back_to(artifacts: Path) -> None:
    scoring(artifacts, 1, 2)
    with (version_folder(artifacts, 1) / "bundle/model.json").open("ab") as file:
        file.write(b" ")
    with pytest.raises(BundleError, match=r"0001/bundle/model\.json: not a file of at most"):
        rollback(artifacts, reason="")
    assert production_version(artifacts) == 2


def test_with_nothing_to_go_back_to_the_way_out_is_told(artifacts: Path) -> None:
    for _ in range(2):
        with pytest.raises(
            RegistryError, match=r"iris: there is no version .* ffn promote iris N$"
        ):
            rollback(artifacts, reason="")
        promote(artifacts, 3, reason="")
