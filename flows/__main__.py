"""The entry point of ``ffn`` and ``python -m flows``: settings of the process, then a verb."""

from __future__ import annotations

import atexit
import gc
import os
import sys

from flows.cli.app import main

__all__ = ["run"]


def run() -> int:
    """Run the command line's command; returns its exit code."""
    # Libraries bring a million objects that live until the end. Searching them for cycles time
    # and again, and all of them once more at the end, would take a sixth of a retraining.
    gc.set_threshold(100_000, 20, 100)
    atexit.register(gc.freeze)
    # Everything here computes on one thread (ffn/pipelines/blas_threads.py). Set before NumPy is
    # loaded, the variable keeps OpenBLAS from starting others.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # The settings are checked by pydantic alone. To find plugins of it, it would look into every
    # distribution installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # For every interpreter that is started from here, whoever starts it: a "csv.py" in the current
    # folder is not the one to be imported.
    os.environ["PYTHONSAFEPATH"] = "1"
    return main()


# Worker processes import this module, too; only the first process runs the command.
if __name__ == "__main__":
    sys.exit(run())
