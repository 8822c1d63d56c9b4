"""The workflow of the hosted CI: it runs what developers run, on every Python that is supported."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet


@pytest.fixture(scope="module")
def jobs(repository: Path) -> dict[str, Any]:
    """The jobs of the workflow."""
    text = (repository / ".github/workflows/ci.yml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return found


def test_every_command_is_a_target_of_make(jobs: dict[str, Any], repository: Path) -> None:
    makefile = (repository / "Makefile").read_text("utf-8")
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    targets = [re.fullmatch(r"make ([\w-]+) PYTHON=python", command) for command in commands]
    assert all(targets), commands
    names = [found[1] for found in targets if found]
    assert {"check", "test", "benchmark-quick", "examples"} <= set(names)
    assert all(re.search(rf"^{name}:", makefile, re.MULTILINE) for name in names)


def test_every_supported_python_is_tried(jobs: dict[str, Any], repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    tried = jobs["test"]["strategy"]["matrix"]["python"]
    assert tried == named
    supported = SpecifierSet(project["requires-python"])
    assert all(version in supported for version in tried)
    assert "3.10" not in supported
    # The oldest, whose grammar ruff and mypy are to keep to.
    (setup,) = (step for step in jobs["check"]["steps"] if "setup-python" in step.get("uses", ""))
    assert setup["with"]["python-version"] == tried[0]


@pytest.mark.parametrize("name", ["bug", "feature"])
def test_the_forms_for_issues_ask_for_something(name: str, repository: Path) -> None:
    form = yaml.safe_load((repository / f".github/ISSUE_TEMPLATE/{name}.yml").read_text("utf-8"))
    assert {"name", "description", "body"} <= set(form)
    identifiers = [field["id"] for field in form["body"]]
    assert len(identifiers) == len(set(identifiers)) > 0
    assert all(field["attributes"]["label"] for field in form["body"])
    assert any(field.get("validations", {}).get("required") for field in form["body"])
