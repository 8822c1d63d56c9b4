"""Scoring of a long file by the workers of a cluster, joined here to the bytes of one process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

from ffn.cluster_scoring.bounded_tasks import BoundedTasks
from ffn.cluster_scoring.range_tasks import (
    RangeOfFile,
    read_part_of_range,
    score_range_for_another,
)
from ffn.cluster_scoring.sent_model import SentModel
from ffn.clusters.answers import read_answer
from ffn.clusters.likeness import own_likeness
from ffn.clusters.workers import Workers, check_runner, open_workers
from ffn.errors import ClusterError
from ffn.pipelines import interruption
from ffn.scoring.parallel.file_run import Run
from ffn.scoring.parallel.part_result import Part
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer
from ffn.settings.service_settings import RunnerSettings

__all__ = ["LEFT_BY_SCORING", "ClusterScoring", "cluster_scoring"]

LEFT_BY_SCORING = "No output was written; the same command goes on from where it was."
"""What a run of scoring that has lost its cluster leaves behind."""

_MEGABYTE = 1_000_000
_TASKS_EACH = 2
_LARGEST_RANGE = 8 * 1024 * 1024


class ClusterScoring:
    """Scores files with the workers of a cluster, which is connected to when it is first needed.

    Parameters
    ----------
    workers
        Returns the workers; called once.
    payload_mb
        Most megabytes of input that are under way to the workers and back at the same time.
    """

    def __init__(self, workers: Callable[[], Workers], payload_mb: int) -> None:
        self._open = workers
        self._most_bytes = payload_mb * _MEGABYTE
        self._workers: Workers | None = None
        self._lock = threading.Lock()
        self._tasks = BoundedTasks(self._most_bytes, self._most_tasks, interruption.check)

    def begin(self) -> Workers:
        """Connect to the cluster, unless that is done.

        Raises
        ------
        ClusterError, SettingsError
            As for `ffn.clusters.workers.open_workers`.
        """
        with self._lock:
            if self._workers is None:
                self._workers = self._open()
            return self._workers

    def score_ranges(
        self, run: Run, model: Scorer, options: Options, *, least_bytes: int = 32 * 1024 * 1024
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

        Raises
        ------
        ClusterError
            The workers are unlike this process, lost, or failed.
        """
        begin, size = run.records.mark.offset, run.stream.size or 0
        if not run.divisible or size < least_bytes:
            return
        step = min(_LARGEST_RANGE, self._most_bytes // _TASKS_EACH)
        bounds = [begin, *range(begin + step, size, step), size]
        ranges = (RangeOfFile(*bound) for bound in pairwise(bounds))
        task = _RangeTask(self.begin(), run, model, options)
        with contextlib.closing(
            self._tasks.in_order(ranges, lambda one: one.until - one.begin, task.compute)
        ) as parts:
            for one, part in parts:
                if part is not None and run.fits(part):
                    task.join(part)
                else:
                    run.go_to_mark()
                    run.score(one.until)
                if run.records.mark.offset < one.until:
                    break
        run.go_to_mark()

    def _most_tasks(self) -> int:
        return _TASKS_EACH * self.begin().slots


class _RangeTask:
    """What workers are asked to do with one file."""

    def __init__(self, workers: Workers, run: Run, model: Scorer, options: Options) -> None:
        self._workers, self._run, self._options = workers, run, options
        self._model = SentModel.of(model)
        self._here = own_likeness()
        # Until one of the workers does not see the file.
        self._shared = True

    def compute(self, one: RangeOfFile, check: Callable[[], None]) -> Part | None:
        """Return what a worker makes of a range; None if it could not tell where one begins."""
        while True:
            send = not self._shared
            request = one.request(self._run, self._options, self._here, send=send)
            if request is None:
                self._shared = False
                continue
            answer = self._workers.compute(
                score_range_for_another, request, self._model.key, lambda: self._model.parcel, check
            )
            with self._taken_for_a_part():
                said, pieces = read_answer(answer, self._workers.name, self._here, {})
                if not (said.get("unseen") is True and not send):
                    return read_part_of_range(said, pieces, one, self._run)
            self._shared = False

    def join(self, part: Part) -> None:
        """Append a part to the output."""
        with self._taken_for_a_part():
            self._run.join(part)

    @contextlib.contextmanager
    def _taken_for_a_part(self) -> Iterator[None]:
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError):
            name = self._run.stream.name
            raise ClusterError(
                f"{self._workers.name}: what a worker sent back is no part of {name}. Check what "
                "else runs there."
            ) from None


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
    check_runner(runner)
    with contextlib.ExitStack() as stack:
        opened = partial(stack.enter_context, open_workers(runner, folder, left=LEFT_BY_SCORING))
        scoring = ClusterScoring(opened, runner.payload_mb)
        if at_once:
            scoring.begin()
        yield scoring
