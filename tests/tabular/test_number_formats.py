"""Formats from the settings to the bundle, and what is said where none is declared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ffn.errors import BundleError, DataError, SettingsError
from ffn.tabular.schema import Feature, Schema
from tests.helpers.retrained import made, prepare

SIGNED = [f"{'(' * (i % 5 == 0)}${i * 37.25:,.2f}{')' * (i % 5 == 0)}" for i in range(1, 301)]
VALUES = [i * 37.25 * (-1 if i % 5 == 0 else 1) for i in range(1, 301)]


def table(cells: list[str]) -> str:
    rows = (f'"{cell}",{i % 7},{"ab"[i % 2]}\n' for i, cell in enumerate(cells))
    return "x,n,y\n" + "".join(rows)


def test_formatted_numbers_are_learnt_from_as_plain_ones(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    formatted = made(tmp_path, table(SIGNED), '[data.formats]\nx = "$1,234.50"')
    plain = made(tmp_path / "one", table([f"{value:.2f}" for value in VALUES]))
    found, expected = prepare(formatted), prepare(plain)
    np.testing.assert_array_equal(found.x_train, expected.x_train)
    np.testing.assert_array_equal(found.fingerprints, expected.fingerprints)
    own = {feature.name: feature for feature in found.schema.features}
    assert own["x"].format == "$1,234.50"
    assert own["n"].format is None
    bare = replace(found.schema, features=(replace(own["x"], format=None), own["n"]))
    assert bare == expected.schema


def test_a_format_is_in_the_schema_only_where_it_is_declared() -> None:
    plain = Feature(name="n", kind="numeric", minimum=0.0, maximum=1.0)
    money = replace(plain, name="x", format="$1,234.50")
    schema = Schema(features=(plain, money), target="y", classes=("a", "b"))
    written = schema.to_json()
    assert "format" not in written["features"][0]
    assert written["features"][1]["format"] == "$1,234.50"
    assert Schema.from_json(written) == schema
    for wrong in ({"format": "12%"}, {"format": 3}, {"format": "$1,234.50", "kind": "categorical"}):
        broken = {**written, "features": [{**written["features"][1], **wrong}]}
        with pytest.raises(BundleError, match=r'not a schema of this format \(feature "x"\)'):
            Schema.from_json(broken)


def test_categories_that_are_numbers_are_told_with_the_line_that_reads_them(tmp_path: Path) -> None:
    cells = [f"{i % 60 + 10}%" for i in range(300)]
    prepared = prepare(made(tmp_path, table(cells)))
    assert prepared.schema.features[0].kind == "categorical"
    assert (
        'column "x" is read as 60 categories. Cells such as "10%" are numbers with the sign "%": '
        'to read them, add x = "1234.5%" under [data.formats]'
    ) in prepared.notices
    # Who has said what it is has said it.
    said = prepare(made(tmp_path, table(cells), '[data.kinds]\nx = "categorical"'))
    assert not any("data.formats" in notice for notice in said.notices)


@pytest.mark.parametrize(
    ("cells", "toml", "message"),
    [
        (
            SIGNED,
            "",
            r'300 different texts in 300 rows look like names or ids\. Cells such as "\$.*" are '
            r'numbers with the sign "\$": to read them, add x = "\$1,234\.50" under \[data\.fo',
        ),
        (
            [f"${i}" if i % 2 else f"€{i}" for i in range(300)],
            "",
            r'It has numbers in 2 units, "[$€]" in 150 cells and "[$€]" in 150 cells',
        ),
        (
            ["$5.50", *map(str, range(299))],
            "",
            r'"\$5\.50" is not a finite number, and the column is numeric\. Cells such as '
            r'"\$5\.50" are numbers with the sign "\$": to read them, add x = "\$1234\.50" under',
        ),
        (
            [*SIGNED[:-1], "€5"],
            '[data.formats]\nx = "$1,234.50"',
            r'row 300 \(line 301\), column "x": "€5" is not a number in the format "\$1,234\.50"',
        ),
        (
            [*SIGNED[:-1], "$2e15"],
            '[data.formats]\nx = "$1,234.50"',
            r'"\$2e15" is beyond ±1e\+15',
        ),
    ],
)
def test_refusals_say_how_the_column_is_read(
    tmp_path: Path, cells: list[str], toml: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        prepare(made(tmp_path, table(cells), toml))


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('[data.formats]\nX = "$1,234.50"', r'names "X", which is not a feature.*Did you mean "x"'),
        ('[data.formats]\ny = "$1,234.50"', r'data\.formats names "y", which is not a feature'),
        (
            '[data.formats]\nx = "$1,234.50"\n[data.kinds]\nx = "categorical"',
            r'data\.formats gives a format for "x", but data\.kinds says that it is',
        ),
    ],
)
def test_a_format_needs_its_numeric_feature(tmp_path: Path, toml: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        prepare(made(tmp_path, table(SIGNED), toml))
