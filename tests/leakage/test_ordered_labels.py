"""A time that orders the label is named; times that only go with it a little are not."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from ffn.leakage.findings import LabelFollowsTime
from ffn.leakage.leaks import find_leaks
from ffn.settings.pipeline import Pipeline
from ffn.training.tables.loading import load
from ffn.training.tables.splitting import split
from simulations import orders
from simulations.planted import PLANTED
from simulations.split_audits import planted_pipeline
from tests.helpers.retrained import made

DAYS = np.datetime64("2024-01-01") + np.arange(300)


def found_in(pipeline: Pipeline) -> list[LabelFollowsTime]:
    dataset = load(pipeline)
    training = split(dataset, pipeline).training
    found = find_leaks(dataset, training, pipeline.source, pipeline.settings.data, 42)
    return [leak for leak in found if isinstance(leak, LabelFollowsTime)]


def table(seed: int = 0, **columns: np.ndarray) -> pd.DataFrame:
    """1,200 rows, four a day, of numbers that say nothing."""
    rng = np.random.default_rng(seed)
    numbers = {name: rng.normal(size=1_200).round(3) for name in "abc"}
    return pd.DataFrame({"when": DAYS.repeat(4).astype(str), **numbers, **columns})


def labels(days: np.ndarray) -> np.ndarray:
    return np.where(days, "no", "yes")


def written(
    folder: Path, rows: pd.DataFrame, toml: str = '[data]\nexclude = ["when"]\n'
) -> Pipeline:
    return made(folder, rows.to_csv(index=False), toml)


def test_rows_collected_label_by_label_are_told_with_the_figures(tmp_path: Path) -> None:
    """400 rows of yes, 500 of no, 300 of yes: two changes, of some 580 by chance."""
    day = np.arange(300).repeat(4)
    rows = table(y=labels((day >= 100) & (day < 225))).sample(frac=1, random_state=1)
    (found,) = found_in(written(tmp_path, rows))
    assert (found.column, found.target, found.changes) == ("when", "y", 2)
    share = 500 / 1_200
    # The rows are held out by class, so their shares are those of the table.
    assert found.by_chance == pytest.approx(2 * share * (1 - share) * (found.rows - 1), rel=0.01)
    assert found.alone.value > 0.99
    assert found.sentence.startswith(
        'column "when" orders the label: along it "y" changes 2 times in 960 training rows (about '
    )
    assert found.sentence.endswith('set split.time = "when"')


def test_with_split_time_there_is_nothing_to_tell(tmp_path: Path) -> None:
    """Then later rows judge. (The last fifth has both labels, or nothing could be learnt.)"""
    day = np.arange(300).repeat(4)
    rows = table(y=labels((day >= 100) & (day < 225)))
    assert not found_in(written(tmp_path, rows, '[split]\ntime = "when"\n'))


@pytest.mark.parametrize("form", ["%d.%m.%Y", "%Y-%m-%dT%H:%M"])
def test_dates_of_any_form_and_dates_that_are_features_are_looked_at(
    tmp_path: Path, form: str
) -> None:
    day = np.arange(300).repeat(4)
    rows = table(y=labels(day < 150))
    rows["when"] = pd.to_datetime(rows["when"]).dt.strftime(form)
    found = found_in(written(tmp_path, rows, '[data.kinds]\nwhen = "categorical"\n'))
    assert [leak.column for leak in found] in (["when"], []), "or another check has named it"
    (aside,) = found_in(written(tmp_path, rows))
    assert aside.column == "when"


def test_a_number_is_a_time_if_its_name_says_so(tmp_path: Path) -> None:
    day = np.arange(300).repeat(4)
    rows = table(y=labels(day < 150), week=day // 7, box=day // 7)
    found = found_in(written(tmp_path, rows, '[data]\nexclude = ["when", "week", "box"]\n'))
    assert [leak.column for leak in found] == ["when"]
    rows = rows.drop(columns="when")
    found = found_in(written(tmp_path, rows, '[data]\nexclude = ["week", "box"]\n'))
    assert [leak.column for leak in found] == ["week"]
    assert not found_in(written(tmp_path, rows.drop(columns="week"), '[data]\nexclude = ["box"]\n'))


def season(rng: np.random.Generator) -> np.ndarray:
    """A label that four fifths of July and a fifth of January have."""
    day = np.arange(300).repeat(4)
    return rng.random(1_200) < 0.5 - 0.3 * np.cos(2 * np.pi * day / 365)


def persistent(rng: np.random.Generator) -> np.ndarray:
    """A label that nine in ten days share with the day before."""
    flips = rng.random(300) < 0.1
    return (np.cumsum(flips) % 2).repeat(4) ^ (rng.random(1_200) < 0.2)


def trending(rng: np.random.Generator) -> np.ndarray:
    return rng.random(1_200) < special.expit(np.linspace(-2, 2, 1_200))


@pytest.mark.parametrize("world", [season, persistent, trending])
def test_a_label_that_goes_with_the_time_is_no_leak(tmp_path: Path, world) -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        assert not found_in(written(tmp_path, table(seed, y=labels(world(rng).astype(bool)))))


@pytest.mark.parametrize("kind", PLANTED)
def test_nothing_is_said_of_planted_or_clean_tables(tmp_path: Path, kind: str) -> None:
    planted = PLANTED[kind](np.random.default_rng([0, 12]))
    assert not found_in(planted_pipeline(tmp_path, planted, epochs=1))


def test_the_page_claims_no_false_alarm(repository: Path) -> None:
    page = (repository / "docs/split_audit.md").read_text("utf-8")
    assert f"Of {orders.FULL_ORDERS.tables} tables of 3,000 rows of each kind" in page
    for kinds, there in ((orders.ORDERED, "yes"), (orders.CLEAN_ORDERS, "no")):
        for what in kinds:
            (named,) = re.findall(rf"^\| {re.escape(what)} \| {there} \| \*\*(\S+)\*\*", page, re.M)
            assert float(named) >= 0.95 if there == "yes" else float(named) == 0


def test_tables_are_drawn_alike_each_time() -> None:
    assert orders.orders_section(orders.OrdersSize(1)) == orders.orders_section(
        orders.OrdersSize(1)
    )
