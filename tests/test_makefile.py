"""The commands a stranger types, with stand-ins for Python and make that record and may fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import LONGEST

LOG = "log.txt"


@pytest.fixture
def checkout(repository: Path, tmp_path: Path) -> Path:
    """The files that installing needs, without an environment."""
    for name in ("Makefile", "pyproject.toml", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(repository / name, tmp_path)
    shutil.copytree(repository / ".ci", tmp_path / ".ci")
    return tmp_path


def write_script(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def environment(checkout: Path, fails_at: str = "nothing") -> None:
    """Put a recording Python into a finished .venv; it fails when told a certain word."""
    write_script(
        checkout / ".venv/bin/python",
        f'echo "$*" >> "{checkout / LOG}"\ncase "$*" in *{fails_at}*) exit 1;; esac',
    )
    (checkout / ".venv/.made").touch()


def make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make with nothing in the environment but the search path, and no input."""
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=checkout,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_is_the_default_and_lists_every_command(checkout: Path) -> None:
    done = make(checkout)
    phony = re.search(r"^\.PHONY: (.+)$", (checkout / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert re.findall(r"^make ([\w-]+) ", done.stdout, re.MULTILINE) == phony[1].split()
    assert done.returncode == 0


def test_everything_is_installed_by_hash(checkout: Path) -> None:
    environment(checkout)
    assert make(checkout, ".venv/.dev").returncode == 0
    installs = [line for line in (checkout / LOG).read_text().splitlines() if " install " in line]
    assert [line.split(" install ")[1] for line in installs] == [
        "--require-hashes --no-deps --requirement requirements.txt",
        "--no-build-isolation --no-deps --editable .",
        "--require-hashes --no-deps --requirement requirements-dev.txt",
    ]


def test_a_second_run_installs_nothing(checkout: Path) -> None:
    environment(checkout)
    make(checkout, ".venv/.dev")
    (checkout / LOG).unlink()
    assert make(checkout, ".venv/.dev").returncode == 0
    assert not (checkout / LOG).exists()


@pytest.mark.parametrize(
    ("fails_at", "stamps"),
    [
        ("requirements.txt", set()),
        ("editable", set()),
        ("requirements-dev.txt", {".run"}),
        ("nothing", {".run", ".dev"}),
    ],
)
def test_a_failed_install_leaves_no_stamp(fails_at: str, stamps: set[str], checkout: Path) -> None:
    environment(checkout, fails_at)
    done = make(checkout, ".venv/.dev")
    assert (done.returncode == 0) == (fails_at == "nothing")
    assert {path.name for path in (checkout / ".venv").glob(".*")} == {".made", *stamps}


def test_a_changed_lock_is_installed_again_and_its_old_stamp_goes_first(checkout: Path) -> None:
    environment(checkout)
    make(checkout, ".venv/.run")
    environment(checkout, "requirements.txt")
    later = (checkout / ".venv/.run").stat().st_mtime + 10
    os.utime(checkout / "requirements.txt", (later, later))
    assert make(checkout, ".venv/.run").returncode != 0
    assert not (checkout / ".venv/.run").exists()


def test_an_older_python_is_refused_in_one_line(checkout: Path) -> None:
    old = checkout / "python3.9"
    write_script(old, "exit 1")
    done = make(checkout, ".venv/.run", f"PYTHON={old}")
    first, rest = done.stderr.split("\n", 1)
    assert first == (
        f"No Python 3.11 or newer (tried: {old}). "
        "Install it, or name it: make PYTHON=/path/to/python3.11"
    )
    assert re.fullmatch(r"make: \*\*\* .+\n", rest)
    assert done.returncode != 0
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize(("found", "taken"), [((3, 10), False), ((3, 11), True), ((3, 13), True)])
def test_python_is_taken_by_its_version(
    found: tuple[int, int], taken: bool, checkout: Path
) -> None:
    pretend = f"import sys; sys.version_info = {(*found, 0)}; exec(sys.argv[1])"
    candidate = checkout / "python"
    write_script(
        candidate,
        f'[ "$1" = -c ] && exec "{sys.executable}" -c "{pretend}" "$2"\nmkdir .venv',
    )
    assert (make(checkout, ".venv/.made", f"PYTHON={candidate}").returncode == 0) == taken


def test_an_unfinished_environment_is_made_anew(checkout: Path) -> None:
    (checkout / ".venv/bin").mkdir(parents=True)
    new = checkout / "python3.11"
    write_script(new, f'echo "$*" >> "{checkout / LOG}"\nmkdir -p .venv')
    assert make(checkout, ".venv/.made", f"PYTHON={new}").returncode == 0
    assert (checkout / LOG).read_text().splitlines()[-1] == "-m venv --clear .venv"


@pytest.mark.parametrize(
    ("suites", "commands"),
    [
        ("", ["build/benchmark/bin/python -m benchmarks"]),
        ("growth scoring", ["build/benchmark/bin/python -m benchmarks growth scoring"]),
        ("accuracy", ["build/accuracy/bin/python -m benchmarks accuracy"]),
        (
            "accuracy growth",
            [
                "build/benchmark/bin/python -m benchmarks growth",
                "build/accuracy/bin/python -m benchmarks accuracy",
            ],
        ),
    ],
)
def test_accuracy_runs_only_if_named_and_apart_from_speed(
    suites: str, commands: list[str], checkout: Path
) -> None:
    environment(checkout)
    for name in ("benchmark", "accuracy"):
        (checkout / f"requirements-{name}.txt").touch()
    shown = make(checkout, "-n", "benchmark", *([f"SUITES={suites}"] if suites else []))
    assert shown.returncode == 0, shown.stderr
    lines = [line.strip() for line in shown.stdout.splitlines()]
    assert [line for line in lines if " -m benchmarks" in line] == commands
    if suites == "accuracy":
        longer = make(checkout, "-n", "benchmark", "SUITES=accuracy", "HOURS=0.5")
        assert longer.stdout.splitlines()[-1] == f"{commands[0]} --hours 0.5"
    # No other environment is made than those that are used.
    made = {line.split()[-1] for line in lines if " -m venv " in line}
    assert made == {command.split("/bin/")[0] for command in commands}


POOL = "--numprocesses 2 --dist loadfile --no-loadscope-reorder"
FLOWS, REST = f"tests/flows {POOL}", f"--ignore tests/flows {POOL}"


@pytest.mark.parametrize("fails", ["nothing", FLOWS, REST])
def test_all_tests_run_beside_those_of_the_flows_and_either_may_fail(
    fails: str, checkout: Path
) -> None:
    (checkout / "tests").mkdir()
    shutil.copy(Path(__file__).parent / "run", checkout / "tests")
    write_script(
        checkout / "python",
        f'echo "said $*"\n[ "$*" != "-m pytest {fails}" ]',
    )
    done = subprocess.run(
        ["tests/run", "./python"], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == [
        f"said -m pytest {REST}",
        f"said -m pytest {FLOWS}",
    ]
    assert (done.returncode == 0) == (fails == "nothing")


CI = ["check", "docs", "benchmark-quick", "examples", "test"]


def test_the_files_that_are_begun_first_are_there(repository: Path) -> None:
    assert [name for name in LONGEST if not (repository / "tests" / name).is_file()] == []


@pytest.mark.parametrize("fails", [[], *([goal] for goal in CI), CI])
def test_ci_runs_all_and_fails_if_one_does(fails: list[str], checkout: Path) -> None:
    failing = f'case " {" ".join(fails)} " in *" $goal "*) exit 2;; esac'
    write_script(checkout / "bin/make", f'for goal; do :; done; echo "$goal"\n{failing}')
    done = subprocess.run(
        [checkout / ".ci/run"],
        cwd="/",
        env={"PATH": f"{checkout / 'bin'}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == CI
    assert (done.returncode == 0) == (fails == [])
