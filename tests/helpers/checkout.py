"""Which files belong to the repository, whatever else lies in the checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

__all__ = ["tracked"]


def tracked(repository: Path) -> list[Path]:
    """Return the files under version control, and those about to be; skip where git is missing."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=repository, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    names = listed.stdout.decode().split("\0")
    return [path for path in (repository / name for name in names if name) if path.is_file()]
