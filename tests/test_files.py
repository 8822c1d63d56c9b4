import os
import subprocess
import sys

import pytest

from ffn.files import (
    atomic_file,
    atomic_files,
    canonical_json,
    sweep,
    temporary_name,
    write_bytes,
    write_json,
)


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_files_appear_together_and_the_last_one_last(tmp_path, monkeypatch):
    renamed = []
    replace = type(tmp_path).replace

    def watch(self, target):
        renamed.append(target.name)
        return replace(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", watch)
    with atomic_files(tmp_path / "a", tmp_path / "new" / "b", tmp_path / "c") as (a, b, c):
        a.write(b"1")
        b.write(b"2")
        c.write(b"3")
        assert renamed == []
    assert renamed == ["a", "b", "c"]
    assert (tmp_path / "a").read_bytes() == b"1"
    assert (tmp_path / "new" / "b").read_bytes() == b"2"
    assert names(tmp_path) == ["a", "c", "new"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_everything_as_it_was(tmp_path, error):
    (tmp_path / "a").write_bytes(b"old")
    with (  # noqa: PT012
        pytest.raises(error, match="no"),
        atomic_files(tmp_path / "a", tmp_path / "b") as (a, _),
    ):
        a.write(b"new")
        raise error("no")
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_folder_in_the_way_is_found_before_anything_is_renamed(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a").write_bytes(b"old")
    with (
        pytest.raises(IsADirectoryError, match="Is a directory"),
        atomic_files(tmp_path / "a", tmp_path / "b"),
    ):
        pass
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a", "b"]


def test_atomic_file_replaces(tmp_path):
    write_bytes(tmp_path / "x", b"one")
    with atomic_file(tmp_path / "x") as file:
        file.write(b"two")
        assert (tmp_path / "x").read_bytes() == b"one"
    assert (tmp_path / "x").read_bytes() == b"two"
    assert names(tmp_path) == ["x"]


def test_canonical_json(tmp_path):
    write_json(tmp_path / "x.json", {"b": [1, 0.5], "a": "é"})
    expected = '{\n  "a": "é",\n  "b": [\n    1,\n    0.5\n  ]\n}\n'
    assert (tmp_path / "x.json").read_bytes() == expected.encode()
    with pytest.raises(ValueError, match="Out of range float values"):
        canonical_json({"a": float("nan")})


def test_sweep_takes_what_dead_processes_left_and_nothing_else(tmp_path):
    code = "from ffn.files import temporary_name; print(temporary_name())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (tmp_path / dead.stdout.strip()).write_bytes(b"half")
    folder = tmp_path / dead.stdout.strip().replace(".tmp", "0.tmp")
    folder.mkdir()
    (folder / "x").touch()
    living = tmp_path / temporary_name()
    living.touch()
    (tmp_path / f"ffn-{os.getpid()}-1.tmp").touch()
    assert len(sweep(tmp_path)) == 2
    assert names(tmp_path) == sorted([living.name, f"ffn-{os.getpid()}-1.tmp"])
    assert sweep(tmp_path / "nowhere") == []
