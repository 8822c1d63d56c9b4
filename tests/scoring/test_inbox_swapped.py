"""Whoever may only write to the inbox gets at no file of who scores it, whatever is swapped."""

from __future__ import annotations

import multiprocessing
import os
import time
from functools import partial

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from ffn.errors import DataError
from ffn.scoring.inbox import inbox_scan as module
from ffn.scoring.inbox.inbox_scan import scan_inbox, score_waiting
from ffn.scoring.inbox.listing import InboxFolder
from ffn.scoring.model import Model
from ffn.scoring.parallel import split_file
from ffn.scoring.parallel.split_file import score_in_parts
from tests.helpers.inboxes import GOOD, pipeline_with, put
from tests.helpers.scorers import TenthsScorer

MODEL = Model(TenthsScorer())
# It would be scored, and its cells come back in the output, the rejects and in messages.
SECRET = b"password-of-the-service,size,colour\nhunter2,7,red\nhunter3,hunter4,red\n"


@pytest.fixture(autouse=True)
def _later(monkeypatch):
    """Let looks happen an hour later, when all files are quiet."""
    now = time.time
    monkeypatch.setattr(module.time, "time", lambda: now() + 3600)


@pytest.fixture
def pipeline(tmp_path):
    return pipeline_with(tmp_path)


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    return path


@pytest.fixture
def no_secret(tmp_path, secret):
    """At the end nothing that was written holds a word of the secret."""
    yield
    for path in tmp_path.rglob("*"):
        if path.is_file() and not path.samefile(secret):
            content = path.read_bytes()
            assert b"hunter" not in content, path
            assert b"password-of" not in content, path


def link(path, secret):
    path.symlink_to(secret)


def pipe(path, _):
    os.mkfifo(path)


def folder(path, _):
    path.mkdir()


def another_file(path, _):
    path.write_bytes(GOOD)


def nothing(path, _):
    path.unlink(missing_ok=True)


SWAPS = [link, pipe, folder, another_file, nothing]


def swap(path, put_there, secret):
    """Put something else in a file's place in one step, with all times as they were."""
    new = path.with_name(".new")
    put_there(new, secret)
    path.unlink()
    if new.exists() or new.is_symlink():
        new.rename(path)


@pytest.mark.parametrize("put_there", SWAPS)
@pytest.mark.usefixtures("no_secret")
def test_what_was_swapped_after_the_look_is_not_read(pipeline, secret, put_there):
    path = put(pipeline, "a.csv")
    (file,) = scan_inbox(pipeline, 7).waiting
    swap(path, put_there, secret)
    assert score_waiting(MODEL, pipeline, file) is None
    found = scan_inbox(pipeline, 7)
    assert found.scored == ()
    assert not pipeline.predictions.exists()
    assert set(found.refused) <= {"a.csv"}
    assert not any("hunter" in reason for reason in found.refused.values())


@pytest.mark.parametrize("put_there", SWAPS)
@pytest.mark.usefixtures("no_secret")
def test_what_was_swapped_within_a_look_is_not_read(pipeline, secret, put_there, monkeypatch):
    path = put(pipeline, "a.csv")
    listed = InboxFolder.list_tables

    def then_swap(self):
        found = listed(self)
        swap(path, put_there, secret)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(InboxFolder, "list_tables", then_swap)
        found = scan_inbox(pipeline, 7)
    assert (found.waiting, found.refused) == ((), {})


@pytest.mark.usefixtures("no_secret")
@pytest.mark.parametrize("way", ["alone", "fork", "spawn", "parquet"])
def test_a_file_swapped_while_it_is_read_is_read_to_its_own_end(pipeline, secret, way, monkeypatch):
    """Blocks, parts and Parquet's columns come from what was opened, not from what has its name."""
    sizes = {"least_bytes": 1_000_000, "part_bytes": (300_000, 300_000)}
    monkeypatch.setattr(split_file, "score_in_parts", partial(score_in_parts, **sizes))
    context = multiprocessing.get_context(way if way in ("fork", "spawn") else "fork")
    monkeypatch.setattr(split_file, "way_to_start", lambda: context)
    path = put(pipeline, "a.csv", b"id,size,colour\n" + b"1,7,red\n" * 150_000)
    if way == "parquet":
        pq.write_table(pyarrow.csv.read_csv(path), path)
    (file,) = scan_inbox(pipeline, 7).waiting
    swapped = []

    def at(_):
        if not swapped:
            swapped.append(path)
            swap(path, link, secret)

    processes = 2 if way in ("fork", "spawn") else 1
    result = score_waiting(MODEL, pipeline, file, on_progress=at, workers=processes)
    assert (result.rows, result.scored) == (150_000, 150_000)
    assert swapped


