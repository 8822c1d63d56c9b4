"""Candidates that finished, in the pipeline's cache until their retraining ends.

A retraining that is killed has to train only what had not finished. An entry is named by all that
determines a candidate, so what it holds is what a training would give, to the last bit. It is
verified by its digests when it is read, and what is damaged is trained again.

Of a search that is raced, an entry for each stage also has the networks from which the next one
goes on. Without it the candidate would be trained from the beginning, to the same result.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from ffn.checkpoints.candidate_files import read_candidate, write_candidate
from ffn.checkpoints.stage_files import read_stage, write_stage
from ffn.errors import DataError
from ffn.evaluation.inference.race import race_looks
from ffn.registry.provenance import circumstances
from ffn.search.combinations import file_label, with_combination
from ffn.settings.pipeline import Pipeline
from ffn.storage.cache import Cache
from ffn.storage.documents import canonical_json
from ffn.tabular.training_table.dataset import Dataset
from ffn.training.candidate_training import TrainedNetworks
from ffn.training.partition import TrainingPart
from ffn.training.selection.candidate import Candidate
from ffn.training.training_data import finished_prefix

__all__ = ["FinishedCandidate", "forget_candidates", "taken_in_words"]

_FORMAT = 1


class FinishedCandidate:
    """The place in the cache of one optimizer's networks, once they have been trained.

    Under a ``time_budget`` nothing is kept: how far a candidate gets depends on the clock, so one
    that was trained before the interruption would have had more time than one trained after it.

    Parameters
    ----------
    part
        The training part.
    pipeline
        Settings and folders.
    optimizer
        Name of the candidate.
    stop
        After how many resamples a race looks at it; by default it has all.
    """

    def __init__(
        self, part: TrainingPart, pipeline: Pipeline, optimizer: str, stop: int | None = None
    ) -> None:
        self._of = part, pipeline, optimizer
        self._looks = [
            look for look in race_looks(pipeline.settings.training.networks) if look != stop
        ]
        if stop is not None:
            self._looks = [look for look in self._looks if look < stop]
        self._staged = stop is not None
        recipe, self._settings = with_combination(pipeline, optimizer)
        settings = recipe.settings
        self._cache = _cache(pipeline)
        made_of = {
            "format": _FORMAT,
            # Digests of the tables, how they are read, the division, and the encoding.
            "part": part.entry.path.name,
            "split": settings.split.model_dump(mode="json"),
            "training": settings.training.model_dump(mode="json"),
            "network": settings.network.model_dump(mode="json"),
            "optimizers": settings.optimizers.model_dump(mode="json"),
            "optimizer": optimizer,
            # The value of a list that the settings of the optimizer do not have.
            "hyperparameters": vars(self._settings.optimizer),
            "circumstances": circumstances(),
        }
        if stop is not None:
            made_of["stop"] = stop
        digest = hashlib.sha256(canonical_json(made_of)).hexdigest()[:32]
        self._name = f"{finished_prefix(part.entry.path)}{file_label(optimizer)}-{digest}"
        self._kept = settings.training.time_budget is None

    def read(self) -> Candidate | None:
        """Return the candidate that an interrupted retraining trained; None if there is none."""
        entry = self._cache.find(self._name) if self._kept else None
        return None if entry is None else read_candidate(entry.path, self._settings)

    def earlier(self) -> TrainedNetworks | None:
        """Read the networks of the last stage before; None if there are none."""
        for look in reversed(self._looks):
            before = FinishedCandidate(*self._of, look)
            entry = before._cache.find(before._name) if before._kept else None
            if entry is not None and (found := read_stage(entry.path)) is not None:
                return found
        return None

    def write(self, candidate: Candidate, trained: TrainedNetworks | None = None) -> None:
        """Keep a candidate; where it cannot be kept, it would be trained again, and that is all.

        Parameters
        ----------
        candidate
            Result of the training.
        trained
            Of a stage, the networks from which the next one goes on; None if they are not known.
        """

        def build(folder: Path) -> None:
            write_candidate(candidate, folder)
            if self._staged and trained is not None:
                write_stage(trained, folder)

        if self._kept:
            with contextlib.suppress(OSError, DataError):
                self._cache.entry(self._name, build)


def forget_candidates(pipeline: Pipeline, dataset: Dataset) -> None:
    """Remove the kept candidates of a retraining that has ended.

    Parameters
    ----------
    pipeline
        The pipeline.
    dataset
        Its training table.
    """
    _cache(pipeline).remove_beginning(finished_prefix(dataset.entry.path))


def taken_in_words(candidate: Candidate) -> str:
    """Return the note that a candidate was taken from a retraining that was interrupted."""
    return f"{candidate.optimizer}: taken from the interrupted run"


def _cache(pipeline: Pipeline) -> Cache:
    return Cache(pipeline.artifacts / "cache")
