"""The wheel, installed into an empty environment: no checkout, no file of the repository.

What it needs is either all that the tests run with, or the packages of the base alone.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

import ffn
from tests.helpers.checkout import tracked

FLOWERS = "data/iris/train.csv"
PIP = (sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input")
# The commands of `make dist`.
BUILD_SDIST = 'from setuptools.build_meta import build_sdist; build_sdist("dist")'
WHEEL = (*PIP, "wheel", "--no-deps", "--no-build-isolation", "--no-index")


PROJECT = {
    *("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "MANIFEST.in", "wheel_backend.py"),
}


def run(
    *command: object, cwd: Path, packages: tuple[Path, ...] = (), code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run a command to which this checkout is unknown, with further folders of packages."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    }
    if packages:
        environment["PYTHONPATH"] = os.pathsep.join(map(str, packages))
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
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
    for name in (*sources, *PROJECT, "tests/test_wheel.py"):
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
    """An environment with the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    environment = folder / "environment"
    run(sys.executable, "-I", "-m", "venv", "--without-pip", environment, cwd=folder)
    python = environment / "bin/python"
    run(
        *PIP,
        "--python",
        python,
        "install",
        "--no-compile",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=folder,
    )
    return environment


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All packages that the tests run with; the editable install among them is not followed."""
    return Path(sysconfig.get_path("purelib"))


@pytest.fixture(scope="module")
def base(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages that `pip install ffn-pipeline` brings, and no others."""
    folder = tmp_path_factory.mktemp("base")
    for line in (repository / "requirements-base.txt").read_text("utf-8").splitlines():
        name, marked, _ = line.removesuffix(" \\").partition("==")
        if not marked:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:
            assert " ; " in line, f"{name} is not installed"
            continue
        tops = {path.parts[0] for path in package.files or ()} - {"..", "__pycache__"}
        for top in sorted(tops):
            if not (folder / top).exists():
                (folder / top).symlink_to(str(package.locate_file(top)))
    return folder


