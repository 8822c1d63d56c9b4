"""Baseline models, fitted on the same training part and evaluated on the same held-out rows.

They show whether the network is worth its complexity. Their settings are fixed, scikit-learn's
defaults but for the number of iterations: nothing is tuned.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.blas_threads import one_openmp_thread
from ffn.errors import one_line
from ffn.evaluation.inference.differences import Difference, paired_difference
from ffn.evaluation.inference.paired_losses import LossBounds
from ffn.evaluation.inference.simultaneous_losses import simultaneous_bounds
from ffn.evaluation.metrics import HeldOutEvaluation, evaluate_probabilities
from ffn.quantities import percent

__all__ = ["BOOSTING", "LINEAR", "MAJORITY", "Baseline", "compare_baselines"]

Array = npt.NDArray[Any]

MAJORITY, LINEAR, BOOSTING = "most frequent class", "logistic regression", "gradient boosting"
# Largest number of values to fit on, and the number of rows that are fitted on even so.
_MOST_VALUES, _FEWEST_ROWS = 4_000_000, 2_000
_ITERATIONS = 1_000
_BOOSTING_ITERATIONS, _MOST_TREES = 100, 1_000
# scikit-learn's defaults: above this number of rows boosting stops early, by this share of them.
_EARLY_STOPPING_ROWS, _EARLY_STOPPING_SHARE = 10_000, 0.1


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A simpler model that the network is compared with.

    Attributes
    ----------
    name
        Name of the model.
    settings
        Its settings, in words.
    fitted_rows
        Number of training rows it was fitted on: all, or a random part.
    evaluation
        Its metrics on the held-out rows.
    difference
        The network minus this model, paired by row.
    bounds
        Log-loss of the network minus this model's, nats per row, with one-sided bounds that hold
        for all baselines together (`simultaneous_bounds`).
    problem
        A problem with the fit, such as no convergence; empty if there was none.
    """

    name: str
    settings: str
    fitted_rows: int
    evaluation: HeldOutEvaluation
    difference: Difference
    bounds: LossBounds
    problem: str = ""

    @property
    def shown_better(self) -> bool:
        """Whether its log-loss is shown to be lower than the network's."""
        return self.bounds.low > 0


