from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from ffn.errors import DataError, FFNError, SettingsError
from ffn.storage.source import Source
from ffn.tabular.splitting.division import Division
from ffn.training import memory, training_data
from ffn.training.tables.loading import load
from ffn.training.tables.splitting import split
from tests.helpers.retrained import made, prepare

ROWS = "".join(f"{i * 37 % 50},{i % 7},{'ab'[i % 2]}\n" for i in range(60))
TABLE = "p,q,y\n" + ROWS


def test_a_table_is_read_with_its_digest(tmp_path) -> None:
    dataset = load(made(tmp_path, TABLE))
    assert dataset.classes == ("a", "b")
    assert dataset.order == ("p", "q")
    assert dataset.source_sha256 == hashlib.sha256(TABLE.encode()).hexdigest()


def test_row_numbers_are_no_features(tmp_path) -> None:
    lines = TABLE.splitlines()
    numbered = [f",id,{lines[0]}", *(f"{i},{i},{line}" for i, line in enumerate(lines[1:]))]
    assert load(made(tmp_path, "\n".join(numbered))).order == ("p", "q")
    kept = made(tmp_path, "\n".join(numbered), "[data]\nexclude = []")
    data = load(kept)
    assert data.order == ("id", "p", "q")
    assert data.notices == ("column 1 has no name and is left out, as an index of the rows",)


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ("", DataError, r"t\.csv is empty\. Give a CSV file with a header line"),
        ("\n\n", DataError, r"t\.csv has blank lines only"),
        ("p,q,y\n", DataError, r"t\.csv has a header and no rows"),
        ("p,q,z\n" + ROWS, SettingsError, r't\.csv has no column "y", which data\.target names'),
        ("p,p,y\n" + ROWS, DataError, r't\.csv: 2 columns are named "p"'),
        ("p;q;y\n1;2;a\n", DataError, r'only one column.*separated by ";"'),
        (TABLE + "1,2\n", DataError, r"t\.csv row 61 \(line 62\): "),
        (TABLE + "one,2,a\n", DataError, r'row 61 \(line 62\), column "p": "one" is not a finite'),
        (TABLE + "1e16,2,a\n", DataError, r'column "p": "1e16" is beyond'),
        (TABLE + "-inf,2,a\n", DataError, r'column "p": "-inf" is not a finite number'),
        (TABLE + "1,2,NA\n", DataError, r'column "y": 1 of 61 labels are "NA", which may mean'),
        ("y\n" + "a\nb\n" * 9, SettingsError, r"no feature column besides the target"),
        ("p,y\n" + ",a\n,b\n" * 9, DataError, r't\.csv, column "p": no values to learn from'),
        (TABLE.replace(",b\n", ",a\n"), DataError, r'column "y": every row has the label "a"'),
        (TABLE + "1,2,c\n2,2,c\n", DataError, r'class "c" has 2; each class needs 3\. Add rows'),
        ("confidence,y\n1,a\n2,b\n", SettingsError, 'feature column "confidence", .* Rename'),
        ("predicted_y,y\n1,a\n2,b\n", SettingsError, 'feature column "predicted_y", .* Rename'),
        ("p,y\n" + "5,a\n5,b\n" * 9, DataError, r"every feature column is constant"),
        ("p,y\n" + "5,a\n6,b\n" * 2, DataError, r'class "a" has 1, "b" has 1; each class needs 3'),
    ],
)
def test_a_table_that_cannot_be_learnt_from_is_refused_in_one_line(
    tmp_path, table, error, message
) -> None:
    with pytest.raises(error, match=message) as refusal:
        prepare(made(tmp_path, table))
    assert str(refusal.value).isprintable()
    left = {path.relative_to(tmp_path).parts[:3] for path in tmp_path.rglob("*") if path.is_file()}
    assert left <= {("t.csv",), ("artifacts", "made", "cache")}


def test_a_target_is_no_column_that_scoring_adds(tmp_path: Path) -> None:
    """Every file that carries the label would be refused."""
    pipeline = made(tmp_path, "p,confidence\n" + "1,a\n2,b\n" * 9, '[data]\ntarget = "confidence"')
    with pytest.raises(SettingsError, match=r't\.csv has a target column "confidence", .* Rename'):
        load(pipeline)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_held_out_that_no_float32_can_hold_is_refused(tmp_path: Path, dtype: str) -> None:
    rows = [f"{i % 7},{1e14 if i == 50 else i * 1e-30:g},{'ab'[i % 2]}\n" for i in range(60)]
    pipeline = made(tmp_path, "p,q,y\n" + "".join(rows), f'[training]\ndtype = "{dtype}"')
    message = (
        r't\.csv row 51, column "q": 1e\+14 is too far from the training rows, whose mean is '
        r"2\.45e-29 with a standard deviation of 1\.443e-29\. Correct the cell"
    )
    with pytest.raises(DataError, match=message):
        training_data.normalise(load(pipeline), Division.of(np.arange(60) >= 50), pipeline)


