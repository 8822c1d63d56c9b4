"""Score several files in parallel, each in one process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from ffn.errors import FFNError
from ffn.scoring.output.score_result import ScoreResult
from ffn.scoring.parallel.processes import alone, way_to_start, without_fingerprints
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.score_file import score_csv

__all__ = ["score_files"]


def score_files(
    model: Scorer, files: Sequence[tuple[Path, Path]], workers: int, **options: Any
) -> Iterator[tuple[Path, ScoreResult | FFNError]]:
    """Score pairs of input and output, and yield in their order what became of each.

    Parameters
    ----------
    options
        Of `score_csv`.
    """
    with ProcessPoolExecutor(
        min(workers, len(files)),
        way_to_start(),
        _begin,
        (without_fingerprints(model), options),
    ) as pool:
        try:
            futures = [pool.submit(_score, *pair) for pair in files]
            for (source, output), future in zip(files, futures, strict=True):
                try:
                    done = future.result()
                except BrokenProcessPool:
                    # One was killed, and the others with it: what is left is done here.
                    done = _try(model, source, output, options)
                yield source, done
        finally:
            pool.shutdown(cancel_futures=True)


_work: list[tuple[Scorer, dict[str, Any]]] = []


def _begin(model: Scorer, options: dict[str, Any]) -> None:
    alone()
    _work.append((model, options))


def _score(source: Path, output: Path) -> ScoreResult | FFNError:
    ((model, options),) = _work
    return _try(model, source, output, options)


def _try(
    model: Scorer, source: Path, output: Path, options: dict[str, Any]
) -> ScoreResult | FFNError:
    try:
        return score_csv(model, source, output, **options)
    except FFNError as error:
        return error
