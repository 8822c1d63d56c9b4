"""Labels that come later are joined to predictions, and every row is counted once."""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ffn
from ffn.monitoring.record.delivery import Delivery
from ffn.settings.pipeline import find_pipeline
from tests.monitoring.conftest import change_settings, counts, labels, rows, scored, write


def predictions(output: Path) -> dict[str, tuple[str, float]]:
    """Label and confidence by id, as another reader finds them."""
    with output.open(newline="") as file:
        return {
            row["id"]: (row["predicted_y"], float(row["confidence"]))
            for row in csv.DictReader(file)
        }


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (1, "1 scored only after its label had come, 1 left out, as the version was trained on it"),
        (
            2,
            "2 scored only after their label had come, 2 left out, as the version was trained on "
            "them",
        ),
    ],
)
def test_rows_that_were_not_joined_are_told_with_the_reason(count: int, told: str) -> None:
    delivery = Delivery(name="l.csv", sha256="", rows=9, joined=5, late=count, trained_on=count)
    assert delivery.sentence == f"l.csv: 5 of 9 rows joined to predictions, {told}."


def test_accuracy_is_what_another_reader_counts(root: Path) -> None:
    found = rows(200, 2, first=1000)
    output = scored(root, found)
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    told = predictions(output)
    right = sum(told[one][0] == label for one, *_, label in found)
    assert counts(outcome.deliveries[0]) == {"joined": 200}
    quality = outcome.quality
    assert quality is not None
    assert quality.figures is not None
    assert (quality.version, quality.figures.rows, quality.figures.correct) == (1, 200, right)
    mean = sum(confidence for _, confidence in told.values()) / 200
    assert quality.weeks[0].estimated == pytest.approx(mean)
    assert quality.figures.overconfidence.value == pytest.approx(mean - right / 200)
    assert str(outcome).startswith(
        f"200 of 200 rows with labels joined; version 1: realised accuracy {right / 200:.3f} ["
    )


def test_log_loss_needs_the_probability_of_the_true_label(root: Path) -> None:
    from sklearn.metrics import log_loss

    found = rows(150, 3, first=1000)
    output = scored(root, found)
    given_labels = labels(root, found)
    quality = ffn.evaluate("flow", given_labels, root=root).quality
    told = predictions(output)
    wrong = sum(told[one][0] != label for one, *_, label in found)
    assert quality is not None
    assert quality.figures is not None
    assert quality.figures.log_loss is None
    assert quality.figures.without_loss == wrong
    assert quality.details[0] == (
        f"log-loss not computed: the probability of the true label is not known for {wrong} of "
        "150 rows; score with --probabilities"
    )
    more = [(f"s{row[0]}", *row[1:]) for row in found]
    output = scored(root, more, "more.csv", probabilities=True)
    with output.open(newline="") as file:
        table = {row["id"]: row for row in csv.DictReader(file)}
    (root / "artifacts/flow/outcomes/record.sqlite").unlink()
    quality = ffn.evaluate("flow", labels(root, more, "more_labels.csv"), root=root).quality
    assert quality is not None
    assert quality.figures is not None
    assert quality.figures.log_loss is not None
    shares = [[float(table[row[0]][f"probability_{c}"]) for c in "abc"] for row in more]
    shares = [[share / sum(row) for share in row] for row in shares]
    expected = log_loss([row[3] for row in more], shares, labels=list("abc"))
    # Written with four decimals, so a row may sum to 0.9999; none of these is written as 0.
    assert quality.figures.log_loss.value == pytest.approx(expected, abs=2e-4)


def test_the_same_outcome_counts_once_however_often_it_is_given(root: Path) -> None:
    found = rows(60, 4, first=1000)
    scored(root, found)
    first = ffn.evaluate("flow", labels(root, found[:40]), root=root)
    again = ffn.evaluate("flow", labels(root, found[:40]), root=root)
    # Another file, with rows of the first, one of them twice.
    more = labels(root, [*found[30:], found[59]], "more.csv")
    last = ffn.evaluate("flow", more, root=root)
    assert counts(first.deliveries[0]) == {"joined": 40}
    assert counts(again.deliveries[0]) == {"known": 40}
    assert counts(last.deliveries[0]) == {"joined": 20, "known": 11}
    assert last.quality is not None
    assert last.quality.figures is not None
    assert last.quality.figures.rows == 60