def test_constant_in_the_training_rows_is_enough_to_refuse(tmp_path) -> None:
    rows = [f"{max(i, 9)},0,{'ab'[i % 2]}\n" for i in range(20)]
    pipeline = made(tmp_path, "p,q,y\n" + "".join(rows))
    dataset = load(pipeline)
    held_out = np.arange(20) >= 10
    with pytest.raises(DataError, match=r"t\.csv: every feature column is constant or empty in"):
        training_data.normalise(dataset, Division.of(held_out), pipeline)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.csv", r"nowhere\.csv does not exist"),
        ("empty", r"empty holds no table"),
        ("../nowhere/t.csv", r"does not exist"),
        ("t.csv/x", r"cannot be read"),
        ("/dev/zero", r"/dev/zero is a device or pipe"),
        ("pipe", r"pipe is a device or pipe"),
        ("t\\u0000.csv", r"embedded null"),
    ],
)
def test_a_source_that_is_no_file(tmp_path, source, message) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=message):
        load(made(tmp_path, TABLE, f'[data]\nsource = "{source}"'))


def test_the_file_is_opened_once_so_its_digest_is_of_what_was_learnt_from(
    tmp_path, monkeypatch
) -> None:
    pipeline, real = made(tmp_path, TABLE), Path.open
    (tmp_path / "other.csv").write_text(TABLE.replace("a", "c"))

    def open_and_replace(path, *arguments, **options):
        file = real(path, *arguments, **options)
        if path == pipeline.source:
            os.replace(tmp_path / "other.csv", path)  # noqa: PTH105
        return file

    monkeypatch.setattr(Path, "open", open_and_replace)
    dataset = load(pipeline)
    monkeypatch.undo()
    assert dataset.classes == ("a", "b")
    assert dataset.source_sha256 == hashlib.sha256(TABLE.encode()).hexdigest()


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch) -> None:
    pipeline, read = made(tmp_path, TABLE), Source.read

    def read_and_write(source, size):
        chunk = read(source, size)
        os.utime(pipeline.source, ns=(0, 0))
        return chunk

    monkeypatch.setattr(Source, "read", read_and_write)
    with pytest.raises(DataError, match=r"t\.csv changed while it was read"):
        load(pipeline)


@pytest.mark.parametrize(
    "toml",
    [
        "[network]\nhidden_layers = [100000, 100000]",
        "[network]\nhidden_layers = [100000, 100000, 100000]\n[training]\nnetworks = 2",
        "[training]\nepochs = 1000000\nnetworks = 4096",
    ],
)
def test_what_no_memory_can_hold_is_refused_before_it_is_tried(tmp_path, toml) -> None:
    with pytest.raises(SettingsError, match=r"made: 2 inputs, hidden layers .* GB of memory, and"):
        prepare(made(tmp_path, TABLE, toml))


def test_inputs_that_no_memory_can_hold_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(memory, "memory_limit", lambda: 40_960)
    pipeline = made(tmp_path, TABLE)
    with pytest.raises(SettingsError, match=r"or container has 0\.0 GB\. Lower network\.hidden"):
        prepare(pipeline)
    # The table is there, as it was read, and nothing as inputs.
    assert len(list((pipeline.artifacts / "cache").iterdir())) == 1


def test_many_classes_are_counted_in_no_time(tmp_path) -> None:
    table = "p,q,y\n" + "".join(f"{i},{i % 7},c{i // 3}\n" for i in range(9_000))
    pipeline = made(tmp_path, table)
    held_out = split(load(pipeline), pipeline).held_out
    assert held_out.sum() == 3_000


def test_every_refusal_is_ours(tmp_path) -> None:
    """A table of noise: settings and dataset or a refusal, nothing else."""
    rng = np.random.default_rng(0)
    letters = np.array([*'01.,-\n;"e NAxy\0'])
    refused = 0
    for _ in range(300):
        noise = "".join(rng.choice(letters, 60))
        try:
            prepare(made(tmp_path, "p,q,y\n1,2,a\n" + noise))
        except FFNError:
            refused += 1
    assert refused > 250
