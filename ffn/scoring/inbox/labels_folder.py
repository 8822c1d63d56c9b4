"""The folder of labels beside an inbox, ``data/<pipeline>/outcomes``, with a ledger of its own."""

from __future__ import annotations

import contextlib
import datetime
from pathlib import Path

from ffn.scoring.inbox.inbox_contents import InboxScan, Waiting
from ffn.scoring.inbox.inbox_scan import move_file, scan_folder
from ffn.scoring.inbox.ledger import Ledger, Outcome
from ffn.scoring.inbox.listing import InboxFolder
from ffn.settings.pipeline import Pipeline

__all__ = ["note_outcomes", "scan_outcomes"]


def outcome_ledger_path(pipeline: Pipeline) -> Path:
    """Return the path of the ledger of the labels' folder of ``pipeline``."""
    return pipeline.artifacts / "outcomes" / "inbox.sqlite"


def scan_outcomes(pipeline: Pipeline, *, read: bool = True) -> InboxScan:
    """Return the files in the folder of labels by state, as `scan_inbox` does for the inbox.

    Each content of a file is taken up once, whichever version is in production.

    Parameters
    ----------
    pipeline
        The pipeline whose folder ``outcomes`` is scanned.
    read
        As for `scan_inbox`.

    Raises
    ------
    DataError
        The ledger cannot be used.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(InboxFolder.opened(pipeline.folder / "outcomes"))
        except FileNotFoundError:
            return InboxScan()
        path = outcome_ledger_path(pipeline)
        return scan_folder(pipeline, folder, path, lambda _: False, read=read)


def note_outcomes(pipeline: Pipeline, file: Waiting, *, rows: int = 0, refusal: str = "") -> None:
    """Record in the ledger that a file of labels was taken up or refused.

    With ``inbox.move`` it is then moved as a scored file is.

    Parameters
    ----------
    pipeline
        The pipeline to which the folder belongs.
    file
        A file from `InboxScan.waiting`.
    rows
        Number of its rows; by default 0, as of a refused file.
    refusal
        Why it was refused; empty, the default, if it was taken up.

    Raises
    ------
    DataError
        The ledger cannot be written, or the file cannot be moved.
    """
    outcome = Outcome(
        name=file.name,
        sha256=file.sha256,
        version=0,
        at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        rows=rows,
        rejected=0,
        refusal=refusal,
    )
    with Ledger.opened(outcome_ledger_path(pipeline)) as ledger:
        ledger.record(outcome)
    if pipeline.settings.inbox.move:
        with InboxFolder.opened(file.path.parent) as folder:
            move_file(folder, file, "refused" if refusal else "done")
