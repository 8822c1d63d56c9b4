"""What an empty task computes."""

from __future__ import annotations

__all__ = ["nothing"]


def nothing(request: bytes, shared: bytes) -> bytes:
    """Return no byte.

    Parameters
    ----------
    request, shared
        Not looked at.
    """
    del request, shared
    return b""
