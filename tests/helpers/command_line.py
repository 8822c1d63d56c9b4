"""The command line as tests call it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.cli.app import main
from tests.helpers.waiting import LAST_RESORT

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line of a refusal."""
        assert (self.code, self.out) == (1, ""), (self.code, self.out, self.err)
        assert self.err.startswith("ffn: ")
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1
        return self.err[len("ffn: ") : -1]


def run_here(arguments: Sequence[object]) -> int:
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as end:
        return int(end.code or 0)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "flows", *map(str, arguments)]


def environment(home: Path, **more: str) -> dict[str, str]:
    """A user's: an own home, nothing of Prefect's or ours set."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FFN_", "PREFECT_"))}
    own = {"HOME": str(home), "PREFECT_HOME": str(home / ".prefect")}
    return kept | own | {"PYTHONPATH": str(REPOSITORY)} | more


def run_apart(home: Path, *arguments: object, **variables: str) -> Done:
    """Run in a process of its own."""
    done = subprocess.run(
        command(*arguments),
        env=environment(home, **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=LAST_RESORT,
    )
    return Done(done.returncode, done.stdout, done.stderr)


# Locks, and the story of the runs, which tells of refusals as well.
OF_EVERY_RUN = {"runs.jsonl", ".at-work", ".retraining.lock", ".inbox.lock"}


def listing(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Everything below ``folder`` that a refused run leaves alone: names, kinds, contents.

    Not caches, which are made again.
    """
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
        # A folder that holds something is known by that.
        if "cache" not in path.relative_to(folder).parts
        and path.name not in OF_EVERY_RUN
        and not (path.is_dir() and any(path.iterdir()))
    }
