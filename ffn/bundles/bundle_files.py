"""The parts of a bundle as files, before anything in them is believed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from ffn.errors import BundleError, quote
from ffn.storage.plain_files import open_plain

__all__ = [
    "ARRAYS",
    "BUNDLE_FORMAT",
    "MANIFEST",
    "MANIFEST_BYTES",
    "MODEL",
    "REFERENCE",
    "REMEDY",
    "parse_json",
    "parse_manifest",
    "read_part",
]

BUNDLE_FORMAT = 1
MANIFEST = "manifest.json"
MODEL = "model.json"
ARRAYS = "arrays.safetensors"
REFERENCE = "reference.json"
# Sign included; Python refuses to read more than some thousand, and takes time for fewer.
_MOST_DIGITS = 20
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


def parse_json(text: bytes) -> Any:
    """Return what JSON says in one way only, and what can be computed with and written again.

    Raises
    ------
    ValueError
        It is no JSON in UTF-8, or too deep; a key is given twice; a number is NaN, or beyond
        float64, or, if whole, int64; half a surrogate pair is in a text.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key stands twice")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    def number(digits: str) -> float:
        value = float(digits)
        if math.isinf(value):
            raise ValueError(f"{quote(digits)} is beyond every number")
        return value

    def whole(digits: str) -> int:
        if len(digits) > _MOST_DIGITS or not -(2**63) <= (value := int(digits)) < 2**63:
            raise ValueError(f"{quote(digits)} is beyond every whole number")
        return value

    try:
        found = json.loads(
            text.decode(),
            object_pairs_hook=unique,
            parse_constant=refuse,
            parse_float=number,
            parse_int=whole,
        )
        # Escapes alone can say half a pair.
        if b"\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return found
