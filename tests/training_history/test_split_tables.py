"""Appending under other dialects, label spellings, and splits by time and group."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import ffn
from ffn.storage.pipeline_locks import retraining_lock
from tests.monitoring.conftest import change_settings, rows
from tests.monitoring.test_outcomes_folder import settle
from tests.training_history.test_appending import history, train

MONTHS = [f"2026-{month:02d}-{day:02d}" for month in (1, 2, 3) for day in range(1, 29)]


def german(root: Path) -> Path:
    """The table with semicolons, decimal commas, cp1252, and a label that is spelled otherwise."""
    folder = root / "data/flow"
    lines = ["größe;id;q;y"]
    lines += [
        f"{p.replace('.', ',')};{one};{q.replace('.', ',')};{'Ä' if y == 'a' else y}"
        for one, p, q, y in rows(200, 1)
    ]
    (folder / "train.csv").write_bytes(("\r\n".join(lines) + "\r\n").encode("cp1252"))
    change_settings(
        root,
        'target = "y"\n',
        'target = "y"\ndelimiter = ";"\ndecimal = ","\nencoding = "cp1252"\n'
        'labels = { "Ä" = "alpha" }\n',
    )
    change_settings(root, 'exclude = ["id"]', 'exclude = ["id"]\n[gate]\nmode = "always"\n')
    return folder / "train.csv"


def test_the_dialect_and_the_spelling_of_labels_are_kept(root: Path) -> None:
    table = german(root)
    ffn.retrain("flow", root=root)
    before = table.read_bytes()
    new = rows(4, 12, first=1000)
    path = root / "new.csv"
    text = "id;q;größe\n" + "".join(
        f"{one};{q.replace('.', ',')};{p.replace('.', ',')}\n" for one, p, q, _ in new
    )
    path.write_bytes(text.encode("cp1252"))
    ffn.score("flow", path, root=root)
    given = root / "labels.csv"
    given.write_bytes(
        ("id;y\n" + "".join(f"{one};{'Ä' if y == 'a' else y}\n" for one, _, _, y in new)).encode(
            "cp1252"
        )
    )
    outcome = ffn.evaluate("flow", given, root=root)
    assert history(outcome).sentence == "4 rows appended to train.csv."
    expected = "".join(
        f"{p.replace('.', ',')};{one};{q.replace('.', ',')};{'alpha' if y == 'a' else y}\r\n"
        for one, p, q, y in new
    )
    assert table.read_bytes() == before + expected.encode("cp1252")


def test_a_time_or_group_that_training_could_not_read_is_left_out(root: Path) -> None:
    folder = root / "data/flow"
    lines = ["id,p,q,day,who,y"]
    lines += [
        f"{one},{p},{q},{MONTHS[i % len(MONTHS)]},g{i % 40},{y}"
        for i, (one, p, q, y) in enumerate(rows(200, 1))
    ]
    (folder / "train.csv").write_text("\n".join(lines) + "\n")
    change_settings(root, "[training]", '[split]\ntime = "day"\ngroup = "who"\n\n[training]')
    new = rows(4, 13, first=1000)
    days = ["2026-04-01", "1 April", "", "2026-04-02"]
    groups = ["g1", "g1", "g1", ""]
    path = root / "new.csv"
    path.write_text(
        "id,p,q,day,who\n"
        + "".join(
            f"{one},{p},{q},{day},{who}\n"
            for (one, p, q, _), day, who in zip(new, days, groups, strict=True)
        )
    )
    ffn.score("flow", path, root=root)
    given = root / "labels.csv"
    given.write_text("id,y\n" + "".join(f"{one},{y}\n" for one, *_, y in new))
    outcome = ffn.evaluate("flow", given, root=root)
    assert history(outcome).left_out == {"without a time that can be read": 2, "without a group": 1}
    one, p, q, y = new[0]
    assert train(root).read_text() == "\n".join([*lines, f"{one},{p},{q},2026-04-01,g1,{y}"]) + "\n"


def test_files_in_the_folder_of_labels_append_as_well(root: Path) -> None:
    folder = root / "data/flow/outcomes"
    folder.mkdir()
    change_settings(root, '[outcomes]\nid = "id"\n', "[outcomes]\n")
    change_settings(root, 'settle = "1s"', 'settle = "1s"\nmove = true')
    new = rows(5, 14, first=1000)
    lines = (root / "data/flow/train.csv").read_text()
    (folder / "march.csv").write_text(
        "p,q,y,id\n" + "".join(f"{p},{q},{y},{one}\n" for one, p, q, y in new)
    )
    settle(folder / "march.csv")
    with retraining_lock(root / "artifacts/flow"):
        (notice,) = ffn.evaluate("flow", root=root, new=True).deliveries[0].notices
    assert notice.startswith("Nothing is appended to train.csv this time: flow is already being ")
    assert (root / "data/flow/train.csv").read_text() == lines
    # The file is taken up again, though its labels are known.
    (delivery,) = ffn.evaluate("flow", root=root, new=True).deliveries
    assert (delivery.known, delivery.notices) == (5, ["5 rows appended to train.csv."])
    assert ffn.evaluate("flow", root=root, new=True).deliveries == []
    appended = "".join(",".join(row) + "\n" for row in new)
    assert (root / "data/flow/train.csv").read_text() == lines + appended


def test_rows_of_parquet_are_written_as_a_csv_file_would_have_them(root: Path) -> None:
    table = root / "data/flow/train.csv"
    before = table.read_text()
    frame = pd.DataFrame({"id": [1, 2], "p": [0.5, 1e-7], "q": [1.25, 3.0]})
    frame.to_parquet(root / "new.parquet")
    ffn.score("flow", root / "new.parquet", root=root)
    (root / "labels.csv").write_text("id,y\n1,a\n2,b\n")
    outcome = ffn.evaluate("flow", root / "labels.csv", root=root)
    assert history(outcome).sentence == "2 rows appended to train.csv."
    added = [line.split(",") for line in table.read_text().removeprefix(before).splitlines()]
    assert [(one, float(p), float(q), y) for one, p, q, y in added] == [
        ("1", 0.5, 1.25, "a"),
        ("2", 1e-7, 3.0, "b"),
    ]
