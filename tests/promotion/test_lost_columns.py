"""Columns that production knows and tonight's table has lost or renamed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ffn.errors import DataError, SettingsError
from ffn.promotion.champion import read_opponent
from ffn.promotion.lost_columns import refuse_lost_columns
from ffn.settings.pipeline import Pipeline
from ffn.training.tables.loading import load
from tests.helpers.gated import QUICK, retrain, rows, table
from tests.helpers.retrained import made

KINDS = '[data.kinds]\np = "numeric"\nq = "numeric"\n'
LINES = rows(150)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a version in production that was trained on ``p,q,y``."""
    folder = tmp_path_factory.mktemp("lost")
    retrain(made(folder, table(LINES), QUICK + KINDS))
    return folder


def refuse(found: Pipeline) -> None:
    refuse_lost_columns(found, read_opponent(found))


@pytest.mark.parametrize(
    ("header", "toml", "message"),
    [
        (
            "p,Q,y",
            KINDS,
            r'column "q" is missing\. Did you mean "Q"\? Nothing was trained\. Correct the file '
            r'or, if this is intended, set contract\.missing_columns to "warn" and remove "q" from '
            r"data\.kinds\.$",
        ),
        (
            "other,Q,y",
            KINDS,
            r'columns "p", "q" are missing\. .* remove "p", "q" from data',
        ),
        (
            "p,q,Y",
            KINDS,
            r'column "y" \(the target\) is missing\. Did you mean "Y"\? .* the file\.$',
        ),
        (
            "Export of tonight,,\np,q,y",
            KINDS,
            r'columns "y" \(the target\), "p", "q" are missing\. Nothing was trained\. The '
            r"column names are on line 2\. Remove .*: tail -n \+2 \S+t\.csv > mended\.csv$",
        ),
    ],
)
def test_the_contract_speaks_before_the_settings(
    folder: Path, header: str, toml: str, message: str
) -> None:
    found = made(folder, table(LINES, header), QUICK + toml)
    with pytest.raises(DataError, match=rf"t\.csv differs from what version 1 in .* on: {message}"):
        refuse(found)
    # Which is what would speak otherwise.
    with pytest.raises(SettingsError, match=r'has no column "[pqy]", which data\.'):
        load(found)


def test_what_the_refusal_advises_is_enough(folder: Path) -> None:
    header = "p,Q,y"
    meant = QUICK + KINDS.replace('q = "numeric"\n', "") + '[contract]\nmissing_columns = "warn"\n'
    found = made(folder, table(LINES, header), meant)
    refuse(found)
    assert load(found).order == ("p", "Q")


def test_without_production_settings_are_asked_and_the_near_name_is_told(tmp_path: Path) -> None:
    found = made(tmp_path, table(LINES, "p,Q,y"), QUICK + KINDS)
    refuse(found)
    message = 't.csv has no column "q", which data.kinds names; its columns are: p, Q, y. Did you '
    with pytest.raises(SettingsError, match=re.escape(message + 'mean "Q"?')):
        load(found)


def test_an_equal_header_in_any_order_is_none_of_its_business(folder: Path) -> None:
    refuse(made(folder, table(LINES, "q,p,y"), QUICK + KINDS))
    refuse(made(folder, table([f"{line},1" for line in LINES], "p,q,y,new"), QUICK + KINDS))


@pytest.mark.parametrize("content", ["", "\0\0", '"p', "p;q;y\n1;2;a\n"])
def test_a_file_without_a_header_is_left_to_who_reads_it(folder: Path, content: str) -> None:
    found = made(folder, content, QUICK + KINDS)
    if ";" in content:
        with pytest.raises(DataError, match="are missing"):
            refuse(found)
        return
    refuse(found)
    with pytest.raises(DataError, match=re.escape(str(found.source))):
        load(found)
    found.source.unlink()
    refuse(found)
