"""A worker that differs is named with both values; one that does not is taken."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import ffn
from ffn.clusters.likeness import own_likeness, unlikeness


def test_a_process_is_compared_by_what_decides_the_bytes() -> None:
    own = own_likeness()
    assert own["packages.ffn"] == ffn.__version__
    assert own["packages.numpy"] == version("numpy")
    assert own["python"] == sys.version.split()[0]
    assert own["machine"] == platform.machine()
    assert len(own["code_sha256"]) == 64


def test_two_processes_of_one_installation_are_alike() -> None:
    """A worker is asked before it has loaded anything else, NumPy's BLAS included."""
    program = (
        "import json, sys; from ffn.clusters.likeness import own_likeness; found = own_likeness(); "
        "import ffn.cluster_scoring.part_answers, ffn.cluster_scoring.range_tasks; "
        "print(json.dumps([found, list(sys.modules)]))"
    )
    home = Path(ffn.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=home, check=True, capture_output=True, text=True
    )
    worker, modules = json.loads(done.stdout)
    assert worker == own_likeness()
    assert unlikeness(own_likeness(), worker, "the worker w") is None
    # What takes long to load, and labelling a CSV does not need.
    heavy = {"pandas", "scipy", "sklearn", "pyarrow", "pydantic", "prefect"}
    assert not heavy & set(modules)


@pytest.mark.parametrize(
    ("key", "other", "said"),
    [
        ("packages.ffn", "0.1", 'the worker w has ffn-pipeline "0.1" and this process'),
        ("python", "3.9.1", 'the worker w has Python "3.9.1" and this process'),
        ("packages.numpy", "1.0", 'the worker w has NumPy "1.0" and this process'),
        ("blas", "openblas 0.3 Zen", 'the worker w has BLAS "openblas 0.3 Zen" and this process'),
        ("code_sha256", "a" * 64, f'the worker w has the code of ffn "{"a" * 12}" and this'),
        ("machine", "riscv64", 'the worker w has machine "riscv64" and this process'),
    ],
)
def test_a_difference_is_said_with_both_values(key: str, other: str, said: str) -> None:
    own = own_likeness()
    told = unlikeness(own, {**own, key: other}, "the worker w")
    assert told is not None
    assert told.startswith(said)
    shown = own[key][:12] if key == "code_sha256" else own[key]
    assert f'and this process "{shown}"' in told
    assert told.endswith(".")


def test_what_is_missing_is_a_difference() -> None:
    told = unlikeness(own_likeness(), {}, "the worker w")
    assert told is not None
    assert told.startswith('the worker w has ffn-pipeline "unknown" and this process')
