"""A notebook as a list of cells, and as a file in Jupyter's format 4.5."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

__all__ = ["Cell", "notebook_bytes", "read_code", "with_links"]

_SETUP = """\
# The examples are part of the repository: its modules and data are found from its root.
import os
import sys
from pathlib import Path

here = Path.cwd().resolve()
root = next(folder for folder in (here, *here.parents) if (folder / "examples/notebooks").is_dir())
os.chdir(root)
sys.path.insert(0, str(root))"""
_LINK = re.compile(r"(?P<before>!?\[[^\]]*\]\()(?P<target>[^)\s#]+)(?P<after>#[^)\s]*)?\)")


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes
    ----------
    kind
        ``markdown``, or ``code``.
    source
        Its text, without a newline at the end.
    folder
        Folder that links of the text start from; None, the default, if it has none.
    """

    kind: Literal["markdown", "code"]
    source: str
    folder: Path | None = None


def with_links(cell: Cell, folder: Path) -> tuple[str, dict[str, Any]]:
    """Return the text of a cell with links that work elsewhere, and its pictures as attachments.

    Parameters
    ----------
    cell
        The cell.
    folder
        Folder of the notebook.
    """
    attachments: dict[str, Any] = {}

    def moved(found: re.Match[str]) -> str:
        # Code in an excerpt may look like a link, and an address is not a file.
        path = (cell.folder or folder) / found["target"]
        if cell.folder is None or not path.exists():
            return found[0]
        if found["before"].startswith("!"):
            picture = base64.b64encode(path.read_bytes()).decode()
            attachments[path.name] = {"image/png": picture}
            return f"{found['before']}attachment:{path.name})"
        away = Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
        return f"{found['before']}{away}{found['after'] or ''})"

    text = _LINK.sub(moved, cell.source) if cell.kind == "markdown" else cell.source
    return text, attachments


def notebook_bytes(cells: Sequence[Cell], folder: Path) -> bytes:
    """Return a notebook file: first a cell that finds the repository, then these.

    Nothing has been run, so that predictions can be made first. Equal cells give equal bytes.

    Parameters
    ----------
    cells
        The cells.
    folder
        Folder that the file will be in, somewhere in the repository.
    """
    written = []
    for number, cell in enumerate([Cell("code", _SETUP), *cells]):
        text, attachments = with_links(cell, folder)
        one: dict[str, Any] = {
            "cell_type": cell.kind,
            "id": f"cell-{number}",
            "metadata": {},
            "source": text.splitlines(keepends=True),
        }
        if cell.kind == "code":
            one |= {"execution_count": None, "outputs": []}
        elif attachments:
            one["attachments"] = attachments
        written.append(one)
    document = {
        "cells": written,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def read_code(content: bytes) -> list[str]:
    """Return the text of each code cell of a notebook file.

    Parameters
    ----------
    content
        The file.
    """
    cells = json.loads(content)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
