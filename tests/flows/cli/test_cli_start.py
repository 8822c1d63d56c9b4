"""What a command loads to score a few rows, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

from tests.helpers.command_line import environment

# Each takes longer to import than a few rows to score.
NOT_FOR_A_FEW_ROWS = {
    "ffn.scoring.inbox",
    "matplotlib",
    "multiprocessing",
    "numpy.ma",
    "pandas",
    "prefect",
    "pyarrow",
    "rich.progress",
    "scipy",
    "sklearn",
    "sqlite3",
    "subprocess",
}
CODE = (
    "import atexit, sys\n"
    "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
    "from flows.__main__ import run\n"
    "sys.exit(run())"
)


def loaded_to(home: Path, *arguments: object) -> Collection[str]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, *map(str, arguments)],
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "12 of 12" in done.stdout or '"scored": 12' in done.stdout
    return done.stderr.splitlines()[-1].split()


@pytest.mark.parametrize(
    ("options", "spared"),
    [((), set()), (("--json",), {"rich"}), (("--probabilities", "--drift", "off"), set())],
)
def test_a_few_rows_are_scored_without_what_takes_longer_to_import(
    trained: Path, tmp_path: Path, options: tuple[str, ...], spared: set[str]
) -> None:
    file = trained / "data/iris/inbox/new_flowers.csv"
    where = ("--root", trained, "--output", tmp_path / "out.csv")
    loaded = set(loaded_to(tmp_path, "score", "iris", file, "--direct", *where, *options))
    assert {"numpy", "pydantic", "ffn.scoring.score_file"} <= loaded
    assert loaded & (NOT_FOR_A_FEW_ROWS | spared) == set()
