"""Inputs of a category that the networks of the audit have not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn import Network
from ffn.training.partition import TrainingPart

__all__ = ["unknowing_answers", "unknown_inputs"]

Array = npt.NDArray[Any]


def unknowing_answers(network: Network, x: Array, unknown: tuple[list[int], list[int]]) -> Array:
    """Return probabilities [n, C], with the inputs of one feature those of an unknown category.

    Parameters
    ----------
    network
        A single network.
    x
        Inputs [n, n_in], which are changed.
    unknown
        Result of `unknown_inputs`.
    """
    nothing, one = unknown
    x[:, nothing] = 0
    x[:, one] = 1
    answers: Array = network.predict_proba(x)[0].astype(np.float64)
    return answers


def unknown_inputs(name: str, part: TrainingPart) -> tuple[list[int], list[int]]:
    """Return the inputs of a categorical feature, and which are 1 for a category never seen.

    Its class statistics were made with all training rows, so those of a value that is kept apart
    contain its own rows' labels. Both are empty for other columns.

    Parameters
    ----------
    name
        Header of the column that is kept apart.
    part
        The training part.
    """
    names = [feature.name for feature in part.schema.categorical]
    if name not in names:
        return [], []
    g = names.index(name)
    preparation = part.preparation
    places = preparation.inputs_of_features()[preparation.n_numeric + g]
    statistics = preparation.inputs_of_statistics().get(g)
    return places, ([statistics[0] - 1] if statistics else [])
