"""Whether a manifest says what is needed to take up the predictions of its table."""

from __future__ import annotations

from typing import Any

__all__ = ["check_manifest"]


def check_manifest(manifest: Any) -> None:
    """Check that a ``manifest`` says what is needed to take up its table.

    Raises
    ------
    KeyError
        Something is missing.
    TypeError
        Something has another type.
    """
    options, output = manifest["options"], manifest["files"]["output"]
    for found, kind in (
        *((manifest[key], str) for key in ("pipeline", "bundle_sha256", "target")),
        *((manifest[key], int) for key in ("model_version", "scored")),
        (manifest["classes"], dict),
        *((options[key], str) for key in ("delimiter", "decimal")),
        (output["sha256"], str),
    ):
        if type(found) is not kind:
            raise TypeError(f"{found!r} is no {kind.__name__}")
