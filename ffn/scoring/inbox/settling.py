"""Scan an inbox for an interactive command, waiting briefly for files still being written."""

from __future__ import annotations

import time
from collections.abc import Callable

from ffn.scoring.inbox.inbox_scan import InboxScan, scan_inbox
from ffn.settings.pipeline import Pipeline

__all__ = ["look_when_quiet"]

# Nobody waits longer at a terminal: the command then says when to run it again.
_LONGEST_WAIT = 60.0
# The file system may round a file's time up.
_MARGIN = 0.05


def look_when_quiet(pipeline: Pipeline, version: int, tell: Callable[[str], None]) -> InboxScan:
    """Scan the inbox, waiting once, for at most a minute, for files that are still being written.

    Files that change during the wait, or would need a longer one, are in ``InboxScan.settling``.

    Parameters
    ----------
    pipeline
        The pipeline whose inbox is scanned.
    version
        Number of the version in production.
    tell
        Called with a message before waiting.

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
