"""A training table against the one that production was trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ffn.errors import DataError
from ffn.promotion.champion import read_opponent
from ffn.promotion.table_contract import compare_tables, keep_contract
from ffn.settings.drift_settings import ContractSettings
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.histograms import Reference
from tests.helpers.gated import QUICK, retrain, rows, table
from tests.helpers.retrained import made, prepare

X = Feature(name="x", kind="numeric", minimum=0.0, maximum=1.0)
C = Feature(name="c", kind="categorical", categories=("p", "q"))
BEFORE = Schema(features=(X, C), target="y", classes=("a", "b"))


def labels(*counts: int) -> Reference:
    return Reference(numeric=(), categorical=(), labels=counts)


def changes(now: Schema, before=(50, 50), after=(50, 50), **settings):
    found = compare_tables(
        BEFORE,
        now,
        None if before is None else labels(*before),
        labels(*after),
        ContractSettings(**settings),
    )
    return [(change.kind, change.policy, change.text) for change in found]


def test_an_equal_table_has_no_changes() -> None:
    assert changes(BEFORE) == []
    # Marks between thousands are no matter of what a number means.
    assert changes(replace(BEFORE, features=(replace(X, format="1,234.5"), C))) == []
    # Range and categories grow as data does.
    wider = replace(X, maximum=2.0)
    assert changes(replace(BEFORE, features=(replace(C, categories=("p", "q", "r")), wider))) == []


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ((X,), ("missing_columns", "refuse", 'column "c" is missing, constant or empty')),
        (
            (X, C, replace(X, name="new"), replace(X, name="n2")),
            ("new_columns", "warn", 'columns "n2", "new" are new'),
        ),
        (
            (replace(C, name="x"), C),
            ("changed_kinds", "refuse", 'column "x" was numeric and is categorical'),
        ),
        (
            (replace(X, format="$1,234.50"), C),
            ("changed_kinds", "refuse", 'column "x" was without a unit and is in "$"'),
        ),
        (
            (replace(X, missing=True), C),
            ("missing_values", "warn", 'column "x" has missing values now, and had none'),
        ),
    ],
)
def test_columns(features, expected) -> None:
    now = replace(BEFORE, features=features)
    assert changes(now) == [expected]
    assert changes(now, **{expected[0]: "accept"}) == [(expected[0], "accept", expected[2])]


def test_classes_come_and_go() -> None:
    assert changes(replace(BEFORE, classes=("a", "c"))) == [
        ("vanished_classes", "refuse", 'class "b" is gone'),
        ("new_classes", "warn", 'class "c" is new'),
    ]


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        ((500, 500), (500, 500), False),
        ((500, 500), (700, 300), True),  # 20 % of the rows; chi-squared is 83
        ((5_000, 5_000), (5_500, 4_500), False),  # certain, and only 5 %
        ((5, 5), (7, 3), False),  # 20 %, and nothing is certain
        (None, (700, 300), False),
    ],
)
def test_shares_move_if_it_is_certain_and_matters(before, after, moved: bool) -> None:
    found = changes(BEFORE, before, after)
    assert bool(found) == moved
    if moved:
        kind, policy, text = found[0]
        assert (kind, policy) == ("class_shares", "warn")
        assert text.startswith("class shares moved by 20 % of the rows, p < 0.001, ")
        assert text.endswith('"a" from 50 % to 70 %')
    assert changes(BEFORE, before, after, share_change=0.5) == []


def test_a_retraining_is_refused_before_it_begins_or_warned_of(tmp_path) -> None:
    lines = rows(150)
    found = made(tmp_path, table(lines), QUICK)
    assert keep_contract(prepare(found), read_opponent(found), found).changes == ()
    retrain(found)
    opponent = read_opponent(found)
    assert keep_contract(prepare(found), opponent, found).notices == ()

    # q is gone, r is new.
    found = made(tmp_path, table(lines, "p,r,y"), QUICK)
    prepared = prepare(found)
    message = (
        r"t\.csv differs from what version 1 in production was trained on: column \"q\" is "
        r"missing, constant or empty\. Nothing was trained\. "
        r".*set contract\.missing_columns to \"warn\"\.$"
    )
    with pytest.raises(DataError, match=message):
        keep_contract(prepared, opponent, found)
    found = made(tmp_path, table(lines, "p,r,y"), QUICK + '[contract]\nmissing_columns = "warn"\n')
    told = keep_contract(prepared, opponent, found)
    assert told.notices == (
        'unlike version 1: column "q" is missing, constant or empty',
        'unlike version 1: column "r" is new',
    )
    assert [(change.kind, change.policy) for change in told.changes] == [
        ("missing_columns", "warn"),
        ("new_columns", "warn"),
    ]


def test_what_the_settings_ask_for_is_not_refused(tmp_path) -> None:
    lines = rows(150)
    retrain(made(tmp_path, table(lines), QUICK))
    found = made(tmp_path, table(lines), QUICK + '[data]\nexclude = ["q"]\n')
    told = keep_contract(prepare(found), read_opponent(found), found)
    assert told.notices == ('unlike version 1: column "q" is missing, constant or empty',)
    assert [change.policy for change in told.changes] == ["warn"]
    assert np.isfinite(told.x_train).all()


def test_labels_that_are_lost_are_told(tmp_path) -> None:
    """A tenth of the rows by default, in three figures that were counted by hand."""
    lines = rows(200)
    retrain(made(tmp_path, table([*lines, "1,1,"]), QUICK))
    for lost, told in ((20, False), (60, True)):
        unlabelled = [f"{line.rpartition(',')[0]}," for line in lines[:lost]]
        found = made(tmp_path, table([*unlabelled, *lines[lost:]]), QUICK)
        changed = keep_contract(prepare(found), read_opponent(found), found)
        text = "30 % of the rows have no label now, and 0 % had none"
        assert ([c.text for c in changed.changes if "label" in c.text] == [text]) == told
        assert any(f"{lost} of 200 rows have no label" in notice for notice in changed.notices)
    refusing = QUICK + '[contract]\nmissing_values = "refuse"\n'
    found = made(tmp_path, table([*unlabelled, *lines[lost:]]), refusing)
    with pytest.raises(DataError, match="30 % of the rows have no label now"):
        keep_contract(prepare(found), read_opponent(found), found)


def test_labels_that_were_mapped_since_are_meant(tmp_path) -> None:
    lines = rows(150)
    lines[::2] = [line.replace("a", "A") for line in lines[::2]]
    apart = made(tmp_path, table(lines), QUICK + '[data]\nlabels = {"A" = "A"}\n')
    retrain(apart)
    assert read_opponent(apart).bundle.schema.classes == ("A", "a", "b", "c")
    merged = made(tmp_path, table(lines), QUICK + '[data]\nlabels = {"A" = "a"}\n')
    told = keep_contract(prepare(merged), read_opponent(merged), merged)
    assert [(c.kind, c.policy) for c in told.changes] == [("vanished_classes", "warn")]
    assert told.schema.classes == ("a", "b", "c")
