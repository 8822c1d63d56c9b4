"""The name of the package of flows in a wheel: what is renamed, and what ends the build."""

from __future__ import annotations

import pytest

from wheel_backend import renamed


@pytest.mark.parametrize(
    ("source", "other"),
    [
        ("from flows.cli import app\n", "from ffn_flows.cli import app\n"),
        ("from flows import (\n    tasks,\n)\n", "from ffn_flows import (\n    tasks,\n)\n"),
        (
            "def f():\n    from flows.tasks import t\n",
            "def f():\n    from ffn_flows.tasks import t\n",
        ),
        ('"""What ``flows.tasks`` does in flows."""\n# flows.tasks\n', None),
        ('x = "the flows"\ny = run.flows\nz = f"{__package__}.tasks"\n', None),
        ("from ffn.overflows import x\nfrom .flows import y\n", None),
    ],
)
def test_imports_alone_are_renamed(source: str, other: str | None) -> None:
    assert renamed(source, "flows/x.py") == (other or source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import flows\n", r"^flows/x\.py:1: write from flows… import … instead$"),
        ("import flows.tasks\n", r"^flows/x\.py:1: write from flows"),
        ("import os, flows\n", r"^flows/x\.py:1: import what is needed of flows by its name$"),
        ("from ffn import flows\n", r"^flows/x\.py:1: import what is needed"),
        ("x = 1\nflows = 2\n", r"^flows/x\.py:2: import what is needed"),
        ("if x: from flows import y\n", r"^flows/x\.py:1: import what is needed"),
        ('run("flows.tasks")\n', r"^flows/x\.py:1: make this name from __package__$"),
        ("run(f'flows.server.tasks')\n", r"^flows/x\.py:1: make this name from __package__$"),
        ('import_module(r"flows.tasks")\n', r"^flows/x\.py:1: make this name from __package__$"),
    ],
)
def test_a_name_that_only_people_can_rename_ends_the_build(source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        renamed(source, "flows/x.py")
