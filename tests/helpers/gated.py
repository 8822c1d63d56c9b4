"""Retrainings of small made-up tables that go through the gate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ffn.promotion.champion import read_opponent
from ffn.promotion.gate import decide
from ffn.promotion.register import Version, promote_version
from ffn.promotion.verdict import Verdict
from ffn.settings.pipeline import Pipeline
from ffn.training import steps
from ffn.training.examination import examine
from tests.helpers.retrained import Run, made, run

QUICK = "[training]\nepochs = 8\nnetworks = 4\n[optimizers.adam]\nlearning_rate = 0.02\n"


@dataclass(frozen=True)
class Gated:
    run: Run
    held_out: np.ndarray
    verdict: Verdict
    version: Version


def rows(n: int, seed: int = 0, noise: float = 0.0) -> list[str]:
    """Lines ``p,q,y``: three clouds, of which ``noise`` of the rows have any label."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=n)
    centres = np.array([[0, 0], [4, 0], [0, 4]])
    x = centres[labels] + rng.normal(size=(n, 2))
    labels = np.where(rng.random(n) < noise, rng.integers(3, size=n), labels)
    return [f"{p:.6f},{q:.6f},{'abc'[y]}" for (p, q), y in zip(x, labels, strict=True)]


def table(lines: list[str], header: str = "p,q,y") -> str:
    return "\n".join([header, *lines]) + "\n"


def pipeline(
    folder: Path,
    lines: list[str],
    gate: str = "",
    header: str = "p,q,y",
    *,
    toml: str = QUICK,
) -> Pipeline:
    return made(folder, table(lines, header), f"{toml}[gate]\n{gate}\n")


def retrain(found: Pipeline, *, examined: bool = False) -> Gated:
    """All of a retraining that the gate has a part in, promotion included.

    The comparison with simpler models takes a second, and is made only if it is asked for.
    """
    opponent = read_opponent(found)
    dataset = steps.load(found)
    division = steps.split(dataset, found)
    done = run(found, held_out=division)
    if examined:
        examination = examine(dataset, division, done.prepared, done.refitted, found)
        done = replace(done, examination=examination)
    verdict = decide(
        found,
        dataset,
        division,
        done.prepared,
        done.refitted,
        done.evaluation,
        done.examination,
        opponent,
    )
    version = done.serialise(verdict)
    promote_version(found, version)
    return Gated(done, division.held_out, verdict, version)


def evidence(gated: Gated) -> Any:
    assert gated.verdict.held_out is not None
    return gated.verdict.held_out
