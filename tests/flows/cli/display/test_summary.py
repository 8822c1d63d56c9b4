"""What is said of scored files, and how fast they go."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffn.errors import FFNError
from ffn.evaluation.inference.mcnemar import compatible_interval, two_sided_p
from ffn.evaluation.inference.paired import LabelCounts
from ffn.evaluation.inference.statistics import Interval
from ffn.pipelines.outcomes import Refusal, ScoreOutcome
from ffn.pipelines.progress import Pace
from ffn.promotion.comparison import Paired
from ffn.promotion.shared_rows import SharedRows
from ffn.registry.run_log import DriftNote
from ffn.scoring.drift.column_drift import ColumnDrift
from ffn.scoring.drift.drift_report import DriftReport, HeldError
from ffn.scoring.drift.psi import Distance
from ffn.scoring.output.score_result import Progress, ScoreResult, unknown_sentences
from flows.cli.display.comparison_table import paired_sentence
from flows.cli.display.summary import print_scoring


def result(name="a.csv", classes=None, reasons=None, confidence=0.9, seconds=0.1):
    classes, reasons, output = classes or {"x": 3, "y": 1}, reasons or {}, Path("/p") / name
    scored, rejected = sum(classes.values()), sum(reasons.values())
    return ScoreResult(
        pipeline="things",
        version=7,
        rows=scored + rejected,
        scored=scored,
        rejected=rejected,
        output=output,
        rejects=output.with_name(name + ".rejects.csv"),
        manifest=output.with_name(name + ".manifest.json"),
        class_counts=classes,
        reject_reasons=reasons,
        mean_confidence=confidence,
        seconds=seconds,
    )


def printed(*results, **options):
    file = io.StringIO()
    outcome = ScoreOutcome(pipeline="things", version=7, results=results, refusals=[])
    print_scoring(outcome, file, **options)
    # Neither ruling nor the blanks of a table's columns.
    lines = (" ".join(line.replace("\N{BOX DRAWINGS LIGHT HORIZONTAL}", "").split())
             for line in file.getvalue().splitlines())  # fmt: skip
    return [line for line in lines if line]


def test_one_file_has_its_classes_rejects_and_paths():
    assert printed(result(reasons={"not_a_number": 3, "nul_byte": 1})) == [
        "things, version 7: 4 of 8 rows scored, mean confidence 0.900.",
        "class rows share",
        "x 3 37.5 %",
        "y 1 12.5 %",
        "rejected: not_a_number 3 37.5 %",
        "rejected: nul_byte 1 12.5 %",
        "predictions /p/a.csv",
        "manifest /p/a.csv.manifest.json",
        "rejects /p/a.csv.rejects.csv",
    ]


def test_what_went_to_stdout_has_no_path():
    assert printed(result(), sent=True)[-2:] == ["y 1 25.0 %", "manifest /p/a.csv.manifest.json"]


def test_several_files_are_summed_and_listed():
    many = [result(f"{n:02}.csv", {"x": n, "y": 0}, confidence=n / 100) for n in range(30)]
    lines = printed(*many, result("none.csv", {"x": 0}, {"nul_byte": 2}, None, 0.9))
    # 0 + 1 + … + 29 rows; their confidences weigh by rows: sum of n² over 100 times the sum of n.
    assert lines[:5] == [
        f"things, version 7: 435 of 437 rows scored, mean confidence {8555 / 43500:.3f}, "
        f"{437 / 3.9:.0f} rows a second.",
        "1 of 31 files has a header and no rows.",
        "class rows share",
        "x 435 99.5 %",
        "y 0 0.0 %",
    ]
    assert lines[6:8] == ["file rows rejected mean confidence", "00.csv 0 0 0.000"]
    assert lines[-2:] == ["and 11 files more", "predictions /p"]


def test_of_many_classes_the_largest_are_shown():
    lines = printed(result(classes={f"c{n}": n for n in range(25)}))
    assert lines[2] == "c24 24 8.0 %"
    assert lines[22] == "5 classes more 10 3.3 %"


def test_nothing_scored_says_nothing():
    assert printed() == []
    empty = result(classes={"x": 0}, confidence=None)
    assert printed(empty)[:2] == [
        "things, version 7: 0 of 0 rows scored.",
        "The file has a header and no rows.",
    ]
    assert printed(result(), empty, empty)[1] == "2 of 3 files have a header and no rows."


@pytest.mark.parametrize(
    ("rows", "done", "size", "now", "note"),
    [
        (1_000, 100, 1_000, 10.0, "1,000 rows"),
        (3_000, 300, 1_000, 10.0, "3,000 rows"),
        (3_000, 300, 1_000, 12.0, "3,000 rows, 1,000 rows/s, 0:00:07 left"),
        (3_000, 300, None, 12.0, "3,000 rows, 1,000 rows/s"),
        (10_000, 1_000, 1_000, 100.0, "10,000 rows, 100 rows/s, 0:00:00 left"),
    ],
)
def test_the_pace_is_that_since_the_first_report(rows, done, size, now, note):
    pace = Pace()
    first = Progress(rows=1_000, rejected=0, bytes_read=100, size=size)
    assert pace.note(first, 10.0) == "1,000 rows"
    assert pace.note(Progress(rows=rows, rejected=0, bytes_read=done, size=size), now) == note


def drifted(*, alarm=True):
    distance = Distance(psi=1.234, limit=0.5, total_variation=0.4)
    column = ColumnDrift(name="size", distance=distance, alarm=alarm)
    return DriftReport(
        rows=40, judged=True, columns=(column,), predictions=None, suspicions=("it looks odd",)
    )


def test_drift_is_one_line_a_file():
    said = 'unlike training: "size" (PSI 1.23); it looks odd.'
    one = dataclasses.replace(result(), drift=drifted())
    assert f"Drift: these rows are {said}" in printed(one)
    files = [dataclasses.replace(one, output=Path("/p") / f"{n}.csv") for n in range(5)]
    lines = [line for line in printed(*files) if line.startswith("Drift")]
    assert lines == [f"Drift: {n}.csv is {said}" for n in range(3)] + [
        "Drift: 2 files more are unlike the training rows."
    ]
    assert not any("Drift" in line for line in printed(result()))


def test_with_what_season_a_file_was_compared_is_said_without_drift_too():
    beside = {"compared": "with the training rows of May", "months": "May"}
    none = dataclasses.replace(drifted(alarm=False), **beside)
    one = dataclasses.replace(result(), drift=none)
    assert "Drift: none, compared with the training rows of May." in printed(one)
    assert not any("Drift" in line for line in printed(one, one)), "of many files it is not said"
    said = 'Drift: these rows are unlike training rows of May: "size" (PSI 1.23); it looks odd.'
    assert said in printed(dataclasses.replace(one, drift=dataclasses.replace(drifted(), **beside)))


def test_an_outcome_knows_the_files_that_drifted_scored_or_held_and_not_those_of_before():
    scored = dataclasses.replace(result("a.csv"), drift=drifted())
    before = dataclasses.replace(result("b.csv"), drift=drifted(), unchanged=True)
    clean = dataclasses.replace(result("c.csv"), drift=drifted(alarm=False))
    held = Refusal.of(Path("in/d.csv"), HeldError("d.csv: held.", drifted()))
    other = Refusal.of(Path("in/e.csv"), FFNError("e.csv: no."))
    outcome = ScoreOutcome(
        pipeline="things", version=7, results=[scored, before, clean], refusals=[held, other]
    )
    assert outcome.drift == {"a.csv": drifted(), "d.csv": drifted()}
    assert outcome.to_json()["files"][0]["drift"]["detected"]
    few = dataclasses.replace(
        result("f.csv"), drift=dataclasses.replace(drifted(alarm=False), judged=False)
    )
    said = 'unlike training: "size" (PSI 1.23); it looks odd'
    noted = dataclasses.replace(outcome, results=[scored, before, clean, few]).drift_note
    assert noted == DriftNote(
        judged=3, detected=2, columns=("size",), text=f"a.csv, {said}; d.csv, {said}"
    )
    assert dataclasses.replace(outcome, results=[before, few], refusals=[other]).drift_note is None


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 500), st.integers(0, 3))
def test_p_and_interval_of_two_versions_agree_as_they_are_printed(gained, lost, same, looks):
    """Read back from the sentence: below 0.05 exactly where zero is not in the interval."""
    rows = max(1, gained + lost + same)
    labels = LabelCounts(rows=rows, gained=gained, lost=lost, production_wrong=gained)
    paired = Paired(
        rows=SharedRows(held_out=rows, trained_on=0, refused=0, fit=rows),
        labels=labels,
        accuracy=compatible_interval(labels),
        log_loss=Interval(0.0, -1.0, float("inf")),
        p_value=two_sided_p(labels),
        looks=looks,
    )
    text = paired_sentence(1, 2, paired)
    figure = r"([-+][\d.e-]+)"
    told = re.search(rf"Accuracy {figure} \[{figure}, {figure}\], p (<|=) ([\d.]+)", text)
    assert told is not None
    low, high, p = float(told[2]), float(told[3]), float(told[5])
    assert (p < 0.05) == (low > 0 or high < 0)
    assert "log-loss +0.0000 [-1.0000, no upper bound]" in text
    assert ("up to 1 time," in text) == (looks == 1)
    assert "∞" not in text
    assert "p = <" not in text


@pytest.mark.parametrize(
    ("files", "refused", "text"),
    [
        (0, 1, "0 files scored with version 7: 0 of 0 rows; 1 refused: no"),
        (1, 0, "1 file scored with version 7: 1 of 1 row."),
        (2, 0, "2 files scored with version 7: 2 of 2 rows."),
    ],
)
def test_the_journals_sentence_counts_none_one_and_many(files, refused, text):
    done = [result(f"{n}.csv", {"x": 1}) for n in range(files)]
    refusals = [Refusal(source=Path("r.csv"), reason="no")] * refused
    outcome = ScoreOutcome(pipeline="things", version=7, results=done, refusals=refusals)
    assert outcome.note()[2] == text


def test_one_more_file_that_drifted_is_one():
    drift = DriftReport(
        rows=30,
        judged=True,
        columns=tuple(
            ColumnDrift(
                name=f"c{n}", distance=Distance(psi=1, limit=0, total_variation=1), alarm=True
            )
            for n in range(6)
        ),
        predictions=None,
        suspicions=(),
    )
    assert drift.sentence.endswith('"c4" (PSI 1.00), 1 column more')
    several = [dataclasses.replace(result(f"{n}.csv"), drift=drift) for n in range(4)]
    assert any("Drift: 1 file more is unlike the training rows." in x for x in printed(*several))


def test_a_column_of_which_nothing_is_known_is_told_loudly():
    unknown = {"vaccinated": ["yes", "no"]}
    wrong = dataclasses.replace(result(), warnings=tuple(unknown_sentences(unknown)))
    text = "\n".join(printed(wrong))
    assert (
        'Warning: Training never saw any value of the column "vaccinated", such as "yes", "no"; '
        "they were scored as unknown. Is it spelled as in the training table?"
    ) in text
    other = dataclasses.replace(wrong, output=Path("/p/b.csv"))
    text = "\n".join(printed(result(), *[other] * 7))
    assert text.count("Warning: b.csv: Training never saw") == 5
    assert "Warning: 2 more of such files." in text


def test_warnings_are_printed_and_kept_in_the_log_of_runs():
    warned = [
        dataclasses.replace(result(f"{n}.csv"), warnings=(f"{n} of 9 rows were rejected.",))
        for n in range(1, 8)
    ]
    assert "Warning: 1 of 9 rows were rejected." in printed(warned[0])
    lines = [line for line in printed(*warned) if line.startswith("Warning")]
    assert lines[0] == "Warning: 1.csv: 1 of 9 rows were rejected."
    assert lines[5:] == ["Warning: 2 more of such files."]
    outcome = ScoreOutcome(pipeline="things", version=7, results=warned, refusals=[])
    assert outcome.note()[2].endswith("; warning (and 6 more): 1 of 9 rows were rejected.")
    assert outcome.to_json()["files"][0]["warnings"] == ["1 of 9 rows were rejected."]
    asked = dataclasses.replace(result(), warnings=("Never seen. Is it spelled as in training?",))
    outcome = ScoreOutcome(pipeline="things", version=7, results=[asked], refusals=[])
    assert outcome.note()[2].endswith("; warning: Never seen. Is it spelled as in training?")
