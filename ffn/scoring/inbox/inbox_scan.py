"""Scan the inbox of a pipeline for files to score, score them, and record the outcome.

The version in production scores every table in ``data/<pipeline>/inbox`` once; the next version in
production scores it again (not if ``rescore = "none"``). A file counts as new if the content under
its name is new, whatever its times. A file that is still being written is skipped until it has not
changed for ``settle``.
"""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ffn.errors import DataError, FFNError, OutputError
from ffn.scoring.inbox.inbox_contents import InboxScan, Waiting
from ffn.scoring.inbox.ledger import Ledger, Outcome, Stamp
from ffn.scoring.inbox.listing import ChangedError, InboxFolder, Seen, quiet_for
from ffn.scoring.inputs import output_name
from ffn.scoring.model import Model
from ffn.scoring.output.score_result import Progress, ScoreResult
from ffn.settings.pipeline import Pipeline
from ffn.settings.service_settings import seconds_of

__all__ = ["InboxScan", "Waiting", "move_file", "scan_folder", "scan_inbox", "score_waiting"]

_KEPT_NAME = 200


def ledger_path(pipeline: Pipeline) -> Path:
    """Return the path of the ledger of ``pipeline``."""
    return pipeline.artifacts / "inbox.sqlite"


def scan_inbox(pipeline: Pipeline, version: int | None, *, read: bool = True) -> InboxScan:
    """Return the files in the inbox by state, reading only those that changed since the last scan.

    Parameters
    ----------
    pipeline
        The pipeline whose inbox is scanned.
    version
        Number of the version in production; None if there is none.
    read
        Whether to read files and update the ledger, as by default; False for a status that has no
        side effects.

    Raises
    ------
    DataError
        The ledger cannot be used.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(InboxFolder.opened(pipeline.folder / "inbox"))
        except FileNotFoundError:
            return InboxScan()
        path = ledger_path(pipeline)
        again = pipeline.settings.inbox.rescore == "all"
        return scan_folder(pipeline, folder, path, lambda one: again and one != version, read=read)


def scan_folder(
    pipeline: Pipeline,
    folder: InboxFolder,
    path: Path,
    is_stale: Callable[[int], bool],
    *,
    read: bool,
) -> InboxScan:
    """Return the files in an open folder by state.

    Parameters
    ----------
    pipeline
        The pipeline to which the folder belongs.
    folder
        The folder.
    path
        Path of its ledger.
    is_stale
        Says whether a file has to be processed again, given the version of its last outcome.
    read
        As for `scan_inbox`.
    """
    found, refused = folder.list_tables()
    if not (read or path.exists()):
        return InboxScan(new=len(found), refused=refused)
    settings = pipeline.settings.inbox
    settle = seconds_of(settings.settle)
    with Ledger.opened(path) as ledger:
        known = ledger.stamps()
        if read:
            known, unreadable = _read_new(folder, ledger, found, known, settle)
        else:
            unreadable = ledger.unreadable()
        outcomes = ledger.outcomes()
    refused |= {name: reason for name, reason in unreadable.items() if name in found}
    waiting, scored = [], []
    new, settling = 0, {}
    for name in sorted(found.keys() - refused.keys()):
        stamp, since, sha256 = known.get(name, (None, time.time(), None))
        if stamp != found[name].stamp or sha256 is None:
            left = settle - max(quiet_for(found[name].stamp), time.time() - since)
            if left <= 0 and not read:
                new += 1
            else:
                settling[name] = max(left, 0.0)
            continue
        outcome = outcomes.get(name)
        if outcome is None or outcome.sha256 != sha256 or is_stale(outcome.version):
            waiting.append(_waiting(pipeline, folder, name, sha256, found[name]))
        elif outcome.refusal:
            refused[name] = outcome.refusal
        else:
            scored.append(name)
    return InboxScan(
        waiting=tuple(waiting),
        new=new,
        settling=settling,
        scored=tuple(scored),
        refused=dict(sorted(refused.items())),
    )


def score_waiting(
    model: Model,
    pipeline: Pipeline,
    file: Waiting,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    **options: Any,
) -> ScoreResult | None:
    """Score one file of the inbox, and record the outcome in the ledger.

    Parameters
    ----------
    model
        The model in production.
    pipeline
        The pipeline to which the inbox belongs.
    file
        A file from `InboxScan.waiting`.
    on_progress
        Called after each block of rows; by default not at all.
    **options
        As for `ffn.scoring.rows.options.Options`.

    Returns
    -------
    ScoreResult or None
        None if the file has disappeared or changed; the next scan will find its new state.

    Raises
    ------
    OutputError
        The output cannot be written. The file is not at fault, so nothing is recorded.
    FFNError
        The file was refused, which is recorded.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(InboxFolder.opened(file.path.parent))
        except FileNotFoundError:
            return None
        if folder.inode != file.folder:
            return None
        return _score(model, pipeline, folder, file, on_progress, options)


