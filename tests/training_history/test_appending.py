"""Rows whose labels have come are appended to the training CSV, each once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ffn
from ffn.monitoring.evaluate_outcome import EvaluateOutcome
from ffn.settings.pipeline import find_pipeline
from ffn.storage.pipeline_locks import retraining_lock
from ffn.training_history.appended_rows import AppendedRows
from tests.monitoring.conftest import change_settings, labels, rows, scored, write


def train(root: Path) -> Path:
    return root / "data/flow/train.csv"


def history(outcome: EvaluateOutcome) -> AppendedRows:
    assert outcome.history is not None
    return outcome.history


def test_joined_rows_are_appended_once_in_the_order_in_which_they_came(root: Path) -> None:
    before = train(root).read_bytes()
    train(root).chmod(0o640)
    found = rows(30, 2, first=1000)
    scored(root, found)
    given = labels(root, [*found[:20], ("never", "1", "1", "a")])
    outcome = ffn.evaluate("flow", given, root=root)
    lines = "".join(",".join(row) + "\n" for row in found[:20])
    assert train(root).read_bytes() == before + lines.encode()
    assert history(outcome).sentence == "20 rows appended to train.csv."
    assert outcome.to_json()["history"]["appended"] == 20
    assert "; 20 rows appended to train.csv." in str(outcome)
    assert train(root).stat().st_mode & 0o777 == 0o640
    # Neither the same file nor no file appends anything.
    for files in ([given], []):
        again = ffn.evaluate("flow", *files, root=root)
        assert (history(again).appended, history(again).sentence) == (0, "")
    more = ffn.evaluate("flow", labels(root, found), root=root)
    assert history(more).appended == 10
    frame = pd.read_csv(train(root))
    assert len(frame) == 230
    assert frame["id"].tolist()[-30:] == [row[0] for row in found]
    assert sorted(path.name for path in train(root).parent.iterdir() if path.is_file()) == [
        "pipeline.toml",
        "train.csv",
    ]


def test_without_the_setting_the_training_table_stays(root: Path) -> None:
    change_settings(root, 'append = "history"\n', "")
    before = train(root).read_bytes()
    found = rows(10, 2, first=1000)
    scored(root, found)
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    assert outcome.history is None
    assert "history" not in outcome.to_json()
    assert train(root).read_bytes() == before


def test_rows_that_it_has_are_not_appended_whatever_became_of_the_record(root: Path) -> None:
    found = rows(10, 3, first=1000)
    scored(root, found)
    # Somebody appended four of them by hand, with another content.
    by_hand = [f"{one},0.5,0.5,a" for one, *_ in found[:4]]
    train(root).write_text(train(root).read_text() + "\n".join(by_hand) + "\n")
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    assert history(outcome).sentence == "6 rows appended to train.csv; 4 it had before."
    after = train(root).read_bytes()
    (root / "artifacts/flow/outcomes/record.sqlite").unlink()
    again = ffn.evaluate("flow", labels(root, found), root=root)
    # Taken up anew: labels had come before the predictions were known, but not before they
    # were made, so they are joined, and found in the file.
    assert history(again).there == 10
    assert train(root).read_bytes() == after


def test_a_row_that_was_taken_out_by_hand_stays_out(root: Path) -> None:
    before = train(root).read_bytes()
    found = rows(10, 3, first=1000)
    scored(root, found)
    ffn.evaluate("flow", labels(root, found), root=root)
    train(root).write_bytes(before)
    assert history(ffn.evaluate("flow", root=root)).appended == 0
    assert train(root).read_bytes() == before


def test_rows_that_training_would_refuse_are_left_out_and_counted(root: Path) -> None:
    """Labels that the table has not, and numbers that are none for training."""
    before = train(root).read_text()
    found = rows(6, 4, first=1000)
    found[0] = (*found[0][:3], "zebra")
    found[1] = (found[1][0], "3e15", *found[1][2:])
    scored(root, found)
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    assert history(outcome).left_out == {
        'with the label "zebra", which it has not': 1,
        "with a text or too large a number in a numeric column": 1,
    }
    assert history(outcome).sentence == (
        "4 rows appended to train.csv; 2 left out: 1 with a text or too large a number in a "
        'numeric column, 1 with the label "zebra", which it has not.'
    )
    assert train(root).read_text() == before + "".join(",".join(row) + "\n" for row in found[2:])


def test_tables_without_features_are_refused_in_one_line(root: Path) -> None:
    before = train(root).read_bytes()
    found = rows(5, 5, first=1000)
    scored(root, found, only_id="id")
    wanted = r'new\.csv lacks columns that training reads: "p", "q"\. Its rows are not appended'
    with pytest.raises(ffn.LabelsRefusedError, match=wanted) as caught:
        ffn.evaluate("flow", labels(root, found), root=root)
    outcome = caught.value.outcome
    # The labels count all the same.
    assert outcome.deliveries[0].joined == 5
    assert history(outcome).left_out == {"of scored tables that cannot be used": 5}
    assert train(root).read_bytes() == before


def test_a_scored_table_that_is_gone_is_counted(root: Path) -> None:
    found = rows(5, 5, first=1000)
    output = scored(root, found)
    for path in output.parent.iterdir():
        path.unlink()
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    assert history(outcome).left_out == {"whose scored table is no longer in predictions/": 5}
    scored(root, found[:2])
    again = ffn.evaluate("flow", labels(root, found), root=root)
    assert history(again).left_out.total() == 5


def test_a_table_that_is_a_link_or_compressed_is_refused(root: Path) -> None:
    found = rows(5, 5, first=1000)
    scored(root, found)
    elsewhere = root / "train.csv"
    train(root).rename(elsewhere)
    train(root).symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    with pytest.raises(ffn.LabelsRefusedError, match="is not a file in the folder of pipeline"):
        ffn.evaluate("flow", labels(root, found), root=root)
    assert elsewhere.read_bytes() == before
    assert train(root).is_symlink()
    import gzip

    train(root).unlink()
    (root / "data/flow/train.csv.gz").write_bytes(gzip.compress(before))
    change_settings(root, '"train.csv"', '"train.csv.gz"')
    with pytest.raises(ffn.LabelsRefusedError, match="is compressed, so rows cannot be appended"):
        ffn.evaluate("flow", root=root)


def test_while_a_retraining_runs_rows_wait(root: Path) -> None:
    before = train(root).read_bytes()
    found = rows(5, 6, first=1000)
    scored(root, found)
    with retraining_lock(root / "artifacts/flow"):
        outcome = ffn.evaluate("flow", labels(root, found), root=root)
    assert history(outcome).sentence.startswith(
        "Nothing is appended to train.csv this time: flow is already being retrained by process"
    )
    assert train(root).read_bytes() == before
    assert history(ffn.evaluate("flow", root=root)).appended == 5


def test_what_is_not_read_by_training_may_be_missing(root: Path) -> None:
    text = train(root).read_text().splitlines()
    noted = [f"{line},{'note' if i == 0 else 'seen'}" for i, line in enumerate(text)]
    train(root).write_text("\n".join(noted) + "\n")
    change_settings(root, 'exclude = ["id"]', 'exclude = ["id", "note"]')
    found = rows(3, 7, first=1000)
    scored(root, found)
    ffn.evaluate("flow", labels(root, found), root=root)
    assert train(root).read_text().splitlines()[-3:] == [",".join((*row, "")) for row in found]


def test_without_ids_rows_are_known_by_their_content(root: Path) -> None:
    change_settings(root, '[outcomes]\nid = "id"\n', "[outcomes]\n")
    change_settings(root, 'exclude = ["id"]\n', "")
    frame = pd.read_csv(train(root)).drop(columns="id")
    frame.to_csv(train(root), index=False)
    before = train(root).read_bytes()
    found = rows(12, 8, first=1000)
    held_out = [tuple(map(str, row)) for row in frame.astype(str).to_numpy()]
    lines = [f"{p},{q},{y}" for _, p, q, y in [*found, found[0]]]
    lines += [",".join(row) for row in held_out] + ["1.0,2.0,"]
    path = root / "labelled.csv"
    path.write_text("p,q,y\n" + "\n".join(lines) + "\n")
    (notice,) = ffn.evaluate("flow", path, root=root).deliveries[0].notices
    # Held-out rows are scored and judged, and the table has them. One new row is there twice.
    model = ffn.load(root / "artifacts/flow")
    trained = len(model.scorer.fingerprints)
    assert notice == f"12 rows appended to train.csv; {200 - trained + 1} it had before."
    appended = "".join(f"{p},{q},{y}\n" for _, p, q, y in found)
    assert train(root).read_bytes() == before + appended.encode()
    again = ffn.evaluate("flow", path, root=root)
    assert again.deliveries[0].notices == []
    # The same rows in another file.
    other = write(root / "other.csv", [*found, *rows(2, 9, first=2000)], "y q p")
    (notice,) = ffn.evaluate("flow", other, root=root).deliveries[0].notices
    assert notice == "2 rows appended to train.csv; 12 it had before."


def test_where_rows_repeat_content_does_not_tell_them_apart(tmp_path: Path) -> None:
    folder = tmp_path / "data/few"
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text(
        '[data]\nsource = "t.csv"\ntarget = "y"\n[training]\nepochs = 2\nnetworks = 2\n'
        '[optimizers.sgd]\nlearning_rate = 0.01\n[outcomes]\nappend = "history"\n'
    )
    patterns = [f"{a},{b},{'large' if a + b > 3 else 'small'}" for a in range(4) for b in range(4)]
    (folder / "t.csv").write_text("\n".join(["a,b,y", *(patterns * 10)]) + "\n")
    ffn.retrain("few", root=tmp_path)
    (tmp_path / "new.csv").write_text("\n".join(["a,b,y", *patterns]) + "\n")
    with pytest.raises(ffn.LabelsRefusedError, match="its rows repeat more than three times on av"):
        ffn.evaluate("few", tmp_path / "new.csv", root=tmp_path)


def test_rows_of_the_file_that_only_judges_are_never_trained_on(root: Path) -> None:
    holdout = rows(60, 10, first=5000)
    write(root / "data/flow/holdout.csv", holdout)
    change_settings(root, "[training]", '[split]\ntest = "holdout.csv"\n\n[training]')
    found = [*holdout[:3], *rows(4, 11, first=1000)]
    scored(root, found)
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    assert history(outcome).left_out == {"of holdout.csv, which only judges": 3}
    assert history(outcome).appended == 4
    assert np.isin(pd.read_csv(train(root))["id"], [row[0] for row in holdout]).sum() == 0
    assert find_pipeline("flow", root).test is not None
