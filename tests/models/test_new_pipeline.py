from __future__ import annotations

import os
from pathlib import Path

import pytest

from ffn.errors import DataError, SettingsError
from ffn.models import new_pipeline
from ffn.models.new_pipeline import initialise

TABLE = "p,q,y\r\n" + "".join(f"{i * 37 % 50},{i % 7},{'ab'[i % 2]}\r\n" for i in range(60))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "mine.csv"
    path.write_bytes(b"\xef\xbb\xbf" + TABLE.encode())
    return path


def test_the_copy_is_the_file_byte_for_byte_and_on_disk(source, tmp_path, monkeypatch) -> None:
    synced, fsync = set(), os.fsync

    def watch(handle: int) -> None:
        synced.add(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watch)
    settings, notices = initialise("mine", source=source, target="y", root=tmp_path / "root")
    folder = tmp_path / "root" / "data" / "mine"
    assert (settings, notices) == (folder / "pipeline.toml", [])
    assert (folder / "train.csv").read_bytes() == source.read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == ["inbox", "pipeline.toml", "train.csv"]
    for path in (folder / "train.csv", folder / "pipeline.toml", folder, folder.parent):
        assert path.stat().st_ino in synced


@pytest.mark.parametrize("before", ["load", "normalise", "_write"])
def test_a_file_that_changes_between_the_looks_makes_no_pipeline(
    source, tmp_path, monkeypatch, before
) -> None:
    step = getattr(new_pipeline, before)

    def write_first(*arguments):
        source.write_text(TABLE.replace("49", "48"), newline="")
        return step(*arguments)

    monkeypatch.setattr(new_pipeline, before, write_first)
    with pytest.raises(DataError, match=r"mine\.csv changed while it was read\. Try again"):
        initialise("mine", source=source, target="y", root=tmp_path / "root")
    data = tmp_path / "root" / "data"
    assert not data.exists() or list(data.iterdir()) == []


def test_a_missing_mark_that_is_no_text_is_refused(source, tmp_path) -> None:
    """As the system hands over an argument with the byte 255."""
    with pytest.raises(SettingsError, match=r'--missing "\\udcff" is no text in UTF-8'):
        initialise("mine", source=source, target="y", root=tmp_path, missing=["\udcff"])
    assert not (tmp_path / "data").exists()
