"""What was run lately, one line each: ``artifacts/<pipeline>/runs.jsonl``.

The registry says what was promoted, the ledger what was scored; this is the course of events,
failures too, for ``ffn status``. Only the newest lines are kept.
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
from ffn.storage.descriptors import open_regular
from ffn.storage.documents import parse_json
from ffn.storage.locks import lock
from ffn.storage.plain_files import read_plain

__all__ = ["DriftNote", "Note", "RunRecord", "journal", "note_down", "note_killed", "running"]

_FILE = "runs.jsonl"
_MOST_BYTES = 512 * 1024
_LONGEST_TEXT = 1_000
# What refusals quote comes from files that not everybody who can look here may read.
_OWNER_ALONE = 0o600


@dataclass(frozen=True, kw_only=True)
class DriftNote:
    """What a scoring run says of its files against the training rows.

    Attributes
    ----------
    judged, detected
        Files of rows enough to be judged, and those among them that are unlike training.
    columns
        What differs in any of them, the first fifty names.
    text
        In words; empty if nothing does.
    """

    judged: int
    detected: int
    columns: tuple[str, ...]
    text: str


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run that ended.

    Attributes
    ----------
    at
        When it ended, or was found killed; UTC, ISO 8601.
    what
        ``retrain`` or ``score``.
    outcome
        ``promoted``, ``kept``, ``skipped``, ``scored``, ``refused``, ``failed``, ``interrupted``
        by a signal, ``crashed`` or ``missed``.
    version
        That it made or scored with; None if it came to none.
    text
        What happened, in a sentence.
    seconds
        Wall time; 0 where nobody knows.
    drift
        Of a scoring run that judged any file.
    """

    at: str
    what: str
    outcome: str
    version: int | None
    text: str
    seconds: float
    drift: DriftNote | None = None


@dataclass
class Note:
    """What a run says of itself before it ends; left as it is, nothing is written down."""

    outcome: str = ""
    version: int | None = None
    text: str = ""
    drift: DriftNote | None = None


@contextlib.contextmanager
def running(
    artifacts: Path,
    what: Literal["retrain", "score"],
    run: str | None = None,
    *,
    until_exit: bool = False,
) -> Iterator[Note]:
    """Write down what the block notes, or that it failed and why, and which runs were killed.

    Parameters
    ----------
    run, until_exit
        As for ``at_work``.
    """
    with contextlib.suppress(OSError):
        note_killed(artifacts)
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
            # A run must not fail because its story cannot be told.
            with contextlib.suppress(OSError):
                note_down(artifacts, what, note, seconds)


def note_down(artifacts: Path, what: str, note: Note, seconds: float = 0.0) -> RunRecord:
    """Append an entry, and return it."""
    entry = _entry(what, note, seconds)
    line = json.dumps(asdict(entry), ensure_ascii=False).encode() + b"\n"
    artifacts.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    with os.fdopen(open_regular(artifacts / _FILE, flags, _OWNER_ALONE), "a+b") as file:
        # Earlier versions made it with the user's usual rights.
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
    """Append an entry for each run that was killed and has none, and return them."""
    return [note_down(artifacts, one.what, _note_of(one)) for one in take_killed(artifacts)]


def _note_of(one: LiveRun) -> Note:
    begun = f", begun {one.begun[:16].replace('T', ' ')} UTC" if one.begun else ""
    return Note(outcome="crashed", text=f"its process was killed, or the machine was{begun}")


def _entry(what: str, note: Note, seconds: float = 0.0) -> RunRecord:
    return RunRecord(
        at=_now(),
        what=what,
        outcome=note.outcome,
        version=note.version,
        text=one_line(note.text)[:_LONGEST_TEXT],
        seconds=seconds,
        drift=note.drift,
    )


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def journal(artifacts: Path, newest: int | None = 20) -> list[RunRecord]:
    """Return the last entries, or all, the newest first; a line that cannot be read is none.

    Among them are those that ``note_killed`` would append.

    Raises
    ------
    RegistryError
        The file is another user's: it is for its owner alone.
    """
    found = [_entry(one.what, _note_of(one)) for one in killed(artifacts)[:newest]]
    try:
        lines = read_plain(artifacts / _FILE, 16 * _MOST_BYTES).splitlines()
    except PermissionError:
        raise RegistryError(
            f"{artifacts / _FILE} is for its owner alone. Ask as the user who runs the pipeline."
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
    """Return the entry in a line; any of four errors if there is none."""
    values = parse_json(line)
    drift = values.get("drift")
    if drift is not None:
        values["drift"] = DriftNote(columns=tuple(drift.pop("columns")), **drift)
    names = {field.name for field in fields(RunRecord)}
    entry = RunRecord(**{name: values[name] for name in names & values.keys()})
    note = entry.drift or DriftNote(judged=0, detected=0, columns=(), text="")
    texts = (entry.at, entry.what, entry.outcome, entry.text, note.text, *note.columns)
    numbers = (0 if entry.version is None else entry.version, note.judged, note.detected)
    if not (
        all(isinstance(text, str) for text in texts)
        and all(type(number) is int for number in numbers)
        and type(entry.seconds) in (int, float)
    ):
        raise TypeError("a value is of another type")
    return entry
