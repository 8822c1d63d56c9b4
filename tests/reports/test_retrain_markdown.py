from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffn.distillation.student import Student
from ffn.distillation.student_words import learnt_from
from ffn.errors import one_line
from ffn.evaluation.importance import FeatureImportance, Importance
from ffn.evaluation.inference.statistics import Interval
from ffn.evaluation.metrics import evaluate_probabilities
from ffn.evaluation.mistakes import Mistake
from ffn.reports import retraining_page
from ffn.reports.pictures.canvas import middle_cut
from ffn.reports.retraining_page import curves_note
from ffn.training.examination import Examination
from ffn.training.rate_search import RateLine
from ffn.training.selection.leaderboard import Ranked, Selection
from tests.helpers.report_inputs import (
    Reported,
    candidate,
    evaluation_of,
    random_history,
    render,
    stop,
    undecided,
)

PICTURES = {
    name: f"{name}.png" for name in ("rates", "curves", "confusion", "reliability", "importance")
}
DASH = "\N{EN DASH}"


def report(retrained: Reported, **changes: Any) -> str:
    files = changes.pop("files", {})
    found = dataclasses.replace(retrained, **changes)
    return retraining_page.retrain_markdown(found, found.version, pictures=PICTURES, files=files)


def ranked(optimizer: str, p_value: float, *, tied: bool, finished: int = 16) -> Ranked:
    return Ranked(
        optimizer=optimizer,
        loss=Interval(0.1715, 0.0315, 0.3115),
        accuracy=Interval(0.9375, 0.8416, 1.0),
        p_value=p_value,
        tied=tied,
        finished=finished,
        networks=16,
        learning_rate=0.03,
        rates=(
            RateLine(rate=0.03, loss=Interval(0.17, 0.03, 0.31), finished=finished, resamples=16),
        ),
        edge="",
        seconds=0.132,
    )


def selection(*lines: Ranked, winner: str) -> Selection:
    return Selection(winner=winner, reason="why.", leaderboard=lines, comparisons=())


def test_a_line_of_the_leaderboard() -> None:
    lines = retraining_page.leaderboard(
        selection(
            ranked("adam", 1.0, tied=True),
            ranked("sgd", 0.8530, tied=True, finished=15),
            ranked("momentum", 0.00004, tied=False),
            winner="sgd",
        )
    )
    assert lines[1] == {
        "optimizer": "sgd (chosen)",
        "learning rate": "0.03",
        "log-loss": "0.172 [0.032, 0.311]",
        "accuracy": "0.938 [0.842, 1.000]",
        "p (Holm)": "0.853",
        "tie": "yes",
        "finished": "15 of 16",
        "seconds": "0.132",
    }
    assert [line["optimizer"] for line in lines] == ["adam", "sgd (chosen)", "momentum"]
    assert [line["p (Holm)"] for line in lines] == [DASH, "0.853", "< 0.001"]
    assert [line["tie"] for line in lines] == ["yes", "yes", "no"]


def test_the_best_alone_ties_with_nobody() -> None:
    lines = retraining_page.leaderboard(
        selection(ranked("adam", 1.0, tied=True), ranked("sgd", 0.01, tied=False), winner="adam")
    )
    assert [line["tie"] for line in lines] == ["no", "no"]


def test_the_table_has_the_leaderboards_cells(iris: Reported) -> None:
    lines = retraining_page.leaderboard(iris.selection)
    page = render(retraining_page.leaderboard_markdown(iris.selection))
    assert page.cells == [list(lines[0]), *(list(line.values()) for line in lines)]


