"""What ffn init makes of the columns of a table."""

from __future__ import annotations

import random
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ffn.errors import DataError
from ffn.profiling.table_profile import TableProfile, profile_table
from ffn.tabular.ingestion.text_table import read_table


def looked(tmp_path: Path, columns: dict[str, list[str]], **known: Any) -> TableProfile:
    rows = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    file = tmp_path / "t.csv"
    file.write_text("\n".join(rows) + "\n")
    options: dict[str, list[str]] = {"exclude": [], "missing": []}
    return profile_table(read_table(file), "y", **options | known)


Y = ["a", "b"] * 100
NUMBERS = [str(i % 37 / 4) for i in range(200)]
DRAW = random.Random(1)
# Eight hexadecimal digits: one in 43 is all decimal, and some more are an exponent's.
TOKENS = [f"{DRAW.randrange(16**8):08x}" for _ in range(190)] + [f"{i}1234567" for i in range(10)]
TICKETS = [str(DRAW.randrange(10**6)) for _ in range(140)] + [f"PC {i}/9" for i in range(60)]
DAYS = [str(date(2024, 1, 1) + timedelta(days=i // 3)) for i in range(200)]
NAMES = [f"name {i}" for i in range(200)]


def decimals(count: int) -> list[str]:
    return [f"{18 + DRAW.random() * 20:.6f}" for _ in range(count)]


@pytest.mark.parametrize(
    ("name", "cells", "why"),
    [
        ("PassengerId", [str(7 * i) for i in range(200)], "looks like an id"),
        ("order_id", [f"o{i}" for i in range(200)], "looks like an id"),
        ("Nr", [str(i + 1) for i in range(200)], "counts the rows"),
        # After `frame.sample(…)`, in no order and with gaps.
        ("__index_level_0__", [str(i * 37 % 1009) for i in range(200)], "is the index of a pandas"),
        ("row", [str(i) for i in reversed(range(200))], "counts the rows"),
        ("empty", ["NA", ""] * 100, "has no values"),
        ("empty id", [""] * 200, "has no values"),
        ("note", [*NAMES[:150], *NAMES[:50]], "rarely repeats a text"),
        ("note", [*NAMES[:30], *[""] * 170], "never repeats a text"),
        ("token", TOKENS, "never repeats a text"),
        ("token", [*TOKENS[:199], TOKENS[0]], "rarely repeats a text"),
        ("Ticket", TICKETS, "never repeats a text"),
        ("hash_id", TOKENS, "looks like an id"),
        ("x2", [*decimals(170), *["tbd"] * 30], 'holds numbers, and texts such as "tbd"'),
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
        ("body_mass_index", decimals(200), "numeric"),
        ("Refractive Index", [f"1.5{i:03}" for i in range(200)], "numeric"),
        ("colour", [f"colour {i % 20}" for i in range(200)], "categorical"),
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
        'column "x" is read as categories: 170 of its 200 values are numbers, '
        'the others are not, such as "tbd"'
    )
    assert looked(tmp_path, {"x": ["tbd"] * 30 + NUMBERS[30:], "y": Y}, missing=["tbd"]).kinds == {
        "x": "numeric"
    }


def test_what_would_be_left_out_can_be_kept(tmp_path: Path) -> None:
    times = [f"{day} 10:00{'Z' if i % 2 else ''}" for i, day in enumerate(DAYS)]
    columns = {"token": TOKENS, "Nr": list(map(str, range(200))), "when": times, "y": Y}
    found = looked(tmp_path, columns, keep=["token", "Nr"])
    assert found.kinds == {"token": "categorical", "Nr": "numeric"}
    assert found.exclude == ["when"]
    assert found.notices == [
        f'column "when" has times with a zone, such as "{times[1]}", and without, such as '
        f'"{times[0]}" and is left out (--keep "when" keeps it)'
    ]


@pytest.mark.parametrize(("rows", "texts"), [(50, 26), (190, 96), (1_000, 101)])
def test_many_categories_are_told(tmp_path: Path, rows: int, texts: int) -> None:
    for different, told in ((texts, True), (texts - 1, False)):
        towns = [f"town {i % different}" for i in range(rows)]
        found = looked(tmp_path, {"town": towns, "y": (Y * 5)[:rows]})
        assert found.kinds == {"town": "categorical"}
        notice = f'column "town" is read as {texts} categories (--exclude "town"'
        assert [text.startswith(notice) for text in found.notices] == [True] * told


def test_where_nothing_is_left_the_reasons_are_told(tmp_path: Path) -> None:
    count, gaps = list(map(str, range(200))), [""] * 200
    message = (
        r't\.csv: no column is left to learn from: column "a" counts the rows; column "b" has no '
        r"values\. Add a column .*, or give --keep COLUMN"
    )
    with pytest.raises(DataError, match=message):
        looked(tmp_path, {"a": count, "b": gaps, "y": Y})
    many = {f"c{i}": count for i in range(7)}
    with pytest.raises(DataError, match=r'"c4" counts the rows; and so on, 7 columns\. Add'):
        looked(tmp_path, many | {"y": Y})


@pytest.mark.parametrize("label", ["NA", "unknown", "?"])
def test_a_label_that_may_mean_missing_needs_a_decision(tmp_path: Path, label: str) -> None:
    columns = {"x": [label, *NUMBERS[1:]], "y": [label, "b", "c", "b"] * 50}
    message = (
        rf't\.csv, column "y": 50 of 200 labels are "{re.escape(label)}", which may mean that the '
        r"row has no label, or be a class\. To leave these rows out, give --label \S+ ''; to make "
        r"it a class, give --label (\S+) \1\.$"
    )
    with pytest.raises(DataError, match=message):
        looked(tmp_path, columns)
    # Among the numbers it means "no value" whatever it is as a label.
    found = looked(tmp_path, columns, labels={label: label})
    assert label in found.missing
    assert found.labels == {label: label}
    assert found.facts[0] == "200 rows, 1 feature."
    found = looked(tmp_path, columns, missing=[label])
    assert label in found.missing
    assert found.labels == {}
    assert found.facts == [
        "200 rows, 50 without a label, 1 feature.",
        'Classes of "y": "b" 100, "c" 50.',
    ]


def test_a_sign_that_is_a_class_is_written_down_where_it_is_missing_elsewhere(tmp_path) -> None:
    """Of "+" and "-" (the credit approval table of UCI has them) neither means "no label"."""
    found = looked(tmp_path, {"x": ["-", *NUMBERS[1:]], "y": ["+", "-"] * 100})
    assert found.missing == ["", "-"]
    assert found.labels == {"-": "-"}


def test_a_label_is_a_category_where_it_can_be(tmp_path: Path) -> None:
    continents = ["NA", "EU", "", "EU"] * 50
    columns = {"from": continents, "x": NUMBERS, "y": ["NA", "EU"] * 100}
    found = looked(tmp_path, columns, labels={"NA": "NA"})
    assert found.missing == [""]
    assert found.notices == [
        'cells "NA" of column "from" are read as a category, because "NA" is also a label of "y"'
    ]
    assert looked(tmp_path, {"from": continents, "x": NUMBERS, "y": Y}).missing == ["", "NA"]
    # Not where another column has it for "no value": one list is for all features.
    columns["x"] = ["NA", *NUMBERS[1:]]
    found = looked(tmp_path, columns, labels={"NA": "NA"})
    assert (found.missing, found.labels, found.notices) == (["", "NA"], {"NA": "NA"}, [])


def test_categories_that_look_like_one_are_told(tmp_path: Path) -> None:
    colours = ["red", "Red", "blue", "red ", "caf\u00e9", "cafe\u0301", "1", "1.0"] * 25
    found = looked(tmp_path, {"colour": colours, "y": Y})
    assert found.notices == [
        'column "colour" has categories that look like spellings of the same one, but count as '
        'different ones: "red" (50 rows) and "Red" (25 rows); "caf\u00e9" (25 rows) and '
        '"cafe\\u0301" (25 rows); "1" (25 rows) and "1.0" (25 rows) (correct the table if they '
        "are the same)"
    ]


@pytest.mark.parametrize("cell", ["21,3", "-0,5", "1.234,50", "0,125"])
def test_decimal_commas_are_refused(tmp_path: Path, cell: str) -> None:
    quoted = ['"30,014"', f'"{cell}"'] * 75 + ["12"] * 50
    with pytest.raises(
        DataError, match=rf't\.csv, column "x": "{cell}" has a decimal comma; .* Give --decimal ","'
    ):
        looked(tmp_path, {"x": quoted, "y": Y})
    assert looked(tmp_path, {"x": quoted, "z": NUMBERS, "y": Y}, exclude=["x"]).exclude == ["x"]
    assert looked(tmp_path, {"x": quoted, "y": Y}, keep=["x"]).kinds == {"x": "categorical"}


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["30,014", "903", "16,126"], "30,014"),
        (["-24,691", "12,000"], "-24,691"),
    ],
)
def test_commas_between_thousands_are_not_taken_for_decimal_ones(
    tmp_path: Path, cells: list[str], first: str
) -> None:
    quoted = [f'"{cell}"' for cell in (cells * 200)[:200]]
    message = (
        f't.csv, column "price": "{first}" has a comma that may separate thousands; numbers are '
        "read with a decimal point. If it does, give --format price=1,234.5, leave "
        'the column out (--exclude "price"), or keep it as categories (--keep "price").'
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        looked(tmp_path, {"price": quoted, "y": Y})


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1.234", "2.500"], r'"1\.234" has a point that may separate thousands; .*x=1\.234,5'),
        (["1.234", "2.5"], r'"2\.5" has a decimal point; .* Give --decimal "\."'),
    ],
)
def test_points_where_commas_are_read(tmp_path: Path, cells: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        looked(tmp_path, {"x": cells * 100, "y": Y}, decimal=",")


@pytest.mark.parametrize(
    ("cells", "form", "notice"),
    [
        (["$1,234.50", "-$5", "($7.25)"], "$1,234.50", 'in "$": "$1,234.50" is 1234.5'),
        (["$45,000", "$120,000"], "$1,234.50", 'in "$": "$45,000" is 45000'),
        (["12%", "3.5 %"], "1234.5%", 'in "%": "3.5 %" is 3.5'),
        (["1.234,50 €", "2 €"], "1.234,5€", 'in "€": "1.234,50 €" is 1234.5'),
        (["CHF 1'200", "CHF 900"], "CHF 1'234.50", 'in "CHF": "CHF 1\'200" is 1200'),
        (["1\u202f234,5", "12,5"], "1 234,5", ""),
        (["-1,234,567", "12"], "1,234.5", '"-1,234,567" is -1234567'),
        (["1,234,567.5", "1,000"], "1,234.5", '"1,234,567.5" is 1234567.5'),
        (["\u22125.5", "3"], "1234.5", '"\u22125.5" is -5.5'),
        (["5-", "3"], "1234.5", '"5-" is -5'),
        (["5 kg", "12 kg"], "1234.5 kg", 'in "kg": "5 kg" is 5'),
        (["36 months", "60 months"], "1234.5 months", '"36 months" is 36'),
        (["1.2e3 USD", "USD -5"], "USD 1234.50", '"1.2e3 USD" is 1200'),
        (["₹12,34,567", "₹99"], "₹1,234.50", '"₹12,34,567" is 1234567'),
        (
            ["5 kg", "6 kg", "7"],
            "1234.5 kg",
            '66 of its 200 values have no "kg" and are read in the same unit',
        ),
    ],
)
def test_numbers_of_one_format_are_read_and_told(
    tmp_path: Path, cells: list[str], form: str, notice: str
) -> None:
    quoted = [f'"{cell}"' for cell in (cells * 200)[:200]]
    found = looked(tmp_path, {"x": quoted, "y": Y})
    assert (found.kinds, found.formats) == ({"x": "numeric"}, {"x": form})
    assert len(found.notices) == 1
    assert found.notices[0].startswith('column "x" is read as numbers')
    assert notice in found.notices[0]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            [f"${i}" for i in range(30)] + [f"€{i}" for i in range(20)],
            'in 2 units, "$" in 120 cells and "€" in 80 cells',
        ),
        (
            [f"{i} kg" for i in range(30)] + [f"{i} g" for i in range(20)],
            '"kg" in 120 cells and "g" in 80 cells',
        ),
        ([f"{i}%" for i in range(1, 51)] * 3 + ["0.5"] * 50, '"%" in 150 cells and none in 50'),
        ([f"€{i},000" for i in range(1, 51)], "--format 'x=€1234,50' or --format 'x=€1,234.50'"),
        ([f"${i / 10}M" for i in range(1, 51)], 'between "$" and "M", which are not read'),
        (["".join(chr(0x660 + int(d)) for d in str(i)) for i in range(50)], "in other digits than"),
    ],
)
def test_what_would_be_a_guess_is_refused(tmp_path: Path, cells: list[str], message: str) -> None:
    quoted = [f'"{cell}"' for cell in (cells * 4)[:200]]
    with pytest.raises(DataError, match=rf't\.csv, column "x" has .*{re.escape(message)}'):
        looked(tmp_path, {"x": quoted, "y": Y})
    assert looked(tmp_path, {"x": quoted, "z": NUMBERS, "y": Y}, exclude=["x"]).exclude == ["x"]
    assert looked(tmp_path, {"x": quoted, "y": Y}, keep=["x"]).kinds == {"x": "categorical"}


