"""Paths in full, as JSON and reports can name them."""

from __future__ import annotations

import os
from pathlib import Path

from ffn.errors import SettingsError, quote

__all__ = ["real_path"]


def real_path(path: Path) -> Path:
    """Return ``path`` in full, without links.

    Raises
    ------
    SettingsError
        It is not valid UTF-8, so JSON, reports and Prefect could not name it.
    """
    # Path.resolve raises RuntimeError for links that lead in a circle.
    real = os.path.realpath(path)
    try:
        real.encode()
    except UnicodeEncodeError:
        raise SettingsError(f"the path {quote(path, 300)} is not valid UTF-8. Rename it.") from None
    return Path(real)
