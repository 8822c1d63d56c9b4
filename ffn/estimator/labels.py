"""Encode labels as integers, and compute the weights of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_array
from sklearn.utils.class_weight import compute_class_weight

from ffn.errors import quote

__all__ = ["check_weights", "classes_of_stream", "encode_labels", "weigh_classes"]

Array = npt.NDArray[Any]


def check_weights(sample_weight: Any, n_rows: int) -> Array:
    """Validate the weights of rows and return a float64 copy [N].

    Parameters
    ----------
    sample_weight
        Weights [N]; None: all 1.
    n_rows
        Number of rows N.

    Raises
    ------
    ValueError
        The weights are not one finite, non-negative number for each row, or all are zero.
    """
    if sample_weight is None:
        return np.ones(n_rows)
    weights: Array = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, copy=True, input_name="sample_weight"
    )
    if weights.shape != (n_rows,):
        raise ValueError(
            f"sample_weight has shape {weights.shape}; expected one weight for each of "
            f"{n_rows} rows"
        )
    if weights.min() < 0:
        raise ValueError(f"sample_weight holds {weights.min()}; weights are numbers from 0 up")
    if not weights.any():
        raise ValueError("sample_weight is zero for every row; there is nothing to learn from")
    return weights


def classes_of_stream(given: Any, known: Array | None) -> Array:
    """Return the classes [C] of ``partial_fit``, sorted: given in the first call, known later.

    Parameters
    ----------
    given
        Its argument ``classes``, which later calls need not have.
    known
        Classes of earlier calls; None in the first one.

    Raises
    ------
    ValueError
        They are not given in the first call, or other ones in a later call.
    """
    if known is None:
        if given is None:
            raise ValueError(
                "the first call of partial_fit needs classes: all labels that may occur"
            )
        return np.unique(given)
    if given is not None and not np.array_equal(np.unique(given), known):
        raise ValueError(f"classes is {quote(list(given))}; it was {quote(known.tolist())} before")
    return known


def encode_labels(y: Array, weights: Array, classes: Array) -> Array:
    """Return the index of each label in ``classes``, integers [N]; 0 for rows of weight zero.

    Parameters
    ----------
    y
        Labels [N].
    weights
        Weights of the rows [N].
    classes
        Labels [C], sorted.

    Raises
    ------
    ValueError
        A row of nonzero weight has a label that is not one of the classes.
    """
    present = np.flatnonzero(weights)
    labels = np.zeros(len(y), dtype=np.intp)
    places = np.searchsorted(classes, y[present]).clip(max=len(classes) - 1)
    unknown = classes[places] != y[present]
    if unknown.any():
        raise ValueError(
            f"y holds {quote(y[present][unknown][0])}, which is not one of the classes "
            f"{quote(classes.tolist())}"
        )
    labels[present] = places
    return labels


def weigh_classes(
    weights: Array,
    labels: Array,
    classes: Array,
    class_weight: Mapping[Any, float] | str | None,
) -> Array:
    """Return the weights of rows [N], multiplied by the weights of their classes.

    Parameters
    ----------
    weights
        Weights of the rows [N].
    labels
        Indices in ``classes`` [N].
    classes
        Labels [C].
    class_weight
        None, weights by label (1 for a label not given), or ``"balanced"``: all classes that
        occur get the same total weight, and the sum over all rows is unchanged.

    Raises
    ------
    ValueError
        A class weight is not a finite, non-negative number, or all resulting weights are zero.
    """
    if class_weight is None:
        return weights
    if isinstance(class_weight, str):
        totals = np.bincount(labels, weights, minlength=len(classes))
        occurring = totals > 0
        factors = np.zeros(len(classes))
        factors[occurring] = totals.sum() / (occurring.sum() * totals[occurring])
    else:
        factors = compute_class_weight(class_weight, classes=classes, y=classes)
        if not (np.isfinite(factors) & (factors >= 0)).all():
            raise ValueError(
                f"class_weight is {quote(dict(class_weight))}; weights are numbers from 0 up"
            )
    weighed: Array = weights * factors[labels]
    if not weighed.any():
        raise ValueError("class_weight is zero for every class that has a row")
    return weighed
