"""What the watch of a service reads of a pipeline, whatever stands in a file's place."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from flows.service.watcher import _production


@pytest.mark.parametrize(
    ("put", "found"),
    [
        (lambda path: None, b""),
        (lambda path: path.write_bytes(b"x"), b"x"),
        (os.mkfifo, b""),
        (os.mkdir, b""),
        (lambda path: path.symlink_to("nowhere"), b""),
        (lambda path: path.write_bytes(b"x" * 100_000), b""),
    ],
)
def test_no_pipe_is_waited_for_in_the_place_of_the_pointer(tmp_path, put, found) -> None:
    put(tmp_path / "production.json")
    assert _production(SimpleNamespace(artifacts=tmp_path)) == found
