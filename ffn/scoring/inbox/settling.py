"""A look at an inbox on behalf of somebody who has just put a file there and waits for its rows."""

from __future__ import annotations

import time
from collections.abc import Callable

from ffn.scoring.inbox.inbox_scan import InboxScan, scan_inbox
from ffn.settings.pipeline import Pipeline

__all__ = ["look_when_quiet"]

# Longer is no wait before a terminal: then the command says when to come back.
_LONGEST_WAIT = 60.0
# A file's time may be rounded up.
_MARGIN = 0.05


def look_when_quiet(pipeline: Pipeline, version: int, tell: Callable[[str], None]) -> InboxScan:
    """InboxScan through the inbox; wait once, a minute at most, for files that are not quiet yet.

    What is written to meanwhile, or would take longer, is left, and is in ``InboxScan.settling``.

    Parameters
    ----------
    version
        In production.
    tell
        Called with what is waited for.

    Raises
    ------
    DataError
        The ledger cannot be used.
    """
    seen = scan_inbox(pipeline, version)
    soon = [left for left in seen.settling.values() if left <= _LONGEST_WAIT]
    if not soon:
        return seen
    files = "1 file" if len(soon) == 1 else f"{len(soon):,} files"
    settle = pipeline.settings.inbox.settle
    tell(f"waiting for {files} changed less than {settle} ago")
    time.sleep(max(soon) + _MARGIN)
    return scan_inbox(pipeline, version)
