"""What was run lately: one line each, the newest first, never in the way of a run."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from ffn.errors import BusyError, DataError
from ffn.registry.run_log import DriftNote, Note, journal, note_down, running


def test_runs_are_kept_in_order_with_their_outcome(tmp_path):
    with running(tmp_path, "retrain") as note:
        note.outcome, note.version, note.text = "promoted", 3, "Version 3 is promoted."
    with pytest.raises(DataError, match="no header"), running(tmp_path, "score"):
        raise DataError("a.csv: no header.")
    with running(tmp_path, "score"):
        pass  # nothing to tell of
    newest, older = journal(tmp_path)
    assert (newest.what, newest.outcome, newest.version) == ("score", "failed", None)
    assert newest.text == "a.csv: no header."
    assert (older.what, older.outcome, older.version) == ("retrain", "promoted", 3)
    assert older.at <= newest.at
    assert 0 <= newest.seconds < 5


def test_what_was_not_begun_is_not_told(tmp_path):
    with pytest.raises(BusyError, match="at work"), running(tmp_path, "score"):
        raise BusyError("another is at work.")
    assert journal(tmp_path) == []


def test_a_text_cannot_make_a_second_line(tmp_path):
    note_down(tmp_path, "score", Note(outcome="refused", text='a\n{"what": "retrain"}\r\x1b[31m'))
    (entry,) = journal(tmp_path)
    assert entry.text.isprintable()
    assert (tmp_path / "runs.jsonl").read_bytes().count(b"\n") == 1


def test_a_line_that_cannot_be_read_is_none(tmp_path):
    note_down(tmp_path, "score", Note(outcome="scored", text="one"))
    with (tmp_path / "runs.jsonl").open("ab") as file:
        file.write(b'{"at": 3\n[]\n{"what": "x"}\n\xff\n')
    note_down(tmp_path, "score", Note(outcome="scored", text="two"))
    assert [entry.text for entry in journal(tmp_path)] == ["two", "one"]


@pytest.mark.parametrize(
    "change",
    [
        {"at": None},
        {"what": [1]},
        {"outcome": {}},
        {"text": "\ud800"},
        {"version": "x"},
        {"version": 10**400},
        {"seconds": "x"},
        {"seconds": float("inf")},
        {"drift": {"judged": "x", "detected": 0, "columns": [], "text": ""}},
        {"drift": {"judged": 1, "detected": None, "columns": [], "text": ""}},
        {"drift": {"judged": 1, "detected": 1, "columns": [3], "text": ""}},
        {"drift": {"judged": 1, "detected": 1, "columns": ["a"], "text": None}},
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_a_line_with_values_of_another_type_is_none(tmp_path, change):
    note_down(tmp_path, "score", Note(outcome="scored", text="one"))
    line = json.loads((tmp_path / "runs.jsonl").read_text()) | change
    with (tmp_path / "runs.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    assert [entry.text for entry in journal(tmp_path)] == ["one"]


def test_what_was_found_of_drift_is_kept(tmp_path):
    found = DriftNote(judged=3, detected=1, columns=("a", "b"), text="x.csv, unlike training")
    note_down(tmp_path, "score", Note(outcome="scored", drift=found))
    with (tmp_path / "runs.jsonl").open("a") as file:
        entry = json.loads((tmp_path / "runs.jsonl").read_text())
        for damaged in ("x", {}, {"columns": 3}, {"columns": ["a"]}, 7):
            file.write(json.dumps(entry | {"drift": damaged}) + "\n")
        # As earlier versions wrote it.
        del entry["drift"]
        file.write(json.dumps(entry) + "\n")
    assert [entry.drift for entry in journal(tmp_path)] == [None, found]


def test_it_does_not_grow_for_ever_and_keeps_the_newest(tmp_path):
    for number in range(800):
        note_down(tmp_path, "score", Note(outcome="scored", text=f"{number} " + "x" * 900))
    assert (tmp_path / "runs.jsonl").stat().st_size < 600_000
    lines = (tmp_path / "runs.jsonl").read_text().splitlines()
    numbers = [int(json.loads(line)["text"].split()[0]) for line in lines]
    assert numbers == list(range(800 - len(numbers), 800))


def test_several_may_write_at_once(tmp_path):
    def write(number: int) -> None:
        note_down(tmp_path, "score", Note(outcome="scored", text=f"{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(100)))
    assert {int(entry.text) for entry in journal(tmp_path, 200)} == set(range(100))


def test_a_full_disk_does_not_fail_the_run(tmp_path, monkeypatch):
    (tmp_path / "runs.jsonl").mkdir()
    with running(tmp_path, "score") as note:
        note.outcome = "scored"
    assert journal(tmp_path) == []


def test_the_log_is_for_its_owner_alone(tmp_path):
    """Refusals quote cells of files that not all who can look here may read."""
    log = tmp_path / "runs.jsonl"
    log.touch(mode=0o644)  # as an earlier version made it
    note_down(tmp_path, "score", Note(outcome="refused", text="one"))
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_link_is_no_log(tmp_path):
    (tmp_path / "elsewhere").write_bytes(b"mine\n")
    (tmp_path / "runs.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        note_down(tmp_path, "score", Note(outcome="scored", text="one"))
    assert (tmp_path / "elsewhere").read_bytes() == b"mine\n"
