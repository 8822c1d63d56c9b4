"""Keeps each result as a line of JSON, so that what was measured once is not measured again."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.accuracy.figures import Figures

__all__ = ["Key", "Result", "Results"]


@dataclass(frozen=True, kw_only=True)
class Key:
    """What a result is of; with any of it changed, it is another.

    Attributes
    ----------
    side, version, code
        Of the library, and the digest of what runs it.
    table, digest, seed
        Of the table, and of the rows that this seed puts into training and test.
    """

    side: str
    version: str
    code: str
    table: str
    digest: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one side reached on one split of one table.

    Attributes
    ----------
    figures
        On the test rows; None if it failed.
    cpu
        Seconds, user and system, of its process and those it started, imports included.
    rejected
        Test rows for which it gave no answer.
    error
        The last line that it wrote before it failed; else empty.
    processor
        Of the machine, with which the CPU seconds are to be compared.
    """

    key: Key
    figures: Figures | None
    cpu: float
    rejected: int = 0
    error: str = ""
    processor: str = ""


class Results:
    """A file of results; of several for the same key, the last counts.

    Parameters
    ----------
    path
        JSON lines; made with the first result.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        self._found = {result.key: result for result in map(_parse, lines)}

    def get(self, key: Key) -> Result | None:
        """Return the result, also that it failed, or None if it was not measured."""
        return self._found.get(key)

    def latest(self, key: Key) -> Result | None:
        """Return the result, or else the last that this side has of these rows, of other code."""
        if (exact := self.get(key)) is not None:
            return exact
        rows = key.side, key.digest, key.seed
        found = [
            result
            for known, result in self._found.items()
            if (known.side, known.digest, known.seed) == rows and result.figures is not None
        ]
        return found[-1] if found else None

    def add(self, result: Result) -> None:
        """Append a result."""
        with self._lock:
            self._found[result.key] = result
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(asdict(result))}\n")


def _parse(line: str) -> Result:
    found = json.loads(line)
    figures = found.pop("figures")
    return Result(key=Key(**found.pop("key")), figures=figures and Figures(**figures), **found)
