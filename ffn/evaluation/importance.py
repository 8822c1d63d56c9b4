"""Permutation importance of the features, on held-out rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle
from ffn.evaluation.inference.groups_of_rows import values_of_groups
from ffn.evaluation.inference.paired_losses import row_losses
from ffn.evaluation.inference.statistics import Interval

__all__ = ["FeatureImportance", "Importance", "permutation_importance"]

Array = npt.NDArray[Any]

# For a given amount of work many rows permuted once tell more than few rows permuted often: only
# the first lessen the variance between rows. So permutations are cut first, then rows.
_MOST_REPEATS, _FEWEST_REPEATS = 20, 1
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
        The most important first: all, or of very many those that the first layer of the network
        depends on most.
    left_out
        Number of features that were not permuted.
    rows
        Number of held-out rows used.
    repeats
        Permutations of each feature.
    unpermuted
        Names of the features that were not permuted, in the order of the table.
    """

    features: tuple[FeatureImportance, ...]
    left_out: int
    rows: int
    repeats: int
    unpermuted: tuple[str, ...] = field(default=(), metadata={"omitted": True})


def permutation_importance(
    bundle: Bundle,
    x: Array,
    labels: Array,
    seed: int,
    *,
    multiplications: float = 3e10,
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
        Limit on the multiplications of all permutations together. Permutations of a feature are cut
        to it first, from 20 to one, then rows, down to 200, and then features, down to one. By
        default 3e10: some seconds, and enough for 150 features and a million parameters.
    groups
        Identifiers of the rows' groups [m], over which the intervals then are; None, the default:
        rows are independent.
    weights
        Weights of the rows [m] in both means; None, the default: rows count alike.
    """
    generator = np.random.default_rng(seed)
    inputs = dict(_input_groups(bundle))
    row_cost = float(bundle.network.parameters.size)
    available = min(len(x), _MOST_ROWS)
    fewest = min(available, _FEWEST_ROWS)
    count = int(multiplications / (row_cost * fewest * _FEWEST_REPEATS))
    count = min(len(inputs), max(1, count))
    repeats, wanted = _affordable(int(multiplications / (row_cost * count)), available)
    rows = np.sort(generator.choice(len(x), wanted, replace=False))
    own_x, own_labels = np.asarray(x[rows], dtype=np.float64), np.asarray(labels[rows])
    names = _most_used(bundle, inputs, own_x, count)
    before, right = _ask(bundle, own_x, own_labels)
    own_groups, own_weights = (None if of is None else of[rows] for of in (groups, weights))
    found = []
    for name in names:
        columns = inputs[name]
        losses, hits = np.zeros((2, len(own_x)))
        for _ in range(repeats):
            permuted = own_x.copy()
            permuted[:, columns] = own_x[generator.permutation(len(own_x))][:, columns]
            loss, hit = _ask(bundle, permuted, own_labels)
            losses += (loss - before) / repeats
            hits += (right - hit) / repeats
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
        repeats=repeats,
        unpermuted=tuple(name for name in inputs if name not in names),
    )


def _input_groups(bundle: Bundle) -> Iterator[tuple[str, list[int]]]:
    """Yield each feature with the indices of its inputs, which are permuted together."""
    features = (
        *bundle.schema.numeric,
        *bundle.schema.categorical,
        *bundle.schema.texts,
    )
    for feature, places in zip(features, bundle.preparation.inputs_of_features(), strict=True):
        yield feature.name, places


def _affordable(asked: int, available: int) -> tuple[int, int]:
    """Return permutations and rows of each feature, if the model may be asked ``asked`` times."""
    repeats = min(_MOST_REPEATS, max(_FEWEST_REPEATS, asked // available))
    return repeats, min(available, max(_FEWEST_ROWS, asked // repeats))


def _most_used(bundle: Bundle, groups: dict[str, list[int]], x: Array, count: int) -> list[str]:
    """Return the ``count`` features that the first layer depends on most, in the order of groups.

    That is the variance over rows of what a feature adds to the sums of the first layer's units,
    added up over these. It costs less than asking the model once, and no label chooses.
    """
    if len(groups) <= count:
        return list(groups)
    weights = np.asarray(bundle.network.layers[0][..., :-1], dtype=np.float64)
    weights = weights.reshape(-1, weights.shape[-1])
    centred = x - x.mean(axis=0)
    use = {
        name: float(np.square(centred[:, columns] @ weights[:, columns].T).sum())
        for name, columns in groups.items()
    }
    most = set(sorted(use, key=lambda name: -use[name])[:count])
    return [name for name in groups if name in most]


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
