"""Planted tables whose ordinary figures promise too much, and what they promise under a split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ffn.pipelines.judging import column_groups, judge_apart
from ffn.training import steps
from tests.helpers.retrained import made, run

QUICK = "[training]\nepochs = 8\nnetworks = 4\n[optimizers.adam]\nlearning_rate = 0.02\n"


def test_customers_with_random_labels_are_promised_chance(tmp_path: Path) -> None:
    """150 customers, 20 rows each, features that tell who it is, a random label a customer."""
    rng = np.random.default_rng(0)
    who = rng.permutation(np.repeat(np.arange(150), 20))
    x = rng.normal(size=(150, 3))[who] + 0.05 * rng.normal(size=(3000, 3))
    label = rng.integers(2, size=150)[who]
    table = [
        f"C{k},{','.join(f'{v:.4f}' for v in row)},{'ab'[y]}"
        for k, row, y in zip(who, x, label, strict=True)
    ]
    text = "who,a,b,c,y\n" + "\n".join(table) + "\n"
    found = made(tmp_path, text, QUICK.replace("8", "30") + '[data]\nexclude = ["who"]')
    dataset = steps.load(found)
    promised = judge_apart(found, dataset).fitted.evaluation
    assert promised.accuracy.low > 0.6, "what recognises customers seems to know them"
    apart = judge_apart(found, dataset, groups=column_groups(found, dataset, "who"))
    evaluation = apart.fitted.evaluation
    assert evaluation.groups == 30
    assert evaluation.judges == "600 held-out rows of 30 groups"
    assert evaluation.accuracy.low < 0.5 < evaluation.accuracy.high


def test_a_concept_that_turns_is_promised_for_later_rows(tmp_path: Path) -> None:
    """The weight of the label moves from p to q over a year; the year goes on for a month."""
    rng = np.random.default_rng(2)

    def drawn(day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, angle = rng.normal(size=(len(day), 2)), day / 365 * np.pi / 2
        return x, (x[:, 0] * np.cos(angle) + x[:, 1] * np.sin(angle) > 0).astype(int)

    day = np.sort(rng.integers(365, size=2500))
    x, labels = drawn(day)
    rows = "".join(
        f"{d},{a:.4f},{b:.4f},{'ab'[y]}\n" for d, (a, b), y in zip(day, x, labels, strict=True)
    )
    found = made(tmp_path, "day,p,q,y\n" + rows, QUICK + '[split]\ntime = "day"')
    done = run(found)
    dataset = replace(steps.load(found), time=None, time_kind=None)
    by_content = judge_apart(found, dataset).fitted.evaluation
    later_x, later = drawn(rng.integers(365, 395, size=4000))
    scored = done.refitted.bundle
    inputs = scored.preparation.transform(later_x, np.empty((4000, 0), dtype=int))
    truth = (scored.probabilities(inputs).argmax(axis=1) == later).mean()
    later_promise = done.evaluation.later
    assert later_promise is not None
    assert later_promise.periods == 8
    assert later_promise.accuracy.low <= truth <= later_promise.accuracy.high
    assert truth < by_content.accuracy.low, "what random rows promise is too much"