def test_few_texts_in_several_units_are_categories_and_told(tmp_path: Path) -> None:
    found = looked(tmp_path, {"dose": ["5 mg", "10 mg", "1 g", "5 mg"] * 50, "y": Y})
    assert found.kinds == {"dose": "categorical"}
    (notice,) = found.notices
    assert '"mg" in 150 cells and "g" in 50 cells; they are not put together' in notice


@pytest.mark.parametrize(
    "cells",
    [
        ["Q1", "Q2", "Q3", "Q4"],
        ["1st", "2nd", "3rd", "4th"],
        ["10-20", "20-30"],
        ["1/2", "3/4"],
        ["12:30", "13:15"],
        ["1.2.3", "1.2.4"],
        ["10.0.0.1", "10.0.0.2"],
        ["v1", "v2"],
        ["12 Main St", "40 Oak Ave"],
        ["3 pm", "9 am"],
        ["0x1F", "0x2A"],
        ["5 x 3", "7 x 2"],
    ],
)
def test_texts_with_numbers_in_them_stay_categories(tmp_path: Path, cells: list[str]) -> None:
    found = looked(tmp_path, {"x": (cells * 200)[:200], "y": Y})
    assert (found.kinds, found.formats, found.notices) == ({"x": "categorical"}, {}, [])


