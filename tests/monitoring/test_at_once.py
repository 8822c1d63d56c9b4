"""Labelled tables with all features are scored and evaluated at once where rows have no ids."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ffn
from ffn.monitoring.evaluate_outcome import LabelsRefusedError
from tests.monitoring.conftest import SETTINGS, change_settings, counts, rows, write


@pytest.fixture
def no_ids(root: Path) -> Path:
    change_settings(root, '[outcomes]\nid = "id"\n', "")
    return root


def test_the_figures_are_those_of_the_loaded_model(no_ids: Path) -> None:
    from sklearn.metrics import log_loss

    found = rows(200, 20, first=1000)
    path = write(no_ids / "labelled.csv", found, "p q y")
    outcome = ffn.evaluate("flow", path, root=no_ids)
    model, frame = ffn.load(no_ids / "artifacts/flow"), pd.read_csv(path)
    assert counts(outcome.deliveries[0]) == {"joined": 200}
    assert outcome.quality is not None
    figures = outcome.quality.figures
    assert figures is not None
    assert figures.correct == np.sum(model.predict(frame) == frame["y"])
    assert figures.log_loss is not None
    shares = model.predict_proba(frame)
    assert figures.log_loss.value == pytest.approx(log_loss(frame["y"], shares), abs=2e-4)
    assert outcome.deliveries[0].sentence == (
        "labelled.csv: 200 of 200 rows scored with version 1 and evaluated at once."
    )


def test_rows_that_it_was_trained_on_are_left_out_and_files_count_once(no_ids: Path) -> None:
    mixed = [*rows(600, 1), *rows(30, 21, first=5000)]
    path = write(no_ids / "mixed.csv", mixed, "q y p")
    first = ffn.evaluate("flow", path, root=no_ids)
    assert counts(first.deliveries[0]) == {"joined": 150, "trained_on": 480}
    assert first.quality is not None
    assert [week.scored for week in first.quality.weeks] == [150]
    copy = shutil.copy(path, no_ids / "copy.csv")
    again = ffn.evaluate("flow", copy, root=no_ids)
    assert counts(again.deliveries[0]) == {"known": 630}
    assert again.quality is not None
    assert again.quality.figures is not None
    assert again.quality.figures.rows == 150


def test_rejected_and_unlabelled_rows_are_counted(no_ids: Path) -> None:
    path = write(no_ids / "labelled.csv", rows(8, 22, first=1000), "p q y")
    path.write_text(path.read_text() + "x,1,a\n1,2,\n0.5,0.25,zebra\n")
    outcome = ffn.evaluate("flow", path, root=no_ids)
    (delivery,) = outcome.deliveries
    assert counts(delivery) == {"joined": 9, "unlabelled": 1, "rejected": 1}
    assert delivery.unknown_labels == {"zebra": 1}
    assert delivery.classes == ("a", "b", "c")


def test_each_version_can_be_judged_on_the_same_table(no_ids: Path) -> None:
    write(no_ids / "data/flow/train.csv", rows(600, 1, noise=0.7))
    change_settings(no_ids, "[inbox]", '[gate]\nmode = "never"\n\n[inbox]')
    assert ffn.retrain("flow", root=no_ids).version.number == 2
    path = write(no_ids / "labelled.csv", rows(300, 23, first=1000), "p q y")
    by = {
        version: ffn.evaluate("flow", path, root=no_ids, version=version) for version in (None, 2)
    }
    frame = pd.read_csv(path)
    for version, outcome in by.items():
        number = version or 1
        assert counts(outcome.deliveries[0]) == {"joined": 300}
        quality = outcome.quality
        assert quality is not None
        assert quality.figures is not None
        assert quality.version == number
        model = ffn.load(no_ids / f"artifacts/flow/models/{number:04d}")
        assert quality.figures.correct == np.sum(model.predict(frame) == frame["y"])


def test_what_cannot_be_evaluated_is_one_line(no_ids: Path) -> None:
    train = no_ids / "data/flow/train.csv"
    with pytest.raises(ffn.LabelsRefusedError, match="is the table that version 1 was made from"):
        ffn.evaluate("flow", train, root=no_ids)
    path = write(no_ids / "unlabelled.csv", rows(3, 24, first=1000), "p q")
    wanted = r'unlabelled\.csv has no column "y", which data\.target names; its columns are: p, q\.'
    with pytest.raises(ffn.LabelsRefusedError, match=wanted):
        ffn.evaluate("flow", path, root=no_ids)
    with pytest.raises(ffn.LabelsRefusedError, match="version 7 does not exist"):
        ffn.evaluate("flow", path, root=no_ids, version=7)
    assert not list((no_ids / "artifacts/flow/outcomes").glob(".ffn*"))


def test_a_table_that_is_refused_for_its_groups_does_not_count(tmp_path: Path) -> None:
    folder = tmp_path / "data/flow"
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text(
        SETTINGS.replace('[outcomes]\nid = "id"\n', '[split]\ngroup = "g"\n')
    )
    frame = pd.read_csv(write(tmp_path / "all.csv", rows(660, 1)))
    frame["g"] = frame.index % 60
    frame[:600].to_csv(folder / "train.csv", index=False)
    ffn.retrain("flow", root=tmp_path)
    path = tmp_path / "twice.csv"
    frame[600:].assign(again=1)[["p", "q", "y", "g", "again"]].to_csv(
        path, index=False, header=["p", "q", "y", "g", "g"]
    )
    with pytest.raises(LabelsRefusedError, match=r'twice\.csv: 2 columns are named "g"'):
        ffn.evaluate("flow", path, root=tmp_path)
    assert ffn.evaluate("flow", root=tmp_path).quality is None


def test_in_a_table_of_few_patterns_rows_cannot_be_recognised(tmp_path: Path) -> None:
    folder = tmp_path / "data/few"
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text(
        '[data]\nsource = "t.csv"\ntarget = "y"\n[training]\nepochs = 2\nnetworks = 2\n'
        "[optimizers.sgd]\nlearning_rate = 0.01\n"
    )
    patterns = [f"{a},{b},{'large' if a + b > 3 else 'small'}" for a in range(4) for b in range(4)]
    (folder / "t.csv").write_text("\n".join(["a,b,y", *(patterns * 10)]) + "\n")
    ffn.retrain("few", root=tmp_path)
    (tmp_path / "new.csv").write_text("\n".join(["a,b,y", *patterns]) + "\n")
    outcome = ffn.evaluate("few", tmp_path / "new.csv", root=tmp_path)
    assert counts(outcome.deliveries[0]) == {"joined": 16}
    assert outcome.deliveries[0].notices == [
        "Rows that version 1 was trained on could not be recognised, so some may be among these, "
        "and the figures too good."
    ]