def test_rows_that_are_not_joined_are_counted_and_said(root: Path) -> None:
    found = rows(10, 5, first=1000)
    scored(root, found)
    path = root / "labels.csv"
    lines = [f"{row[0]},{row[3]}" for row in found[:6]]
    lines += ["stranger,a", "r1006,", ",b", "r1007,a,too many", "r1008,z", "r1008,z"]
    path.write_text("\n".join(["id,y", *lines]) + "\n")
    outcome = ffn.evaluate("flow", path, root=root)
    (delivery,) = outcome.deliveries
    assert counts(delivery) == {
        "joined": 7,
        "known": 1,
        "unscored": 1,
        "unlabelled": 1,
        "without_id": 1,
        "unreadable": 1,
    }
    assert delivery.waiting == 3
    assert delivery.sentence == (
        "labels.csv: 7 of 12 rows joined to predictions, 1 already counted, 1 never scored, "
        "1 without a label, 1 without an id, 1 unreadable."
    )
    assert delivery.remarks() == [
        'The label "z" (1 row) is unknown to the version and counts as a mistake.',
        "labels.csv, line 11, cannot be read: 3 cells where the header has 2.",
    ]
    told = predictions(root / "artifacts/flow/predictions/new.csv")
    right = sum(told[row[0]][0] == row[3] for row in found[:6])
    assert outcome.quality is not None
    assert outcome.quality.figures is not None
    assert (outcome.quality.figures.rows, outcome.quality.figures.correct) == (7, right)


def test_the_latest_scoring_before_the_label_counts(root: Path) -> None:
    found = rows(1, 7, first=1000)
    one = found[0]
    other = (one[0], "0.1", "4.1", "c")  # in the middle of another class
    outputs = [scored(root, [one], "first.csv"), scored(root, [other], "second.csv")]
    label = {predictions(output)[one[0]][0] for output in outputs}
    assert len(label) == 2
    times = [time.time() - 1000, time.time() - 2000]
    for output, at in zip(outputs, times, strict=True):
        os.utime(f"{output}.manifest.json", (at, at))
    # Taken up anew, with these times: the first file was scored last.
    (root / "artifacts/flow/outcomes/record.sqlite").unlink()
    said = predictions(outputs[0])[one[0]][0]
    outcome = ffn.evaluate("flow", labels(root, [(*one[:3], said)]), root=root)
    assert outcome.quality is not None
    assert outcome.quality.figures is not None
    assert (outcome.quality.figures.rows, outcome.quality.figures.correct) == (1, 1)


def test_a_scoring_after_the_label_is_no_prediction(root: Path) -> None:
    found = rows(3, 8, first=1000)
    given_labels = labels(root, found)
    assert counts(ffn.evaluate("flow", given_labels, root=root).deliveries[0]) == {"unscored": 3}
    scored(root, found)
    outcome = ffn.evaluate("flow", labels(root, [*found, found[0]], "again.csv"), root=root)
    assert counts(outcome.deliveries[0]) == {"known": 4}
    assert outcome.quality is not None
    assert outcome.quality.figures is None
    assert outcome.quality.sentence == "no labels have come yet"


def test_a_prediction_that_is_found_later_is_joined_later(root: Path) -> None:
    found = rows(4, 9, first=1000)
    output = scored(root, found)
    (root / "artifacts/flow/outcomes/record.sqlite").unlink()
    manifest = Path(f"{output}.manifest.json")
    hidden = manifest.rename(root / "hidden")
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    assert counts(outcome.deliveries[0]) == {"unscored": 4}
    hidden.rename(manifest)
    outcome = ffn.evaluate("flow", root=root)
    assert outcome.quality is not None
    assert outcome.quality.figures is not None
    assert outcome.quality.figures.rows == 4


