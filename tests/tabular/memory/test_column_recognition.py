"""What a column of texts holds is recognised as by `ffn init`, and only without doubt."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ffn.profiling.table_profile import profile_table
from ffn.tabular.ingestion.text_table import read_table
from ffn.tabular.memory.column_recognition import recognise_column

COLUMNS = {
    "plain numbers": ["1", "2.5", "-3e2", "4"],
    "categories": ["a", "b", "12", "c"],
    "iso days": ["2024-01-31", "2024-02-01", "2023-12-24"],
    "iso times": ["2024-01-31 10:00", "2024-02-01T11:30:05", "2023-12-24 00:00"],
    "zoned": ["2024-01-31T10:00Z", "2024-02-01T11:30:05+02:00"],
    "german days": ["31.01.2024", "1.2.2024"],
    "american days": ["1/31/2024", "2/1/2024"],
    "eight digits": ["20240131", "20240201", "20240202", "20240203", "20240204"],
    "clock": ["08:30", "15:45", "23:00", "00:10", "12:00"],
    "halves": ["8:30 AM", "3:45 PM", "11:00 PM"],
    "truth": ["yes", "no", "Yes"],
    "dollars": ["$1,234.50", "$3.00", "$12,000.10"],
    "percent": ["12%", "3.5%", "100%"],
    "doses": ["5 mg", "10 mg", "1 g"],
}


@pytest.mark.parametrize("what", COLUMNS)
def test_the_same_as_init(what: str, tmp_path: Path) -> None:
    texts = COLUMNS[what] * 3
    path = tmp_path / "t.csv"
    lines = (f'"{text}",{"ab"[i % 2]}\n' for i, text in enumerate(texts))
    path.write_text("c,y\n" + "".join(lines))
    table = read_table(path, delimiter=",", encoding=None, target="y", exclude=())
    profile = profile_table(table, "y", exclude=(), missing=(), keep=["c"])
    found = recognise_column(Counter(texts))
    assert (found.kind, found.format) == (profile.kinds["c"], profile.formats.get("c"))
    assert not found.doubt


def test_doubts_name_the_forms_that_could_read_it() -> None:
    found = recognise_column(Counter(["01/02/2024", "03/04/2024"]))
    assert (found.kind, found.format) == ("categorical", None)
    assert found.formats == ("%d/%m/%Y", "%m/%d/%Y")
    found = recognise_column(Counter(["10:00", "11:15", "12:20", "10:05", "11:45"]))
    assert (found.kind, found.formats) == ("categorical", ("time",))
    assert found.doubt.startswith("may hold times of day or durations")
    # As many prices as could not be categories, with a point that may be of either kind.
    found = recognise_column(Counter([f"€{i}.{100 + i}" for i in range(1, 30)]))
    assert found.format is None
    assert len(found.formats) == 2


def test_what_training_reads_as_numbers_is_numeric() -> None:
    # Nine tenths are numbers: training refuses the others with their rows.
    assert recognise_column(Counter([*"123456789", "x"])) == ("numeric", None, "", ())
    assert recognise_column(Counter([*"12345678", "x"])) == ("categorical", None, "", ())
    assert recognise_column({}) == ("numeric", None, "", ())
