"""One file scored as a command scores it: from a file to files, undisturbed, resumed, in parts."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from ffn.errors import DataError
from ffn.scoring.output.checkpoint import Journal
from ffn.scoring.output.score_result import Progress
from ffn.scoring.parallel import split_file
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.score_file import score_csv
from ffn.tabular.csv.reader import Records
from fuzz.files import Case
from fuzz.oracle import Expected
from fuzz.parts import try_parts

__all__ = ["try_whole"]

_BOM = codecs.BOM_UTF8


class _EndedError(BaseException):
    """What a signal would raise."""


class _HerePool:
    """Does in this process, at once, what a pool of processes does."""

    def __init__(self, _count: int, _context: Any, _begin: Any, arguments: tuple[Any, ...]) -> None:
        split_file._processes[:] = [split_file._Process(*arguments)]

    def __enter__(self) -> _HerePool:
        return self

    def __exit__(self, *_: object) -> None:
        split_file._processes.clear()

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(call(*arguments))
        return done

    def shutdown(self, **_: bool) -> None:
        """Do nothing."""


def try_whole(
    case: Case, expected: Expected, folder: Path, model: Scorer, options: dict[str, Any]
) -> str:
    """Return what is wrong with what becomes of a file in any way; nothing if all is well.

    Parameters
    ----------
    case
        The file.
    expected
        What has to become of it.
    folder
        An empty folder to work in.
    model, options
        What scores it, and options besides those of the case.
    """
    scoring = Scoring(model, case, options)
    for name, score in (
        ("at once", _at_once),
        ("resumed", _resumed),
        ("in parts", _in_parts),
        ("as UTF-16", _at_once),
    ):
        content, output = case.content, expected.output
        if name == "as UTF-16":
            if case.encoding:
                continue
            try:
                content, output = _as_utf16(content), _as_utf16(output)
            except UnicodeDecodeError:
                continue
        source = folder / "in.csv"
        source.write_bytes(content)
        with _small_steps(case):
            wrong = _compare(score(scoring, source, folder / "out.csv"), expected, output, folder)
        if wrong:
            return f"{name}: {wrong}"
        for path in folder.iterdir():
            path.unlink()
    wrong = try_parts(case, expected, folder, model, options)
    return f"partitioned: {wrong}" if wrong else ""


@contextlib.contextmanager
def _small_steps(case: Case) -> Iterator[None]:
    """Read, note and divide by a few bytes where a run does by megabytes."""
    with (
        mock.patch.dict(Records.__init__.__kwdefaults__, block_size=case.step),
        mock.patch.dict(Journal.__init__.__kwdefaults__, least_bytes=1),
        mock.patch.dict(
            split_file.score_in_parts.__kwdefaults__,
            least_bytes=1,
            part_bytes=(case.step, 4 * case.step),
        ),
        mock.patch.object(split_file, "ProcessPoolExecutor", _HerePool),
    ):
        yield


class Scoring(NamedTuple):
    """A model, and how it is to read and write files."""

    model: Scorer
    case: Case
    options: dict[str, Any]

    @property
    def form(self) -> dict[str, Any]:
        """All options."""
        case = self.case
        return self.options | {
            "delimiter": case.delimiter,
            "decimal": case.decimal,
            "encoding": case.encoding,
        }


def _at_once(how: Scoring, source: Path, output: Path, **more: Any) -> str:
    """Return why it was refused, or nothing."""
    try:
        score_csv(how.model, source, output, **how.form, **more)
    except DataError as error:
        return str(error)
    return ""


def _resumed(how: Scoring, source: Path, output: Path) -> str:
    """End it after each block in turn, up to a few."""
    for last in range(1, 4):
        told = 0

        def end(_: Progress, last: int = last) -> None:
            nonlocal told
            told += 1
            if told == last:
                raise _EndedError

        try:
            return _at_once(how, source, output, on_progress=end)
        except _EndedError:
            continue
    return _at_once(how, source, output)


def _in_parts(how: Scoring, source: Path, output: Path) -> str:
    return _at_once(how, source, output, workers=2)


def _compare(refusal: str, expected: Expected, output: bytes, folder: Path) -> str:
    left = sorted(path.name for path in folder.iterdir())
    refused = expected.rows > 0 and len(expected.rejects) == expected.rows
    if refused != (" rejected (" in refusal) or (refusal and not refused):
        return f"refused: {refusal!r}"
    outputs = ["out.csv", "out.csv.manifest.json"] if not refused else []
    if left != ["in.csv", *outputs, "out.csv.rejects.csv"]:
        return f"files {left}"
    text = (folder / "out.csv.rejects.csv").read_bytes().decode()
    listed = list(csv.DictReader(io.StringIO(text, newline="")))
    found = [(int(row["row"]), int(row["line"]), row["column"], row["reason"]) for row in listed]
    if found != expected.rejects:
        return f"rejects {found} instead of {expected.rejects}"
    if (lines := [int(row["lines"]) for row in listed]) != expected.lines:
        return f"rejects on {lines} lines instead of {expected.lines}"
    if not refused and (got := (folder / "out.csv").read_bytes()) != output:
        return f"output {got!r} instead of {output!r}"
    return ""


def _as_utf16(text: bytes) -> bytes:
    return codecs.BOM_UTF16_LE + text.removeprefix(_BOM).decode().encode("utf-16-le")
