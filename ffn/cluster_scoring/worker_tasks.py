"""Tasks of one model for the workers of a cluster: ranges of a file, and parts of an output."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ffn.cluster_scoring.part_answers import score_parts_for_another
from ffn.cluster_scoring.part_results import results_of
from ffn.cluster_scoring.part_tasks import OpenPart, ShareOfParts, request_for
from ffn.cluster_scoring.range_tasks import (
    RangeOfFile,
    read_part_of_range,
    score_range_for_another,
)
from ffn.cluster_scoring.sent_model import SentModel
from ffn.cluster_scoring.shared_folder import Offer, OfferedFolder
from ffn.clusters.answers import read_answer
from ffn.clusters.likeness import own_likeness
from ffn.clusters.workers import RemoteTask, Workers
from ffn.errors import ClusterError, DataError
from ffn.scoring.parallel.file_run import Run
from ffn.scoring.parallel.part_result import Part, Stored
from ffn.scoring.partitioned.part_plan import InputPart
from ffn.scoring.partitioned.part_processes import PartResult, PartWork
from ffn.scoring.partitioned.staged_parts import left_part
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer

__all__ = ["PartTask", "RangeTask"]

Check = Callable[[], None]
R = TypeVar("R")


class _Task:
    """What workers are asked to do with one model."""

    def __init__(self, workers: Workers, model: Scorer, what: str, folder: OfferedFolder) -> None:
        self._workers, self._what, self._folder = workers, what, folder
        self._model = SentModel.of(model)
        self._here = own_likeness()
        # Until one of the workers does not see a file.
        self._shared = True

    def _result(
        self,
        function: Callable[[bytes, bytes], bytes],
        request: Callable[[bool, Offer | None], bytes],
        read: Callable[[dict[str, Any], dict[str, bytearray]], R | None],
        check: Check,
    ) -> R:
        """Return what ``read`` makes of the answer to a request; None means that files are lost.

        The request says whether the input is sent, and which folder may be written to. The input
        is sent to a worker that does not see it, and from then on to all of them; likewise no
        worker writes to the folder once one of them has written elsewhere.
        """
        while True:
            send, offer = not self._shared, self._folder.offer
            asked = request(send, offer)
            task = RemoteTask(function, asked, self._model.key, lambda: self._model.parcel)
            answer = self._workers.compute(task, check)
            with self._taken_for_a_part():
                said, pieces = read_answer(answer, self._workers.name, self._here, {})
                if not send and said.get("unseen") is True:
                    self._shared = False
                    continue
                found = read(said, pieces)
                if found is not None:
                    return found
                if offer is None:
                    raise ValueError("files that nobody has asked for")
            self._folder.withdraw()

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
    folder
        The work folder, as workers see it.
    """

    def __init__(
        self, workers: Workers, work: PartWork, most_bytes: int, folder: OfferedFolder
    ) -> None:
        super().__init__(workers, work.model, "the output", folder)
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

    def _scored(self, parts: list[OpenPart], check: Check) -> list[PartResult]:
        def request(send: bool, offer: Offer | None) -> bytes:
            return request_for(parts, self._work.options, self._here, offer, send=send)

        def results(said: dict[str, Any], pieces: dict[str, bytearray]) -> list[PartResult] | None:
            return results_of(said, pieces, parts, self._work, self._folder)

        return self._result(score_parts_for_another, request, results, check)


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
    folder
        The work folder, as workers see it.
    """

    def __init__(
        self, workers: Workers, run: Run, model: Scorer, options: Options, folder: OfferedFolder
    ) -> None:
        super().__init__(workers, model, run.stream.name, folder)
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

        def request(send: bool, offer: Offer | None) -> bytes:
            return one.request(self._run, self._options, self._here, offer, send=send)

        def part(said: dict[str, Any], pieces: dict[str, bytearray]) -> tuple[Part | None] | None:
            return read_part_of_range(said, pieces, one, self._run, self._folder)

        (found,) = self._result(score_range_for_another, request, part, check)
        return found

    def join(self, part: Part) -> None:
        """Append a part to the output."""
        with self._taken_for_a_part():
            self._run.join(part)
        self.drop(part)

    def drop(self, part: Part | None) -> None:
        """Delete the files of a part that is of no more use."""
        if part is not None and isinstance(part.output, Stored) and isinstance(part.listed, str):
            for name in (part.output.name, part.listed):
                self._run.journal.folder.unlink(name)
