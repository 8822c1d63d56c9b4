"""Commands that start a Python interpreter isolated from the current folder, and its collector."""

from __future__ import annotations

import atexit
import gc
import sys
from pathlib import Path

__all__ = ["collect_seldom", "fresh"]

# The folder of this package, installed or not. Appended to sys.path, because at its beginning a
# file in that folder would shadow a standard module of the same name.
_HOME = str(Path(__file__).parents[1])
_START = (
    "import runpy, sys; sys.path.append(sys.argv.pop(1)); "
    "from ffn.interpreter import collect_seldom; collect_seldom(); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


def fresh(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this package in a new interpreter.

    ``python -m`` and ``python -c`` put the current folder first on ``sys.path``, so a ``csv.py``
    there would be imported; ``-P`` omits it. ``-I`` would also ignore ``PYTHONPATH`` and the user
    site-packages, and the new process might then find other packages than this one.

    Parameters
    ----------
    module
        Full name of the module, such as ``ffn.scoring.canary``.
    *arguments
        Its command-line arguments.
    """
    return [sys.executable, "-P", "-c", _START, _HOME, module, *arguments]


def collect_seldom() -> None:
    """Let this process look for cycles of objects seldom, and no more at its end.

    Libraries create a million objects that live until the end. To search them again and again
    would take a sixth of a retraining, and a fifth of the start of Prefect's server.
    """
    gc.set_threshold(100_000, 20, 100)
    atexit.register(gc.freeze)
