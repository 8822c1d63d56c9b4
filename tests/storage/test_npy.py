"""Arrays in files: whole, or an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ffn.storage.npy import open_array, save_array

# A limit on the size of files stands for the end of the disk.
SAVE = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from ffn.storage.npy import save_array

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
try:
    save_array(Path(sys.argv[1]), np.arange(100))
except OSError as error:
    print(error.strerror)
"""


@pytest.mark.parametrize(
    "array",
    [np.arange(7), np.zeros(0), np.array([True, False]), np.arange(12, dtype="f4").reshape(4, 3)],
    ids=str,
)
def test_what_is_read_is_what_was_saved(tmp_path: Path, array: np.ndarray) -> None:
    save_array(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(open_array(tmp_path / "a.npy"), array, strict=True)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), array, strict=True)


def test_an_array_that_finds_no_room_is_an_error(tmp_path: Path, repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SAVE, tmp_path / "a.npy"],
        env={**os.environ, "PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("File too large\n", "")
