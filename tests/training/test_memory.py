from __future__ import annotations

import os

import pytest

from ffn.training.memory import memory_limit

MACHINE = 4096 * 1000


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, MACHINE),
        ({"memory.max": "max\n"}, MACHINE),
        ({"memory.max": "1048576\n"}, 1_048_576),
        ({"memory.max": "9223372036854771712\n"}, MACHINE),
        ({"memory/memory.limit_in_bytes": "2097152\n"}, 2_097_152),
        ({"memory/memory.limit_in_bytes": "9223372036854771712\n"}, MACHINE),
        ({"memory.max": "3000000", "memory/memory.limit_in_bytes": "2000000"}, 2_000_000),
        ({"memory.max": ""}, MACHINE),
        ({"memory.max": "\u0661"}, MACHINE),
    ],
)
def test_a_container_may_have_less_than_its_machine(tmp_path, monkeypatch, files, expected) -> None:
    sizes = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    assert memory_limit(tmp_path) == expected


def test_here() -> None:
    assert 2**20 < memory_limit() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
