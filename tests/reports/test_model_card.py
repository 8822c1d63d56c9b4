"""The model card of a real version: what it says is what the files beside it hold."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from ffn.distillation.student import Student
from ffn.distillation.student_words import teachers_in_words
from ffn.evaluation.inference.statistics import Interval
from ffn.promotion.register import Version, serialise
from ffn.promotion.simpler_models import BaselineEvidence
from ffn.quantities import difference, interval
from ffn.reports.model_card import model_card
from tests.helpers.report_inputs import FIRST, Reported, evaluation_of, render, undecided


def written(iris: Reported, root: Path) -> Version:
    pipeline = dataclasses.replace(iris.pipeline, artifacts=root / "iris")
    return serialise(
        dataclasses.replace(iris, pipeline=pipeline),
        lambda folder: FIRST,
        partial(model_card, retrained=iris),
    )


@pytest.fixture(scope="module")
def folder(iris: Reported, tmp_path_factory) -> Path:
    return written(iris, tmp_path_factory.mktemp("artifacts")).bundle.parent


@pytest.fixture(scope="module")
def card(folder: Path) -> str:
    return (folder / "model_card.md").read_text("utf-8")


def test_it_has_every_section(card: str) -> None:
    assert re.findall("^## (.*)", card, re.M) == [
        "Model",
        "Intended use",
        "Data",
        "Training procedure",
        "Metrics",
        "Calibration",
        "Baselines",
        "Feature importance",
        "Slices",
        "Gate",
        "Limitations",
        "Reproducing the model",
    ]
    assert card.startswith("# Model card: iris\n")


def test_its_digests_are_those_of_the_files(iris: Reported, folder: Path, card: str) -> None:
    manifest = hashlib.sha256((folder / "bundle/manifest.json").read_bytes()).hexdigest()
    assert card.count(manifest) == 2
    source = iris.pipeline.source.read_bytes()
    assert f"train.csv, SHA-256 {hashlib.sha256(source).hexdigest()}: 150 labelled rows" in card
    provenance = json.loads((folder / "provenance.json").read_bytes())
    for name, version in provenance["packages"].items():
        assert f"{name} {version}" in card


def test_its_figures_are_the_recorded_ones(folder: Path, card: str) -> None:
    """Every table cell of a figure is found in metrics.json by its own road."""
    metrics = json.loads((folder / "metrics.json").read_bytes())

    def bounded(figure: dict[str, float | None]) -> Interval:
        return Interval(**{k: float("inf") if v is None else v for k, v in figure.items()})

    def shown(figure: dict[str, float | None]) -> str:
        return interval(bounded(figure))

    cells = {cell: row for row in render(card).cells for cell in row[:1]}
    test = metrics["test"]
    assert cells["accuracy"][1] == shown(test["accuracy"])
    assert cells["balanced accuracy"][1] == shown(test["balanced_accuracy"])
    assert cells["ROC-AUC"][1] == shown(test["auc"])
    assert cells["average precision"][1] == shown(test["average_precision"])
    assert cells["macro-F1"][1] == shown(test["macro_f1"])
    assert cells["log-loss"][1] == shown(test["log_loss"])
    assert cells["Brier score"][1] == shown(test["brier"])
    assert cells["calibration error"][1] == f"{test['calibration']['error']:.3f}"
    for figures in test["classes"]:
        assert cells[figures["name"]][1:] == [
            str(figures["rows"]),
            shown(figures["recall"]),
            shown(figures["precision"]),
            shown(figures["auc"]),
            shown(figures["average_precision"]),
        ]
    for baseline in metrics["examination"]["baselines"]:
        less = {key: difference(bounded(one)) for key, one in baseline["difference"].items()}
        assert cells[baseline["name"]][1:] == [
            shown(baseline["evaluation"]["accuracy"]),
            less["accuracy"],
            shown(baseline["evaluation"]["log_loss"]),
            less["log_loss"],
        ]
    for feature in metrics["examination"]["importance"]["features"]:
        assert cells[feature["name"]][1:] == [
            shown(feature["log_loss"]),
            shown(feature["accuracy"]),
        ]
    assert f"A temperature of {metrics['temperature']['value']:.3f}" in card


def test_what_speaks_against_the_model_is_a_limit(iris: Reported, folder: Path, card: str) -> None:
    limits = card.split("## Limitations")[1].split("## ")[0]
    assert "fewer than 30 held-out rows: Iris-setosa, Iris-versicolor, Iris-virginica" in limits
    assert "not shown to be higher" not in limits
    names = iris.prepared.schema.classes
    useless = evaluation_of(np.full((3, 3), 20), names)
    miscalibrated = dataclasses.replace(useless.calibration, error=0.5)
    found = dataclasses.replace(
        iris,
        evaluation=dataclasses.replace(useless, calibration=miscalibrated),
        examination=undecided(iris.examination),
        prepared=dataclasses.replace(iris.prepared, notices=("rows repeat",)),
    )
    kept = dataclasses.replace(FIRST, promote=False, reason="it is worse", production=3)
    other = model_card(folder, kept, retrained=found)
    limits = other.split("## Limitations")[1].split("## ")[0]
    assert "not shown to be higher than that of always predicting the most frequent class" in limits
    assert "The model is not well calibrated" in limits
    assert "- rows repeat" in limits
    assert "fewer than" not in limits
    assert "did not promote it over version 3 in production: it is worse." in other


def test_the_card_warns_of_a_better_simpler_model_and_of_one_not_fitted(
    iris: Reported, folder: Path, card: str
) -> None:
    evidence = BaselineEvidence(
        policy="warn", alpha=0.05, rows=30, held_out=30, models=(), finding="a line is better"
    )
    unfitted = dataclasses.replace(iris.examination, unfitted={"boosting": "it is *ill*"})
    found = dataclasses.replace(iris, examination=unfitted)
    other = model_card(folder, dataclasses.replace(FIRST, baseline=evidence), retrained=found)
    decided = "The gate decided to promote it: no version was in production."
    assert f"{decided} A line is better." in render(other).text
    notice = "boosting could not be fitted, so the network is not compared with it (it is *ill*)"
    assert notice in render(other).text
    assert f"{decided}\n" in card
    assert "could not be fitted" not in card


def test_foreign_names_stay_text(iris: Reported, folder: Path) -> None:
    hostile = "<script>alert(1)</script>|`*x*`\n# y"
    schema = dataclasses.replace(
        iris.prepared.schema,
        target=hostile,
        classes=(hostile, "b", "c"),
        features=(
            dataclasses.replace(iris.prepared.schema.features[0], name=hostile),
            dataclasses.replace(
                iris.prepared.schema.features[1],
                kind="categorical",
                categories=(hostile, *map(str, range(30))),
            ),
        ),
    )
    training = dataclasses.replace(iris.prepared.training, schema=schema)
    found = dataclasses.replace(
        iris,
        prepared=dataclasses.replace(iris.prepared, training=training, notices=(hostile,)),
        pipeline=dataclasses.replace(iris.pipeline, name=hostile),
        evaluation=evaluation_of(np.ones((3, 3)).astype(int), [hostile, "b", "c"]),
    )
    page = render(model_card(folder, dataclasses.replace(FIRST, reason=hostile), retrained=found))
    assert {"script", "em"}.isdisjoint(page.names())
    assert page.names().count("h1") == 1
    assert page.names().count("code") == 4
    assert "and 19 others" in page.text


def test_the_card_of_a_student_names_its_teachers(iris: Reported, tmp_path: Path) -> None:
    history = iris.refitted.history.select([0])
    student = Student(iris.refitted.bundle.network, history, rows=120, made=0, teachers=8)
    refitted = dataclasses.replace(iris.refitted, student=student)
    version = written(dataclasses.replace(iris, refitted=refitted), tmp_path)
    folder = version.bundle.parent
    card = (folder / "model_card.md").read_text("utf-8")
    assert "parameters, trained on the averaged probabilities of 8 networks. Numeric" in card
    assert "The winner's networks were trained on resamples at the learning rate" in card
    assert "The model is one network that learnt the averaged probabilities of 8 networks" in card
    assert teachers_in_words(student._replace(boosted=1, share=0.2)) == (
        "8 networks and 1 model of boosted trees"
    )
    curves = safetensors.numpy.load((folder / "history.safetensors").read_bytes())
    np.testing.assert_array_equal(curves["student.train_loss"], history.train_loss)


def test_the_same_findings_give_the_same_card(iris: Reported, card: str, tmp_path: Path) -> None:
    again = written(iris, tmp_path).bundle.parent / "model_card.md"
    assert again.read_text("utf-8") == card