def test_the_report_of_a_real_run_says_the_verdict_first(iris: Reported) -> None:
    text = report(iris)
    title, verdict, why = text.split("\n\n")[:3]
    evaluation = iris.evaluation
    assert title == "# iris: version 7"
    assert verdict.startswith("**Version 7 is promoted: no version was in production.** ")
    assert f"labels {evaluation.correct} of 30 held-out rows correctly" in verdict
    assert f"{iris.selection.winner} was chosen" in verdict.lower()
    assert f"accuracy {evaluation.correct / 30:.3f} [" in verdict
    # Ten of thirty: Wilson's interval of 1/3, by hand 0.1923 to 0.5122.
    assert "Iris-setosa, the most frequent class in training, labels 10 correctly" in verdict
    assert "labels 10 correctly: 0.333 [0.192, 0.512]." in verdict
    assert "better than always predicting the most frequent class" in verdict
    assert iris.selection.reason in why
    page = render(text)
    assert [attributes["src"] for name, attributes in page.tags if name == "img"] == [
        f"{name}.png" for name in PICTURES
    ]
    for what in ("150 rows, 4 features to predict species", "4-16-4-3 units", "40 epochs"):
        assert what in page.text
    assert iris.version.sha256 in page.text
    assert iris.prepared.source_sha256 in page.text
    assert re.findall("^## (.*)", text, re.M) == [
        "Gate",
        "Leaderboard",
        "Learning rates",
        "Learning curves",
        "Held-out rows",
        "Confusion matrix",
        "Calibration",
        "Feature importance",
        "Baselines",
        "Slices",
        "Most confident mistakes",
        "Data and training",
        "Files",
    ]
    assert page.names().count("table") == 5 + bool(iris.examination.mistakes)


def test_no_figure_stands_without_its_interval(iris: Reported) -> None:
    before, after = report(iris).split("## Data and training")
    for one in iris.candidates:
        assert f"{one.optimizer}: learning_rate {one.search.rate}" in after
    # A rate is a setting.
    before = re.sub(r"^- \w+: learning rate.*", "", before, flags=re.M)
    text = re.sub(r"- (logistic|gradient).*", "", before.split("## Most confident mistakes")[0])
    bare = re.sub(r"[+-]?[\d.]+ \[[+-]?[\d.]+, [+-]?[\d.]+\]", "", text)
    bare = re.sub(r"[\d.]+ \(no interval\)", "", bare)
    loose = re.findall(r"\d\.\d+", bare)
    allowed = [line["p (Holm)"] for line in retraining_page.leaderboard(iris.selection)]
    allowed += [line["learning rate"] for line in retraining_page.leaderboard(iris.selection)]
    allowed += [line["seconds"] for line in retraining_page.leaderboard(iris.selection)]
    # Beside the calibration error stands what chance makes of it; a temperature is a setting.
    found, effect = iris.evaluation.calibration, iris.examination.temperature
    assert iris.refitted.temperature is not None
    points = (found.error, found.expected, found.limit)
    points += (effect.error_before,) if effect else ()
    points += (iris.refitted.temperature.value,)
    allowed += [f"{point:.3f}" for point in points]
    assert set(loose) <= {number.removeprefix("< ") for number in allowed}


def test_a_model_no_better_than_the_usual_answer_is_called_so(iris: Reported) -> None:
    doubt = "**The network's accuracy is not shown to be higher than that of always predicting"
    assert doubt in report(iris, examination=undecided(iris.examination))
    assert doubt not in report(iris)


def test_a_log_loss_without_an_upper_bound_is_told_in_words(iris: Reported) -> None:
    """Thirty rows of one and the same loss: the bootstrap has nothing to resample."""
    labels = np.repeat([0, 1, 2], 10)
    useless = np.full((30, 3), 1 / 3)
    evaluation = evaluate_probabilities(useless, labels, iris.prepared.schema.classes, 1, usual=0)
    text = report(iris, evaluation=evaluation)
    assert "| log-loss | 1.099 (no interval) |" in text
    assert "The log-loss has no interval: it is the same for every row" in text
    assert "∞" not in text
    # What the most frequent class of a balanced table gets is the same for every row, too.
    assert report(iris).count("(no interval)") == 1
    assert "same for every one of these rows" not in report(iris)


