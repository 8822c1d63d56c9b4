"""``ffn init`` reads times of day where the cells say that they are no durations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ffn.profiling.scaffold import create_pipeline
from ffn.profiling.table_profile import TableProfile, profile_table
from ffn.tabular.ingestion.text_table import read_table

MINUTES = [i * 37 % 1440 for i in range(200)]
PADDED = [f"{m // 60:02}:{m % 60:02}" for m in MINUTES]
HALVES = [f"{m // 60 % 12 or 12}:{m % 60:02} {'AP'[m >= 720]}M" for m in MINUTES]


def table(path: Path, cells: list[str]) -> Path:
    rows = (f'"{cell}",{i * 37 % 101},{"abba"[i % 4]}\n' for i, cell in enumerate(cells))
    path.write_text(f"when,x,y\n{''.join(rows)}", encoding="utf-8")
    return path


def looked(folder: Path, cells: list[str], **given: Any) -> TableProfile:
    path = table(folder / "t.csv", cells)
    read = read_table(path, delimiter=",", encoding=None, target="y", exclude=())
    return profile_table(read, "y", **{"exclude": (), "missing": ()} | given)


@pytest.mark.parametrize(
    ("cells", "form", "ends"),
    [
        (PADDED, "time", "00:00 to 23:38"),
        ([f"{cell}:15" for cell in PADDED], "time", "00:00:15 to 23:38:15"),
        (["06:00", "14:00", "22:00", "06:00"] * 50, "time", "06:00 to 22:00"),
        (HALVES, "time am/pm", "12:00 AM to 11:38 PM"),
        (["8:30 am", "9:15 am"] * 100, "time am/pm", "8:30 AM to 9:15 AM"),
        ([*PADDED[:150], *["", "unknown"] * 25], "time", "00:06 to 23:58"),
    ],
)
def test_times_are_read_as_they_are_written(
    tmp_path: Path, cells: list[str], form: str, ends: str
) -> None:
    found = looked(tmp_path, cells)
    assert (found.formats, found.exclude) == ({"when": form}, [])
    assert re.match(
        r'column "when" is read as times of day, \S+.* to .* \(data\.formats\)', found.notices[0]
    )
    if "unknown" not in cells:
        assert found.reasons == {"when": f"times of day, {ends}"}


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        # Minutes and seconds of songs, or an hour and a half.
        ([f"{i % 12}:{i * 7 % 60:02}" for i in range(200)], "may hold times of day or durations"),
        ([f"00:{i % 60:02}:{i * 7 % 60:02}" for i in range(200)], "may hold times of day or dur"),
        # Results of games.
        ([f"{10 + i % 14}:{10 + i * 3 % 40}" for i in range(200)], "may hold times of day or dur"),
        (
            [*["08:30", "14:30", "15:10", "09:05", "11:40"] * 38, *["26:30"] * 10],
            'looks like times of day, but "26:30" is n',
        ),
        ([*PADDED[:190], *["24:00"] * 10], 'looks like times of day, but "24:00" is none; if they'),
        (
            [*PADDED[:190], *["noon"] * 10],
            'has times of day, and texts that are none, such as "noon" (for no value? give --miss',
        ),
        ([*HALVES[:100], *PADDED[:100]], "has times of day with AM or PM, such as "),
    ],
)
def test_what_would_be_a_guess_is_said(tmp_path: Path, cells: list[str], why: str) -> None:
    """A short list stays what it was before, categories; a long one would be told from an ID."""
    found = looked(tmp_path, cells)
    assert found.formats == {}
    (notice,) = [one for one in found.notices if "when" in one]
    assert notice.startswith(f'column "when" {why}')
    if len(set(cells)) > 100:
        assert found.exclude == ["when"]
        assert notice.endswith('and is left out (--keep "when" keeps it)')
    else:
        assert found.kinds["when"] == "categorical"
        assert f"it is read as {len(set(cells))} categories" in notice
    if "may hold" in why:
        assert "(--format when=time reads it as times of day)" in notice
        given = looked(tmp_path, cells, formats={"when": "time"})
        assert given.formats == {"when": "time"}
        assert given.reasons == {"when": "times of day, as given"}


@pytest.mark.parametrize(
    "cells",
    [
        ["3:2", "1:0", "2:2", "4:1"] * 50,
        ["1:10000", "1:25000"] * 100,
        ["Lk 12:24", "Mt 5:03"] * 100,
        ["16:9", "4:3"] * 100,
        # Too few to ask.
        ["12:30", "13:15"] * 100,
        ["12:30-13:15", "08:00-09:00"] * 100,
    ],
)
def test_scores_scales_and_verses_are_no_times(tmp_path: Path, cells: list[str]) -> None:
    found = looked(tmp_path, cells)
    assert (found.formats, found.kinds["when"]) == ({}, "categorical")
    assert not any("of day" in notice for notice in found.notices)


def test_the_settings_give_the_reason(tmp_path: Path) -> None:
    source = table(tmp_path / "t.csv", PADDED)
    settings, _ = create_pipeline("timed", source=source, target="y", root=tmp_path)
    assert re.search(
        r'^"when" = "time" +# times of day, 00:00 to 23:38; their parts are inputs$',
        settings.read_text(),
        re.M,
    )
