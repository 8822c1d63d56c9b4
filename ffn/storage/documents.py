"""JSON documents: equal values are written as equal bytes, and ambiguous texts are not read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from ffn.errors import quote
from ffn.storage.atomic import write_bytes

__all__ = ["canonical_json", "parse_json", "write_json"]

# Sign included; Python refuses to read more than some thousand, and takes time for fewer.
_MOST_DIGITS = 20


def canonical_json(value: Any) -> bytes:
    """Return ``value`` as JSON bytes that depend on nothing but the value (UTF-8, one newline)."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as canonical JSON to ``path``, whole or not at all."""
    write_bytes(path, canonical_json(value))


def parse_json(text: bytes) -> Any:
    """Parse strict JSON: unambiguous, with finite numbers, and writable again as UTF-8.

    Parameters
    ----------
    text
        The document, in UTF-8.

    Raises
    ------
    ValueError
        The text is not JSON in UTF-8, or nested too deeply; a key is repeated; a number is NaN or
        beyond float64, or an integer beyond int64; a string contains half a surrogate pair.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key is repeated")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    def number(digits: str) -> float:
        value = float(digits)
        if math.isinf(value):
            raise ValueError(f"{quote(digits)} is beyond the range of float64")
        return value

    def whole(digits: str) -> int:
        if len(digits) > _MOST_DIGITS or not -(2**63) <= (value := int(digits)) < 2**63:
            raise ValueError(f"{quote(digits)} is beyond the range of int64")
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
