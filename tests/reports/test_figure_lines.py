"""Figures beside accuracy as lines of a terminal, whatever the classes are called."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.evaluation.class_figures import ClassFigures
from ffn.evaluation.inference.statistics import NO_FIGURE, Interval
from ffn.promotion.overview import HeldOutRecord, held_out_record
from ffn.quantities import NOTHING
from ffn.reports.figure_lines import (
    class_lines,
    ranking_sentence,
    record_json,
    record_lines,
    record_markdown,
    wrapped,
)
from tests.helpers.report_inputs import render


def figures(name: str, recall: float, rows: int = 10) -> ClassFigures:
    return ClassFigures(
        name=name, rows=rows, recall=Interval(recall, 0.0, 1.0), precision=NO_FIGURE
    )


AUC, PRECISION, BALANCED = Interval(0.75, 0.6, 0.86), Interval(0.18, 0.07, 0.4), Interval(0.5, 0, 1)
BOTH = (figures("good", 1.0, rows=95), figures("bad", 0.0, rows=5))


def test_two_classes_name_the_one_whose_precision_it_is() -> None:
    assert ranking_sentence(AUC, PRECISION, BALANCED, "bad", BOTH) == (
        'ROC-AUC 0.750 [0.600, 0.860], average precision of "bad" 0.180 [0.070, 0.400] '
        "(by chance 0.050), balanced accuracy 0.500 [0.000, 1.000]"
    )


def test_more_classes_are_said_to_be_averaged() -> None:
    three = (*BOTH, figures("c", 0.5))
    assert ranking_sentence(AUC, PRECISION, BALANCED, "", three) == (
        "ROC-AUC 0.750 [0.600, 0.860], average precision 0.180 [0.070, 0.400], balanced accuracy "
        "0.500 [0.000, 1.000]; means over 3 classes, each against the others"
    )


def test_a_few_classes_keep_their_order() -> None:
    assert class_lines(BOTH, most=2) == [
        "      rows  recall                precision             class",
        f"        95  1.000 [0.000, 1.000]  {NOTHING} [0.000, 1.000]      good",
        f"         5  0.000 [0.000, 1.000]  {NOTHING} [0.000, 1.000]      bad",
    ]


def test_of_many_classes_those_of_the_lowest_recall_are_shown() -> None:
    """One without held-out rows has no recall, and is not among them."""
    many = [figures(f"c{number}", number / 30) for number in range(30)]
    many.append(figures("none", math.nan, rows=0))
    lines = class_lines(many[::-1], most=3)
    assert [line.split()[-1] for line in lines[1:4]] == ["c0", "c1", "c2"]
    assert lines[4].strip() == "and 28 classes of higher recall"
    lines = class_lines([figures(f"c{number}", number // 5 / 6) for number in range(30)], most=3)
    assert lines[4].strip() == "and 27 classes of equal or higher recall"


@given(st.integers(2, 30), st.integers(1, 30), st.text(min_size=1, max_size=60), st.data())
def test_lines_are_lines_of_eighty_characters(
    classes: int, most: int, name: str, data: st.DataObject
) -> None:
    shares = st.floats(0, 1) | st.just(math.nan)
    found = [figures(f"{name}{number}", data.draw(shares), 10**6) for number in range(classes)]
    lines = class_lines(found, most=most)
    # Escapes of what cannot be printed are as long as they are.
    assert all(len(line) <= 80 for line in lines if "\\" not in line)
    assert all("\n" not in line for line in lines)
    assert len(lines) == 1 + min(classes, most) + (classes > most)


def test_no_interval_is_divided() -> None:
    lines = wrapped(f"{'word ' * 14}0.750 [0.600, 0.860], more", "  label ")
    assert lines == [f"  label {'word ' * 14}".rstrip(), "        0.750 [0.600, 0.860], more"]


def test_a_record_of_an_earlier_release_has_classes_and_no_ranking() -> None:
    """Metrics as versions before the ranking metrics wrote them: NaN is null."""
    share = {"value": 0.0, "low": 0.0, "high": 0.4}
    nothing = {"value": None, "low": 0.0, "high": 1.0}
    record = held_out_record(
        {
            "classes": [
                {"name": "good", "rows": 9, "recall": share | {"value": 0.3}, "precision": share},
                {"name": "bad", "rows": 5, "recall": share, "precision": nothing},
            ]
        }
    )
    assert (record.auc, record.average_precision, record.balanced_accuracy) == (None, None, None)
    assert record.missed == 'finds 0 of the 5 held-out rows of "bad", which it never predicts'
    lines = record_lines(record, most=5)
    assert [line.split()[-1] for line in lines] == ["class", "good", "bad"]
    found = record_json(record)
    assert (found["auc"], found["missed"]) == (None, record.missed)
    assert found["classes"][1]["recall"] == [0.0, 0.0, 0.4]
    assert found["classes"][1]["precision"] is found["classes"][1]["auc"] is None


@pytest.mark.parametrize(
    "classes",
    [
        None,
        3,
        [3],
        [{}],
        [{"name": 1, "rows": 2, "recall": {"value": 0, "low": 0, "high": 1}}],
        [{"name": "a", "rows": "2", "recall": {"value": 0, "low": 0, "high": 1}}],
        [{"name": "a", "rows": 2, "recall": [0, 1]}],
    ],
)
def test_a_damaged_record_says_nothing(classes: object) -> None:
    record = held_out_record({"classes": classes, "auc": "high", "positive": 3})
    assert record == HeldOutRecord()
    assert (record.missed, record_lines(record, most=5), record_markdown(record)) == ("", [], [])


def test_names_are_text_in_markdown() -> None:
    record = HeldOutRecord(
        auc=AUC,
        average_precision=PRECISION,
        balanced_accuracy=BALANCED,
        positive="<b>*x*|",
        classes=(figures("good", 1.0), figures("<b>*x*|", 0.0)),
    )
    page = render("\n\n".join(record_markdown(record)))
    assert "average precision of <b>*x*| 0.180 [0.070, 0.400] (by chance 0.500)" in page.text
    assert [row[0] for row in page.cells] == ["class", "good", "<b>*x*|"]
    assert not {"b", "em"} & set(page.names())
