"""The lock of the environment that builds the site: the locked product, and hashed tools."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.test_repository import read_lock


def test_the_site_is_built_with_the_locked_product_and_hashed_tools(repository: Path) -> None:
    runtime = read_lock((repository / "requirements.txt").read_text("utf-8"))
    found = read_lock((repository / "requirements-docs.txt").read_text("utf-8"))
    assert {name: package[0] for name, package in runtime.items()}.items() <= {
        name: package[0] for name, package in found.items()
    }.items()
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [Requirement(line) for line in project["optional-dependencies"]["docs"]]
    assert {r.name for r in wanted} == {"furo", "latex2mathml", "myst-parser", "sphinx"}
    for requirement in wanted:
        package = found[canonicalize_name(requirement.name)]
        assert package["marker"] is None
        assert package["version"] in requirement.specifier


def test_it_is_an_environment_of_its_own_made_by_hash(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text("utf-8")
    recipe = makefile.split("\n$(DOCS_VENV)/.made:")[1].split("\n\n")[0]
    installs = [line for line in recipe.splitlines() if " install " in line]
    assert [line.split(" install ")[1] for line in installs] == [
        "--require-hashes --no-deps --requirement requirements-docs.txt"
    ]
    assert all("$(DOCS_VENV)" in line for line in installs)
    assert (
        "urls" not in tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]
    )
