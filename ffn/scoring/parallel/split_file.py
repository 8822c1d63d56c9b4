"""Score byte ranges of one file in several processes, and join the results in order.

A part consists of the records that begin in a byte range. The start of its first record is a guess,
because a line end may be inside quotes: a process takes the first line that is followed by records
with the right number of cells. The process that joins the parts knows where the previous one ended,
where the next must begin, and scores a part again if the guess was wrong. So a wrong guess costs
time only.

The joining process scores parts, too, because joining is less work than scoring and the others may
take a third of a second to start.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import NamedTuple

from ffn.scoring.output.work_folder import WorkFolder
from ffn.scoring.parallel.file_run import Run, keep_freed_memory
from ffn.scoring.parallel.part_result import Part, score_part
from ffn.scoring.parallel.processes import alone, way_to_start, without_fingerprints
from ffn.scoring.parallel.record_start import guess_start
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.row_scorer import RowScorer
from ffn.scoring.rows.scorer import Scorer
from ffn.storage.descriptors import SharedFile
from ffn.storage.source import identity
from ffn.tabular.csv.parsing.position import Mark, Place
from ffn.tabular.csv.reader import Records

__all__ = ["Work", "score_in_parts"]

# Parts per process. At most two of them per process are lost when a run is killed: at most a
# twentieth of the file, unless it is small.
_PARTS_EACH = 50
_AHEAD = 2


class Work(NamedTuple):
    """Everything that a worker process needs.

    Attributes
    ----------
    model
        The model.
    input
        The input, as a file that can be sent to other processes.
    name
        Name of the input in errors.
    options
        Options of scoring.
    """

    model: Scorer
    input: SharedFile
    name: str
    options: Options


def score_in_parts(
    run: Run,
    work: Work,
    workers: int,
    *,
    least_bytes: int = 32 * 1024 * 1024,
    part_bytes: tuple[int, int] = (1024 * 1024, 8 * 1024 * 1024),
    has_started: Callable[[Future[int]], bool] = Future.done,
) -> None:
    """Score a long plain file as far as it can be divided; ``Run.score`` then scores the rest.

    This process is one of the workers: it scores parts that no other has begun, and more of them
    instead of waiting. If one of the others is killed, everything after the current part is left.
    The bytes written do not depend on the three keywords.

    Parameters
    ----------
    run
        Input, output and counts; moved to the next unscored record.
    work
        Everything that a worker process needs.
    workers
        Number of processes, including this one.
    least_bytes
        A shorter file is not divided. By default 32 MiB: spawning a process takes as long as
        scoring so many bytes.
    part_bytes
        Size of the smallest and the largest part. By default 1 and 8 MiB: what is sent to a process
        and back is little beside its work, and a killed run loses little.
    has_started
        Given the first task of a spawned process, returns whether to give it parts yet. By default
        whether the task is done, so that nothing waits for a process to start.
    """
    size = run.stream.size or 0
    if not run.divisible or size < least_bytes:
        return
    begin = run.records.mark.offset
    smallest, largest = part_bytes
    step = min(max(size // (_PARTS_EACH * workers), smallest), largest)
    cuts = [*range(begin + step, size, step), size]
    identity, folder = run.stream.identity, run.journal.folder
    way = way_to_start()
    with ProcessPoolExecutor(
        max(1, min(workers - 1, len(cuts) - 1)),
        way,
        _begin,
        (work._replace(model=without_fingerprints(work.model)), identity, folder),
    ) as pool:
        try:
            own = _Process(work, identity, folder, own=True, scorer=run.scorer)
            at_once = way.get_start_method() == "fork"
            parts = _Parts(pool, own, [begin, *cuts], workers, at_once, has_started)
            for number, until in enumerate(cuts):
                _score_range(run, parts, number, until)
                if run.records.mark.offset < until:
                    break
        except BrokenProcessPool:
            pass
        finally:
            pool.shutdown(cancel_futures=True)
    run.go_to_mark()


def _score_range(run: Run, parts: _Parts, number: int, until: int) -> None:
    """Append the part made from a range if it begins at the right record, else score the range."""
    parts.give_out(number + 1)
    part = parts.of(number)
    if part is not None and run.fits(part):
        run.join(part)
    else:
        run.go_to_mark()
        run.score(until)


class _Parts:
    """The parts that are scored ahead of their turn.

    Parameters
    ----------
    pool
        The other processes.
    own
        The scorer of this process.
    bounds
        Byte offsets of the ranges, one more than there are ranges.
    workers
        Number of processes, including this one.
    at_once
        Whether a new process can start working at once.
    has_started
        Otherwise, given the first task of a process, returns whether it has started working.
    """

    def __init__(
        self,
        pool: ProcessPoolExecutor,
        own: _Process,
        bounds: list[int],
        workers: int,
        at_once: bool,
        has_started: Callable[[Future[int]], bool],
    ) -> None:
        self._pool, self._own, self._bounds = pool, own, bounds
        self._has_started = has_started
        self._most = _AHEAD * workers
        # Otherwise starting takes as long as scoring many parts, so nothing waits for it.
        others = workers - 1
        self._starting = [] if at_once else [pool.submit(os.getpid) for _ in range(others)]
        self._ready = others - len(self._starting)
        self._given: dict[int, Future[Part | None]] = {}
        self._next = 0

    def give_out(self, first: int) -> None:
        """Submit ranges from number ``first`` on, so that every other process has enough to do."""
        self._next = max(self._next, first)
        while self._starting and self._has_started(self._starting[-1]):
            self._starting.pop().result()
            self._ready += 1
        busy = sum(not future.done() for future in self._given.values())
        while busy < _AHEAD * self._ready and self._may_begin():
            number, *stretch = self._begin_next()
            self._given[number] = self._pool.submit(_score_part, *stretch)
            busy += 1

    def of(self, number: int) -> Part | None:
        """Return the part of range ``number``; None if not submitted, or without a known start."""
        future = self._given.get(number)
        if future is None:
            return None
        while not future.done() and self._may_begin():
            ahead, *stretch = self._begin_next()
            self._given[ahead] = Future()
            self._given[ahead].set_result(self._own.score(*stretch))
            self.give_out(self._next)
        del self._given[number]
        return future.result()

    def _may_begin(self) -> bool:
        return self._next < len(self._bounds) - 1 and len(self._given) < self._most

    def _begin_next(self) -> tuple[int, int, int, int]:
        """Take the next range; return its number, begin and end, and the slot of its files."""
        number = self._next
        self._next += 1
        # At most so many consecutive parts exist, so the slot's previous part was joined already.
        return number, self._bounds[number], self._bounds[number + 1], number % self._most


@dataclass
class _Process:
    """State that one process keeps between parts; ``own`` is true in the joining process."""

    work: Work
    identity: tuple[int, ...]
    folder: WorkFolder
    own: bool = False
    scorer: RowScorer | None = None

    def score(self, begin: int, until: int, slot: int) -> Part | None:
        """Score the records that begin in a range; None if the first one cannot be found."""
        model, shared, name, options = self.work
        with shared.open() as file:
            if identity(os.fstat(file.fileno())) != self.identity:
                return None
            records = Records(
                file, name, delimiter=options.delimiter, given_encoding=options.encoding
            )
            if self.scorer is None:
                self.scorer = RowScorer(model, records.header, options, name)
            start = guess_start(file, begin, records)
            if start is None:
                return None
            file.seek(start)
            records.go_to(Mark(start, Place(rows=0, lines=0)))
            return score_part(
                self.scorer, records, start, until, self.folder, slot, in_memory=self.own
            )


_processes: list[_Process] = []


def _begin(work: Work, found: tuple[int, ...], folder: WorkFolder) -> None:
    """Prepare a worker process."""
    alone()
    keep_freed_memory()
    _processes.append(_Process(work, found, folder))


def _score_part(begin: int, until: int, slot: int) -> Part | None:
    (process,) = _processes
    return process.score(begin, until, slot)
