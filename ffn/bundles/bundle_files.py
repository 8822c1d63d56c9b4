"""The parts of a bundle as files, before anything in them is believed."""

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
    "REFERENCE",
    "REMEDY",
    "parse_manifest",
    "read_part",
]

BUNDLE_FORMAT = 1
MANIFEST = "manifest.json"
MODEL = "model.json"
ARRAYS = "arrays.safetensors"
REFERENCE = "reference.json"
MANIFEST_BYTES = 64 * 1024
REMEDY = "Promote another version (ffn promote PIPELINE N), or retrain."


def read_part(path: Path, *, at_most: int) -> bytes:
    """Return the bytes of a plain file; refuse a link, a device, and one that is too long."""
    try:
        with open_plain(path) as (file, size):
            if size > at_most:
                raise BundleError(
                    f"{path}: not a file of at most {at_most} bytes, as the manifest has it; "
                    f"the bundle is damaged. {REMEDY}"
                )
            # Not one byte more than was measured, should the file grow now.
            return file.read(size)
    except OSError as error:
        raise BundleError(
            f"{path}: cannot be read as part of a bundle ({error.strerror}). {REMEDY}"
        ) from None


def parse_manifest(text: bytes, folder: Path) -> dict[str, dict[str, Any]]:
    """Return size and SHA-256 of each part; BundleError for any other document."""
    where = folder / MANIFEST
    try:
        manifest = parse_json(text)
        written = manifest["format"]
    except (ValueError, KeyError, TypeError):
        raise BundleError(f"{where}: not a bundle's manifest, or damaged. {REMEDY}") from None
    if type(written) is int and written > BUNDLE_FORMAT:
        raise BundleError(
            f"{where}: format {quote(written)}; this version reads format {BUNDLE_FORMAT}. "
            "Upgrade ffn to read a newer one."
        )
    if type(written) is not int or written != BUNDLE_FORMAT:
        raise BundleError(f"{where}: no bundle has format {quote(written)}. {REMEDY}")
    parts = manifest.get("parts")
    # The third came later: a bundle without it scores as ever.
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
