"""How many score runs an hour Prefect's server takes that are submitted together."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

__all__ = ["parse_bursts", "runs_an_hour"]

_TESTS = ("tests/scale/postgresql/test_burst.py", "-k", "takes_them_all or a_few_at_a_time")
_TOLD = re.compile(r"^(PostgreSQL|SQLite), (\d+) at once: (\{.*\})$", re.MULTILINE)


def runs_an_hour(root: Path) -> dict[str, float]:
    """Return runs an hour by database, as the tests of bursts measure them.

    Parameters
    ----------
    root
        The repository.

    Raises
    ------
    subprocess.CalledProcessError
        A run was lost.
    """
    command = [sys.executable, "-m", "pytest", "-s", "-q", *_TESTS]
    done = subprocess.run(  # noqa: S603
        command, cwd=root, check=True, stdout=subprocess.PIPE, text=True
    )
    return parse_bursts(done.stdout)


def parse_bursts(text: str) -> dict[str, float]:
    """Return runs an hour by database, from what the tests print.

    Parameters
    ----------
    text
        What they print: for each database a line with runs and seconds.
    """
    found = {}
    for database, _, told in _TOLD.findall(text):
        counts = ast.literal_eval(told)
        found[database] = 3600 * counts["runs"] / counts["seconds"]
    return found
