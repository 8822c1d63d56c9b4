"""A number is the same in whatever container, and however its column writes it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ffn.errors import DataError
from ffn.scoring.score_file import score_csv
from ffn.tabular.memory.frames import read_frame
from tests.helpers.scorers import COLOUR, REFERENCE, SCHEMA, SIZE, TenthsScorer

VALUES = [7.5, 0.25, -3.0, 2.0, 9.875, 1.234]
WRITTEN = {
    "$1,234.50": ["$7.50", "0.25 $", "($3)", "$2e0", "$9.875", "1.234"],
    "1.234,5 €": ["7,50 €", "€0,25", "\u22123 €", "2", "9,875\u00a0€", "€ 1,234"],
    "1234.5%": ["7.5%", "0.25 %", "-3%", "2 %", "%9.875", "1.234%"],
    "1234.5": ["7.50", ".25", "3-", "+2", "9.875\u00a0", "1.234"],
}


def scorer(form: str) -> TenthsScorer:
    size = replace(SIZE, format=form)
    schema = replace(SCHEMA, features=(size, COLOUR))
    return TenthsScorer(schema=schema, reference=REFERENCE)


def scored(
    path: Path, model: TenthsScorer, delimiter: str = ",", decimal: str = "."
) -> list[tuple[str, str]]:
    """Label and confidence of each row."""
    output = path.with_suffix(".out.csv")
    score_csv(model, path, output, delimiter=delimiter, decimal=decimal)
    with output.open(newline="", encoding="utf-8") as file:
        return [
            (row["predicted_kind"], row["confidence"])
            for row in csv.DictReader(file, delimiter=delimiter)
        ]


def expected() -> list[tuple[str, str]]:
    shares = [min(max(value / 10, 0), 1) for value in VALUES]
    return [
        ("large" if share > 0.5 else "small", f"{max(share, 1 - share):.4f}") for share in shares
    ]


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("repeated", [1, 500])
def test_texts_are_read_alike_in_csv_parquet_and_frames(
    tmp_path: Path, form: str, repeated: int
) -> None:
    texts = pd.DataFrame({"size": WRITTEN[form] * repeated, "colour": "blue"})
    model = scorer(form)
    texts.to_csv(tmp_path / "t.csv", index=False)
    assert scored(tmp_path / "t.csv", model) == expected() * repeated
    texts.to_parquet(tmp_path / "t.parquet")
    assert scored(tmp_path / "t.parquet", model) == expected() * repeated
    x = read_frame(texts, model.schema, model.preparation)
    np.testing.assert_array_equal(x[:, 0], np.float32(VALUES * repeated))


@pytest.mark.parametrize("form", ["$1,234.50", "1.234,5 €", "1234.5"])
@pytest.mark.parametrize("decimal", [".", ","])
def test_numbers_that_are_numbers_already_are_themselves(
    tmp_path: Path, form: str, decimal: str
) -> None:
    """Above all 1.234, which is no thousand in a column whose texts have points between them."""
    model = scorer(form)
    table = pd.DataFrame({"size": VALUES, "colour": "blue"})
    table.to_parquet(tmp_path / "t.parquet")
    found = scored(tmp_path / "t.parquet", model, decimal=decimal, delimiter=";")
    assert [(label, share.replace(",", ".")) for label, share in found] == expected()
    for column in (VALUES, np.array(VALUES, dtype=object)):
        x = read_frame(table.assign(size=column), model.schema, model.preparation)
        np.testing.assert_array_equal(x[:, 0], np.float32(VALUES))


def test_a_percentage_is_none_without_its_sign(tmp_path: Path) -> None:
    model = scorer("1234.5%")
    message = (
        r'column "size": training had numbers with "%", but these are numbers without it, so '
        r'it is unclear whether 12 or 0\.12 is twelve "%"\. Give texts such as "12%"'
    )
    for values in (VALUES, [1, 2, 3, 4, 5, 6]):
        table = pd.DataFrame({"size": values, "colour": "blue"})
        table.to_parquet(tmp_path / "t.parquet")
        with pytest.raises(DataError, match=message):
            score_csv(model, tmp_path / "t.parquet", tmp_path / "out.csv")
        with pytest.raises(DataError, match=message):
            read_frame(table, model.schema, model.preparation)
    coded = pa.table({"size": pa.array([1.5, 2.5]).dictionary_encode(), "colour": ["red", "blue"]})
    pq.write_table(coded, tmp_path / "t.parquet")
    with pytest.raises(DataError, match=message):
        score_csv(model, tmp_path / "t.parquet", tmp_path / "out.csv")
    mixed = pd.DataFrame({"size": ["12%", 0.12], "colour": "blue"})
    with pytest.raises(DataError, match=message):
        read_frame(mixed, model.schema, model.preparation)


def test_cells_outside_of_the_format_are_rejected_one_by_one(tmp_path: Path) -> None:
    cells = ["$5", "€5", "12%", "$1,23", "x", "", "-9", "$-9", "NA", "1.5.2"]
    model = TenthsScorer(
        schema=replace(SCHEMA, features=(replace(SIZE, format="$1,234.50", missing=True), COLOUR))
    )
    rows = "".join(f'"{cell}",blue\n' for cell in cells)
    (tmp_path / "t.csv").write_text(f"size,colour\n{rows}", encoding="utf-8")
    outcome = score_csv(model, tmp_path / "t.csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv.rejects.csv").open(newline="", encoding="utf-8") as file:
        found = [(row["row"], row["value"], row["reason"]) for row in csv.DictReader(file)]
    wrong = [(i, cell) for i, cell in enumerate(cells, 1) if cell in {"€5", "12%", "$1,23", "x"}]
    wrong.append((10, "1.5.2"))
    assert found == [(str(i), cell, "not_a_number") for i, cell in wrong]
    assert outcome.rows == 10
    assert outcome.scored == 5


def test_where_all_rows_are_rejected_the_format_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("size,colour\n12,red\n0.5,blue\n")
    message = (
        r"all 2 rows were rejected \(not_a_number 2\), so no output was written\. Column "
        r'"size" is read as numbers written as "1234\.5%"'
    )
    with pytest.raises(DataError, match=message):
        score_csv(scorer("1234.5%"), tmp_path / "t.csv", tmp_path / "out.csv")