def compare_baselines(
    ours: Array,
    x_test: Array,
    labels_test: Array,
    x_train: Array,
    labels_train: Array,
    classes: tuple[str, ...],
    seed: int,
    *,
    alpha: float,
    most_rows: int = 50_000,
    groups: Array | None = None,
    together: bool = False,
    told_once: Sequence[int] | None = None,
    weights_test: Array | None = None,
    weights_train: Array | None = None,
) -> tuple[tuple[Baseline, ...], dict[str, str]]:
    """Fit the three baselines and compare the network with each, the simplest first.

    Parameters
    ----------
    ours
        Probabilities [m, C] of the network for the held-out rows.
    x_test
        Inputs of the held-out rows [m, n_in].
    labels_test
        Their classes, integers [m].
    x_train
        Inputs of the training part [n, n_in].
    labels_train
        Its classes, integers [n].
    classes
        Names of the classes [C].
    seed
        Seed of the draw of rows, of the boosting and of the bootstraps.
    alpha
        Probability with which any of the baselines may be shown to be better than a network that
        is no worse.
    most_rows
        Training rows to fit on: so many are drawn at random where there are more. By default
        50,000, which takes seconds; with more than 80 inputs fewer, down to 2,000.
    groups
        Identifiers of the held-out rows' groups [m], which are then the unit of all intervals;
        None, the default: rows are independent.
    together
        Whether training rows come in groups or in an order of time. Boosting then does not stop
        early, as the rows by which it would are drawn at random. False, the default: they do not.
    told_once
        Positions of the inputs that boosting sees, if others only repeat them in another scale
        (`Preparation.inputs_told_once`). None, the default: all.
    weights_test
        Weights of the held-out rows [m], by which all figures count them; None, the default: they
        count alike.
    weights_train
        Weights of the training part [n], by which the models are fitted (``sample_weight``); None,
        the default: rows count alike.

    Returns
    -------
    tuple
        The baselines; and those that could not be fitted, by name, with the reason.
    """
    n_classes, rows = len(classes), _draw_rows(labels_train, x_train.shape[1], seed, most_rows)
    x, labels = np.asarray(x_train[rows]), np.asarray(labels_train[rows])
    own = None if weights_train is None else np.asarray(weights_train[rows])
    iterations = max(1, min(_BOOSTING_ITERATIONS, _MOST_TREES // n_classes))
    totals = np.bincount(labels_train, weights_train, minlength=n_classes)
    shares = totals / totals.sum()
    usual = int(shares.argmax())
    stops = _stops_early(labels) and not together
    until = f"at most {iterations}" if stops else f"{iterations}"
    early = f", stopped early by {percent(_EARLY_STOPPING_SHARE)} of the rows" if stops else ""
    trees = f"histograms, {until} iterations{early}, learning rate 0.1, at most 31 leaves"
    if told_once is not None:
        trees += ", each number as one input"
    answered = {MAJORITY: (np.broadcast_to(shares, ours.shape), "")}
    settings = {MAJORITY: "shares of the training rows"}
    unfitted = {}
    every, once = slice(None), slice(None) if told_once is None else list(told_once)
    for name, words, model, seen in (
        (LINEAR, "L2 penalty with C = 1, L-BFGS", _linear(), every),
        (BOOSTING, trees, _boosting(iterations, seed, early_stopping=stops), once),
    ):
        settings[name] = words
        try:
            answered[name] = _answers(model, x[:, seen], labels, own, x_test[:, seen], n_classes)
        except Exception as error:
            # Another library's model, which must not cost the network that was trained.
            unfitted[name] = one_line(f"{type(error).__name__}: {error}").rstrip(".")
    others = [answers for answers, _ in answered.values()]
    bounds = simultaneous_bounds(ours, others, labels_test, alpha, seed, groups, weights_test)
    found = tuple(
        Baseline(
            name=name,
            settings=settings[name],
            fitted_rows=len(labels_train) if name == MAJORITY else len(rows),
            evaluation=evaluate_probabilities(
                answers,
                labels_test,
                classes,
                seed,
                usual=usual,
                groups=groups,
                weights=weights_test,
            ),
            difference=paired_difference(ours, answers, labels_test, seed, groups, weights_test),
            bounds=bound,
            problem=problem,
        )
        for (name, (answers, problem)), bound in zip(answered.items(), bounds, strict=True)
    )
    return found, unfitted


def _draw_rows(labels: Array, n_inputs: int, seed: int, most_rows: int) -> Array:
    """Return row numbers, ascending: all, or a random part with at least one row per class."""
    n = len(labels)
    wanted = min(most_rows, max(_FEWEST_ROWS, _MOST_VALUES // n_inputs))
    if n <= wanted:
        return np.arange(n)
    drawn = np.random.default_rng(seed).choice(n, wanted, replace=False, shuffle=False)
    _, first = np.unique(labels, return_index=True)
    return np.union1d(drawn, first)


def _linear() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, max_iter=_ITERATIONS)


def _stops_early(labels: Array) -> bool:
    """Return whether boosting stops early, as scikit-learn does by default with many rows.

    It cannot if a class has one row, or if there are more classes than rows to stop by: those
    are drawn by class.
    """
    counts = np.bincount(labels)
    counts = counts[counts > 0]
    enough = len(counts) <= int(_EARLY_STOPPING_SHARE * len(labels)) and counts.min() > 1
    return bool(len(labels) > _EARLY_STOPPING_ROWS and enough)


def _boosting(iterations: int, seed: int, *, early_stopping: bool) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=iterations,
        early_stopping=early_stopping,
        validation_fraction=_EARLY_STOPPING_SHARE,
        random_state=seed % 2**32,
    )


def _answers(
    model: Any, x: Array, labels: Array, weights: Array | None, x_test: Array, n_classes: int
) -> tuple[Array, str]:
    """Fit a model, and return its probabilities [m, C] with any problem that was reported.

    Raises
    ------
    Exception
        The model cannot be fitted.
    """
    with one_openmp_thread(), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        if weights is None:
            model.fit(x, labels)
        else:
            model.fit(x, labels, sample_weight=weights)
        found = model.predict_proba(x_test)
    if not np.isfinite(found).all():
        raise ArithmeticError("its probabilities are not finite")
    probabilities = np.zeros((len(x_test), n_classes))
    probabilities[:, model.classes_] = found
    return probabilities, "did not converge" if said else ""
