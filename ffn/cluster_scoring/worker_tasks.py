"""Tasks of one model for the workers of a cluster: ranges of a file, and parts of an output."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from ffn.cluster_scoring.part_answers import score_parts_for_another
from ffn.cluster_scoring.part_tasks import OpenPart, ShareOfParts, request_for, results_of
from ffn.cluster_scoring.range_tasks import (
    RangeOfFile,
    read_part_of_range,
    score_range_for_another,
)
from ffn.cluster_scoring.sent_model import SentModel
from ffn.clusters.answers import read_answer
from ffn.clusters.likeness import own_likeness
from ffn.clusters.workers import RemoteTask, Workers
from ffn.errors import ClusterError, DataError
from ffn.scoring.parallel.file_run import Run
from ffn.scoring.parallel.part_result import Part
from ffn.scoring.partitioned.part_plan import InputPart
from ffn.scoring.partitioned.part_processes import PartResult, PartWork
from ffn.scoring.partitioned.staged_parts import left_part
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer

__all__ = ["PartTask", "RangeTask"]

Check = Callable[[], None]


class _Task:
    """What workers are asked to do with one model."""

    def __init__(self, workers: Workers, model: Scorer, what: str) -> None:
        self._workers, self._what = workers, what
        self._model = SentModel.of(model)
        self._here = own_likeness()
        # Until one of the workers does not see a file.
        self._shared = True

    def _ask(
        self,
        function: Callable[[bytes, bytes], bytes],
        request: Callable[[bool], bytes],
        check: Check,
    ) -> tuple[dict[str, Any], dict[str, bytearray]]:
        """Return document and pieces of the answer to a request, which may send the input.

        The input is sent to a worker that does not see it, and from then on to all of them.
        """
        while True:
            send = not self._shared
            task = RemoteTask(function, request(send), self._model.key, lambda: self._model.parcel)
            answer = self._workers.compute(task, check)
            with self._taken_for_a_part():
                said, pieces = read_answer(answer, self._workers.name, self._here, {})
            if send or said.get("unseen") is not True:
                return said, pieces
            self._shared = False

    @contextlib.contextmanager
    def _taken_for_a_part(self) -> Iterator[None]:
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError):
            raise ClusterError(
                f"{self._workers.name}: what a worker sent back is no part of {self._what}. Check "
                "what else runs there."
            ) from None


class PartTask(_Task):
    """What workers are asked to do with the parts of an output.

    Parameters
    ----------
    workers
        The workers.
    work
        What all parts are scored with.
    most_bytes
        Larger parts are not sent.
    """

    def __init__(self, workers: Workers, work: PartWork, most_bytes: int) -> None:
        super().__init__(workers, work.model, "the output")
        self._work, self._most_bytes = work, most_bytes

    def compute(self, share: ShareOfParts, check: Check) -> list[PartResult] | None:
        """Return what becomes of some parts; None if they are too large to be sent.

        Parameters
        ----------
        share
            The parts.
        check
            Called again and again while waiting; what it raises ends the wait.
        """
        if share.size > self._most_bytes:
            return None
        results: dict[InputPart, PartResult] = {}
        with contextlib.ExitStack() as stack:
            left = []
            for part in share.parts:
                try:
                    stream = stack.enter_context(part.opened())
                except DataError as refusal:
                    results[part] = PartResult(part, None, refusal)
                    continue
                if account := left_part(part, stream, self._work.staging):
                    results[part] = PartResult(part, account, None)
                else:
                    left.append(OpenPart(part, stream))
            for result in self._scored(left, check) if left else ():
                results[result.part] = result
        return [results[part] for part in share.parts]

    def _scored(self, parts: list[OpenPart], check: Check) -> Iterator[PartResult]:
        def request(send: bool) -> bytes:
            return request_for(parts, self._work.options, self._here, send=send)

        answer = self._ask(score_parts_for_another, request, check)
        with self._taken_for_a_part():
            yield from results_of(*answer, parts, self._work)


class RangeTask(_Task):
    """What workers are asked to do with one file.

    Parameters
    ----------
    workers
        The workers.
    run
        Input, output and counts.
    model, options
        What it is scored with.
    """

    def __init__(self, workers: Workers, run: Run, model: Scorer, options: Options) -> None:
        super().__init__(workers, model, run.stream.name)
        self._run, self._options = run, options

    def compute(self, one: RangeOfFile, check: Check) -> Part | None:
        """Return what a worker makes of a range; None if it could not tell where one begins.

        Parameters
        ----------
        one
            The range.
        check
            As for `PartTask.compute`.
        """

        def request(send: bool) -> bytes:
            return one.request(self._run, self._options, self._here, send=send)

        answer = self._ask(score_range_for_another, request, check)
        with self._taken_for_a_part():
            return read_part_of_range(*answer, one, self._run)

    def join(self, part: Part) -> None:
        """Append a part to the output."""
        with self._taken_for_a_part():
            self._run.join(part)
