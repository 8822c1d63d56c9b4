from __future__ import annotations

import os

import pytest

from ffn.errors import SettingsError
from ffn.machine_memory import memory_limit
from ffn.tabular.schema import Feature, Schema
from ffn.training import memory
from ffn.training.memory import check_memory, check_statistics
from tests.helpers.retrained import prepare, shipped

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


def test_class_statistics_that_do_not_fit_are_refused(monkeypatch) -> None:
    columns = tuple(
        Feature(name=name, kind="categorical", categories=tuple(map(str, range(n))))
        for name, n in (("few", 30), ("many", 1000))
    )
    schema = Schema(features=columns, target="y", classes=("a", "b", "c"))
    # Three float64 arrays of 5 folds, 1,000 categories and 3 classes.
    needed = 3 * 5 * 1000 * 3 * 8
    monkeypatch.setattr(memory, "memory_limit", lambda: needed)
    check_statistics(schema, 30, "t.csv")
    monkeypatch.setattr(memory, "memory_limit", lambda: needed - 1)
    check_statistics(schema, 1000, "t.csv")
    check_statistics(schema, None, "t.csv")
    with pytest.raises(SettingsError, match=r"^t\.csv: .* of 1,000 categories and 3 classes need"):
        check_statistics(schema, 30, "t.csv")


def test_the_networks_of_all_rates_have_to_fit(repository, tmp_path, monkeypatch) -> None:
    """163 parameters of 4 bytes, four networks at each of six rates, and their figures."""
    pipeline = shipped(repository, "iris", tmp_path, networks=4, epochs=10, rate="auto")
    part = prepare(pipeline).training
    # Gradients, two moments, best and last epoch of one rate at a time, and figures of four kinds.
    needed = (5 + 6) * 4 * 163 * 4 + 4 * 6 * 4 * 10 * 8
    monkeypatch.setattr(memory, "memory_limit", lambda: needed)
    check_memory(part.schema, part.preparation, pipeline)
    monkeypatch.setattr(memory, "memory_limit", lambda: needed - 1)
    with pytest.raises(SettingsError, match=r"^iris: 4 inputs, hidden layers \[16, 4\], 3 classes"):
        check_memory(part.schema, part.preparation, pipeline)
