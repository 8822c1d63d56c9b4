"""Prefect's folder as the first start of a server leaves it, made once and then copied.

A first start creates the database by a hundred migrations, which takes several seconds of
computing; later ones find it. Tests that are not about the first start begin with the second.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import shutil
import sqlite3
import tempfile
from pathlib import Path

from tests.helpers.command_line import REPOSITORY
from tests.helpers.prefect_server import running_server

DATABASE = "prefect.db"
# What the server has registered, so that it does not do it at each start.
MEMORY = "memo_store.toml"


@functools.cache
def _made() -> Path:
    """Return the folder that is copied; `make clean` removes it, as does another Prefect."""
    version = importlib.metadata.version("prefect")
    folder = REPOSITORY / "build" / f"prefect-home-{version}"
    if not folder.is_dir():
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            home, made = Path(temporary) / "home", Path(temporary) / "made"
            home.mkdir()
            made.mkdir()
            with running_server(home):
                pass
            # Without it each start takes longer, and nothing else.
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(home / MEMORY, made)
            # Whole, whatever still stands in the journal beside it.
            with contextlib.closing(sqlite3.connect(home / DATABASE)) as database:
                database.execute("VACUUM INTO ?", (str(made / DATABASE),))
            try:
                made.rename(folder)
            except OSError:
                # Another process of the tests may have been quicker.
                if not (folder / DATABASE).is_file():
                    raise
    return folder


def started_before(home: Path) -> Path:
    """Make ``home`` the folder of a Prefect whose server was started before; return it."""
    home.mkdir(parents=True, exist_ok=True)
    for file in _made().iterdir():
        shutil.copyfile(file, home / file.name)
    return home
