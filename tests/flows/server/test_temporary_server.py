"""The server that a command starts for its runs, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.helpers.command_line import environment
from tests.helpers.prefect_home import started_before
from tests.helpers.waiting import LAST_RESORT

TWO_BLOCKS = """
import sys
from pathlib import Path
from flows.server.run_flow import configure
configure()
from prefect.settings import PREFECT_API_URL
from flows.server.ephemeral import server
for _ in range(2):
    assert not PREFECT_API_URL.value()
    with server(Path(sys.argv[1])):
        print(PREFECT_API_URL.value())
"""


def test_one_server_serves_all_that_a_command_asks(tmp_path: Path) -> None:
    """A database's password is read before the run; a second server would write beside it."""
    own = environment(tmp_path, PREFECT_HOME=str(started_before(tmp_path / "prefect")))
    done = subprocess.run(
        [sys.executable, "-c", TWO_BLOCKS, tmp_path],
        env=own,
        capture_output=True,
        text=True,
        check=False,
        timeout=LAST_RESORT,
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.split()
    assert first == second
    assert first.startswith("http://127.0.0.1:")
