"""Fresh interpreters that import nothing from the current folder."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["fresh"]

# Where our packages are, installed or not. At the end of the path: in front, a file of this folder
# would take the place of a module of Python's of the same name.
_HOME = str(Path(__file__).parents[1])
_START = (
    "import runpy, sys; sys.path.append(sys.argv.pop(1)); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


def fresh(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of ours in a fresh interpreter.

    Python puts the current folder first on the path of ``python -m`` and ``python -c``, so that a
    ``csv.py`` there would be run. ``-P`` leaves it out. ``-I`` would ignore ``PYTHONPATH`` and the
    user's own site-packages as well: the new process might then find other packages than this one.
    """
    return [sys.executable, "-P", "-c", _START, _HOME, module, *arguments]
