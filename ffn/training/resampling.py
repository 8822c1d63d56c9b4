"""The K resamples of the training part on which all optimizers are compared, in one file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError
from ffn.nn import spawn_generators
from ffn.quantities import counted
from ffn.settings.training_settings import TrainingSettings
from ffn.storage.cache import Cache, require_space
from ffn.storage.documents import canonical_json
from ffn.storage.npy import ArrayFile, open_array
from ffn.tabular.splitting.division import draw_splits
from ffn.training.partition import TrainingPart

__all__ = ["candidate_resamples", "generators", "resamples_name", "resamples_of"]

Array = npt.NDArray[Any]

# Each use of randomness has its own branch of the pipeline's seed; the others are in
# ``ffn.training.steps``.
_RESAMPLES = 0
_TRAIN, _VALIDATION = "train_rows.npy", "validation_rows.npy"
_ROW_BYTES = 4


def generators(training: TrainingSettings, branch: int) -> list[np.random.Generator]:
    """Return K independent random generators for one branch of the pipeline's seed.

    Parameters
    ----------
    training
        Settings with the seed and the number of networks, K.
    branch
        Number of the branch; different branches give independent streams.
    """
    seed = np.random.SeedSequence(training.seed, spawn_key=(branch,))
    return spawn_generators(seed, training.networks)


def candidate_resamples(part: TrainingPart, training: TrainingSettings) -> tuple[Array, Array]:
    """Return row numbers to train on [K, n - m] and to validate on [K, m], int32, memory-mapped.

    Parameters
    ----------
    part
        The training part, n rows.
    training
        Settings with the seed, K, and the share of rows to validate on.

    Raises
    ------
    DataError
        The disk is full, or the embargo leaves no row to train on.
    """

    def draw(folder: Path) -> None:
        needed = _ROW_BYTES * training.networks * part.rows
        require_space(
            folder, needed, f"{counted(training.networks, 'resample')} of the training table"
        )
        drawn = resamples_of(part, training, _RESAMPLES)
        first = next(drawn)
        with ExitStack() as stack:
            files = [
                stack.enter_context(ArrayFile(folder / name, np.int32, len(rows)))
                for name, rows in zip((_TRAIN, _VALIDATION), first, strict=True)
            ]
            for resample in chain([first], drawn):
                for file, rows in zip(files, resample, strict=True):
                    file.append(rows[None])

    entry = Cache(part.entry.path.parent).entry(resamples_name(part, training), draw)
    return open_array(entry.path / _TRAIN), open_array(entry.path / _VALIDATION)


def resamples_of(
    part: TrainingPart, training: TrainingSettings, branch: int
) -> Iterator[tuple[Array, Array]]:
    """Yield K resamples of the training part, split as the table was.

    Parameters
    ----------
    part, training
        As for `candidate_resamples`.
    branch
        Branch of the pipeline's seed.

    Raises
    ------
    DataError
        The embargo leaves no row to train on.
    """
    try:
        yield from draw_splits(
            part.labels,
            part.fingerprints,
            training.validation_share,
            generators(training, branch),
            groups=part.groups,
            times=part.times,
            embargo=part.embargo,
        )
    except ValueError:
        raise DataError(
            "a resample has no row to train on that is earlier than those to validate on by "
            "split.embargo. Shorten the embargo, or lower training.validation_share."
        ) from None


def resamples_name(part: TrainingPart, training: TrainingSettings) -> str:
    """Return the name in the cache, made of the table's and of all that determines the resamples.

    Parameters
    ----------
    part, training
        As for `candidate_resamples`.
    """
    made_of = [part.entry.path.name, training.validation_share, training.networks, training.seed]
    table = part.entry.path.name.partition("-")[0]
    return f"{table}-resamples-{hashlib.sha256(canonical_json(made_of)).hexdigest()[:32]}"
