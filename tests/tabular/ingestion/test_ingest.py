"""A CSV converted in small blocks and groups, against pandas and against itself in one piece."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ffn.errors import DataError
from ffn.storage.cache import Cache
from ffn.tabular.csv.reader import Records
from ffn.tabular.ingestion import conversion
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.ingestion.ingest import read_dataset
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.fingerprints import content_fingerprints, recognise


def read(path: Path, folder: Path, **options) -> Dataset:
    choice = {"target": "y", "missing_values": ("", "NA"), "kinds": {}} | options
    return read_dataset(path, Cache(folder), Choice(**choice))


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few records, groups of seven rows."""
    monkeypatch.setattr(conversion, "Records", partial(Records, block_size=64))
    monkeypatch.setattr(conversion, "rows_of_a_group", lambda _: 7)


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def mixed(rows: int) -> str:
    rng = np.random.default_rng(0)
    cells = [
        (
            str(rng.normal() * 10 ** int(rng.integers(-3, 4))),
            str(rng.choice(["", "NA", "1", "-2.50", " 3e1 "])),
            str(rng.choice(["red", "blue", "", "NA", '"a,b"', "1"])),
            str(rng.choice(["b", "a", " c"])),
        )
        for _ in range(rows)
    ]
    return "n,gaps,colour,y\n" + "".join(",".join(row) + "\n" for row in cells)


def test_in_pieces_it_is_what_pandas_reads(tmp_path: Path, in_pieces: None) -> None:
    path = write(tmp_path / "t.csv", mixed(200))
    data = read(path, tmp_path / "cache")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame["n"] = frame["n"].map(float)
    frame["gaps"] = frame["gaps"].map(lambda cell: np.nan if cell in ("", "NA") else float(cell))
    assert data.rows == 200
    assert (data.numeric_features, data.categorical_features) == (("n", "gaps"), ("colour",))
    assert_array_equal(data.numeric["n"], frame["n"])
    assert_array_equal(data.numeric["gaps"], frame["gaps"])
    assert data.categorical["colour"].tolist() == frame["colour"].tolist()
    labels = frame["y"].str.strip()
    assert data.classes == ("a", "b", "c")
    assert_array_equal(data.labels, labels.map({"a": 0, "b": 1, "c": 2}))
    assert_array_equal(
        data.fingerprints,
        content_fingerprints(
            {"n": frame["n"].to_numpy(), "gaps": frame["gaps"].to_numpy()},
            {"colour": frame["colour"].tolist()},
            ("", "NA"),
            200,
        ),
    )
    assert data.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


cells = st.sampled_from(["1", "2.5", "-0", "x", "", "NA", "007", "1e3", " 4", "y"])


