"""Every line about a version made again is made of the figures it states."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ffn.nn import Network
from ffn.reproduction.bundle_differences import PartDifference, bundle_differences
from ffn.reproduction.circumstances_compared import Circumstance, compare_circumstances
from ffn.reproduction.label_changes import LabelChange
from ffn.reproduction.outcome import Reproduction, reproduction_lines
from tests.helpers.bundles import make

FOUND = Reproduction(
    pipeline="iris",
    version=3,
    recorded_sha256="a" * 64,
    circumstances=(),
    data="kept",
    made_sha256="b" * 64,
    seconds=2.5,
)


def test_the_sentences() -> None:
    same = replace(FOUND, made_sha256="a" * 64)
    assert reproduction_lines(same) == [
        "iris, version 3 was made again in 2.5 s: same digest, SHA-256 aaaaaaaaaaaaaaaa."
    ]
    assert reproduction_lines(FOUND) == [
        "iris, version 3 was made again in 2.5 s and differs: SHA-256 bbbbbbbbbbbbbbbb, registered "
        "aaaaaaaaaaaaaaaa."
    ]
    none = replace(FOUND, made_sha256="", obstacles=("data: gone",))
    assert reproduction_lines(none) == ["iris, version 3 cannot be made again.", "  data: gone"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (LabelChange(rows=30, changed=0), "  labels: 0 of 30 held-out rows get another label"),
        (LabelChange(rows=30, changed=1), "  labels: 1 of 30 held-out rows gets another label"),
        (LabelChange(rows=1, changed=1), "  labels: 1 of 1 held-out row gets another label"),
    ],
)
def test_labels(changed: LabelChange, told: str) -> None:
    assert reproduction_lines(replace(FOUND, labels=changed))[1:] == [told]


def test_a_time_budget_is_a_reason_only_for_a_difference() -> None:
    assert "time budget" in reproduction_lines(replace(FOUND, timed=True))[1]
    same = replace(FOUND, timed=True, made_sha256="a" * 64)
    assert len(reproduction_lines(same)) == 1


def test_many_differences_are_counted() -> None:
    one = PartDifference(file="model.json", where="x", difference=None, text="x differs")
    lines = reproduction_lines(replace(FOUND, differences=(one,) * 13))
    assert lines[1:11] == ["  model.json: x differs"] * 10
    assert lines[11] == "  3 differences more"


def test_circumstances() -> None:
    recorded = {"code_sha256": "a" * 64, "python": "3.11.1", "packages": {"numpy": "2.1"}}
    now = {**recorded, "python": "3.12.0", "processor": "P", "packages": {"numpy": "2.1", "x": "1"}}
    found = {one.name: one for one in compare_circumstances(recorded, now)}
    assert {name for name, one in found.items() if one.differs} == {"Python"}
    assert found["Python"].in_words == "Python was 3.11.1 and is 3.12.0"
    assert found["processor"].in_words == "processor was not recorded"
    assert "commit" not in found
    gone = Circumstance(name="commit", recorded="c" * 40, now=None)
    assert (gone.differs, gone.in_words) == (True, f"commit was {'c' * 16} and is \N{EN DASH}")
    assert compare_circumstances({"packages": 3, "python": 7}, {})[0].recorded is None


def test_differences_of_bundles() -> None:
    bundle = make(seed=1)
    assert bundle_differences(bundle, bundle) == []
    moved = bundle.network.parameters.copy()
    moved[0, 2] += 0.5
    other = replace(
        bundle,
        optimizer="another",
        network=Network(bundle.network.widths, moved),
        fingerprints=np.append(bundle.fingerprints, np.uint64(1)),
    )
    found = {one.where: one for one in bundle_differences(bundle, other)}
    assert set(found) == {"parameters", "fingerprints", "optimizer"}
    assert found["parameters"].difference == pytest.approx(0.5, rel=1e-6)
    assert found["parameters"].text.startswith(f"1 of {moved.size:,} values of parameters differ")
    n = len(bundle.fingerprints)
    assert found["fingerprints"].text == f"fingerprints had the shape {n} and has {n + 1} now"
    assert (found["optimizer"].file, found["optimizer"].text) == ("model.json", "optimizer differs")


def test_a_reference_that_was_not_there_is_named_by_its_keys() -> None:
    bundle = make(seed=1)
    without = replace(bundle, reference=None)
    told = [one.text for one in bundle_differences(without, bundle)]
    assert all(text.endswith(" was not there") for text in told)
    assert bool(told) == (bundle.reference is not None)