def test_mistakes_are_named_and_the_many_summed(iris: Reported) -> None:
    counts = [[10, 3, 1], [6, 0, 2], [5, 4, 8]]
    text = report(iris, evaluation=evaluation_of(counts, iris.prepared.schema.classes))
    named = text.split("most frequent mistakes:\n\n")[1].split("\n\n")[0].splitlines()
    assert named == [
        "- 6 of 8 Iris-versicolor predicted as Iris-setosa",
        "- 5 of 17 Iris-virginica predicted as Iris-setosa",
        "- 4 of 17 Iris-virginica predicted as Iris-versicolor",
        "- 3 of 14 Iris-setosa predicted as Iris-versicolor",
        "- 2 of 8 Iris-versicolor predicted as Iris-virginica",
        "- 1 other mistake",
    ]
    right = evaluation_of(np.diag([1, 2, 3]), iris.prepared.schema.classes)
    assert "No held-out row was misclassified." in report(iris, evaluation=right)


def test_notices_and_diverged_networks_are_told(iris: Reported) -> None:
    assert "## Notices" not in report(iris)
    history = random_history(5, 3, seed=0)
    for network in (0, 2):
        stop(history, network, 1, f"loss is NaN in epoch {network + 1}")
    text = report(
        iris,
        candidates=[candidate("sgd", history)],
        prepared=dataclasses.replace(iris.prepared, notices=('column "a*b" is constant.',)),
    )
    page = render(text)
    assert 'column "a*b" is constant.' in page.text
    assert "sgd: 2 of 3 networks diverged (first reason: loss is NaN in epoch 1)." in page.text


def test_an_ensemble_is_called_one(iris: Reported) -> None:
    assert "the one of 4 with the lowest training loss" in report(iris)
    network = iris.refitted.bundle.network
    both = dataclasses.replace(iris.refitted.bundle, network=network.select([0, 0]))
    refitted = dataclasses.replace(iris.refitted, bundle=both)
    for ensemble, how in (
        ("refitted", "150 epochs on all 120 training rows"),
        ("resamples", "each trained on its resample up to its best epoch, of which the median is"),
    ):
        training = iris.pipeline.settings.training.model_copy(update={"ensemble": ensemble})
        settings = iris.pipeline.settings.model_copy(update={"training": training})
        pipeline = dataclasses.replace(iris.pipeline, settings=settings)
        text = report(iris, refitted=refitted, pipeline=pipeline)
        assert "an ensemble of 2, whose probabilities are averaged" in text
        assert how.replace("150", str(refitted.epochs)) in text


def test_a_student_is_called_one(iris: Reported) -> None:
    history = random_history(30, 1, seed=0)
    history.train_accuracy[-1] = 0.98765
    network = iris.refitted.bundle.network
    student = Student(network, history, rows=120, made=19_920, teachers=16)
    text = report(iris, refitted=dataclasses.replace(iris.refitted, student=student))
    assert (
        "units, which learnt the averaged probabilities of 16 networks from 120 training rows and "
        "19,920 made from them, in 30 epochs; it finds the same class most probable as they do in "
        "98.8 % of 4,000 of them" in render(text).text
    )
    assert "because the network learnt the averaged probabilities of an ensemble" in text
    assert learnt_from(student._replace(made=0, teachers=2)).startswith(
        "learnt the averaged probabilities of 2 networks from 120 training rows, in 30 epochs; it "
        "finds the same class most probable as they do in 98.8 % of them"
    )
    assert learnt_from(student._replace(boosted=2, share=0.354)).startswith(
        "learnt the averaged probabilities of 16 networks and 2 models of boosted trees (weights "
        "64.6 % and 35.4 %, which had the lowest log-loss on validation rows) from 120 training "
        "rows and 19,920 made from them, in 30 epochs"
    )
    assert learnt_from(student._replace(boosted=2)).endswith(
        "as they do in 98.8 % of 4,000 of them; 2 models of boosted trees did not teach it, "
        "because validation rows gave them less than 1 % of the answer"
    )


def test_curves_of_some_rows_are_said_to_be_of_some_rows(iris: Reported) -> None:
    assert curves_note(1_000) == []
    assert "figures on training rows" not in report(iris)
    (note,) = curves_note(1_001)
    assert note.endswith("as a network validates on, or of 1,000 if these are fewer.")