@pytest.mark.usefixtures("no_secret")
def test_an_inbox_that_was_swapped_is_not_read(pipeline, secret, tmp_path):
    put(pipeline, "a.csv")
    (file,) = scan_inbox(pipeline, 7).waiting
    inbox = pipeline.folder / "inbox"
    inbox.rename(tmp_path / "moved")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # The very file, in another folder.
    os.link(tmp_path / "moved/a.csv", elsewhere / "a.csv")
    inbox.symlink_to(elsewhere)
    assert score_waiting(MODEL, pipeline, file) is None
    assert not pipeline.predictions.exists()


def test_the_inbox_itself_may_be_a_link_of_its_owner(pipeline, tmp_path):
    put(pipeline, "a.csv")
    (pipeline.folder / "inbox").rename(tmp_path / "drop")
    (pipeline.folder / "inbox").symlink_to(tmp_path / "drop")
    (file,) = scan_inbox(pipeline, 7).waiting
    assert score_waiting(MODEL, pipeline, file).scored == 2


def test_content_that_changes_behind_the_same_times_is_not_taken_for_what_was_seen(pipeline):
    """What a disk with coarse times would show as the same file is told by its digest."""
    path = put(pipeline, "a.csv")
    (file,) = scan_inbox(pipeline, 7).waiting
    before = path.stat()
    path.write_bytes(GOOD.replace(b"7", b"8"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    state = path.stat()
    stamp = file.seen.stamp
    same = type(stamp)(size=stamp.size, modified=stamp.modified, changed=state.st_ctime_ns)
    forged = type(file)(**{**vars(file), "seen": file.seen._replace(stamp=same)})
    with pytest.raises(DataError, match="changed while it was read"):
        score_waiting(MODEL, pipeline, forged)
    assert not (pipeline.predictions / "a.csv").exists()


def test_a_hard_link_is_refused_where_others_may_write(pipeline, secret):
    inbox = pipeline.folder / "inbox"
    os.link(secret, inbox / "a.csv")
    inbox.chmod(0o1777)
    found = scan_inbox(pipeline, 7)
    assert found.waiting == ()
    assert "hard link" in found.refused["a.csv"]
    # Nobody else could have made it.
    inbox.chmod(0o755)
    assert [file.name for file in scan_inbox(pipeline, 7).waiting] == ["a.csv"]


@pytest.mark.usefixtures("no_secret")
def test_a_second_name_given_after_the_look_is_noticed(pipeline, secret):
    inbox = pipeline.folder / "inbox"
    inbox.chmod(0o1777)
    path = put(pipeline, "a.csv")
    (file,) = scan_inbox(pipeline, 7).waiting
    path.unlink()
    os.link(secret, path)
    assert score_waiting(MODEL, pipeline, file) is None


@pytest.mark.parametrize("kind", ["link", "file", "other's"])
def test_files_are_moved_into_a_folder_and_nowhere_else(tmp_path, kind):
    pipeline = pipeline_with(tmp_path, move=True)
    inbox, elsewhere = pipeline.folder / "inbox", tmp_path / "elsewhere"
    elsewhere.mkdir()
    put(pipeline, "a.csv")
    put(pipeline, "b.csv")
    if kind == "link":
        (inbox / "done").symlink_to(elsewhere)
    elif kind == "file":
        (inbox / "done").write_bytes(b"")
    else:
        if os.geteuid():
            pytest.skip("only root may give a folder away")
        (inbox / "done").mkdir()
        os.chown(inbox / "done", 65534, -1)
    for file in scan_inbox(pipeline, 7).waiting:
        with pytest.raises(
            DataError, match=r"the folder done, to which it should be moved, .* Remove done"
        ):
            score_waiting(MODEL, pipeline, file)
    assert sorted(path.name for path in inbox.iterdir()) == ["a.csv", "b.csv", "done"]
    assert list(elsewhere.iterdir()) == []
    # They are scored, and that is known.
    assert scan_inbox(pipeline, 7).scored == ("a.csv", "b.csv")


def test_a_file_that_took_the_place_of_a_scored_one_is_not_moved_away(tmp_path, monkeypatch):
    pipeline = pipeline_with(tmp_path, move=True)
    path = put(pipeline, "a.csv")
    (file,) = scan_inbox(pipeline, 7).waiting
    rename = os.rename

    def late(old, new, **folders):
        if old == "a.csv" and "src_dir_fd" in folders:
            swap(path, another_file, None)
        rename(old, new, **folders)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", late)
        assert score_waiting(MODEL, pipeline, file).scored == 2
    assert path.read_bytes() == GOOD
    assert list((pipeline.folder / "inbox/done").iterdir()) == []
