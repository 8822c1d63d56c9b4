from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.errors import one_line
from ffn.reports.markup.tables import table
from ffn.reports.score_rows import score_rows
from ffn.scoring.output.score_result import ScoreResult
from tests.helpers.report_inputs import render

DASH = "\N{EN DASH}"


def result(name: str = "flowers.csv", **changes: Any) -> ScoreResult:
    output = Path("artifacts/iris/predictions") / name
    return ScoreResult(
        **{
            "pipeline": "iris",
            "version": 3,
            "rows": 1_205,
            "scored": 1_200,
            "rejected": 5,
            "output": output,
            "rejects": output.with_name(f"{name}.rejects.csv"),
            "manifest": output.with_name(f"{name}.manifest.json"),
            "class_counts": {"Iris-setosa": 1_200, "Iris-virginica": 0},
            "reject_reasons": {"not a number": 3, "field missing": 2},
            "mean_confidence": 0.98765,
            "seconds": 0.0312,
            **changes,
        }
    )


def test_a_row_for_each_file() -> None:
    assert score_rows([result(), result("b.csv")])[0] == {
        "file": "flowers.csv",
        "rows": "1,205",
        "scored": "1,200",
        "rejected": "5",
        "classes": "Iris-setosa 1,200, Iris-virginica 0",
        "drift": DASH,
        "reasons": "not a number 3, field missing 2",
        "mean confidence": "0.988",
        "seconds": "0.0312",
        "output": "artifacts/iris/predictions/flowers.csv",
    }


def test_refused_files_come_last_with_the_reason_in_the_same_columns() -> None:
    rows = score_rows([result()], {"bad.csv": 'bad.csv: no column "petal_width".'})
    assert list(rows[0]) == list(rows[1])
    assert rows[1]["file"] == "bad.csv"
    assert render(rows[1]["reasons"]).text.strip() == (
        'not scored: bad.csv: no column "petal_width".'
    )
    assert rows[1]["scored"] == DASH


def test_nothing_scored_has_no_confidence_and_nothing_rejected_no_reason() -> None:
    (row,) = score_rows([result(mean_confidence=None, reject_reasons={}, class_counts={})])
    assert (row["mean confidence"], row["reasons"], row["classes"]) == (DASH, DASH, DASH)


def test_of_many_classes_the_largest_are_named() -> None:
    counts = {f"c{number}": number for number in range(30)}
    (row,) = score_rows([result(class_counts=counts)])
    assert row["classes"].startswith("c29 29, c28 28, ")
    # 0 + 1 + ... + 19
    assert row["classes"].endswith("c20 20, 20 others 190")


@pytest.mark.parametrize("field", ["class_counts", "reject_reasons"])
@given(data=st.data())
def test_text_from_files_stays_text(field: str, data: st.DataObject) -> None:
    hostile = st.text(
        st.sampled_from("<>&|`[]()!*_\\#~'\"-+=: \n\r\t\u202e\x00aé1."), min_size=1, max_size=30
    )
    name, file, reason = (data.draw(hostile) for _ in range(3))
    plain = render(table(score_rows([result(**{field: {"x": 1}})], {"f": "r"})))
    found = result(name=f"{file.strip('/')}x", **{field: {name: 1}})
    page = render(table(score_rows([found], {file: reason})))
    assert page.tags == plain.tags
    assert f"{one_line(name)} 1" in page.cells[1]
    assert page.cells[2][0] == one_line(file)
    assert page.cells[2][4] == f"not scored: {one_line(reason)}"
