"""Report and model card of a version, as HTML pages for a browser."""

from __future__ import annotations

from pathlib import Path

from ffn.errors import RegistryError
from ffn.promotion.register import CARD_FILE
from ffn.registry.versions import version_folder
from ffn.reports.markup.html_page import render_page
from ffn.storage.plain_files import read_plain

__all__ = ["KINDS", "has_page", "read_page"]

KINDS = ("report", "card")
"""Kinds of pages that a version may have."""

# A report embeds five pictures of some 100 kB.
_MOST_BYTES = 64 * 1024 * 1024


def has_page(artifacts: Path, version: int | None, kind: str) -> bool:
    """Return whether a version has a page.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    version
        Number in the registry; None, for no version, has none.
    kind
        One of `KINDS`.
    """
    return version is not None and _file(artifacts, version, kind).is_file()


def read_page(artifacts: Path, version: int, kind: str) -> str:
    """Return the HTML of a version's report or model card.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    version
        Number in the registry.
    kind
        One of `KINDS`.

    Raises
    ------
    RegistryError
        There is no such page, or it cannot be read.
    """
    path = _file(artifacts, version, kind)
    try:
        text = read_plain(path, _MOST_BYTES).decode()
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RegistryError(f"version {version} has no {kind} to show ({told}).") from None
    if kind == "report":
        return text
    return render_page(f"{artifacts.name}: model card of version {version}", text, {})


def _file(artifacts: Path, version: int, kind: str) -> Path:
    if kind == "report":
        return artifacts / "reports" / f"{version:04d}" / "report.html"
    return version_folder(artifacts, version) / CARD_FILE
