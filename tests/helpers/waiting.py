"""Waiting for an event, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

# Against hanging alone: no test says anything by how much of it is used.
LAST_RESORT = 600.0


def wait_for(what: Callable[[], Any], seconds: float = LAST_RESORT, why: str = "") -> Any:
    """Return the first value that counts as true."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, why or f"nothing after {seconds} s"
        time.sleep(0.1)
    return found
