"""The recipes of the page on engines: its own code is run, and gives the labels of the command."""

from __future__ import annotations

import csv
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.helpers.command_line import REPOSITORY, run_here
from tests.helpers.waiting import LAST_RESORT

PAGE = (REPOSITORY / "docs/how-to/score-inside-an-engine.md").read_text("utf-8")
# The heading of each recipe, and the module that it needs.
ENGINES = {"DuckDB": "duckdb", "Dask DataFrame": "dask", "Ray Data": "ray", "Spark": "pyspark"}


def recipe(engine: str) -> str:
    """The code below a heading of the page."""
    section = re.split(rf"^## {engine}$", PAGE, flags=re.MULTILINE)[1]
    (code,) = re.findall(
        r"^```py\n(.*?)^```", section.partition("\n## ")[0], re.DOTALL | re.MULTILINE
    )
    return code


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engines")
    shutil.copytree(REPOSITORY / "data/iris", folder / "data/iris")
    assert run_here(("retrain", "iris", "--direct", "--root", folder)) == 0
    return folder


def test_every_engine_has_a_recipe() -> None:
    assert len(re.findall(r"^```py$", PAGE, re.MULTILINE)) == len(ENGINES)
    assert all("model.predict_batch" in recipe(engine) for engine in ENGINES)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_recipe_gives_the_labels_of_the_command(engine: str, root: Path) -> None:
    if importlib.util.find_spec(ENGINES[engine]) is None:
        pytest.skip(f"{ENGINES[engine]} is not installed")
    if engine == "Spark" and shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    room = root / ENGINES[engine]
    room.mkdir()
    for name in ("data", "artifacts"):
        (room / name).symlink_to(root / name)
    done = subprocess.run(
        [sys.executable, "-c", recipe(engine)],
        cwd=room,
        env={
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "RAY_USAGE_STATS_ENABLED": "0",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=LAST_RESORT,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (made,) = room.glob("labelled_flowers*")
    found = {
        int(row["flower_id"]): (row["predicted_species"], row["confidence"], row["reject_reason"])
        for row in pq.read_table(made).to_pylist()
    }
    assert run_here(("score", "iris", "--direct", "--root", root)) == 0
    with (root / "artifacts/iris/predictions/new_flowers.csv").open(newline="") as file:
        expected = {
            int(row["flower_id"]): (row["predicted_species"], float(row["confidence"]), None)
            for row in csv.DictReader(file)
        }
    assert found == expected
