"""What the page on installing says of sizes and times follows from what was measured."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from benchmarks.installation import closure, sizes_table, starts_table, with_tables

MEASURED = {
    "": {"numpy": 70.4, "pyarrow": 176.2, "rich": 3.0, "scipy": 140.0, "pydantic": 5.0},
    "pandas": {"pandas": 81.0, "six": 0.1},
    "service": {"prefect": 33.0},
}


def test_the_table_of_sizes_adds_up() -> None:
    assert sizes_table(MEASURED).splitlines()[2:] == [
        # 70.4 + 176.2 + 3 + 140 + 5, and the four largest.
        "| `ffn-pipeline` | 5 | 395 | pyarrow 176, scipy 140, numpy 70, pydantic 5 |",
        "| `[pandas]` adds | 2 | 81 | pandas 81, six 0 |",
        "| `[service]` adds | 1 | 33 | prefect 33 |",
        "| `[all]`: everything above | 8 | 509 | |",
    ]


def test_the_table_of_times_has_a_line_for_each_command() -> None:
    table = starts_table({"ffn --version": {"all": 0.05, "base": 0.049}})
    assert table.splitlines()[-1] == "| `ffn --version` | 0.05 | 0.05 |"


def test_tables_are_written_between_their_marks(repository: Path) -> None:
    page = (repository / "docs/how-to/install.md").read_text("utf-8")
    changed = with_tables(page, "| new |")
    assert "\n\n| new |\n\n<!-- end of measured -->\n" in changed
    assert with_tables(changed, "| new |") == changed
    assert changed.startswith(page.partition("<!--")[0])
    assert changed.endswith(page.partition("<!-- end")[2])


def test_a_closure_is_what_the_lock_of_the_base_has(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]
    lock = (repository / "requirements-base.txt").read_text("utf-8")
    locked = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
    found = closure(project["dependencies"])
    assert found == locked
    page = (repository / "docs/how-to/install.md").read_text("utf-8")
    assert f"| `ffn-pipeline` | {len(found)} |" in page
    assert f"from {len(found)} packages that score" in (repository / "README.md").read_text("utf-8")


@pytest.mark.parametrize(("extra", "brings"), [("service", "fastapi"), ("report", "pillow")])
def test_a_closure_has_what_is_required_in_turn(extra: str, brings: str, repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]
    assert brings in closure(project["optional-dependencies"][extra])