def examined(iris: Reported, feature: str, cell: str, label: str) -> Examination:
    """An examination with one feature of this name, and one mistake with this cell."""
    unknown = Interval(0.5, 0.0, 1.0)
    importance = Importance(
        features=(FeatureImportance(name=feature, log_loss=unknown, accuracy=unknown),),
        left_out=0,
        rows=30,
        repeats=5,
    )
    mistake = Mistake(
        row=3,
        label=label,
        predicted="called",
        confidence=0.9,
        own_probability=0.1,
        cells={feature: cell},
    )
    return dataclasses.replace(iris.examination, importance=importance, mistakes=(mistake,))


@pytest.mark.parametrize("size", [3, 30])
@given(data=st.data())
@settings(max_examples=30)
def test_names_from_files_stay_text(iris: Reported, size: int, data: st.DataObject) -> None:
    hostile = st.text(
        st.sampled_from("<>&|`[]()!*_\\#~'\"-+=:/ \n\r\t\u202e\x00aé1."), min_size=1, max_size=30
    )
    names = data.draw(st.lists(hostile, min_size=size, max_size=size, unique=True))
    notice, target, path, feature, cell = (data.draw(hostile) for _ in range(5))
    counts = np.ones((size, size), dtype=int)
    prepared = SimpleNamespace(
        notices=(notice,),
        labels_train=np.arange(size),
        unlabelled=0,
        labelled=150,
        x_train=iris.prepared.x_train,
        x_test=iris.prepared.x_test,
        source_sha256=iris.prepared.source_sha256,
        schema=dataclasses.replace(iris.prepared.schema, target=target, classes=tuple(names)),
    )
    plain = render(
        report(
            iris,
            evaluation=evaluation_of(counts, [f"name{number}" for number in range(size)]),
            examination=examined(iris, "feature", "cell", "name0"),
            prepared=SimpleNamespace(**(vars(prepared) | {"notices": ("notice",)})),
            files={"what": Path("path")},
        )
    )
    page = render(
        report(
            iris,
            evaluation=evaluation_of(counts, names),
            examination=examined(iris, feature, cell, names[0]),
            prepared=prepared,
            files={"what": Path(path)},
        )
    )
    assert page.tags == plain.tags
    heading = ["class", "rows", "recall", "precision", "ROC-AUC", "average precision"]
    first = page.cells.index(heading) + 1
    shown = [row[0] for row in page.cells[first : first + size]]
    assert shown == [one_line(name) for name in names]
    mistake = page.cells[-1]
    assert mistake[1:3] == [one_line(names[0]), "called"]
    # Longer cells are cut.
    assert mistake[-1].strip() == f"{one_line(feature)} {one_line(middle_cut(cell, 24))}".strip()
    assert one_line(notice) in page.text
    assert one_line(Path(path)) in page.text


def test_long_names_are_cut(iris: Reported) -> None:
    names = ["a" * 500, "b", "c"]
    text = report(iris, evaluation=evaluation_of(np.ones((3, 3), dtype=int), names))
    assert "a" * 61 not in text
    assert "aaa…aaa" in text


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (5, ""),
        (6, "The pictures of rates and curves show the first 5 of 6 candidates, and the chosen"),
        (41, "The picture of losses shows the first 40 of 41 candidates; those of rates and"),
    ],
)
def test_of_a_search_the_candidates_are_named_and_those_that_are_drawn(
    iris: Reported, count: int, said: str
) -> None:
    lines = [ranked(f"adam {n}", 1.0, tied=True) for n in range(count)]
    found = selection(*lines, winner="adam 0")
    text = report(iris, selection=found)
    assert "Choice of candidate: why." in text
    assert "![Loss and accuracy per epoch for each candidate, training" in text
    assert next(iter(retraining_page.leaderboard(found)[0])) == "candidate"
    assert "show" not in report(iris).partition("## Learning curves")[2].partition("##")[0]
    drawn = text.partition("## Learning curves")[2].partition("##")[0]
    assert said in drawn
    assert bool(said) == ("candidates" in drawn)
