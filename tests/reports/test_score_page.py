"""The page about a run of scoring: counts, first examples, shares beside training's, no markup."""

from __future__ import annotations

import json

from markdown_it import MarkdownIt

from ffn.bundles.contents import measure, seal
from ffn.quantities import NOTHING
from ffn.reports.score_page import score_page, score_sentence, training_counts
from ffn.scoring.output.score_result import ScoreResult, unknown_sentences


def result(folder, name, rejects="", **changes):
    values = {
        "pipeline": "p",
        "version": 3,
        "rows": 10,
        "scored": 10,
        "rejected": 0,
        "output": folder / name,
        "rejects": folder / f"{name}.rejects.csv",
        "manifest": folder / f"{name}.manifest.json",
        "class_counts": {"a": 9, "b": 1},
        "reject_reasons": {},
        "mean_confidence": 0.9,
        "seconds": 0.1,
    }
    found = ScoreResult(**values | changes)
    found.rejects.write_text("row,line,column,value,reason\n" + rejects)
    return found


def html(markdown):
    return MarkdownIt("commonmark").enable("table").render(markdown)


def cells(page, heading):
    """The rows of the table under a heading, as text."""
    lines = page.split(f"### {heading}\n\n")[1].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines[2:]]


def test_rows_are_counted_over_files_and_shares_stand_beside_trainings(tmp_path):
    both = [
        result(tmp_path, "x.csv"),
        result(
            tmp_path,
            "y.csv",
            scored=8,
            rejected=2,
            class_counts={"a": 3, "b": 5},
            reject_reasons={"missing_value": 2},
        ),
    ]
    page = score_page(both, {}, {"a": 50, "b": 150})
    assert "**2 files scored: 18 of 20 rows; 2 rows rejected.**" in page
    # 12 of 18 and 6 of 18, where training had a quarter and three quarters.
    assert cells(page, "Classes") == [
        ["a", "12", "66.7 %", "25.0 %"],
        ["b", "6", "33.3 %", "75.0 %"],
    ]


def test_the_first_rejected_rows_are_shown_with_where_they_are(tmp_path):
    rejects = "".join(f"{n},{n + 1},size,x{n},not_a_number\n" for n in range(1, 9))
    one = result(
        tmp_path,
        "x.csv",
        rejects + '9,10,,"a,b",wrong_field_count\n',
        scored=1,
        rejected=9,
        reject_reasons={"not_a_number": 8, "wrong_field_count": 1},
    )
    first, second = cells(score_page([one], {}, {}), "Rejected rows")
    assert first == [
        "not_a_number",
        "x.csv line 2, size: x1; x.csv line 3, size: x2; x.csv line 4, size: x3",
        "8",
    ]
    assert second == ["wrong_field_count", "x.csv line 10: a,b", "1"]


def test_refused_files_are_shown_with_their_reason(tmp_path):
    page = score_page([], {"bad.csv": "bad.csv has no column"}, {})
    assert "0 files scored: 0 of 0 rows; 1 file refused." in page
    assert cells(page, "Refused files") == [["bad.csv", "bad.csv has no column"]]


def test_neither_file_nor_cell_can_inject_markup(tmp_path):
    evil = "<script>x</script>![p](http://e.example/p.png)|\n# head"
    one = result(
        tmp_path,
        "x.csv",
        f'1,2,"{evil}","{evil}",not_a_number\n',
        scored=9,
        rejected=1,
        reject_reasons={"not_a_number": 1},
        class_counts={evil: 9},
    )
    shown = html(score_page([one], {evil: evil}, {evil: 1}))
    assert "<script" not in shown
    assert "<img" not in shown
    assert "<h1" not in shown
    assert shown.count("<table>") == 3
    assert shown.count("<tr>") == 6


def test_a_rejects_file_that_is_gone_costs_the_examples_only(tmp_path):
    one = result(tmp_path, "x.csv", scored=9, rejected=1, reject_reasons={"missing_value": 1})
    one.rejects.unlink()
    assert cells(score_page([one], {}, {}), "Rejected rows") == [["missing_value", NOTHING, "1"]]


def test_training_counts_are_those_of_the_versions_figures(tmp_path):
    folder = tmp_path / "models/0003"
    folder.mkdir(parents=True)
    assert training_counts(tmp_path, 3) == {}
    classes = [{"name": "a", "rows": 4}, {"name": "b", "rows": 6}]
    (folder / "metrics.json").write_text(json.dumps({"test": {"classes": classes}}))
    seal(folder, measure(folder), pipeline="p", version=3)
    assert training_counts(tmp_path, 3) == {"a": 4, "b": 6}


def test_the_sentence_tells_what_is_there(tmp_path):
    assert score_sentence([result(tmp_path, "x.csv")], {}) == "1 file scored: 10 of 10 rows."


def test_warnings_stand_on_the_page_with_their_files(tmp_path):
    found = result(tmp_path, "x.csv", warnings=("3 of 10 rows were rejected.",))
    page = score_page([found, result(tmp_path, "y.csv")], {}, {})
    assert cells(page, "Warnings") == [["x.csv", "3 of 10 rows were rejected."]]
    assert "Warnings" not in score_page([result(tmp_path, "y.csv")], {}, {})


def test_a_column_of_which_nothing_is_known_brings_no_markup(tmp_path):
    sentences = tuple(unknown_sentences({"a*b*": ["<i>", "yes"]}))
    page = score_page([result(tmp_path, "x.csv", warnings=sentences)], {}, {})
    assert "Training never saw any value of the column" in html(page)
    assert "<em>" not in html(page)
    assert "<i>" not in html(page)
