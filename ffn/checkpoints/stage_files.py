"""Networks of a candidate in the middle of a race as files: safetensors and JSON, no pickle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from ffn.checkpoints.candidate_files import history_arrays, history_of
from ffn.storage.documents import canonical_json, parse_json
from ffn.training.candidate_training import TrainedNetworks

__all__ = ["STAGE_FILES", "read_stage", "write_stage"]

STAGE_FILES = ("stage.safetensors", "stage.json")
"""Names of the files of a stage."""


def write_stage(trained: TrainedNetworks, folder: Path) -> None:
    """Write the networks of a candidate at all of its rates, from which a later stage goes on.

    Parameters
    ----------
    trained
        The networks.
    folder
        Where to write.
    """
    arrays = {}
    for place, (parameters, history) in enumerate(
        zip(trained.parameters, trained.histories, strict=True)
    ):
        arrays[f"parameters{place}"] = parameters
        arrays |= history_arrays(f"history{place}", history)
    rest = {
        "rates": list(trained.rates),
        "diverged": [history.diverged for history in trained.histories],
    }
    plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    data, names = STAGE_FILES
    (folder / data).write_bytes(safetensors.numpy.save(plain))
    (folder / names).write_bytes(canonical_json(rest))


def read_stage(folder: Path) -> TrainedNetworks | None:
    """Read what `write_stage` wrote; None if it is not that, or not there.

    Parameters
    ----------
    folder
        Where it was written.
    """
    data, names = STAGE_FILES
    try:
        stored = safetensors.numpy.load((folder / data).read_bytes())
        arrays = {name: array.copy() for name, array in stored.items()}
        rest = parse_json((folder / names).read_bytes())
        places = range(len(rest["rates"]))
        return TrainedNetworks(
            tuple(map(float, rest["rates"])),
            tuple(arrays[f"parameters{place}"] for place in places),
            tuple(
                history_of(f"history{place}", arrays, rest["diverged"][place]) for place in places
            ),
        )
    except (OSError, KeyError, TypeError, ValueError, IndexError, SafetensorError):
        return None
