"""``ffn init`` reads dates if all cells agree on how they are meant, and says what it did."""

from __future__ import annotations

import datetime
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ffn.profiling.scaffold import create_pipeline
from ffn.profiling.table_profile import TableProfile, profile_table
from ffn.tabular.date_form import DateForm
from ffn.tabular.dates.date_recognition import FORMS
from ffn.tabular.ingestion.text_table import read_table

DAYS = [datetime.date(2023, 1, 28) + datetime.timedelta(days=3 * i) for i in range(200)]
Y = ["a", "b", "b", "a"] * 50
NUMBERS = [str(i * 37 % 101) for i in range(200)]


def table(path: Path, cells: list[str], name: str = "when") -> Path:
    rows = zip(cells, NUMBERS, Y, strict=True)
    lines = [f"{name},x,y\n", *(f'"{cell}",{number},{label}\n' for cell, number, label in rows)]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def looked(folder: Path, cells: list[str], **given: Any) -> TableProfile:
    path = table(folder / "t.csv", cells)
    read = read_table(path, delimiter=",", encoding=None, target="y", exclude=())
    return profile_table(read, "y", **{"exclude": (), "missing": ()} | given)


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("%Y-%m-%d", "iso"),
        ("%Y-%m-%dT%H:%M:%S", "iso"),
        ("%Y-%m-%d %H:%M+02:00", "iso utc"),
        ("%d/%m/%Y", "%d/%m/%Y"),
        ("%m/%d/%Y", "%m/%d/%Y"),
        ("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M"),
        ("%m/%d/%y %I:%M %p", "%m/%d/%y %I:%M %p"),
        ("%Y%m%d", "%Y%m%d"),
        ("%d %b %Y", "%d %b %Y"),
        ("%B %d, %Y", "%B %d, %Y"),
    ],
)
def test_dates_are_read_as_all_of_them_are_written(tmp_path: Path, written: str, form: str) -> None:
    cells = [datetime.datetime.combine(day, datetime.time(9, 30)).strftime(written) for day in DAYS]
    found = looked(tmp_path, cells)
    assert found.formats == {"when": form}
    assert found.exclude == []
    assert [notice for notice in found.notices if "is read as dates" in notice] == found.notices[:1]
    assert found.notices[0].startswith('column "when" is read as dates, 2023-01-28')


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (
            [f"0{1 + i % 9}/0{1 + i % 7}/2024" for i in range(200)],
            'has dates that may be meant otherwise: "01/02/2024" is 2024-02-01 or 2024-01-02 '
            "(--format when=%d/%m/%Y or --format when=%m/%d/%Y reads it)",
        ),
        (
            [f"{day}T10:00{'' if i % 3 else 'Z'}" for i, day in enumerate(DAYS)],
            'has times with a zone, such as "2023-01-28T10:00Z", and without, such as '
            '"2023-02-03T10:00"',
        ),
        (
            [*map(str, DAYS[:195]), *["never"] * 5],
            'has dates, and texts that are none, such as "never" (for no value? give --missing '
            '"never")',
        ),
        (
            [f"{day:%d.%m.%Y}" if i % 2 else f"{day:%m/%d/%Y}" for i, day in enumerate(DAYS)],
            'has dates in different forms, such as "01.02.2024" and "01/11/2024" (write all alike)',
        ),
        (
            [f"{day:%d/%m/%Y}" if i % 2 else f"{day:%m/%d/%Y}" for i, day in enumerate(DAYS)],
            'has dates in different forms, such as "13/02/2024" and "01/17/2024" (write all alike)',
        ),
        (
            # A stray one is a date as well, and not a word for "no value".
            [f"{day:%d.%m.%Y}" for day in DAYS[:195]] + ["02/28/2024"] * 5,
            'has dates in different forms, such as "01.02.2024" and "02/28/2024" (write all alike)',
        ),
        (
            [f"{day:%d.%m.%Y}" for day in DAYS[:195]] + ["2024-02-28T10:00Z"] * 5,
            'has dates in different forms, such as "01.02.2024" and "2024-02-28T10:00Z" (write all '
            "alike)",
        ),
    ],
)
def test_what_would_be_a_guess_is_left_out_and_asked_for(
    tmp_path: Path, cells: list[str], why: str
) -> None:
    found = looked(tmp_path, cells)
    assert (found.exclude, found.formats) == (["when"], {})
    assert f'column "when" {why} and is left out (--keep "when" keeps it)' in found.notices
    assert looked(tmp_path, cells, keep=["when"]).kinds["when"] == "categorical"
    asked = looked(tmp_path, cells, exclude=["when"])
    assert not any("when" in notice for notice in asked.notices)


