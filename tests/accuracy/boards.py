"""Results as a run of the accuracy benchmark would leave them."""

from __future__ import annotations

from pathlib import Path

from benchmarks.accuracy.figures import Figures
from benchmarks.accuracy.page.board import Board
from benchmarks.accuracy.peers import OURS
from benchmarks.accuracy.results import Key, Result
from benchmarks.accuracy.tables.splitting import Split


def key(side: str = OURS, table: str = "cancer", seed: int = 0) -> Key:
    return Key(side=side, version="1", code="c", table=table, digest="d", seed=seed)


def result(of: Key, loss: float | None, cpu: float = 1, **more) -> Result:
    figures = None if loss is None else Figures(log_loss=loss, accuracy=1 - loss, auc=1 - loss / 2)
    return Result(key=of, figures=figures, cpu=cpu, **more)


def board(
    losses: dict[str, dict[str, list[float | None]]], cpu: dict[str, float] | None = None
) -> Board:
    """A board of losses by table, side and seed; None is a failure, a shorter list no time."""
    part = Split(train=Path("t"), test=Path("t"), digest="d", rows=1000, features=5, classes=3)
    found = {
        (table, side, seed): result(key(side, table, seed), loss, (cpu or {}).get(side, 1))
        for table, sides in losses.items()
        for side, own in sides.items()
        for seed, loss in enumerate(own)
    }
    sides = tuple(dict.fromkeys(side for own in losses.values() for side in own))
    seeds = range(max(len(own) for sides in losses.values() for own in sides.values()))
    return Board(tables=dict.fromkeys(losses, part), sides=sides, seeds=tuple(seeds), found=found)
