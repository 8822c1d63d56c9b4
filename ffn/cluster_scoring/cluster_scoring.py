"""Scoring of a long file by the workers of a cluster, joined here to the bytes of one process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

from ffn.cluster_scoring.bounded_tasks import BoundedTasks
from ffn.cluster_scoring.part_tasks import shares_of
from ffn.cluster_scoring.range_tasks import RangeOfFile
from ffn.cluster_scoring.shared_folder import OfferedFolder
from ffn.cluster_scoring.worker_tasks import PartTask, RangeTask
from ffn.clusters.workers import Workers, open_workers
from ffn.errors import ClusterError, SettingsError
from ffn.pipelines import interruption
from ffn.scoring.parallel.file_run import Run
from ffn.scoring.partitioned.part_plan import InputPart
from ffn.scoring.partitioned.part_processes import PartResult, PartWork, score_here
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer
from ffn.settings.service_settings import RunnerSettings

__all__ = [
    "LEFT_BY_SCORING",
    "RANGE_BYTES",
    "ClusterScoring",
    "cluster_scoring",
    "seen_range_length",
]

LEFT_BY_SCORING = "No output was written; the same command goes on from where it was."
"""What a run of scoring that has lost its cluster leaves behind."""

_MEGABYTE = 1_000_000
_TASKS_EACH = 2
# Of a file, for each slot, so that all of them end at about the same time.
_RANGES_EACH = 10

RANGE_BYTES = 8 * 1024 * 1024, 32 * 1024 * 1024
"""Length of a range that crosses, whose memory is used again for the next one; and of one that does
not, beside which a task costs next to nothing."""


def seen_range_length(size: int, slots: int, range_bytes: tuple[int, int] = RANGE_BYTES) -> int:
    """Return how many bytes of a file a task scores whose workers see the file and the work folder.

    As many as leave ten ranges for each worker, within ``range_bytes``.

    Parameters
    ----------
    size
        Bytes of the file.
    slots
        Tasks that the workers compute at the same time.
    range_bytes
        Length of the shortest and of the longest range, by default `RANGE_BYTES`.
    """
    shortest, longest = range_bytes
    return min(max(size // (_RANGES_EACH * max(1, slots)), shortest), longest)


class ClusterScoring:
    """Scores files with the workers of a cluster, which is connected to when it is first needed.

    Parameters
    ----------
    workers
        Returns the workers; called once.
    payload_mb
        Most megabytes of input that cross at the same time: to workers that do not see it, or
        labelled, from workers that do not see where to write.
    """

    def __init__(self, workers: Callable[[], Workers], payload_mb: int) -> None:
        self._open = workers
        self._most_bytes = payload_mb * _MEGABYTE
        self._workers: Workers | None = None
        self._refusal: ClusterError | SettingsError | None = None
        self._lock = threading.Lock()
        self._tasks = BoundedTasks(self._most_bytes, self._most_tasks, interruption.check)

    def begin(self) -> Workers:
        """Connect to the cluster, unless that is done.

        One that cannot be connected to is not tried again: each file would wait for it.

        Raises
        ------
        ClusterError, SettingsError
            As for `ffn.clusters.workers.open_workers`.
        """
        with self._lock:
            if self._refusal is not None:
                raise type(self._refusal)(str(self._refusal))
            if self._workers is None:
                try:
                    self._workers = self._open()
                except (ClusterError, SettingsError) as refusal:
                    self._refusal = refusal
                    raise
            return self._workers

    def score_ranges(
        self,
        run: Run,
        model: Scorer,
        options: Options,
        *,
        least_bytes: int = 32 * 1024 * 1024,
        range_bytes: tuple[int, int] = RANGE_BYTES,
    ) -> None:
        """Score a long plain file as far as it can be divided; ``Run.score`` then scores the rest.

        The bytes written are those that one process writes.

        Parameters
        ----------
        run
            Input, output and counts; moved to the next unscored record.
        model, options
            What it is scored with.
        least_bytes
            A shorter file is not divided; by default 32 MiB, as for processes.
        range_bytes
            As for `seen_range_length`. A range that crosses has the length of the shortest, or
            half of what may cross if that is less.

        Raises
        ------
        ClusterError
            The workers are unlike this process, lost, or failed.
        """
        begin, size = run.records.mark.offset, run.stream.size or 0
        if not run.divisible or size < least_bytes:
            return
        workers = self.begin()
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(OfferedFolder.offered(run.journal.folder))
            task = RangeTask(workers, run, model, options, self._most_bytes, folder)
            ranges = self._ranges(begin, size, task, range_bytes)
            parts = self._tasks.in_order(ranges, task.compute)
            stack.enter_context(contextlib.closing(parts))
            for one, part in parts:
                if part is not None and run.fits(part):
                    task.join(part)
                else:
                    task.drop(part)
                    run.go_to_mark()
                    run.score(one.until)
                if run.records.mark.offset < one.until:
                    break
        run.go_to_mark()

    def score_parts(self, parts: Sequence[InputPart], work: PartWork) -> Generator[PartResult]:
        """Score the parts of a partitioned output into the work folder, and yield them in order.

        A part that would have to cross and is larger than what may cross is scored here.

        Parameters
        ----------
        parts
            The parts.
        work
            What they are scored with.

        Raises
        ------
        ClusterError
            The workers are unlike this process, lost, or failed.
        OutputError
            The work folder cannot be written.
        """
        if not parts:
            return
        workers = self.begin()
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(OfferedFolder.offered(work.staging.folder))
            task = PartTask(workers, work, self._most_bytes, folder)
            shares = self._tasks.in_order(
                shares_of(parts, self._most_bytes),
                task.compute,
                files=lambda share: len(share.parts),
            )
            stack.enter_context(contextlib.closing(shares))
            for share, results in shares:
                if results is None:
                    # Not in the thread of a task, which nothing could interrupt.
                    yield from (score_here(part, work) for part in share.parts)
                else:
                    yield from results

    def _ranges(
        self, begin: int, size: int, task: RangeTask, range_bytes: tuple[int, int]
    ) -> Iterator[RangeOfFile]:
        """Yield the ranges of a file from ``begin`` on, each cut when it is its turn."""
        shortest = min(range_bytes[0], self._most_bytes // _TASKS_EACH)
        while begin < size:
            length = shortest
            if task.nothing_crosses:
                length = seen_range_length(size, self.begin().slots, range_bytes)
            until = min(begin + length, size)
            yield RangeOfFile(begin, until)
            begin = until

    def _most_tasks(self) -> int:
        return _TASKS_EACH * self.begin().slots


@contextlib.contextmanager
def cluster_scoring(
    runner: RunnerSettings, folder: Path, *, at_once: bool
) -> Iterator[ClusterScoring | None]:
    """Yield what scores with the cluster of the settings; None if they name none.

    Parameters
    ----------
    runner
        The settings.
    folder
        Folder of the settings, to which paths are relative.
    at_once
        Whether to connect before anything is scored; otherwise when a file is long enough.

    Raises
    ------
    ClusterError, SettingsError
        As for `ffn.clusters.workers.open_workers`; also from within the block.
    """
    if runner.kind == "thread" or runner.kind == "process":
        yield None
        return
    with contextlib.ExitStack() as stack:

        def opened() -> Workers:
            return stack.enter_context(open_workers(runner, folder, left=LEFT_BY_SCORING))

        scoring = ClusterScoring(opened, runner.payload_mb)
        if at_once:
            scoring.begin()
        yield scoring