def test_rows_that_the_version_was_trained_on_are_left_out(root: Path) -> None:
    known = rows(600, 1)  # the training table, of which a fifth was held out
    fresh = rows(10, 10, first=5000)
    scored(root, [*known, *fresh])
    outcome = ffn.evaluate("flow", labels(root, [*known, *fresh]), root=root)
    assert counts(outcome.deliveries[0]) == {"joined": 130, "trained_on": 480}


def test_without_features_it_is_not_known_what_was_trained_on(root: Path) -> None:
    found = [*rows(5, 1), *rows(5, 14, first=5000)]
    path = write(root / "new.csv", found, "id p q")
    ffn.score("flow", path, root=root, only_id="id")
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    assert counts(outcome.deliveries[0]) == {"joined": 10}
    assert outcome.quality is not None
    assert outcome.quality.unchecked == 10


def test_an_output_that_was_edited_is_not_counted(root: Path) -> None:
    found = rows(4, 11, first=1000)
    output = scored(root, found)
    (root / "artifacts/flow/outcomes/record.sqlite").unlink()
    output.write_text(output.read_text().replace("r1000", "r1009"))
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    assert outcome.troubles == [
        f"{output} was changed since it was scored, so its predictions cannot be evaluated. Score "
        "its input again."
    ]
    assert counts(outcome.deliveries[0]) == {"unscored": 4}


def test_parquet_and_other_names_are_read_alike(root: Path) -> None:
    change_settings(root, 'id = "id"', 'id = "id"\nlabel = "true kind"')
    found = rows(50, 12, first=1000)
    features = {name: [float(row[at]) for row in found] for name, at in (("p", 1), ("q", 2))}
    pq.write_table(
        pa.table({"id": [int(row[0][1:]) for row in found], **features}), root / "n.parquet"
    )
    output = ffn.score("flow", root / "n.parquet", root=root).results[0].output
    assert output.suffix == ".parquet"
    answers = pa.table(
        {"true kind": [row[3] for row in found], "id": [row[0][1:] for row in found]}
    )
    pq.write_table(answers, root / "labels.parquet")
    outcome = ffn.evaluate("flow", root / "labels.parquet", root=root)
    assert counts(outcome.deliveries[0]) == {"joined": 50}
    told = pq.read_table(output).to_pylist()
    right = sum(one["predicted_y"] == row[3] for one, row in zip(told, found, strict=True))
    assert outcome.quality is not None
    assert outcome.quality.figures is not None
    assert outcome.quality.figures.correct == right


def test_a_version_is_not_chosen_where_ids_are_joined(root: Path) -> None:
    with pytest.raises(ffn.FFNError, match=r"outcomes\.id is set, so labels are joined"):
        ffn.evaluate("flow", root=root, version=1)


def test_a_pipeline_that_names_no_id_records_nothing(root: Path) -> None:
    change_settings(root, '[outcomes]\nid = "id"\n', "")
    scored(root, rows(5, 13, first=1000))
    assert not (root / "artifacts/flow/outcomes").exists()
    assert find_pipeline("flow", root).settings.outcomes.id is None


def test_of_an_unknown_label_the_class_that_may_be_meant_is_named() -> None:
    found = Delivery(
        name="labels.csv",
        sha256="",
        unknown_labels={"Gento": 2, **{f"z{n}": 1 for n in range(6)}},
        classes=("Adelie", "Gentoo"),
    )
    told = found.remarks()
    assert told[0] == (
        'The label "Gento" (2 rows) is unknown to the version and counts as a mistake. Did you '
        'mean "Gentoo"?'
    )
    assert told[5:] == ["So do 2 other labels that it does not know."]


def test_rows_without_a_label_are_not_counted_as_mistakes(root: Path) -> None:
    change_settings(root, "[outcomes]", "[decision]\nabstain_below = 0.999\n\n[outcomes]")
    assert "only its decision rule differs" in str(ffn.retrain("flow", root=root))
    found = rows(40, 15, first=1000)
    output = scored(root, found)
    unlabelled = sum(label == "" for label, _ in predictions(output).values())
    assert unlabelled > 1
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    assert outcome.troubles == [
        f"{output} has {unlabelled} rows without a label, because decision.abstain_below is set; "
        "outcomes need a label in every row. Retrain with decision.abstain_below = 0 and score its "
        "input again."
    ]
