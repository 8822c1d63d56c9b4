"""Commands that start a Python interpreter isolated from the current folder."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["fresh"]

# The folder of this package, installed or not. Appended to sys.path, because at its beginning a
# file in that folder would shadow a standard module of the same name.
_HOME = str(Path(__file__).parents[1])
_START = (
    "import runpy, sys; sys.path.append(sys.argv.pop(1)); "
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
