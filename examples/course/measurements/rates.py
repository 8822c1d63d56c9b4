"""Four optimizers on Iris, at one rate for all and each at its own best."""

from __future__ import annotations

from typing import Any

import numpy as np

from examples.course.flowers import iris
from examples.course.measurements.resamples import Resamples, learn
from ffn.nn import OPTIMIZERS

__all__ = ["COUNT", "RATES", "measure_rates"]

RATES = (1e-4, 3e-4, 1e-3, 3e-3, 5e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0)
COUNT = 64
ONE_RATE = 5e-3


def measure_rates(count: int = COUNT) -> dict[str, Any]:
    """Return validation losses by optimizer and rate, and the courses that the pages show.

    The best rate of the networks of even number is chosen on those of odd number, and the other
    way round, so that no loss is reported on rows that it was chosen by.

    Parameters
    ----------
    count
        Divisions of the table: 120 rows to train on, 30 to validate. Of the first divisions every
        count measures the same.
    """
    flowers, labels = iris()
    resamples = Resamples.draw(flowers, labels, sizes=(120, 30), count=count, seed=20)
    found: dict[str, Any] = {"rates": RATES, "count": count}
    kept = {}
    for name in OPTIMIZERS:
        _, history = learn(name, RATES, resamples, watch=1)
        # [epochs, rates, divisions]; a network that diverged has no finite loss.
        losses = history.validation_loss.reshape(-1, len(RATES), count)
        losses = np.where(np.isfinite(losses), losses, np.inf)
        last = losses[-1]
        even = np.arange(count) % 2 == 0
        best = np.where(
            even, last[:, ~even].mean(axis=1).argmin(), last[:, even].mean(axis=1).argmin()
        )
        own = losses[:, best, np.arange(count)]
        at_one = losses[:, RATES.index(ONE_RATE)]
        found[name] = {
            "loss": _rounded(last.mean(axis=1)),
            "diverged": [int(row.sum()) for row in ~np.isfinite(last)],
            "best": sorted({RATES[i] for i in best}),
            "first": _rounded(last[:, :4].T),
            "one_rate": _rounded(at_one.mean(axis=1)),
            "own_rate": _rounded(own.mean(axis=1)),
        }
        kept[name] = own[-1]
    for name in OPTIMIZERS:
        difference = kept[name] - kept["momentum"]
        # Divisions share flowers: Nadeau and Bengio 2003 add n_validation / n_train to 1 / K.
        error = difference.std(ddof=1) * np.sqrt(1 / count + 30 / 120)
        found[name]["behind_momentum"] = _rounded([difference.mean(), error])
    return found


def _rounded(values: Any) -> Any:
    """Return nested lists of five digits; None for what is not finite."""
    if np.ndim(values) == 0:
        return float(f"{values:.5g}") if np.isfinite(values) else None
    return [_rounded(value) for value in values]
