"""Optional parts of an installation: what each brings, and what to do where one is missing.

``pip install ffn-pipeline`` brings what loads models, scores, evaluates, and retrains with
``--direct``. Whatever needs more asks here first, and ends in one line with the command that
installs it.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from ffn.errors import InstallationError

__all__ = ["Extra", "how_to_install", "is_installed", "require"]

Extra = Literal["cloud", "dask", "pandas", "ray", "report", "service", "sql"]

# By extra of pyproject.toml, the modules that it brings and the base does not.
_MODULES: dict[Extra, tuple[str, ...]] = {
    "cloud": ("obstore",),
    "dask": ("distributed",),
    "pandas": ("pandas",),
    "ray": ("ray",),
    "report": ("matplotlib", "PIL"),
    "service": ("prefect",),
    "sql": ("duckdb", "psycopg"),
}
# uv keeps a tool in an environment of its own, which holds this file and no pip.
_RECEIPT = "uv-receipt.toml"


def is_installed(extra: Extra) -> bool:
    """Tell whether an extra is installed, without importing it.

    Parameters
    ----------
    extra
        Its name in ``ffn-pipeline[...]``.
    """
    return all(map(_is_found, _MODULES[extra]))


def _is_found(module: str) -> bool:
    spec = find_spec(module)
    # A folder of that name beside the program is found, too, and has no origin.
    return spec is not None and spec.origin is not None


def how_to_install(extra: Extra) -> str:
    """Return the command that installs an extra.

    Parameters
    ----------
    extra
        Its name in ``ffn-pipeline[...]``.
    """
    program = "uv tool" if (Path(sys.prefix) / _RECEIPT).is_file() else "pip"
    return f"{program} install 'ffn-pipeline[{extra}]'"


def require(extra: Extra, sentence: str, otherwise: str = "") -> None:
    """Refuse to go on where an extra is missing.

    Parameters
    ----------
    extra
        Its name in ``ffn-pipeline[...]``.
    sentence
        What needs which package, as a clause, such as "ffn serve runs on Prefect".
    otherwise
        What can be done without it, as a clause; by default there is nothing to say.

    Raises
    ------
    InstallationError
        It is not installed.
    """
    if not is_installed(extra):
        instead = f"; or {otherwise}" if otherwise else ""
        raise InstallationError(
            f"{sentence}, which is not installed. Install it: {how_to_install(extra)}{instead}."
        )
