"""The gate under ``[split]``: which rows judge, and how often those of a group were compared."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from ffn.promotion.champion import Opponent, read_opponent, unrelated_rows
from ffn.promotion.shared_rows import production_rows
from ffn.registry.alpha_spending import ComparisonCounts
from ffn.settings.pipeline import Pipeline
from ffn.tabular.splitting.split_figures import SplitFigures, recorded_figures
from ffn.training import steps
from tests.helpers.gated import QUICK, pipeline, retrain, rows

GATE = "accuracy_margin = 0.2\nlog_loss_margin = 0.9\nclass_margin = 0.9"
HEADER = "day,who,p,q,y"


def table(days: range, people: int, seed: int = 0) -> list[str]:
    """Two rows a day, of people in turn."""
    lines = rows(2 * len(days), seed)
    return [f"{days[i // 2]},C{i % people},{line}" for i, line in enumerate(lines)]


def splitting(folder: Path, lines: list[str], split: str, share: float = 0.2) -> Pipeline:
    toml = QUICK.replace("[training]\n", f"[training]\ntest_share = {share}\n")
    data = '[data]\nexclude = ["day", "who"]\n'
    return pipeline(folder, lines, GATE, HEADER, toml=f"{data}[split]\n{split}\n{toml}")


def opponent_of(found: Pipeline) -> Opponent:
    opponent = read_opponent(found)
    assert isinstance(opponent, Opponent)
    return opponent


def test_by_time_rows_later_than_both_models_training_judge(tmp_path: Path) -> None:
    first = retrain(splitting(tmp_path, table(range(300), 30), 'time = "day"'))
    assert first.held_out.sum() == 120
    # The table goes on for 150 days, and a larger share is held out: the latest 450 of 900 rows.
    grown = table(range(300), 30) + table(range(300, 450), 30, seed=1)
    second = retrain(splitting(tmp_path, grown, 'time = "day"', share=0.5))
    counts = second.verdict.rows
    assert counts is not None
    # Production was trained up to day 239; the challenger is judged from day 225 on.
    assert (counts.held_out, counts.trained_on) == (450, 30)
    assert (counts.related, counts.fit, counts.groups) == (0, 420, 0)
    assert second.verdict.held_out is not None
    assert second.verdict.held_out.labels.rows == 420


def test_by_group_nothing_of_a_group_that_production_was_trained_on_judges(tmp_path: Path) -> None:
    lines = table(range(300), 40)
    first = retrain(splitting(tmp_path, lines, 'group = "who"'))
    grown = lines + table(range(300, 450), 60, seed=1)
    found = splitting(tmp_path, grown, 'group = "who"', share=0.5)
    opponent, dataset = opponent_of(found), steps.load(found)
    division = steps.split(dataset, found)
    known = production_rows(dataset, opponent.bundle.schema, opponent)
    assert not isinstance(known, str)
    unrelated = unrelated_rows(dataset, division, known, opponent)
    who = np.array([line.split(",")[1] for line in grown])
    trained = {*who[:600][~first.held_out]}
    held_out = {*who[:600][first.held_out]}
    assert len(trained) == 32
    assert not trained & {*who[unrelated]}, "also not in the rows that are new"
    assert held_out <= {*who[unrelated]}
    second = retrain(found)
    counts = second.verdict.rows
    assert counts is not None
    judging = second.held_out & unrelated
    assert (counts.fit, counts.groups) == (judging.sum(), len({*who[judging]}))
    assert counts.related == (second.held_out & ~unrelated & ~known).sum() > 0
    assert second.verdict.held_out is not None
    assert second.verdict.held_out.groups == counts.groups
    assert f"rows of {counts.groups} groups that neither was trained on" in second.verdict.reason


def test_by_both_later_rows_of_groups_that_were_not_trained_on_judge(tmp_path: Path) -> None:
    split = 'time = "day"\ngroup = "who"'
    retrain(splitting(tmp_path, table(range(300), 30), split, share=0.3))
    grown = table(range(300), 30) + table(range(300, 450), 60, seed=1)
    found = splitting(tmp_path, grown, split, share=0.3)
    opponent, dataset = opponent_of(found), steps.load(found)
    division = steps.split(dataset, found)
    known = production_rows(dataset, opponent.bundle.schema, opponent)
    assert not isinstance(known, str)
    unrelated = unrelated_rows(dataset, division, known, opponent)
    assert opponent.split is not None
    day = np.array([int(line.split(",")[0]) for line in grown])
    who = np.array([line.split(",")[1] for line in grown])
    assert day[unrelated].min() > opponent.split.until == day[known].max()
    assert not {*who[known]} & {*who[unrelated]}
    # People that were not there when production was trained are unrelated, whatever their hash.
    assert {f"C{i}" for i in range(30, 60)} <= {*who[unrelated]}


def test_after_a_change_to_groups_no_row_is_left_and_the_way_out_is_named(tmp_path: Path) -> None:
    lines = table(range(300), 30)
    retrain(splitting(tmp_path, lines, ""))
    second = retrain(splitting(tmp_path, lines, 'group = "who"'))
    counts = second.verdict.rows
    assert counts is not None
    assert counts.fit == 0, "production was trained on rows of all 30"
    assert counts.related == counts.held_out - counts.trained_on > 0
    assert f"{counts.related} are of groups or times that production" in second.verdict.reason
    assert "put it into production with ffn promote, or add rows" in second.verdict.reason
    assert "only" in second.verdict.reason, "its rows are on both sides now, so nor are recipes"


def test_rows_of_a_group_were_compared_as_often_as_the_most_of_them() -> None:
    rows = np.arange(10, 16, dtype=np.uint64)
    counts = ComparisonCounts(rows=rows[[0, 3]], times=np.array([3, 1]))
    groups = np.array([9, 4, 9, 4, 1, 1])
    assert counts.of(rows).tolist() == [3, 0, 0, 1, 0, 0]
    assert counts.of_groups(rows, groups, groups).tolist() == [3, 1, 3, 1, 0, 0]
    # The row that was compared need not be held out now.
    assert counts.of_groups(rows, groups, np.array([9, 1])).tolist() == [3, 0]


FIGURES = SplitFigures(
    time="day",
    group="who",
    test=None,
    training=10,
    held_out=4,
    neither=1,
    training_groups=3,
    held_out_groups=2,
    kind="number",
    until=7.0,
    since=8.5,
    limit="3d8d231ac280b041",
)


def test_figures_are_read_as_they_were_recorded() -> None:
    assert recorded_figures(asdict(FIGURES)) == FIGURES
    assert FIGURES.sentence() == (
        'rows are split by time "day" and group "who": trained on 10 rows of 3 groups up to 7, '
        "judged by 4 rows of 2 other groups from 8.5 on; 1 row is in neither part (earlier rows of "
        "groups that judge, later rows of the others, and any embargo)"
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"time": 3},
        {"training": "10"},
        {"until": "soon"},
        {"limit": "xyz"},
        {"limit": "f" * 40},
        {"more": 1},
    ],
)
def test_figures_that_are_not_so_are_none(changed: dict[str, object]) -> None:
    assert recorded_figures({**asdict(FIGURES), **changed}) is None
    assert recorded_figures([]) is None
