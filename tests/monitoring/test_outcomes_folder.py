"""The outcomes folder is watched as the inbox is, and the verb tells what became of its files."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

import ffn
from ffn.registry.run_log import journal
from ffn.scoring.inbox.labels_folder import scan_outcomes
from ffn.settings.pipeline import find_pipeline
from tests.helpers.command_line import run_here
from tests.monitoring.conftest import change_settings, counts, rows, scored, write


def put(root: Path, name: str, content: str) -> Path:
    """Put a file into the folder that has not changed for long."""
    path = root / "data/flow/outcomes" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    settle(path)
    return path


def settle(path: Path) -> None:
    """Wait until the file counts as complete: its ctime cannot be set."""
    os.utime(path, (time.time() - 60, time.time() - 60))
    while time.time() - path.stat().st_ctime < 1.05:
        time.sleep(0.05)


def test_each_content_is_taken_up_once(root: Path) -> None:
    found = rows(30, 40, first=1000)
    scored(root, found)
    pipeline = find_pipeline("flow", root)
    assert scan_outcomes(pipeline).waiting == ()
    lines = [f"{row[0]},{row[3]}" for row in found]
    path = put(root, "week.csv", "\n".join(["id,y", *lines[:20]]) + "\n")
    put(root, "bad.csv", "id,y\nr1000,a\nr1000,b\n")
    with pytest.raises(
        ffn.LabelsRefusedError, match=r'1 of 2 files refused: bad\.csv: "r1000"'
    ) as e:
        ffn.evaluate("flow", root=root, new=True)
    assert [counts(one) for one in e.value.outcome.deliveries] == [{"joined": 20}]
    again = ffn.evaluate("flow", root=root, new=True)
    assert (again.deliveries, again.refusals) == ([], {})
    assert again.folder is not None
    assert again.folder.scored == ("week.csv",)
    assert list(again.folder.refused) == ["bad.csv"]
    # New content under the old name.
    path.write_text("\n".join(["id,y", *lines]) + "\n")
    settle(path)
    more = ffn.evaluate("flow", root=root, new=True)
    assert [counts(one) for one in more.deliveries] == [{"joined": 10, "known": 20}]
    told = [entry.text for entry in journal(root / "artifacts/flow") if entry.what == "evaluate"]
    assert [text.partition(";")[0] for text in told] == [
        "10 of 30 rows with labels joined",
        "20 of 20 rows with labels joined",
    ]


def test_a_file_that_is_being_written_waits_and_taken_up_ones_are_moved(root: Path) -> None:
    change_settings(root, "[inbox]", "[inbox]\nmove = true")
    scored(root, rows(2, 41, first=1000))
    path = put(root, "now.csv", "id,y\nr1000,a\n")
    path.write_text("id,y\nr1000,a\nr1001,b\n")
    seen = ffn.evaluate("flow", root=root, new=True)
    assert seen.folder is not None
    assert list(seen.folder.settling) == ["now.csv"]
    settle(path)
    assert [one.rows for one in ffn.evaluate("flow", root=root, new=True).deliveries] == [2]
    assert (path.parent / "done/now.csv").is_file()


def test_a_link_is_not_followed(root: Path) -> None:
    (root / "secret.csv").write_text("id,y\nr1,a\n")
    folder = root / "data/flow/outcomes"
    folder.mkdir()
    (folder / "link.csv").symlink_to(root / "secret.csv")
    outcome = ffn.evaluate("flow", root=root, new=True)
    assert outcome.folder is not None
    assert list(outcome.folder.refused) == ["link.csv"]


def test_the_verb_prints_what_it_found(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(40, 42, first=1000)
    scored(root, found)
    path = write(root / "labels.csv", found[:30], "y id")
    path.write_text(path.read_text() + "bee,r1039\n")
    words = ("evaluate", "flow", path, "--direct", "--root", root)
    capsys.readouterr()
    assert run_here(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "labels.csv: 31 of 31 rows joined to predictions.",
        '  The label "bee" (1 row) is unknown to the version and counts as a mistake.',
    ]
    assert lines[2].startswith(
        "  The rows of these labels alone that version 1 had scored, 30 rows"
    )
    assert lines[3].startswith('  1 row with labels that the model does not know ("bee") is not in')
    assert lines[4].startswith("  No slice was compared with the other rows: none of 8 has")
    assert lines[5] == "9 predictions without a label so far."
    assert lines[6].startswith("flow, version 1: realised accuracy 0.")
    assert lines[-1] == "All intervals are 95 % confidence sequences, valid at every look."
    assert run_here((*words, "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["joined"]) == (31, 0)
    assert told["versions"][0]["figures"]["rows"] == 31
    assert told["versions"][0]["calibration"]
    assert run_here((*words, "--new")) == 1
    assert "--new is for the outcomes folder" in capsys.readouterr().err
    assert run_here(("evaluate", "flow", root / "none.csv", "--direct", "--root", root)) == 1
    assert capsys.readouterr().err == (
        f"ffn: {root}/none.csv does not exist. Give the path of a CSV file.\n"
    )


def test_before_anything_was_scored_the_verb_says_so(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(("evaluate", "flow", "--direct", "--root", root)) == 0
    assert capsys.readouterr().out == (
        "flow: no predictions of the version in production are known.\n"
    )
