"""What ffn init makes of the columns of a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffn.errors import DataError
from ffn.models.look import Look, look
from ffn.tabular.table import read_table


def looked(tmp_path: Path, columns: dict[str, list[str]], **known: list[str]) -> Look:
    n = len(next(iter(columns.values())))
    rows = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    file = tmp_path / "t.csv"
    file.write_text("\n".join(rows) + "\n")
    assert len(rows) == n + 1
    options: dict[str, list[str]] = {"exclude": [], "missing": []}
    return look(read_table(file), "y", **options | known)


Y = ["a", "b"] * 100
NUMBERS = [str(i % 37 / 4) for i in range(200)]


@pytest.mark.parametrize(
    ("name", "cells", "why"),
    [
        ("PassengerId", [str(7 * i) for i in range(200)], "looks like an id"),
        ("order_id", [f"o{i}" for i in range(200)], "looks like an id"),
        ("Nr", [str(i + 1) for i in range(200)], "counts the rows"),
        ("row", [str(i) for i in reversed(range(200))], "counts the rows"),
        ("empty", ["NA", ""] * 100, "has no values"),
        ("when", [f"2026-01-01T00:{i:03}" for i in range(200)], "has a text of its own"),
    ],
)
def test_what_is_not_a_feature_is_left_out_and_said(
    tmp_path: Path, name: str, cells: list[str], why: str
) -> None:
    found = looked(tmp_path, {name: cells, "x": NUMBERS, "y": Y})
    assert found.exclude == [name]
    assert found.kinds == {"x": "numeric"}
    assert len(found.notices) == 1
    assert found.notices[0].startswith(f'column "{name}" {why}')


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("paid", [str(i % 50) for i in range(200)], "numeric"),
        # All different, and not one after another: measurements may well be.
        ("height", [str(i * 3 + 1) for i in range(200)], "numeric"),
        ("zip", [f"{i % 9:05}a" for i in range(200)], "categorical"),
    ],
)
def test_features_stay(tmp_path: Path, name: str, cells: list[str], kind: str) -> None:
    found = looked(tmp_path, {name: cells, "y": Y})
    assert (found.exclude, found.kinds, found.notices) == ([], {name: kind}, [])


@pytest.mark.parametrize("spelling", ["Na", "NULL", "None", "missing", "Unknown", "?", "-", "NaT"])
def test_missing_has_many_spellings_among_numbers(tmp_path: Path, spelling: str) -> None:
    found = looked(tmp_path, {"x": [spelling, *NUMBERS[1:]], "y": Y})
    assert found.kinds == {"x": "numeric"}
    assert spelling in found.missing


def test_in_a_text_column_they_may_be_categories(tmp_path: Path) -> None:
    found = looked(tmp_path, {"x": ["unknown", "red", "blue", "red"] * 50, "y": Y})
    assert found.kinds == {"x": "categorical"}
    assert "unknown" not in found.missing


def test_a_column_half_of_numbers_is_told(tmp_path: Path) -> None:
    found = looked(tmp_path, {"x": ["tbd"] * 30 + NUMBERS[30:], "y": Y})
    assert found.kinds == {"x": "categorical"}
    (notice,) = found.notices
    assert notice == (
        'column "x" is taken for categories: 170 of its 200 values are numbers, '
        'the others are not, such as "tbd"'
    )
    assert looked(tmp_path, {"x": ["tbd"] * 30 + NUMBERS[30:], "y": Y}, missing=["tbd"]).kinds == {
        "x": "numeric"
    }


@pytest.mark.parametrize("cell", ["21,3", "-0,5", "1.234,50"])
def test_decimal_commas_are_refused(tmp_path: Path, cell: str) -> None:
    quoted = [f'"{cell}"'] * 150 + ["12"] * 50
    with pytest.raises(DataError, match=rf't\.csv, column "x": "{cell}" has a decimal comma; .*'):
        looked(tmp_path, {"x": quoted, "y": Y})
    assert looked(tmp_path, {"x": quoted, "z": NUMBERS, "y": Y}, exclude=["x"]).exclude == ["x"]
