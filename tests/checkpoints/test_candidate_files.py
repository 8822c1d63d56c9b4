"""A candidate that was written is read as it was, to the last bit, whatever it consists of."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ffn.checkpoints.candidate_files import read_candidate, write_candidate
from ffn.nn import History, Network
from ffn.pipelines.retraining_steps import train
from ffn.training.selection.candidate import Candidate
from tests.helpers.retrained import prepare, shipped

QUICK = {"epochs": 4, "networks": 4}


@pytest.fixture(scope="module", params=["none", "resamples"])
def found(request: Any, tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Any:
    folder = tmp_path_factory.mktemp("made")
    pipeline = shipped(
        repository, "iris", folder, rate="auto", **QUICK, patience=2, ensemble=request.param
    )
    part = prepare(pipeline).training
    return pipeline.settings.optimizers.candidates()["adam"], train("adam", part, pipeline)


def same(one: Any, other: Any) -> bool:
    """Compare deeply, NaN being equal to NaN, and types to types."""
    if isinstance(one, np.ndarray):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        assert_array_equal(one, other)
        return True
    if isinstance(one, Network):
        return one.widths == other.widths and same(one.parameters, other.parameters)
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, tuple | list):
        assert len(one) == len(other)
        return all(map(same, one, other))
    both_unknown = isinstance(one, float) and one != one and other != other
    return bool(both_unknown or (type(one) is type(other) and one == other))


def test_all_of_it_comes_back(found: tuple[Any, Candidate], tmp_path: Path) -> None:
    settings, candidate = found
    assert candidate.answers is not None
    assert candidate.answers.times is None
    write_candidate(candidate, tmp_path)
    again = read_candidate(tmp_path, settings)
    assert again is not None
    assert again.taken
    assert same(candidate, replace(again, taken=False))
    assert again.answers is not None
    # What is refined in place, as by a temperature, must not be read-only.
    again.final.train_loss[0] = 0


def test_times_of_the_rows_come_back(found: tuple[Any, Candidate], tmp_path: Path) -> None:
    settings, candidate = found
    assert candidate.answers is not None
    times = np.arange(len(candidate.answers.labels), dtype=np.int64) * 86_400_000_000
    timed = replace(candidate, answers=replace(candidate.answers, times=times))
    write_candidate(timed, tmp_path)
    again = read_candidate(tmp_path, settings)
    assert again is not None
    assert same(timed, replace(again, taken=False))


def test_networks_that_diverged_and_nothing_asked(
    found: tuple[Any, Candidate], tmp_path: Path
) -> None:
    settings, candidate = found
    lost = History.empty(4, 4)
    lost.diverged[1] = "its training loss, after epoch 1"
    line = replace(candidate.search.lines[0], loss=type(candidate.search.lines[0].loss)(
        float("nan"), -float("inf"), float("inf")
    ))  # fmt: skip
    search = replace(candidate.search, lines=(line, *candidate.search.lines[1:]))
    odd = replace(candidate, history=lost, search=search, answers=None)
    write_candidate(odd, tmp_path)
    again = read_candidate(tmp_path, settings)
    assert again is not None
    assert same(odd, replace(again, taken=False))


@pytest.mark.parametrize("name", ["candidate.safetensors", "candidate.json"])
def test_what_is_no_candidate_is_none(
    found: tuple[Any, Candidate], tmp_path: Path, name: str
) -> None:
    settings, candidate = found
    write_candidate(candidate, tmp_path)
    content = (tmp_path / name).read_bytes()
    for wrong in (b"", b"{}", content[:-2], b"null", content[: len(content) // 2], b"[" * 9_999):
        (tmp_path / name).write_bytes(wrong)
        assert read_candidate(tmp_path, settings) is None
    (tmp_path / name).unlink()
    assert read_candidate(tmp_path, settings) is None


def test_keys_that_are_missing_are_no_candidate(
    found: tuple[Any, Candidate], tmp_path: Path
) -> None:
    settings, candidate = found
    write_candidate(candidate, tmp_path)
    rest = json.loads((tmp_path / "candidate.json").read_text())
    for key in rest:
        without = {name: value for name, value in rest.items() if name != key}
        (tmp_path / "candidate.json").write_text(json.dumps(without))
        assert read_candidate(tmp_path, settings) is None or (
            key == "widths" and candidate.members is None
        )