def test_a_format_that_is_given_is_not_looked_for(tmp_path: Path) -> None:
    cells = [f'"{i},{i % 10}00"' for i in range(10, 210)]
    found = looked(tmp_path, {"x": cells, "y": Y}, formats={"x": "1,234.5"})
    assert (found.kinds, found.formats) == ({"x": "numeric"}, {"x": "1,234.5"})
    # Something that is no unit is not taken for one, unless the user says so.
    about = [f"~{i}" for i in range(40)] * 5
    found = looked(tmp_path, {"x": about, "y": Y})
    assert found.notices == [
        'column "x" has "~" beside a number in every cell, and is read as 40 categories '
        "(--format 'x=~1234.50' reads it as numbers)"
    ]
    assert looked(tmp_path, {"x": about, "y": Y}, formats={"x": "~1234.5"}).kinds == {
        "x": "numeric"
    }


def test_errors_of_excel_among_numbers_are_missing(tmp_path: Path) -> None:
    found = looked(tmp_path, {"x": ["#DIV/0!", "#VALUE!", *NUMBERS[2:]], "y": Y})
    assert found.kinds == {"x": "numeric"}
    assert {"#DIV/0!", "#VALUE!"} <= set(found.missing)


def test_a_few_codes_of_which_some_are_words_are_categories(tmp_path: Path) -> None:
    grades = ["9", "10", "11", "12"] * 24 + ["other"] * 2
    found = looked(tmp_path, {"grade": grades, "y": ["a", "b"] * 49})
    assert found.kinds == {"grade": "categorical"}
    assert found.notices == [
        'column "grade" is read as 5 categories: not all of its few texts are numbers, such as '
        '"other"'
    ]


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(["9", "10"] * 48 + ["other", "11"], id="a word that comes once"),
        pytest.param([str(i) for i in range(96)] + ["other"] * 2, id="many numbers"),
    ],
)
def test_a_word_in_a_column_of_numbers_stays_for_training_to_refuse(
    tmp_path: Path, cells: list[str]
) -> None:
    found = looked(tmp_path, {"n": cells, "y": ["a", "b"] * 49})
    assert found.kinds == {"n": "numeric"}
