"""The interval of a held-out accuracy holds the truth as often as it says, split and all."""

from __future__ import annotations

import numpy as np
from scipy import stats

from ffn.evaluation.inference.statistics import wilson
from ffn.tabular.splitting.by_content import hold_out_stable


def rows(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the clean tables of the audit's simulation, as inputs of a linear model."""
    x = rng.normal(size=(n, 4))
    bad = x[:, 0] + x[:, 1] * x[:, 2] + 0.7 * rng.normal(size=n) > 0
    return np.column_stack([np.ones(n), x, x[:, 1] * x[:, 2]]), bad


def test_clean_tables_hold_their_promise() -> None:
    """Of 150 tables; the truth is measured on 12,000 rows, which widens the difference a little."""
    rng, held = np.random.default_rng(5), 0
    for _ in range(150):
        x, labels = rows(3_000, rng)
        contents = rng.integers(2**63, size=3_000).astype(np.uint64)
        judges = hold_out_stable(labels.astype(int), contents, 0.2, 42)
        weights = np.linalg.lstsq(x[~judges], 2.0 * labels[~judges] - 1, rcond=None)[0]
        promised = wilson(int((((x @ weights) > 0) == labels)[judges].sum()), int(judges.sum()))
        later, true_labels = rows(12_000, rng)
        truth = (((later @ weights) > 0) == true_labels).mean()
        held += promised.low <= truth <= promised.high
    expected = 2 * stats.norm.cdf(stats.norm.ppf(0.975) / np.sqrt(1 + 600 / 12_000)) - 1
    assert stats.binomtest(held, 150, expected).pvalue > 0.001
