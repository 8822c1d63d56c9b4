"""Permutation importance of the features, on held-out rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle
from ffn.evaluation.inference.groups_of_rows import values_of_groups
from ffn.evaluation.inference.paired_losses import row_losses
from ffn.evaluation.inference.statistics import Interval

__all__ = ["FeatureImportance", "Importance", "permutation_importance"]

Array = npt.NDArray[Any]

_REPEATS = 20
_MOST_ROWS, _FEWEST_ROWS = 20_000, 200


@dataclass(frozen=True, kw_only=True)
class FeatureImportance:
    """Importance of one feature.

    Attributes
    ----------
    name
        Name of the feature.
    log_loss
        Increase of the log-loss when the feature is permuted, nats per row.
    accuracy
        Decrease of the accuracy when it is permuted.
    """

    name: str
    log_loss: Interval
    accuracy: Interval


@dataclass(frozen=True, kw_only=True)
class Importance:
    """Importances of the features that were permuted.

    Attributes
    ----------
    features
        The most important first: all, or of very many those with the largest weights in the
        first layer.
    left_out
        Number of features that were not permuted.
    rows
        Number of held-out rows used.
    repeats
        Permutations of each feature.
    """

    features: tuple[FeatureImportance, ...]
    left_out: int
    rows: int
    repeats: int


def permutation_importance(
    bundle: Bundle,
    x: Array,
    labels: Array,
    seed: int,
    *,
    multiplications: float = 1e10,
    groups: Array | None = None,
    weights: Array | None = None,
) -> Importance:
    """Permute each feature in turn, and measure the loss of performance.

    Breiman 2001, "Random Forests", section 10, on rows that were not used for training. All inputs
    of a feature are permuted together. A row's loss is averaged over the permutations, and the
    intervals are Student's t over rows. Correlated features can stand in for each other, so that
    each of them may seem unimportant.

    Parameters
    ----------
    bundle
        The model.
    x
        Held-out inputs [m, n_in]; a random part of many rows is used, to bound the cost.
    labels
        Their classes, integers [m].
    seed
        Seed of the permutations and of that draw.
    multiplications
        Limit on the multiplications of all permutations together, to which rows and then features
        are cut, down to 200 rows and one feature. By default 1e10: some seconds.
    groups
        Identifiers of the rows' groups [m], over which the intervals then are; None, the default:
        rows are independent.
    weights
        Weights of the rows [m] in both means; None, the default: rows count alike.
    """
    generator = np.random.default_rng(seed)
    inputs = dict(_input_groups(bundle))
    row_cost = float(bundle.network.parameters.size)
    looked_at = max(1, int(multiplications / (_REPEATS * row_cost * _FEWEST_ROWS)))
    names = _heaviest(bundle, inputs, looked_at)
    fit = int(multiplications / (_REPEATS * row_cost * len(names)))
    wanted = min(len(x), _MOST_ROWS, max(_FEWEST_ROWS, fit))
    rows = np.sort(generator.choice(len(x), wanted, replace=False))
    own_x, own_labels = np.asarray(x[rows], dtype=np.float64), np.asarray(labels[rows])
    before, right = _ask(bundle, own_x, own_labels)
    own_groups, own_weights = (None if of is None else of[rows] for of in (groups, weights))
    found = []
    for name in names:
        columns = inputs[name]
        losses, hits = np.zeros((2, len(own_x)))
        for _ in range(_REPEATS):
            permuted = own_x.copy()
            permuted[:, columns] = own_x[generator.permutation(len(own_x))][:, columns]
            loss, hit = _ask(bundle, permuted, own_labels)
            losses += (loss - before) / _REPEATS
            hits += (right - hit) / _REPEATS
        found.append(
            FeatureImportance(
                name=name,
                log_loss=_mean(losses, own_groups, own_weights),
                accuracy=_mean(hits, own_groups, own_weights),
            )
        )
    return Importance(
        features=tuple(sorted(found, key=lambda feature: -feature.log_loss.value)),
        left_out=len(inputs) - len(names),
        rows=len(own_x),
        repeats=_REPEATS,
    )


def _input_groups(bundle: Bundle) -> Iterator[tuple[str, list[int]]]:
    """Yield each feature with the indices of its inputs, which are permuted together."""
    features = (*bundle.schema.numeric, *bundle.schema.categorical)
    for feature, places in zip(features, bundle.preparation.inputs_of_features(), strict=True):
        yield feature.name, places


def _heaviest(bundle: Bundle, groups: dict[str, list[int]], count: int) -> list[str]:
    """Return the ``count`` features with the largest weights, in the order of ``groups``."""
    if len(groups) <= count:
        return list(groups)
    weights = np.square(bundle.network.layers[0][..., :-1], dtype=float).sum(axis=(0, 1))
    weight = {name: float(weights[columns].sum()) for name, columns in groups.items()}
    heaviest = set(sorted(weight, key=lambda name: -weight[name])[:count])
    return [name for name in groups if name in heaviest]


def _ask(bundle: Bundle, x: Array, labels: Array) -> tuple[Array, Array]:
    """Return the loss [n] of each row [n, n_in], and whether it is predicted correctly [n]."""
    probabilities = bundle.probabilities(x)
    right = bundle.rule.labels(probabilities) == labels
    return row_losses(probabilities, labels), right.astype(float)


def _mean(values: Array, groups: Array | None, weights: Array | None) -> Interval:
    """Return the mean with Student's t interval, unbounded for a single value."""
    from scipy import special

    values = values_of_groups(values, groups, weights)
    n, mean = len(values), float(values.mean())
    # A feature that the model ignores has an importance of exactly zero.
    if not np.any(values):
        return Interval(0.0, 0.0, 0.0)
    if n < 2:
        return Interval(mean, -np.inf, np.inf)
    half = float(special.stdtrit(n - 1, 0.975) * values.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half)
