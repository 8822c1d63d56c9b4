"""Retraining on real Ray clusters: the same bytes, and one line for whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engines.conftest import (
    PIPELINES,
    digest,
)
from tests.helpers.command_line import Done

Command = Callable[..., Done]
LONG = 1_500


@pytest.mark.parametrize("name", PIPELINES)
def test_a_cluster_of_the_run_gives_the_same_bytes(
    name: str, root: Path, ffn: Command, expected: dict[str, str]
) -> None:
    options = ("--runner", "ray", "--workers", "2", "--json", "--root", root)
    assert digest(ffn("retrain", name, *options)) == expected[name]