def test_make_dist_runs_what_is_tried_here(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text("utf-8")
    assert f"BUILD_SDIST := {BUILD_SDIST}\n" in makefile
    assert f"{' '.join(WHEEL[len(PIP) :])} --wheel-dir dist dist/*.tar.gz\n" in makefile


def in_the_wheel(name: str) -> str:
    """Return the name that a source file has in the wheel."""
    return f"ffn_{name}" if name.startswith("flows/") else name


def test_the_wheel_holds_the_two_packages_alone(
    wheel: Path, sources: set[str], repository: Path
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    described = {
        name.rpartition("/")[2]: text for name, text in contents.items() if "dist-info" in name
    }
    files = {name: text for name, text in contents.items() if ".dist-info/" not in name}
    assert "ffn/py.typed" in files
    assert set(files) == set(map(in_the_wheel, sources))
    assert described["top_level.txt"].split() == [b"ffn", b"ffn_flows"]
    assert b"ffn = ffn_flows.__main__:run" in described["entry_points.txt"]
    for name in sources:
        ours, theirs = (repository / name).read_bytes(), files[in_the_wheel(name)]
        # The model's record of its code is the same, and a traceback leads to the same line.
        assert ours == theirs or name.startswith("flows/")
        assert ours.count(b"\n") == theirs.count(b"\n")
        assert theirs.replace(b"ffn_flows", b"flows") == ours.replace(b"ffn_flows", b"flows")


def test_the_source_distribution_holds_what_builds_the_wheel(dist: Path, sources: set[str]) -> None:
    (path,) = dist.glob("*.tar.gz")
    top = f"ffn_pipeline-{ffn.__version__}/"
    with tarfile.open(path) as archive:
        names = {member.name.removeprefix(top) for member in archive if member.isfile()}
    made = {name for name in names if ".egg-info/" in name} | {"PKG-INFO", "setup.cfg"}
    assert names - made == sources | PROJECT


@pytest.fixture(scope="module")
def learnt(
    installed: Path, base: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder in which the base has learnt a table; what it said is in trained.json."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "flowers.csv").write_bytes((repository / FLOWERS).read_bytes())
    command = installed / "bin/ffn"
    for line in (
        "init flowers --from flowers.csv --target species",
        "retrain flowers --direct --json",
    ):
        done = run(command, *line.split(), cwd=folder, packages=(base,))
    (folder / "trained.json").write_text(done.stdout)
    return folder


def test_the_base_has_no_packages_of_the_extras(base: Path) -> None:
    there = {path.name for path in base.iterdir()}
    assert {"numpy", "pyarrow", "pydantic", "rich", "sklearn"} <= there
    assert not there & {"prefect", "matplotlib", "PIL", "pandas", "fastapi", "sqlalchemy", "pytest"}


def test_a_table_is_learnt_and_scored_with_the_base_outside_any_checkout(
    learnt: Path, installed: Path, base: Path
) -> None:
    code = "import ffn; print(ffn.__file__); ffn.retrain, ffn.FFNClassifier, ffn.load, ffn.backtest"
    where = run(installed / "bin/python", "-c", code, cwd=learnt, packages=(base,))
    assert Path(where.stdout.strip()).is_relative_to(installed)
    version = run(installed / "bin/ffn", "--version", cwd=learnt, packages=(base,)).stdout
    assert version == f"ffn {ffn.__version__}\n"
    assert json.loads((learnt / "trained.json").read_text())["promoted"] is True
    scoring = ("score", "flowers", "flowers.csv", "--direct", "--output", "labelled.csv")
    run(installed / "bin/ffn", *scoring, cwd=learnt, packages=(base,))
    with (learnt / "labelled.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 150
    right = sum(row["species"] == row["predicted_species"] for row in rows)
    # Fisher's three species: answering one of them for all is right for 50.
    assert right > 100
    # Rows that came later: the fourth measurement of each flower is another.
    later = [line.split(",") for line in (learnt / "flowers.csv").read_text().splitlines()]
    moved = [[*cells[:3], f"{cells[3]}1", *cells[4:]] for cells in later[1:]]
    (learnt / "later.csv").write_text("\n".join(map(",".join, [later[0], *moved])) + "\n")
    for verb in (
        "models flowers",
        "verify flowers",
        "status",
        "evaluate flowers later.csv --direct",
    ):
        run(installed / "bin/ffn", *verb.split(), cwd=learnt, packages=(base,))


def test_the_base_writes_a_report_without_pictures_and_says_so(learnt: Path) -> None:
    told = json.loads((learnt / "trained.json").read_text())
    page = Path(told["report"]).read_text()
    said = "matplotlib is not installed; to have them next time: pip install"
    assert [notice for notice in told["notices"] if said in notice]
    assert page.count(said) == 1
    assert "<img" not in page
    assert "<h2>Confusion matrix</h2>" in page
    assert [path.name for path in Path(told["report"]).parent.iterdir()] == ["report.html"]


@pytest.mark.parametrize(
    ("verb", "instead"),
    [
        ("retrain flowers", "; or add --direct, to run the same without"),
        ("score flowers", "; or add --direct, to run the same without"),
        ("evaluate flowers", "; or add --direct, to run the same without"),
        ("serve", ""),
        ("serve --check", ""),
    ],
)
def test_a_verb_that_needs_prefect_says_in_one_line_how_to_install_it(
    verb: str, instead: str, learnt: Path, installed: Path, base: Path
) -> None:
    done = run(installed / "bin/ffn", *verb.split(), cwd=learnt, packages=(base,), code=1)
    assert done.stdout == ""
    does = "runs on" if verb.startswith("serve") else "runs through"
    assert done.stderr == (
        f"ffn: ffn {verb.split()[0]} {does} Prefect, which is not installed. Install it: "
        f"pip install 'ffn-pipeline[service]'{instead}.\n"
    )


def test_a_foreign_package_called_flows_is_neither_broken_nor_taken_for_ours(
    learnt: Path, installed: Path, everything: Path, tmp_path: Path
) -> None:
    foreign = tmp_path / "packages/flows"
    (foreign / "cli").mkdir(parents=True)
    (foreign / "__init__.py").write_text("mine = 'theirs'\n")
    (foreign / "cli/__init__.py").write_text("raise RuntimeError('of another project')\n")
    packages = (foreign.parent, everything)
    code = (
        "import flows, ffn_flows.service.plan, ffn_flows.retrain_flow as ours, sys\n"
        "print(flows.mine, ours.retrain.fn.__module__)\n"
        "print(*sorted(name for name in sys.modules if name.split('.')[0] == 'flows'))"
    )
    done = run(installed / "bin/python", "-c", code, cwd=tmp_path, packages=packages)
    assert done.stdout.splitlines() == ["theirs ffn_flows.retrain_flow", "flows"]
    done = run(installed / "bin/ffn", "serve", "--check", cwd=learnt, packages=packages)
    assert "flowers" in done.stdout
