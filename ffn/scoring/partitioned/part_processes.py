"""Score parts one after another, or in several processes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

from ffn.errors import DataError, OutputError
from ffn.quantities import counted
from ffn.scoring.output.score_result import Progress
from ffn.scoring.parallel.processes import alone, way_to_start, without_fingerprints
from ffn.scoring.partitioned.part_account import PartAccount
from ffn.scoring.partitioned.part_plan import InputPart
from ffn.scoring.partitioned.part_scoring import score_input_part
from ffn.scoring.partitioned.staged_parts import Staging
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer

__all__ = [
    "PartResult",
    "PartWork",
    "PartsElsewhere",
    "refuse_failed",
    "score_all_parts",
    "score_here",
]

# A process gets so many parts at a time, because handing them over costs as much as scoring a
# small file; and fewer where that would leave another process without work.
_AT_ONCE, _SHARES_EACH = 32, 8
_REASONS_TOLD = 5


class PartWork(NamedTuple):
    """What all parts are scored with.

    Attributes
    ----------
    model
        The model.
    options
        Options of scoring.
    staging
        Where the parts are put.
    """

    model: Scorer
    options: Options
    staging: Staging


class PartResult(NamedTuple):
    """What became of a part.

    Attributes
    ----------
    part
        The part.
    account
        The scored part; None if its first record cannot be told, or it was refused.
    refusal
        Why it was refused; None if it was not.
    """

    part: InputPart
    account: PartAccount | None
    refusal: DataError | None


PartsElsewhere = Callable[[Sequence[InputPart], PartWork], Generator[PartResult]]
"""Scores parts on other machines into the work folder, and yields what becomes of them in order."""


def score_all_parts(
    parts: Sequence[InputPart],
    work: PartWork,
    workers: int,
    on_progress: Callable[[Progress], None] | None,
    elsewhere: PartsElsewhere | None = None,
) -> list[PartResult]:
    """Score parts into the work folder; one that is refused does not keep the others.

    Parameters
    ----------
    parts
        The parts.
    work
        What they are scored with.
    workers
        Number of processes. If one is killed, this process scores what is left.
    on_progress
        Called after each part, in this thread; None for no reports.
    elsewhere
        Scores the parts on other machines; None, the default, for this one.

    Raises
    ------
    ClusterError
        The other machines are lost or cannot be had.
    OutputError
        The work folder cannot be written.
    """
    sizes = [part.size for part in parts] if on_progress else []
    size = sum(sizes)
    results: list[PartResult] = []
    done = rows = rejected = 0
    found = elsewhere(parts, work) if elsewhere else _results(parts, work, workers)
    with contextlib.closing(found):
        for result in found:
            if on_progress is not None:
                counts = result.account.counts if result.account else {"rows": 0, "rejected": 0}
                rows, rejected = rows + counts["rows"], rejected + counts["rejected"]
                done += sizes[len(results)]
                on_progress(Progress(rows=rows, rejected=rejected, bytes_read=done, size=size))
            results.append(result)
    return results


def _results(parts: Sequence[InputPart], work: PartWork, workers: int) -> Generator[PartResult]:
    if workers == 1 or len(parts) < 2:
        yield from (score_here(part, work) for part in parts)
        return
    size = max(1, min(_AT_ONCE, len(parts) // (_SHARES_EACH * workers)))
    shares = [parts[first : first + size] for first in range(0, len(parts), size)]
    to_send = work._replace(model=without_fingerprints(work.model))
    with ProcessPoolExecutor(min(workers, len(shares)), way_to_start(), _begin, (to_send,)) as pool:
        try:
            for share, future in zip(shares, _submitted(pool, shares), strict=True):
                try:
                    yield from future.result()
                except BrokenProcessPool:
                    yield from (score_here(part, work) for part in share)
        finally:
            pool.shutdown(cancel_futures=True)


def _submitted(
    pool: ProcessPoolExecutor, shares: Sequence[Sequence[InputPart]]
) -> list[Future[list[PartResult]]]:
    """Return a future for each share; those that a broken pool does not take have failed."""
    futures = []
    for share in shares:
        try:
            futures.append(pool.submit(_score_share, share))
        except BrokenProcessPool as error:
            failed: Future[list[PartResult]] = Future()
            failed.set_exception(error)
            futures.append(failed)
    return futures


def score_here(part: InputPart, work: PartWork) -> PartResult:
    """Return what becomes of a part that this process scores.

    Parameters
    ----------
    part
        The part.
    work
        What it is scored with.

    Raises
    ------
    OutputError
        The work folder cannot be written.
    """
    try:
        return PartResult(part, score_input_part(part, *work), None)
    except OutputError:
        # The disk is at fault, not this part.
        raise
    except DataError as error:
        return PartResult(part, None, error)


_work: list[PartWork] = []


def _begin(work: PartWork) -> None:
    alone()
    _work.append(work)


def _score_share(parts: Sequence[InputPart]) -> list[PartResult]:
    (work,) = _work
    return [score_here(part, work) for part in parts]


def refuse_failed(source: Path, results: Sequence[PartResult]) -> None:
    """Raise ``DataError`` if a part was refused.

    Parameters
    ----------
    source
        Path of the input.
    results
        What became of the parts.
    """
    refusals = [result.refusal for result in results if result.refusal]
    if refusals:
        reasons = "; ".join(str(error).rstrip(".") for error in refusals[:_REASONS_TOLD])
        more = "; …" if len(refusals) > _REASONS_TOLD else ""
        raise DataError(
            f"{source}: {len(refusals):,} of {counted(len(results), 'part')} refused, so nothing "
            f"of this run is published: {reasons}{more}. What could be scored is kept for the next "
            "run."
        )