def _score(
    model: Model,
    pipeline: Pipeline,
    folder: InboxFolder,
    file: Waiting,
    on_progress: Callable[[Progress], None] | None,
    options: dict[str, Any],
) -> ScoreResult | None:
    try:
        with folder.open_source(file.name, file.seen, file.sha256) as source:
            result = model.score_source(source, file.output, on_progress=on_progress, **options)
    except OutputError:
        raise
    except ChangedError:
        return None
    except FFNError as error:
        if folder.seen(file.name) != file.seen:
            return None
        _record(pipeline, file, model.version, refusal=str(error))
        if pipeline.settings.inbox.move:
            # The refusal is the more important error, so one of the move is ignored.
            with contextlib.suppress(DataError):
                move_file(folder, file, "refused")
        raise
    _record(pipeline, file, model.version, result=result)
    if pipeline.settings.inbox.move:
        move_file(folder, file, "done")
    return result


def _record(
    pipeline: Pipeline,
    file: Waiting,
    version: int,
    *,
    result: ScoreResult | None = None,
    refusal: str = "",
) -> None:
    outcome = Outcome(
        name=file.name,
        sha256=file.sha256,
        version=version,
        at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        rows=result.rows if result else 0,
        rejected=result.rejected if result else 0,
        refusal=refusal,
    )
    with Ledger.opened(ledger_path(pipeline)) as ledger:
        ledger.record(outcome)


def move_file(folder: InboxFolder, file: Waiting, into: str) -> None:
    """Move a processed ``file`` of ``folder`` to its folder ``into``: ``done`` or ``refused``."""
    folder.move(file.name, file.seen, into, f"{file.sha256[:12]}-{file.name[-_KEPT_NAME:]}")


def _read_new(
    folder: InboxFolder,
    ledger: Ledger,
    found: dict[str, Seen],
    known: dict[str, tuple[Stamp, float, str | None]],
    settle: float,
) -> tuple[dict[str, tuple[Stamp, float, str | None]], dict[str, str]]:
    """Read new files that no longer change; return the known files, and reasons for unread ones."""
    now = time.time()
    changes: dict[str, tuple[Stamp, float, str | None]] = {}
    unreadable: dict[str, str] = {}
    for name, seen in found.items():
        stamp = seen.stamp
        before, since, sha256 = known.get(name, (None, now, None))
        if before == stamp and sha256 is not None:
            continue
        # If the clock was set back, files have times in the future; then the time since the first
        # scan that saw them unchanged counts.
        since = since if before == stamp else now
        if max(quiet_for(stamp), now - since) < settle:
            changes[name] = (stamp, since, None)
            continue
        try:
            with folder.open_source(name, seen) as source:
                changes[name] = (stamp, since, source.read_through())
        except ChangedError:
            continue
        except DataError as error:
            if folder.seen(name) == seen:
                unreadable[name] = str(error)
    ledger.keep_stamps(changes, known.keys() - found.keys())
    ledger.keep_unreadable(unreadable)
    return {name: entry for name, entry in known.items() if name in found} | changes, unreadable


def _waiting(
    pipeline: Pipeline, folder: InboxFolder, name: str, sha256: str, seen: Seen
) -> Waiting:
    return Waiting(
        name=name,
        path=folder.path / name,
        output=pipeline.predictions / output_name(name),
        sha256=sha256,
        seen=seen,
        folder=folder.inode,
    )
