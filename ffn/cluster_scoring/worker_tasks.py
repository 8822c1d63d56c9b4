"""Tasks of one model for the workers of a cluster: ranges of a file, and parts of an output."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from ffn.cluster_scoring.bounded_tasks import UnderWay
from ffn.cluster_scoring.part_answers import score_parts_for_another
from ffn.cluster_scoring.part_results import results_of
from ffn.cluster_scoring.part_tasks import OpenPart, ShareOfParts, request_for
from ffn.cluster_scoring.range_tasks import (
    RangeOfFile,
    read_part_of_range,
    score_range_for_another,
)
from ffn.cluster_scoring.seen_file import is_at_its_path
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
from ffn.storage.source import Source

__all__ = ["PartTask", "RangeTask"]

R = TypeVar("R")


class _Task:
    """What workers are asked to do with one model."""

    def __init__(
        self, workers: Workers, model: Scorer, what: str, most_bytes: int, folder: OfferedFolder
    ) -> None:
        self._workers, self._what, self._folder = workers, what, folder
        self._most_bytes = most_bytes
        self._model = SentModel.of(model)
        self._here = own_likeness()
        # Until one of the workers does not see a file.
        self._shared = True
        self._answered = False

    @property
    def nothing_crosses(self) -> bool:
        """Whether workers have answered, and see the input and the work folder."""
        return self._answered and self._shared and self._folder.offer is not None

    def _result(
        self,
        function: Callable[[bytes, bytes], bytes],
        request: Callable[[bool, Offer | None], bytes],
        read: Callable[[dict[str, Any], dict[str, bytearray]], R | None],
        under_way: UnderWay,
        inputs: Sequence[tuple[Source, int]],
    ) -> R | None:
        """Return what ``read`` makes of the answer to a request; None means that files are lost.

        The request says whether the input is sent, and which folder may be written to. The input
        is sent to a worker that does not see it, and from then on to all of them; likewise no
        worker writes to the folder once one of them does not see it, or has written elsewhere.

        ``inputs`` are the files, and how much of each is scored. Where that is sent, or about as
        much comes back, so many bytes have to have room; the result is None if there can be none.
        """
        size = sum(its for _, its in inputs)
        while True:
            # A file that its path does not lead to, such as a replaced one, can only be sent.
            send = not (self._shared and all(is_at_its_path(stream) for stream, _ in inputs))
            offer = self._folder.offer
            if send or offer is None:
                if size > self._most_bytes:
                    return None
                under_way.cross(size)
            asked = request(send, offer)
            task = RemoteTask(function, asked, self._model.key, lambda: self._model.parcel)
            answer = self._workers.compute(task, under_way.check)
            with self._taken_for_a_part():
                said, pieces = read_answer(answer, self._workers.name, self._here, {})
                if not send and said.get("unseen") is True:
                    self._shared = False
                    continue
                if offer is not None and said.get("unshared") is True:
                    self._folder.withdraw()
                    continue
                found = read(said, pieces)
                if found is not None:
                    self._answered = True
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
        Larger parts are not sent, nor their rows sent back.
    folder
        The work folder, as workers see it.
    """

    def __init__(
        self, workers: Workers, work: PartWork, most_bytes: int, folder: OfferedFolder
    ) -> None:
        super().__init__(workers, work.model, "the output", most_bytes, folder)
        self._work = work

    def compute(self, share: ShareOfParts, under_way: UnderWay) -> list[PartResult] | None:
        """Return what becomes of some parts; None if they would have to cross and are too large.

        Parameters
        ----------
        share
            The parts.
        under_way
            Is asked before bytes cross, and again and again while waiting.
        """
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
            if left:
                found = self._scored(left, under_way)
                if found is None:
                    return None
                results |= {result.part: result for result in found}
        return [results[part] for part in share.parts]

    def _scored(self, parts: list[OpenPart], under_way: UnderWay) -> list[PartResult] | None:
        def request(send: bool, offer: Offer | None) -> bytes:
            return request_for(parts, self._work.options, self._here, offer, send=send)

        def results(said: dict[str, Any], pieces: dict[str, bytearray]) -> list[PartResult] | None:
            return results_of(said, pieces, parts, self._work, self._folder)

        inputs = [(one.stream, one.size) for one in parts]
        return self._result(score_parts_for_another, request, results, under_way, inputs)


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
    most_bytes
        Larger ranges are not sent, nor their rows sent back.
    folder
        The work folder, as workers see it.
    """

    def __init__(
        self,
        workers: Workers,
        run: Run,
        model: Scorer,
        options: Options,
        most_bytes: int,
        folder: OfferedFolder,
    ) -> None:
        super().__init__(workers, model, run.stream.name, most_bytes, folder)
        self._run, self._options = run, options

    def compute(self, one: RangeOfFile, under_way: UnderWay) -> Part | None:
        """Return what a worker makes of a range; None if it has to be scored here.

        That is so if the worker could not tell where a record begins, and for a range that would
        have to cross and is too large.

        Parameters
        ----------
        one
            The range.
        under_way
            As for `PartTask.compute`.
        """

        def request(send: bool, offer: Offer | None) -> bytes:
            return one.request(self._run, self._options, self._here, offer, send=send)

        def part(said: dict[str, Any], pieces: dict[str, bytearray]) -> tuple[Part | None] | None:
            return read_part_of_range(said, pieces, one, self._run, self._folder)

        inputs = [(self._run.stream, one.until - one.begin)]
        found = self._result(score_range_for_another, request, part, under_way, inputs)
        return found[0] if found else None

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