def test_what_was_asked_for_is_read(tmp_path: Path) -> None:
    cells = [f"0{1 + i % 9}/0{1 + i % 7}/2024" for i in range(200)]
    found = looked(tmp_path, cells, formats={"when": "%m/%d/%Y"})
    assert (found.exclude, found.formats) == ([], {"when": "%m/%d/%Y"})
    assert found.reasons == {"when": "dates, as given"}


def test_a_word_in_one_row_of_few_dates_is_told(tmp_path: Path) -> None:
    cells = ["2025-01-31", "2025-02-28"] * 99 + ["soon", "soon"]
    assert looked(tmp_path, cells).exclude == ["when"]
    assert looked(tmp_path, cells, missing=["soon"]).formats == {"when": "iso"}


def test_words_for_no_value_are_none_of_the_dates(tmp_path: Path) -> None:
    cells = [str(day) if i % 5 else "unknown" for i, day in enumerate(DAYS)]
    found = looked(tmp_path, cells)
    assert found.formats == {"when": "iso"}
    assert "unknown" in found.missing


@pytest.mark.parametrize(
    "cells",
    [
        [str(10_000_000 + 7 * i) for i in range(200)],
        [f"1234-{i % 90:02}" for i in range(200)],
        ["20250131", "20250201"] * 100,
        [f"1.{i % 12 + 1}.{i % 7}" for i in range(200)],
        # Two cells that are dates, in forms of which a column has one, are no doubt about it.
        ["2024-01-01", "2024-01-01T00:00Z", *(f"AB-{i % 40:05}" for i in range(198))],
    ],
)
def test_what_only_looks_like_dates_is_none(tmp_path: Path, cells: list[str]) -> None:
    found = looked(tmp_path, cells)
    assert found.formats == {}
    assert not any("with a zone" in notice for notice in found.notices)


def test_the_forms_are_what_they_declare() -> None:
    assert all(DateForm.of(form.text) == form for form in FORMS)


@pytest.mark.parametrize(
    ("pair", "formats"),
    [
        (["True", "false"], {"when": "true/false"}),
        (["YES", "no", "yes"], {"when": "true/false"}),
        (["t", "f"], {"when": "true/false"}),
        (["N", "y"], {"when": "true/false"}),
        (["yes", "no", "maybe"], {}),
        (["true", "no"], {}),
        (["yes"], {}),
        (["1", "0"], {}),
    ],
)
def test_truth_values_are_two_words_that_belong_together(
    tmp_path: Path, pair: list[str], formats: dict[str, str]
) -> None:
    assert looked(tmp_path, (pair * 200)[:200]).formats == formats


def test_the_settings_give_the_reason_and_can_be_trained(tmp_path: Path) -> None:
    cells = [str(day) if i % 9 else "" for i, day in enumerate(DAYS)]
    source = table(tmp_path / "t.csv", cells)
    settings, _ = create_pipeline("dated", source=source, target="y", root=tmp_path)
    text = settings.read_text()
    assert re.search(r"^\[data\.formats\] +# how columns write what they hold$", text, re.M)
    assert re.search(
        r'^"when" = "iso" +# dates, 2023-01-31 to 2024-09-16; their parts are inputs$',
        text,
        re.M,
    )
    read = tomllib.loads(text)
    assert read["data"]["formats"] == {"when": "iso"}
    assert read["data"]["kinds"] == {"x": "numeric"}
    assert read["data"]["exclude"] == []
