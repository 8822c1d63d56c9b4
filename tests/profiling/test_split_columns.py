"""Which columns look like a time or a group, in tables made so that it is known."""

from __future__ import annotations

import datetime
import tomllib
from pathlib import Path

import pytest

from ffn.profiling.scaffold import create_pipeline
from ffn.profiling.split_columns import SplitCandidate, split_candidates
from ffn.settings.document import check_settings
from ffn.tabular.ingestion.text_table import read_table

DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days=i // 2) for i in range(200)]
ISO = [day.isoformat() for day in DAYS]
Y = ["a", "b"] * 100


def found(tmp_path: Path, **columns: list[str]) -> list[SplitCandidate]:
    lines = [",".join([*columns, "y"]), *map(",".join, zip(*columns.values(), Y, strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    return split_candidates(read_table(tmp_path / "t.csv"), "y", {"NA"})


def test_ascending_dates_are_a_time(tmp_path: Path) -> None:
    (one,) = found(tmp_path, day=ISO)
    why = "100 different times, 2024-01-01 to 2024-04-09, in ascending order"
    assert one == SplitCandidate(key="time", column="day", why=why)


def test_the_format_of_other_dates_is_named_and_both_where_it_is_doubtful(tmp_path: Path) -> None:
    (one,) = found(tmp_path, day=[day.strftime("%d.%m.%Y") for day in DAYS])
    assert one.forms == ("%d.%m.%Y",)
    (one,) = found(tmp_path, day=[f"0{1 + i % 9}/0{1 + i % 7}/2024" for i in range(200)])
    assert one.forms == ("%d/%m/%Y", "%m/%d/%Y")


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("birth_date", ISO),
        ("day", ["NA", *ISO[1:]]),
        ("day", ["soon", *ISO[1:]]),
        ("amount", [str(1900 + i % 90) for i in range(200)]),
        ("few", [str(2000 + i % 3) for i in range(200)]),
        ("age", [str(20 + i % 50) for i in range(200)]),
        ("town", [f"town {i % 40}" for i in range(200)]),
        ("row_id", [f"R{i}" for i in range(200)]),
    ],
)
def test_others_are_neither(tmp_path: Path, name: str, cells: list[str]) -> None:
    assert found(tmp_path, **{name: cells}) == []


@pytest.mark.parametrize(
    ("name", "key", "cells", "why"),
    [
        ("year", "time", [str(2000 + i % 20) for i in range(200)], "20 different times, 2000 to"),
        (
            "ts",
            "time",
            [str(1.7e9 + i)[:-2] for i in range(200)],
            "200 different times, 17000",
        ),
        (
            "day",
            "time",
            [day.strftime("%Y%m%d") for day in DAYS],
            "100 different times, 2024-01-01",
        ),
        (
            "customer_id",
            "group",
            [str(i % 50) for i in range(200)],
            "50 different values, each in 4 rows, named like an id",
        ),
        (
            "tail",
            "group",
            [f"N{i * i % 97}" for i in range(200)],
            "49 different values, in 3 to 5 rows, codes",
        ),
    ],
)
def test_a_name_or_codes_make_a_time_or_a_group(
    tmp_path: Path, name: str, key: str, cells: list[str], why: str
) -> None:
    (one,) = found(tmp_path, **{name: cells})
    assert (one.key, one.column) == (key, name)
    assert one.why.startswith(why)


def test_a_new_pipeline_has_commented_lines_that_hold_once_they_are_uncommented(
    tmp_path: Path,
) -> None:
    rows = [f"{ISO[i]},C{i % 40},{i * 7 % 31},{Y[i * 3 % 7 % 2]}" for i in range(200)]
    table = tmp_path / "t.csv"
    table.write_text("day,customer,x,y\n" + "\n".join(rows) + "\n")
    settings, notices = create_pipeline("p", source=table, target="y", root=tmp_path)
    text = settings.read_text()
    assert tomllib.loads(text)["split"] == {}
    assert [notice for notice in notices if "looks like a" in notice] == [
        'column "day" looks like a time (100 different times, 2024-01-01 to 2024-04-09, in '
        "ascending order): if later rows will be scored than are trained on, set split.time in "
        "pipeline.toml, or the figures promise too much",
        'column "customer" looks like a group (40 different values, each in 5 rows, named like an '
        "id): if others will be scored than are trained on, set split.group in pipeline.toml, or "
        "the figures promise too much",
    ]
    opened = text.replace("# time =", "time =").replace("# group =", "group =")
    split = check_settings(tomllib.loads(opened), "pipeline.toml").split
    assert (split.time, split.group) == ("day", "customer")
