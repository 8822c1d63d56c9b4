"""Log of recent runs, one line each: ``artifacts/<pipeline>/runs.jsonl``.

The registry records what was promoted, and the ledger what was scored; this log has all runs,
including failures, for ``ffn status``. Only the newest lines are kept.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

from ffn.errors import BusyError, RegistryError, one_line
from ffn.registry.endings import ending
from ffn.registry.live_runs import LiveRun, at_work, killed, take_killed
from ffn.storage.atomic import sweep
from ffn.storage.descriptors import open_regular
from ffn.storage.documents import parse_json
from ffn.storage.locks import lock
from ffn.storage.plain_files import read_plain

__all__ = ["DriftNote", "Note", "RunRecord", "journal", "note_down", "note_killed", "running"]

_FILE = "runs.jsonl"
_MOST_BYTES = 512 * 1024
_LONGEST_TEXT = 1_000
# Readable by the owner only: messages quote cells of files that other users may not read.
_OWNER_ALONE = 0o600
# Folders of a pipeline's results in which runs make temporary folders.
_ROOMS = ("outcomes", "cache")


@dataclass(frozen=True, kw_only=True)
class DriftNote:
    """Drift found by a scoring run.

    Attributes
    ----------
    judged, detected
        Number of files with enough rows to be tested, and of those in which drift was found.
    columns
        Names of the columns that drifted in any file, the first fifty.
    text
        Description; empty if no drift was found.
    """

    judged: int
    detected: int
    columns: tuple[str, ...]
    text: str


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """A run that has ended.

    Attributes
    ----------
    at
        Time at which it ended, or was found to have been killed; UTC, ISO 8601.
    what
        ``retrain``, ``score`` or ``evaluate``.
    outcome
        ``promoted``, ``kept``, ``skipped``, ``scored``, ``evaluated``, ``refused``, ``failed``,
        ``interrupted`` by a signal, ``crashed`` or ``missed``.
    version
        Version that it made or scored with; None if there is none.
    text
        What happened, in a sentence.
    seconds
        Wall time; 0 if unknown.
    drift
        Drift found by a scoring run; None if no file was tested.
    run
        Identifier by which Prefect knows the run; empty if there is none, or it is not recorded.
    """

    at: str
    what: str
    outcome: str
    version: int | None
    text: str
    seconds: float
    drift: DriftNote | None = None
    run: str = ""


@dataclass
class Note:
    """Outcome that a run sets before it ends; while ``outcome`` is empty, nothing is logged.

    Attributes
    ----------
    outcome, version, text, drift
        As for `RunRecord`.
    """

    outcome: str = ""
    version: int | None = None
    text: str = ""
    drift: DriftNote | None = None


@contextlib.contextmanager
def running(
    artifacts: Path,
    what: Literal["retrain", "score", "evaluate"],
    run: str | None = None,
    *,
    until_exit: bool = False,
) -> Iterator[Note]:
    """Log the outcome of the block, or its failure, and the runs that were killed before.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    what
        ``retrain``, ``score`` or ``evaluate``.
    run, until_exit
        As for `ffn.registry.live_runs.at_work`.
    """
    with contextlib.suppress(OSError):
        note_killed(artifacts)
    # Of a run that could not remove it; what this one does may not lead there.
    for folder in _ROOMS:
        sweep(artifacts / folder)
    started, note = time.monotonic(), Note()
    try:
        with at_work(artifacts, what, _now(), run, until_exit=until_exit):
            yield note
    except BusyError:
        # Nothing was run.
        raise
    except BaseException as error:
        outcome, text = ending(error)
        note.outcome, note.text = note.outcome or outcome, note.text or text
        raise
    finally:
        if note.outcome:
            seconds = round(time.monotonic() - started, 3)
            # A run must not fail because it cannot be logged.
            with contextlib.suppress(OSError):
                note_down(artifacts, what, note, seconds, run or "")


def note_down(
    artifacts: Path, what: str, note: Note, seconds: float = 0.0, run: str = ""
) -> RunRecord:
    """Append an entry to the log, and return it.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    what
        ``retrain``, ``score`` or ``evaluate``.
    note
        Outcome of the run.
    seconds
        Wall time; 0, the default, if unknown.
    run
        Identifier by which Prefect knows the run; empty, the default, without Prefect.
    """
    entry = _entry(what, note, seconds, run)
    line = json.dumps(asdict(entry), ensure_ascii=False).encode() + b"\n"
    artifacts.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    with os.fdopen(open_regular(artifacts / _FILE, flags, _OWNER_ALONE), "a+b") as file:
        # Earlier releases created the file with default permissions.
        with contextlib.suppress(PermissionError):
            os.fchmod(file.fileno(), _OWNER_ALONE)
        lock(file)
        if file.seek(0, os.SEEK_END) > _MOST_BYTES:
            file.seek(-_MOST_BYTES // 2, os.SEEK_END)
            kept = file.read().partition(b"\n")[2]
            file.truncate(0)
            line = kept + line
        file.write(line)
    return entry


def note_killed(artifacts: Path) -> list[RunRecord]:
    """Append an entry for each killed run that has none, and return these entries."""
    return [note_down(artifacts, one.what, _note_of(one)) for one in take_killed(artifacts)]


def _note_of(one: LiveRun) -> Note:
    begun = f", begun {one.begun[:16].replace('T', ' ')} UTC" if one.begun else ""
    return Note(outcome="crashed", text=f"its process was killed, or the machine was{begun}")


def _entry(what: str, note: Note, seconds: float = 0.0, run: str = "") -> RunRecord:
    return RunRecord(
        at=_now(),
        what=what,
        outcome=note.outcome,
        version=note.version,
        text=one_line(note.text)[:_LONGEST_TEXT],
        seconds=seconds,
        drift=note.drift,
        run=run,
    )


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def journal(artifacts: Path, newest: int | None = 20) -> list[RunRecord]:
    """Return the most recent entries, the newest first; damaged lines are skipped.

    Killed runs that have not been logged yet are included.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    newest
        Largest number of entries, by default about a screenful; None for all.

    Raises
    ------
    RegistryError
        The log belongs to another user and is readable by its owner only.
    """
    found = [_entry(one.what, _note_of(one)) for one in killed(artifacts)[:newest]]
    try:
        lines = read_plain(artifacts / _FILE, 16 * _MOST_BYTES).splitlines()
    except PermissionError:
        raise RegistryError(
            f"{artifacts / _FILE} is readable by its owner only. Use the account that runs the "
            "pipeline."
        ) from None
    except OSError:
        return found
    for line in reversed(lines):
        if len(found) == newest:
            break
        with contextlib.suppress(ValueError, TypeError, AttributeError, KeyError):
            found.append(_parse(line))
    return found


def _parse(line: bytes) -> RunRecord:
    """Return the entry in a line; raises one of four errors if the line is damaged."""
    values = parse_json(line)
    drift = values.get("drift")
    if drift is not None:
        values["drift"] = DriftNote(columns=tuple(drift.pop("columns")), **drift)
    names = {field.name for field in fields(RunRecord)}
    entry = RunRecord(**{name: values[name] for name in names & values.keys()})
    note = entry.drift or DriftNote(judged=0, detected=0, columns=(), text="")
    texts = (entry.at, entry.what, entry.outcome, entry.text, entry.run, note.text, *note.columns)
    numbers = (0 if entry.version is None else entry.version, note.judged, note.detected)
    if not (
        all(isinstance(text, str) for text in texts)
        and all(type(number) is int for number in numbers)
        and type(entry.seconds) in (int, float)
    ):
        raise TypeError("a value is of another type")
    return entry