@given(st.lists(st.tuples(cells, cells, st.sampled_from("ab")), min_size=1, max_size=60))
def test_the_pieces_change_nothing(tmp_path_factory: pytest.TempPathFactory, rows) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    text = "p,q,y\n" + "".join(",".join(row) + "\n" for row in rows)
    path = write(folder / "t.csv", text)

    def outcome(cache: str) -> tuple:
        try:
            data = read(path, folder / cache)
        except DataError as error:
            return (str(error),)
        by_name = {**data.numeric, **data.categorical}
        columns = [(name, str(by_name[name].tolist())) for name in data.order]
        kinds = (data.numeric_features, data.categorical_features)
        return kinds, columns, data.labels.tolist(), data.fingerprints.tolist()

    whole = outcome("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversion, "Records", partial(Records, block_size=16))
        patch.setattr(conversion, "rows_of_a_group", lambda _: 3)
        assert outcome("pieces") == whole


@pytest.mark.parametrize(
    ("first", "rest", "kind"),
    [("007", "red", "categorical"), ("red", "007", "numeric"), ("", "red", "categorical")],
)
def test_a_wrong_guess_is_corrected(tmp_path: Path, in_pieces: None, first, rest, kind) -> None:
    """Nine in ten decide, wherever they stand; the first texts are not lost as numbers."""
    others = [rest] * 100 if kind == "categorical" else [rest] * 200
    column = [first] * 20 + others
    if kind == "numeric":
        column = ["red"] * 10 + others
    text = "x,z,y\n" + "".join(f"{c},{i},{'ab'[i % 2]}\n" for i, c in enumerate(column))
    path = write(tmp_path / "t.csv", text)
    if kind == "numeric":
        with pytest.raises(DataError, match=r'row 1 \(line 2\), column "x": "red" is not a fini'):
            read(path, tmp_path / "cache")
        return
    data = read(path, tmp_path / "cache")
    assert data.categorical["x"].tolist() == column
    assert data.numeric["z"].tolist() == list(range(len(column)))


def test_a_spelling_of_missing_may_look_like_a_number(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "x,y\n-999,a\n-999.0,b\n1,a\n,b\n")
    data = read(path, tmp_path / "cache", missing_values=("", "-999"))
    assert_array_equal(data.numeric["x"], [np.nan, -999.0, 1.0, np.nan])


def test_the_first_of_many_mistakes_is_named(tmp_path: Path, in_pieces: None) -> None:
    rows = [f"{i},{i},a\n" for i in range(100)]
    rows[40], rows[60], rows[80] = "40,4e15,a\n", "60,x,a\n", "80,z,b\n"
    path = write(tmp_path / "t.csv", "p,q,y\n" + "".join(rows))
    with pytest.raises(DataError, match=r'row 61 \(line 62\), column "q": "x" is not a finite'):
        read(path, tmp_path / "cache")
    rows[60] = rows[80] = "1,1,b\n"
    write(path, "p,q,y\n" + "".join(rows))
    with pytest.raises(DataError, match=r'row 41 \(line 42\), column "q": "4e15" is beyond'):
        read(path, tmp_path / "cache")


def test_the_same_table_is_converted_once(tmp_path: Path, monkeypatch) -> None:
    path, cache = write(tmp_path / "t.csv", mixed(30)), tmp_path / "cache"
    first = read(path, cache)
    with monkeypatch.context() as patch:
        patch.setattr(conversion, "Records", None)
        again = read(path, cache)
        assert_array_equal(again.numeric["n"], first.numeric["n"])
        assert (again.classes, again.order) == (first.classes, first.order)
    for options in ({"kinds": {"gaps": "categorical"}}, {"exclude": ["n"]}):
        other = read(path, cache, **options)
        assert other.entry.path != first.entry.path
    del first, again, other
    write(path, mixed(31))
    assert read(path, cache).rows == 31
    assert len(list(cache.iterdir())) == 1, "what was made of the old file is gone"


def test_a_disk_without_room_is_seen_in_the_first_block(tmp_path: Path, monkeypatch) -> None:
    path = write(tmp_path / "t.csv", mixed(3_000))
    # Three features and 3,000 rows: two numbers, a code, a label and a fingerprint each.
    needed = 3_000 * (2 * 8 + 4 + 4 + 8)
    for free, fits in ((needed * 0.9, False), (needed * 1.1, True)):
        usage = type("usage", (), {"free": int(free)})
        monkeypatch.setattr("shutil.disk_usage", lambda _, usage=usage: usage)
        if fits:
            assert read(path, tmp_path / "cache").rows == 3_000
        else:
            with pytest.raises(
                DataError, match=r"table takes 9\d\.\d kB, and the disk has 86\.4 kB"
            ):
                read(path, tmp_path / "cache")
            assert not (tmp_path / "cache").exists()


def test_rows_are_known_by_some_of_their_columns(tmp_path: Path, in_pieces: None) -> None:
    path = write(tmp_path / "t.csv", mixed(50))
    data = read(path, tmp_path / "cache")
    alone = read(path, tmp_path / "cache", features=["gaps", "colour"])
    assert_array_equal(data.fingerprints_of(["colour", "gaps"]), alone.fingerprints)
    assert_array_equal(data.fingerprints_of(data.order), data.fingerprints)


@given(st.lists(st.integers(0, 9)), st.lists(st.integers(0, 9)))
def test_who_is_known_is_found(some: list[int], known: list[int]) -> None:
    found = recognise(np.array(some, dtype=np.uint64), np.array(known, dtype=np.uint64))
    assert found.tolist() == [fingerprint in known for fingerprint in some]
