"""``python -m examples.notebooks``: write the chapters and the examples as notebooks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from examples.notebooks.cells import notebook_bytes
from examples.notebooks.sources import EXAMPLES, all_notebooks

ROOT = EXAMPLES.parent


def main() -> int:
    """Do what the command line says; return 1 if the folder is not in the repository."""
    parser = argparse.ArgumentParser(prog="python -m examples.notebooks", description=__doc__)
    parser.add_argument(
        "--to",
        type=Path,
        default=ROOT / "build/notebooks",
        metavar="FOLDER",
        help="folder in the repository (default: build/notebooks)",
    )
    folder = parser.parse_args().to.resolve()
    if not folder.is_relative_to(ROOT):
        sys.stderr.write(
            f"{folder} is not in {ROOT}, where the notebooks find their modules and data. "
            "Choose a folder in it.\n"
        )
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    for name, cells in all_notebooks().items():
        path = folder / f"{name}.ipynb"
        path.write_bytes(notebook_bytes(cells, folder))
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
