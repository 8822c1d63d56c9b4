"""Entry point of ``ffn`` and ``python -m flows``: process-wide settings, then the command line."""

from __future__ import annotations

import os
import sys

from ffn.interpreter import collect_seldom
from flows.cli.app import main

__all__ = ["run"]


def run() -> int:
    """Run the command line; return its exit code."""
    collect_seldom()
    # Everything here computes on one thread (ffn/blas_threads.py). Set before NumPy is
    # loaded, the variable keeps OpenBLAS from starting others.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # pydantic would search every installed distribution for plugins, of which we use none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Every interpreter started from here inherits this: a "csv.py" in the current folder must not
    # be imported in place of the standard module.
    os.environ["PYTHONSAFEPATH"] = "1"
    return main()


# Worker processes import this module, too; only the first process runs the command.
if __name__ == "__main__":
    sys.exit(run())
