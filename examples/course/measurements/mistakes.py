"""Six mistakes of first projects, each made many times on purpose, beside the right way."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from examples.course.flowers import iris
from examples.course.measurements.resamples import Resamples, learn
from ffn.nn import OPTIMIZERS, spawn_generators

__all__ = ["COUNT", "measure_mistakes"]

COUNT = 1000
_RATE = 5e-3
# Of the tables of pure noise.
_TRIALS, _ROWS, _COLUMNS, _CHOSEN, _COPIES = 200, 60, 2000, 20, 3

Values = npt.NDArray[np.float64]


def measure_mistakes(count: int = COUNT, trials: int = _TRIALS) -> dict[str, Any]:
    """Return what each mistake reports, and what is true.

    Parameters
    ----------
    count
        Divisions of Iris: 90 rows to train on, 30 to look at, and 30 that nobody has seen.
    trials
        Tables of noise.
    """
    return {
        "count": count,
        "trials": trials,
        **_on_iris(count),
        "columns_before_split": _noise(trials, _chosen_columns),
        "copies_before_split": _noise(trials, _copied_rows),
    }


def _on_iris(count: int) -> dict[str, Any]:
    """Measure four of them: choosing on test rows, one seed, and two with the scaler."""
    flowers, labels = iris()
    sizes = (90, 30, 30)
    resamples = Resamples.draw(flowers, labels, sizes=sizes, count=count, seed=30)
    looked_at, unseen = [], []
    for name in OPTIMIZERS:
        _, history = learn(name, (_RATE,), resamples, watch=1)
        looked_at.append(history.validation_accuracy)
        network, history = learn(name, (_RATE,), resamples, watch=2)
        unseen.append(history.validation_accuracy)
        if name == "adam":
            adam = network
    each = np.arange(count)
    seen = np.concatenate(looked_at)  # [optimizers * epochs, divisions]
    best = seen.argmax(axis=0)
    reported, true = seen[best, each], np.concatenate(unseen)[best, each]

    tops = np.stack([accuracy.max(axis=0) for accuracy in looked_at])
    at_top = tops == tops.max(axis=0)
    sole = at_top & (at_top.sum(axis=0) == 1)

    raw = flowers[resamples.parts[2] - 150 * each[:, None]].astype(np.float32)
    answers = np.stack([adam.select([k]).predict_proba(raw[k])[0] for k in range(count)])
    of_adam = unseen[list(OPTIMIZERS).index("adam")][-1]

    all_rows = Resamples.draw(flowers, labels, sizes=sizes, count=count, seed=30, scale_by_all=True)
    _, leaky = learn("adam", (_RATE,), all_rows, watch=2)
    rows = resamples.labels[resamples.parts[2]]
    return {
        "choosing_on_test_rows": {
            "reported": _mean(reported),
            "true": _mean(true),
            "too_many": _mean(reported - true),
            "reported_all_right": float((reported == 1).mean()),
            "true_all_right": float((true == 1).mean()),
            "histogram": [
                np.bincount(np.rint(30 * values).astype(np.int64), minlength=31).tolist()
                for values in (reported, true)
            ],
            "first": [reported[:4].tolist(), true[:4].tolist()],
        },
        "one_seed": {
            "sole_winner": dict(zip(OPTIMIZERS, sole.mean(axis=1).tolist(), strict=True)),
            "at_top": dict(zip(OPTIMIZERS, at_top.mean(axis=1).tolist(), strict=True)),
            "no_sole_winner": float((~sole.any(axis=0)).mean()),
        },
        "forgotten_scaler": {
            "wrong": _mean((answers.argmax(axis=2) == rows).mean(axis=1)),
            "confidence": _mean(answers.max(axis=2).mean(axis=1)),
            "right": _mean(of_adam),
        },
        "scaler_before_split": {
            "wrong": _mean(leaky.validation_accuracy[-1]),
            "right": _mean(of_adam),
            "gained": _mean(leaky.validation_accuracy[-1] - of_adam),
        },
    }


def _noise(trials: int, make: Any) -> dict[str, Any]:
    """Make a mistake on tables of noise, and then do it right; chance is a third."""
    found: dict[str, Any] = {}
    for way, wrong in (("wrong", True), ("right", False)):
        tables = [make(g, wrong) for g in spawn_generators(40, trials)]
        lengths = [len(labels) for _, labels, _, _ in tables]
        offsets = np.cumsum([0, *lengths[:-1]])
        parts = tuple(
            np.stack([table[i] + offset for table, offset in zip(tables, offsets, strict=True)])
            for i in (2, 3)
        )
        resamples = Resamples(
            x=np.concatenate([x for x, *_ in tables]).astype(np.float32),
            labels=np.concatenate([labels for _, labels, *_ in tables]),
            parts=parts,
        )
        _, history = learn("adam", (_RATE,), resamples, watch=1)
        found[way] = _mean(history.validation_accuracy[-1])
    return found


Table = tuple[Values, npt.NDArray[np.int_], npt.NDArray[np.int_], npt.NDArray[np.int_]]


def _labelled_noise(random: np.random.Generator, columns: int) -> tuple[Values, Any]:
    return random.standard_normal((_ROWS, columns)), random.permutation(np.arange(_ROWS) % 3)


def _chosen_columns(random: np.random.Generator, wrong: bool) -> Table:
    """Keep the columns whose means differ most between classes: of all rows, or to train on."""
    x, labels = _labelled_noise(random, _COLUMNS)
    training, test = np.split(np.arange(_ROWS), [_ROWS * 2 // 3])
    rows = np.arange(_ROWS) if wrong else training
    means = np.stack([x[rows][labels[rows] == c].mean(axis=0) for c in range(3)])
    chosen = np.argsort(-means.var(axis=0))[:_CHOSEN]
    return x[:, chosen], labels, training, test


def _copied_rows(random: np.random.Generator, wrong: bool) -> Table:
    """Copy each row: before the split, or those to train on after it."""
    x, labels = _labelled_noise(random, _CHOSEN)
    if wrong:
        rows = random.permutation(np.repeat(np.arange(_ROWS), _COPIES))
        training, test = np.split(np.arange(len(rows)), [len(rows) * 2 // 3])
        return x[rows], labels[rows], training, test
    order = random.permutation(_ROWS)
    training, test = np.split(order, [_ROWS * 2 // 3])
    return x, labels, np.repeat(training, _COPIES), test


def _mean(values: Values) -> list[float]:
    """Return the mean in percent, and the 95 % half width that chance in the repeats leaves."""
    error = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return [round(100 * float(values.mean()), 3), round(100 * float(error), 3)]
