"""Read and parse the files of a bundle, none of which is trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ffn.errors import BundleError, quote
from ffn.storage.documents import parse_json
from ffn.storage.plain_files import open_plain

__all__ = [
    "ARRAYS",
    "BUNDLE_FORMAT",
    "MANIFEST",
    "MANIFEST_BYTES",
    "MODEL",
    "OLDEST_FORMAT",
    "REFERENCE",
    "REMEDY",
    "parse_manifest",
    "read_part",
]

BUNDLE_FORMAT = 2
"""The newest format; what needs nothing of it is written as `OLDEST_FORMAT`, byte for byte."""
OLDEST_FORMAT = 1
MANIFEST = "manifest.json"
MODEL = "model.json"
ARRAYS = "arrays.safetensors"
REFERENCE = "reference.json"
MANIFEST_BYTES = 64 * 1024
REMEDY = "Promote another version (ffn promote PIPELINE N), or retrain."


def read_part(path: Path, *, at_most: int) -> bytes:
    """Return the content of the plain file ``path`` of at most ``at_most`` bytes.

    Raises
    ------
    BundleError
        The file is missing, unreadable, longer, or a link or device.
    """
    try:
        with open_plain(path) as (file, size):
            if size > at_most:
                raise BundleError(
                    f"{path}: not a file of at most {at_most} bytes, as the manifest says; "
                    f"the bundle is damaged. {REMEDY}"
                )
            # The file may grow meanwhile; the limit holds all the same.
            return file.read(size)
    except OSError as error:
        raise BundleError(
            f"{path}: cannot be read as part of a bundle ({error.strerror}). {REMEDY}"
        ) from None


def parse_manifest(text: bytes, folder: Path) -> dict[str, dict[str, Any]]:
    """Return the size (``bytes``) and ``sha256`` of each part, by file name.

    Parameters
    ----------
    text
        Content of the manifest.
    folder
        Folder of the bundle, for errors.

    Raises
    ------
    BundleError
        The manifest is damaged or has a newer format.
    """
    where = folder / MANIFEST
    try:
        manifest = parse_json(text)
        written = manifest["format"]
    except (ValueError, KeyError, TypeError):
        raise BundleError(f"{where}: not a bundle's manifest, or damaged. {REMEDY}") from None
    if type(written) is int and written > BUNDLE_FORMAT:
        raise BundleError(
            f"{where}: format {quote(written)}; this version reads formats up to "
            f"{BUNDLE_FORMAT}. Upgrade ffn to read a newer one."
        )
    if type(written) is not int or written < OLDEST_FORMAT:
        raise BundleError(f"{where}: no bundle has format {quote(written)}. {REMEDY}")
    parts = manifest.get("parts")
    # Bundles of earlier versions have no reference.
    sound = isinstance(parts, dict) and set(parts) - {REFERENCE} == {MODEL, ARRAYS}
    if not sound or not all(_is_declaration(part) for part in parts.values()):
        raise BundleError(f"{where}: its list of parts is damaged. {REMEDY}")
    return dict(parts)


def _is_declaration(part: Any) -> bool:
    return (
        isinstance(part, dict)
        and type(part.get("bytes")) is int
        and isinstance(part.get("sha256"), str)
    )
