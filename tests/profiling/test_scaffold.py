from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from ffn.errors import DataError, SettingsError
from ffn.profiling import scaffold
from ffn.profiling.scaffold import create_pipeline
from ffn.training import memory, training_data

TABLE = "p,q,y\r\n" + "".join(f"{i * 37 % 50},{i % 7},{'ab'[i % 2]}\r\n" for i in range(60))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "mine.csv"
    path.write_bytes(b"\xef\xbb\xbf" + TABLE.encode())
    return path


@pytest.fixture
def towns(tmp_path: Path) -> Path:
    path = tmp_path / "towns.csv"
    rows = [f"town {i % 80},{'xz'[i // 2 % 2]},{i % 99},{'ab'[i % 2]}\n" for i in range(800)]
    path.write_text("town,line,n,y\n" + "".join(rows))
    return path


def test_the_copy_is_the_file_byte_for_byte_and_on_disk(source, tmp_path, monkeypatch) -> None:
    synced, fsync = set(), os.fsync

    def watch(handle: int) -> None:
        synced.add(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watch)
    settings, notices = create_pipeline("mine", source=source, target="y", root=tmp_path / "root")
    folder = tmp_path / "root" / "data" / "mine"
    assert (settings, notices) == (folder / "pipeline.toml", [])
    assert (folder / "train.csv").read_bytes() == source.read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == ["inbox", "pipeline.toml", "train.csv"]
    for path in (folder / "train.csv", folder / "pipeline.toml", folder, folder.parent):
        assert path.stat().st_ino in synced


@pytest.mark.parametrize("before", ["load", "learn", "_write"])
def test_a_file_that_changes_between_the_looks_makes_no_pipeline(
    source, tmp_path, monkeypatch, before
) -> None:
    step = getattr(scaffold, before)

    def write_first(*arguments):
        source.write_text(TABLE.replace("49", "48"), newline="")
        return step(*arguments)

    monkeypatch.setattr(scaffold, before, write_first)
    with pytest.raises(DataError, match=r"mine\.csv changed while it was read\. Try again"):
        create_pipeline("mine", source=source, target="y", root=tmp_path / "root")
    data = tmp_path / "root" / "data"
    assert not data.exists() or list(data.iterdir()) == []


def test_what_no_memory_can_hold_is_refused_with_the_widest_column_and_leaves_nothing(
    towns, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(memory, "memory_limit", lambda: 1_000_000)
    message = (
        r'^towns: 72 inputs \(52 of column "town"\), hidden layers \[64, 64\], .* memory, .* or '
        r"exclude columns\. \(Nothing was written; ffn init takes --exclude COLUMN"
    )
    with pytest.raises(SettingsError, match=message):
        create_pipeline("towns", source=towns, target="y", root=tmp_path)
    assert list(tmp_path.iterdir()) == [towns]


# Of 800 rows, each of a number and two categories, then of 72 inputs.
@pytest.mark.parametrize(
    ("free", "what"),
    [
        (10_000, "converting the training table"),
        (100_000, r'the training table as 72 inputs \(52 of column "town"\)'),
    ],
)
def test_a_disk_too_small_for_the_table_is_that_of_the_root(
    towns, tmp_path, monkeypatch, free, what
) -> None:
    def usage(path: Path) -> SimpleNamespace:
        assert path.is_relative_to(tmp_path / "root")
        return SimpleNamespace(free=free)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    with pytest.raises(DataError, match=rf"root.*: {what} takes .* give another --root\."):
        create_pipeline("towns", source=towns, target="y", root=tmp_path / "root")
    assert list((tmp_path / "root").iterdir()) == []


def test_nothing_is_made_of_the_table_but_what_is_asked(source, tmp_path, monkeypatch) -> None:
    """Inputs may take a hundred times the table's room; init needs their number alone."""

    def written(*_: object) -> None:
        raise AssertionError("inputs were written")

    monkeypatch.setattr(training_data, "write_parts", written)
    create_pipeline("mine", source=source, target="y", root=tmp_path)


def test_a_missing_mark_that_is_no_text_is_refused(source, tmp_path) -> None:
    """As the system hands over an argument with the byte 255."""
    with pytest.raises(SettingsError, match=r'--missing "\\udcff" is no text in UTF-8'):
        create_pipeline("mine", source=source, target="y", root=tmp_path, missing=["\udcff"])
    assert not (tmp_path / "data").exists()
