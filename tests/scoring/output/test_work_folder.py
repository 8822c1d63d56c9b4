"""The folder in which an output grows, where others may write, too, and were there before."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from ffn.errors import DataError
from ffn.scoring.output.checkpoint import sweep_journals
from ffn.scoring.output.work_folder import WorkFolder
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import TenthsScorer

CONTENT = b"id,size,colour\n1,7,red\n2,3,blue\n"
SOMEBODY = 65534


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def shared(tmp_path):
    """A folder such as /tmp, in which anybody may make files."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@pytest.fixture
def work(shared):
    """Where an output ``x.csv`` in the shared folder will grow, as anybody can guess."""
    return shared / ".x.csv.ffn-unfinished"


@pytest.fixture
def precious(tmp_path):
    """A file of ours, at the end as it was."""
    path = tmp_path / "precious"
    path.write_bytes(b"precious")
    yield path
    assert path.read_bytes() == b"precious"


def refused(source, shared, why):
    with pytest.raises(DataError, match=rf"ffn-unfinished {why}.* Remove it, or give an output in"):
        score_csv(TenthsScorer(), source, shared / "x.csv")
    assert not (shared / "x.csv").exists()


@pytest.mark.parametrize("name", ["output", "rejects", "journal.0", "manifest"])
def test_a_folder_of_somebody_else_is_not_taken(source, shared, work, precious, name):
    if os.geteuid():
        pytest.skip("only root may give a folder away")
    work.mkdir()
    (work / name).symlink_to(precious)
    os.chown(work, SOMEBODY, -1)
    work.chmod(0o777)
    refused(source, shared, "belongs to another user")
    assert (work / name).is_symlink()


def test_somebody_without_rights_meets_the_folder_of_another():
    if os.geteuid():
        pytest.skip("only root may become somebody else")
    # pytest's own folders are closed to others.
    with tempfile.TemporaryDirectory() as name:
        shared = Path(name)
        shared.chmod(0o1777)
        (shared / "in.csv").write_bytes(CONTENT)
        (shared / ".x.csv.ffn-unfinished").mkdir(mode=0o700)
        assert "ffn-unfinished is not accessible to this user" in said_to_somebody(shared)
        (shared / ".x.csv.ffn-unfinished").rmdir()
        assert said_to_somebody(shared) == "2 scored"


def said_to_somebody(folder):
    """Score as a user without rights; returns the error, or how many rows were scored."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(SOMEBODY)
            os.setuid(SOMEBODY)
            done = score_csv(TenthsScorer(), folder / "in.csv", folder / "x.csv")
            os.write(theirs, f"{done.scored} scored".encode())
        except BaseException as error:
            os.write(theirs, str(error).encode())
        finally:
            os._exit(0)
    os.close(theirs)
    os.waitpid(child, 0)
    with os.fdopen(ours) as said:
        return said.read()


def test_a_link_is_not_taken_for_the_folder(source, shared, work, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    work.symlink_to(elsewhere)
    refused(source, shared, "is a link or not a folder")
    assert list(elsewhere.iterdir()) == []


def test_a_folder_into_which_others_may_write_is_not_taken(source, shared, work):
    work.mkdir()
    work.chmod(0o777)
    refused(source, shared, "can be written by other users")


@pytest.mark.parametrize("name", ["output", "rejects", "manifest"])
@pytest.mark.parametrize("kind", ["link", "hard link", "pipe"])
def test_what_is_no_plain_file_of_ours_is_not_written_to(
    source, shared, work, precious, name, kind
):
    """As in a folder that was open when they were put there, and is closed now."""
    work.mkdir(mode=0o700)
    if kind == "link":
        (work / name).symlink_to(precious)
    elif kind == "hard link":
        os.link(precious, work / name)
    else:
        os.mkfifo(work / name)
    with WorkFolder.opened(work) as folder, pytest.raises(OSError, match=r"\[Errno"):
        folder.update(name)
    # What no run can go on from is removed before, and precious stays.
    score_csv(TenthsScorer(), source, shared / "x.csv")
    assert (shared / "x.csv").read_bytes().startswith(b"id,size,colour,predicted_")


def test_the_folder_is_closed_and_its_files_are_not(source, shared, work):
    """What becomes the output has the rights that any new file would have."""
    modes = []

    def at(_):
        modes.append(stat.S_IMODE(work.stat().st_mode))

    before = os.umask(0o022)
    try:
        score_csv(TenthsScorer(), source, shared / "x.csv", on_progress=at)
    finally:
        os.umask(before)
    assert set(modes) == {0o700}
    for name in ("x.csv", "x.csv.rejects.csv", "x.csv.manifest.json"):
        assert stat.S_IMODE((shared / name).stat().st_mode) == 0o644


def test_a_folder_that_is_taken_away_meanwhile_is_still_the_one(source, shared, work):
    """Its name leads elsewhere by then, and what is published comes from the one we hold."""

    def swap(_):
        if not (shared / "away").exists():
            work.rename(shared / "away")
            work.mkdir()
            (work / "output").write_bytes(b"forged")
            (work / "rejects").write_bytes(b"forged")

    result = score_csv(TenthsScorer(), source, shared / "x.csv", on_progress=swap)
    assert b"forged" not in result.output.read_bytes() + result.rejects.read_bytes()
    assert (work / "output").read_bytes() == b"forged"


def test_a_folder_of_ours_under_that_name_keeps_what_it_holds(source, shared, work):
    work.mkdir(mode=0o700)
    (work / "thesis.tex").write_text("years of work")
    sweep_journals(shared)
    score_csv(TenthsScorer(), source, shared / "x.csv")
    assert (work / "thesis.tex").read_text() == "years of work"


def test_a_folder_that_an_earlier_version_left_is_taken_and_closed(shared, work):
    work.mkdir()
    work.chmod(0o755)
    with WorkFolder.opened(work):
        assert stat.S_IMODE(work.stat().st_mode) == 0o700


def test_a_folder_of_ours_that_was_given_the_name_of_a_temporary_stays(source, shared):
    """Anybody may rename what lies in a folder without the sticky bit."""
    thesis = shared / ".ffn-999999999-0123456789abcdef.tmp"
    thesis.mkdir()
    (thesis / "thesis.tex").write_text("years of work")
    score_csv(TenthsScorer(), source, shared / "x.csv")
    assert (thesis / "thesis.tex").read_text() == "years of work"
