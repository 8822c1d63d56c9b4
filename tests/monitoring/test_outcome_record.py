"""The record of outcomes: whole or not at all, for its owner alone, and of one writer at a time."""

from __future__ import annotations

import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from ffn.errors import DataError
from ffn.monitoring.record.outcome_record import (
    changing_record,
    id_digest,
    reading_record,
    record_path,
)


def names(artifacts: Path) -> list[str]:
    with reading_record(artifacts) as record:
        return [] if record is None else sorted(record.class_names().values())


def test_without_a_record_nothing_is_made_by_reading(tmp_path: Path) -> None:
    assert names(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_an_error_undoes_the_whole_block(tmp_path: Path) -> None:
    with changing_record(tmp_path) as record:
        record.class_code("a")

    def add_and_fail() -> None:
        with changing_record(tmp_path) as record:
            record.class_code("b")
            record.model_code(1, "ab")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        add_and_fail()
    assert names(tmp_path) == ["a"]
    with reading_record(tmp_path) as record:
        assert record is not None
        assert record.find_model(1, "ab") is None


def test_writers_wait_for_each_other_and_lose_nothing(tmp_path: Path) -> None:
    def add(first: int) -> None:
        for number in range(first, first + 5):
            with changing_record(tmp_path) as record:
                record.class_code(f"{number:02}")

    threads = [threading.Thread(target=add, args=(first,)) for first in (0, 5, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(tmp_path) == [f"{number:02}" for number in range(15)]


def test_it_is_readable_by_its_owner_only_and_knows_ids_as_digests(tmp_path: Path) -> None:
    with changing_record(tmp_path):
        pass
    assert stat.S_IMODE(record_path(tmp_path).stat().st_mode) == 0o600
    # By another program: printf r1 | b2sum -l 128
    assert id_digest("r1").hex() == "8c97518621991a8a21fe6a33b746d838"


def test_a_note_is_new_once_for_each_model_and_kind(tmp_path: Path) -> None:
    with changing_record(tmp_path) as record:
        told = [record.note_once(*key, 0.0, "x") for key in ((1, "alert"), (1, "alert"))]
        other = [record.note_once(*key, 0.0, "x") for key in ((2, "alert"), (1, "rollback"))]
    assert (told, other) == ([True, False], [True, True])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_bytes(b"no database" * 1000), "cannot be used .*not a database"),
        (lambda path: path.symlink_to("elsewhere"), "is a link; the record must be a regular file"),
        (lambda path: path.mkdir(), "cannot be used"),
    ],
)
def test_a_record_that_is_none_is_one_line(tmp_path: Path, spoil, message: str) -> None:
    path = record_path(tmp_path)
    path.parent.mkdir()
    spoil(path)
    for opened in (changing_record, reading_record):
        with pytest.raises(DataError, match=message) as error, opened(tmp_path):
            pass
        assert "\n" not in str(error.value)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    with changing_record(tmp_path):
        pass
    connection = sqlite3.connect(record_path(tmp_path))
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(DataError, match="has the format 9; this release knows 1"):
        names(tmp_path)
    with (
        pytest.raises(DataError, match="has the format 9; this release knows 1"),
        changing_record(tmp_path),
    ):
        pass
