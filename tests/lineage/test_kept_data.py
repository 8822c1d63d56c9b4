"""Tables that are kept: once, whole, as they were, and as readable as they were."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ffn.errors import DataError, RegistryError
from ffn.lineage.kept_data import (
    KeptTable,
    damaged_tables,
    data_in_use,
    extract_table,
    keep_table,
    kept_in_words,
    kept_tables,
    remove_unneeded,
)
from tests.helpers.registries import damaged

TEXT = b"a,b\n" + b"".join(b"%d,x\n" % n for n in range(5_000))


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(TEXT)
    return path


def names(artifacts: Path) -> list[str]:
    return sorted(path.name for path in (artifacts / "training-data").iterdir())


def test_a_table_is_kept_once_and_other_tools_read_it(table: Path, tmp_path: Path) -> None:
    kept = keep_table(table, tmp_path, digest(TEXT))
    assert kept == tmp_path / f"training-data/{digest(TEXT)}.zst"
    with kept.open("rb") as file:
        assert zstandard.ZstdDecompressor().stream_reader(file).read() == TEXT
    before = kept.stat()
    other = table.with_name("the same under another name.csv")
    other.write_bytes(TEXT)
    assert keep_table(other, tmp_path, digest(TEXT)) == kept
    assert kept.stat().st_mtime_ns == before.st_mtime_ns
    assert kept_tables(tmp_path) == [KeptTable(sha256=digest(TEXT), bytes=before.st_size)]
    assert before.st_size < len(TEXT) / 2
    assert list(damaged_tables(tmp_path)) == []


@given(content=st.binary(max_size=300))
def test_what_is_kept_comes_back(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("kept")
    (folder / "t").write_bytes(content)
    keep_table(folder / "t", folder, digest(content))
    extract_table(folder, digest(content), folder / "again")
    assert (folder / "again").read_bytes() == content


def test_a_table_that_changed_is_not_kept(table: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"table\.csv changed after it was read for training"):
        keep_table(table, tmp_path, digest(b"another"))
    assert names(tmp_path) == []


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_no_more_people_can_read_it_than_the_table(table: Path, tmp_path: Path, mode: int) -> None:
    table.chmod(mode)
    before = os.umask(0o022)
    try:
        kept = keep_table(table, tmp_path, digest(TEXT))
    finally:
        os.umask(before)
    assert stat.S_IMODE(kept.stat().st_mode) == mode


def test_every_damage_is_noticed_and_mended_by_the_table(table: Path, tmp_path: Path) -> None:
    kept = keep_table(table, tmp_path, digest(TEXT))
    content = kept.read_bytes()
    for what, changed in damaged(content):
        kept.write_bytes(changed)
        # The end of an archive may be followed by nothing at all, not by a line.
        assert [path for path, _ in damaged_tables(tmp_path)] == [kept], what
        with pytest.raises(DataError, match=r"\.zst is damaged"):
            extract_table(tmp_path, digest(TEXT), tmp_path / "again")
        assert keep_table(table, tmp_path, digest(TEXT)) == kept
        assert list(damaged_tables(tmp_path)) == []


def test_links_and_strange_names_are_not_followed(table: Path, tmp_path: Path) -> None:
    kept = keep_table(table, tmp_path, digest(TEXT))
    elsewhere = tmp_path / "elsewhere.zst"
    kept.rename(elsewhere)
    with pytest.raises(DataError, match=r"is missing"):
        extract_table(tmp_path, digest(TEXT), tmp_path / "again")
    kept.symlink_to(elsewhere)
    with pytest.raises(DataError, match=r"cannot be read"):
        extract_table(tmp_path, digest(TEXT), tmp_path / "again")
    assert kept_tables(tmp_path) == []
    for name in ("../x", "", "A" * 64, digest(TEXT) + "\n"):
        with pytest.raises(DataError, match="is not a SHA-256"):
            extract_table(tmp_path, name, tmp_path / "again")
    other = tmp_path / "other"
    other.mkdir()
    (other / "training-data").symlink_to(tmp_path / "training-data")
    with pytest.raises(RegistryError, match="is a link"):
        keep_table(table, other, digest(TEXT))
    with pytest.raises(RegistryError, match="is a link"), data_in_use(other):
        pass
    assert kept_tables(other) == []
    assert len(list(damaged_tables(other))) == 1


def test_what_nobody_needs_goes_unless_a_retraining_is_running(table: Path, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_bytes(b"other")
    first = keep_table(table, tmp_path, digest(TEXT))
    second = keep_table(tmp_path / "other.csv", tmp_path, digest(b"other"))
    with data_in_use(tmp_path):
        assert remove_unneeded(tmp_path, ()) == []
    (dry,) = remove_unneeded(tmp_path, {digest(TEXT)}, dry_run=True)
    assert second.exists()
    assert remove_unneeded(tmp_path, {digest(TEXT)}) == [dry]
    assert dry.sha256 == digest(b"other")
    assert (first.exists(), second.exists()) == (True, False)
    assert remove_unneeded(tmp_path, {digest(TEXT)}) == []


def test_a_retraining_that_keeps_nothing_leaves_nothing(tmp_path: Path) -> None:
    with data_in_use(tmp_path / "artifacts"):
        pass
    assert list((tmp_path / "artifacts").iterdir()) == []


def _keep_again_and_again(table: Path, artifacts: Path) -> None:
    for _ in range(20):
        keep_table(table, artifacts, digest(TEXT))


def test_two_that_keep_the_same_both_have_it(table: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=_keep_again_and_again, args=(table, tmp_path)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert names(tmp_path) == [f"{digest(TEXT)}.zst"]
    assert list(damaged_tables(tmp_path)) == []


def test_one_that_is_killed_leaves_no_part(table: Path, tmp_path: Path) -> None:
    """The table never ends, and the process dies with a part of it written."""
    endless = tmp_path / "endless"
    os.mkfifo(endless)
    program = (
        "import sys; from pathlib import Path; from ffn.lineage.kept_data import keep_table; "
        f"keep_table(Path({str(endless)!r}), Path({str(tmp_path)!r}), 'a' * 64)"
    )
    process = subprocess.Popen([sys.executable, "-c", program])
    with endless.open("wb") as writer:
        writer.write(os.urandom(2**20))
        writer.flush()
        assert names(tmp_path) != []
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert all(name.startswith(".ffn-") for name in names(tmp_path))
    assert kept_tables(tmp_path) == []
    keep_table(table, tmp_path, digest(TEXT))
    assert names(tmp_path) == [f"{digest(TEXT)}.zst"]


def test_the_words_are_made_of_the_figures() -> None:
    tables = [KeptTable(sha256="", bytes=1_000), KeptTable(sha256="", bytes=500)]
    assert kept_in_words(tables[:1]) == "1 training table kept, 1.0 kB"
    assert kept_in_words(tables) == "2 training tables kept, 1.5 kB"
