"""The wheel, installed into an empty environment: no checkout, no file of the repository."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import ffn
from tests.helpers.checkout import tracked

FLOWERS = "data/iris/train.csv"
PIP = (sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input")
# The commands of `make dist`.
BUILD_SDIST = 'from setuptools.build_meta import build_sdist; build_sdist("dist")'
WHEEL = (*PIP, "wheel", "--no-deps", "--no-build-isolation", "--no-index")


def run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command to which this checkout is unknown."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def sources(repository: Path) -> set[str]:
    """Names of the files that belong into the wheel."""
    names = {path.relative_to(repository).as_posix() for path in tracked(repository)}
    return {name for name in names if name.startswith(("ffn/", "flows/"))}


@pytest.fixture(scope="module")
def dist(repository: Path, sources: set[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both distributions, built as `make dist` builds them in a fresh clone."""
    folder = tmp_path_factory.mktemp("clone")
    project = ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "MANIFEST.in")
    for name in (*sources, *project, "tests/test_wheel.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((repository / name).read_bytes())
    run(sys.executable, "-I", "-c", BUILD_SDIST, cwd=folder)
    built = folder / "dist"
    (archive,) = built.glob("*.tar.gz")
    run(*WHEEL, "--wheel-dir", built, archive, cwd=folder)
    return built


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    """The wheel."""
    (built,) = dist.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel; its dependencies are those that the tests run with."""
    folder = tmp_path_factory.mktemp("installed")
    environment = folder / "environment"
    run(sys.executable, "-I", "-m", "venv", "--without-pip", environment, cwd=folder)
    (packages,) = environment.glob("lib/python*/site-packages")
    # As a plain path: the .pth file of the editable install there is not followed.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = environment / "bin/python"
    run(*PIP, "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    return environment


def test_make_dist_runs_what_is_tried_here(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text("utf-8")
    assert f"BUILD_SDIST := {BUILD_SDIST}\n" in makefile
    assert f"{' '.join(WHEEL[len(PIP) :])} --wheel-dir dist dist/*.tar.gz\n" in makefile


def test_the_wheel_holds_the_two_packages_alone(wheel: Path, sources: set[str]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert "ffn/py.typed" in names
    assert names == sources


def test_the_source_distribution_holds_what_builds_the_wheel(dist: Path, sources: set[str]) -> None:
    (path,) = dist.glob("*.tar.gz")
    top = f"ffn_pipeline-{ffn.__version__}/"
    with tarfile.open(path) as archive:
        names = {member.name.removeprefix(top) for member in archive if member.isfile()}
    project = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "MANIFEST.in"}
    made = {name for name in names if ".egg-info/" in name} | {"PKG-INFO", "setup.cfg"}
    assert names - made == sources | project


def test_a_table_is_learnt_and_scored_outside_any_checkout(
    installed: Path, repository: Path, tmp_path: Path
) -> None:
    command = installed / "bin/ffn"
    where = run(installed / "bin/python", "-c", "import ffn; print(ffn.__file__)", cwd=tmp_path)
    assert Path(where.stdout.strip()).is_relative_to(installed)
    assert run(command, "--version", cwd=tmp_path).stdout == f"ffn {ffn.__version__}\n"
    table = tmp_path / "flowers.csv"
    table.write_bytes((repository / FLOWERS).read_bytes())
    run(command, "init", "flowers", "--from", table, "--target", "species", cwd=tmp_path)
    trained = run(command, "retrain", "flowers", "--direct", "--json", cwd=tmp_path)
    assert json.loads(trained.stdout)["promoted"] is True
    run(command, "score", "flowers", table, "--direct", "--output", "labelled.csv", cwd=tmp_path)
    with (tmp_path / "labelled.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 150
    right = sum(row["species"] == row["predicted_species"] for row in rows)
    # Fisher's three species: answering one of them for all is right for 50.
    assert right > 100
