"""Builds the distributions: setuptools, but for the name that the folder ``flows`` has in a wheel.

Everybody's Prefect project has a folder ``flows``, and so has this one. Installed beside others, a
package of that name would hide theirs, or theirs would hide ours. So a wheel is built from a copy
of the sources in which the package is called ``ffn_flows``. Imports are the only places where the
name occurs (`renamed` refuses any other), and in these it is replaced word by word: every line
stays where it is. See docs/decisions/0028-the-wheel.md.
"""

from __future__ import annotations

import ast
import io
import os
import re
import shutil
import tempfile
import tokenize
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
    "renamed",
]

_HERE, _IN_THE_WHEEL = "flows", "ffn_flows"
# What setuptools builds a wheel from; the project file names licence and description.
_BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "ffn", _HERE)
_SCRIPT = f'ffn = "{_HERE}.__main__:run"\n'
# From Python 3.12 on, the texts in an f-string are tokens of their own.
_TEXTS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
_COMPILED = shutil.ignore_patterns("__pycache__")
_MODULE = re.compile(rf"{_HERE}(\.\w+)+")


def renamed(source: str, where: str) -> str:
    """Return a module of ``flows`` as it is in the wheel.

    Parameters
    ----------
    source
        Its text.
    where
        Its path, for the message.

    Raises
    ------
    ValueError
        The name of the package occurs elsewhere than after ``from`` or ``import``, as a name or as
        a text such as ``"flows.tasks"``: whether it is the package, only people can say.
    """
    lines = source.splitlines(keepends=True)
    places = []
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        line, column = token.start
        if token.type == tokenize.NAME and token.string == _HERE and before != ".":
            if before not in ("from", "import") or token.line.split()[0] != before:
                raise ValueError(f"{where}:{line}: import what is needed of {_HERE} by its name")
            if before == "import":
                raise ValueError(f"{where}:{line}: write from {_HERE}… import … instead")
            places.append((line - 1, column))
        elif token.type in _TEXTS and _names_a_module(token.string):
            raise ValueError(f"{where}:{line}: make this name from __package__")
        if token.type not in (tokenize.NL, tokenize.COMMENT):
            before = token.string
    for line, column in reversed(places):
        text = lines[line]
        lines[line] = text[:column] + _IN_THE_WHEEL + text[column + len(_HERE) :]
    return "".join(lines)


def _names_a_module(literal: str) -> bool:
    try:
        value = ast.literal_eval(literal)
    except (SyntaxError, ValueError):  # a part of an f-string, or one with values in it
        value = literal.lstrip("fFrRbB").strip("'\"")
    return isinstance(value, str) and _MODULE.fullmatch(value) is not None


def build_wheel(
    wheel_directory: str,
    config_settings: dict[str, Any] | None = None,
    metadata_directory: str | None = None,  # noqa: ARG001 - that of the copy is made anew
) -> str:
    """Build the wheel from a copy of the sources; returns its name.

    Parameters
    ----------
    wheel_directory
        Where to put it.
    config_settings, metadata_directory
        As in PEP 517.
    """
    target = str(Path(wheel_directory).absolute())
    with _renamed_copy():
        return str(build_meta.build_wheel(target, config_settings))


def prepare_metadata_for_build_wheel(
    metadata_directory: str, config_settings: dict[str, Any] | None = None
) -> str:
    """Write the wheel's metadata; returns the name of their folder.

    Parameters
    ----------
    metadata_directory
        Where to put them.
    config_settings
        As in PEP 517.
    """
    target = str(Path(metadata_directory).absolute())
    with _renamed_copy():
        return str(build_meta.prepare_metadata_for_build_wheel(target, config_settings))


@contextmanager
def _renamed_copy() -> Iterator[None]:
    """Work in a copy of the sources in which ``flows`` has its other name."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="ffn-wheel-") as folder:
        copy = Path(folder)
        for name in _BUILT_FROM:
            if (here / name).is_dir():
                shutil.copytree(here / name, copy / name, ignore=_COMPILED)
            else:
                shutil.copy(here / name, copy / name)
        _rename_in(copy)
        os.chdir(copy)
        try:
            yield
        finally:
            os.chdir(here)


def _rename_in(copy: Path) -> None:
    (copy / _HERE).rename(copy / _IN_THE_WHEEL)
    for path in (copy / _IN_THE_WHEEL).rglob("*.py"):
        where = path.relative_to(copy).as_posix().replace(_IN_THE_WHEEL, _HERE, 1)
        path.write_text(renamed(path.read_text("utf-8"), where), "utf-8")
    project = copy / "pyproject.toml"
    text = project.read_text("utf-8")
    if text.count(_SCRIPT) != 1:
        raise ValueError(f"pyproject.toml: a wheel is built by changing its line {_SCRIPT.strip()}")
    project.write_text(text.replace(_SCRIPT, _SCRIPT.replace(_HERE, _IN_THE_WHEEL)), "utf-8")
