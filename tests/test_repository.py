"""What the repository promises: a lock that protects, files that name no machine, small modules."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import ffn
from tests.helpers.checkout import tracked

LOCKS = (
    "requirements.txt",
    "requirements-base.txt",
    "requirements-dev.txt",
    "requirements-browser.txt",
    "requirements-sql.txt",
    "requirements-pools.txt",
    "requirements-cloud.txt",
    "requirements-cloud-test.txt",
    "requirements-dask.txt",
    "requirements-ray.txt",
)
Locks = dict[str, dict[str, re.Match[str]]]
LOCKED = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[A-Za-z0-9.!+]+)(?P<marker> ; [^\\\n]+)?"
    r"(?P<hashes>( \\\n    --hash=sha256:[0-9a-f]{64})+)\n"
)
# A registry or a home folder in a tracked file would tie the project to where it was written.
MACHINE = re.compile(
    rb"py" rb"pi(\.python)?\.org|python" rb"hosted\.org|/(home|Users)/\w|/roo[t]/|[A-Z]:\\Users\\"
)


def read_lock(text: str) -> dict[str, re.Match[str]]:
    """Return the packages of a lock file by name; refuse any line that is not part of one."""
    packages, position = {}, 0
    while position < len(text):
        found = LOCKED.match(text, position)
        if found is None:
            raise ValueError(f"not a package with hashes: {text[position:].splitlines()[0]!r}")
        packages[found["name"]] = found
        position = found.end()
    return packages


def machine_names(content: bytes) -> list[str]:
    """Return the registry hosts and home folders named in a file."""
    return [found[0].decode() for found in MACHINE.finditer(content)]


def private_replacements(source: str) -> Iterator[str]:
    """Yield the private names that a test replaces by others: values that should be keywords."""
    for node in ast.walk(ast.parse(source)):
        name: ast.AST | None = None
        match node:
            case ast.Call(func=ast.Attribute(attr="setattr"), args=[_, ast.Constant() as name, _]):
                pass
            case ast.Call(func=ast.Attribute(attr="setattr" | "patch"), args=[name, *_]):
                pass
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner), attr=attribute)]):
                name = None if owner == "self" else ast.Constant(attribute)
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            last = name.value.rpartition(".")[2]
            if last.startswith("_") and not last.startswith("__"):
                yield last


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    """The document in pyproject.toml."""
    return tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def locks(repository: Path) -> Locks:
    """The lock files, read."""
    return {name: read_lock((repository / name).read_text("utf-8")) for name in LOCKS}


GOOD = f"numpy==2.4.6 \\\n    --hash=sha256:{'0' * 64}\n"


@pytest.mark.parametrize(
    "text",
    [
        "--index-url https://example.org/simple\n" + GOOD,
        GOOD + "--extra-index-url https://example.org/simple\n",
        GOOD + "--find-links /somewhere\n",
        "# made on some machine\n" + GOOD,
        GOOD + "-e .\n",
        GOOD + "scipy==1.17.1\n",
        GOOD + f"scipy>=1.17 \\\n    --hash=sha256:{'0' * 64}\n",
        GOOD + f"scipy==1.17.1 \\\n    --hash=md5:{'0' * 32}\n",
        GOOD + f"scipy @ https://example.org/s.whl \\\n    --hash=sha256:{'0' * 64}\n",
    ],
)
def test_a_lock_with_anything_but_hashed_packages_is_refused(text: str) -> None:
    assert list(read_lock(GOOD)) == ["numpy"]
    with pytest.raises(ValueError, match="not a package with hashes"):
        read_lock(text)


def test_the_locks_hold_hashed_packages_only(
    locks: Locks,
) -> None:
    runtime, base, *others = (locks[name] for name in LOCKS)
    assert len(runtime) > 50
    # The wheels of every platform are listed, not only those of one machine.
    for name in ("numpy", "scipy", "scikit-learn", "matplotlib"):
        assert runtime[name]["hashes"].count("--hash") > 20
    # The same versions and hashes in all: `make test` changes nothing that `make run` installed.
    texts = {name: found[0] for name, found in runtime.items()}.items()
    for more in others:
        assert texts <= {name: found[0] for name, found in more.items()}.items()
    # Who installs the base gets the same, too, but for the packages of the extras.
    assert {name: found[0] for name, found in base.items()}.items() <= texts
    assert not base.keys() & {"prefect", "fastapi", "sqlalchemy", "matplotlib", "pillow", "pandas"}


def test_the_locks_satisfy_the_project(project: dict[str, Any], locks: Locks) -> None:
    table = project["project"]
    extras = table["optional-dependencies"]
    assert extras["all"] == ["ffn-pipeline[pandas,report,service]"]
    optional = [line for name in ("pandas", "report", "service") for line in extras[name]]
    built_with = project["build-system"]["requires"]
    wanted = {
        "requirements.txt": [*table["dependencies"], *optional, *built_with],
        "requirements-base.txt": table["dependencies"],
        "requirements-dev.txt": table["optional-dependencies"]["dev"],
        "requirements-browser.txt": table["optional-dependencies"]["browser"],
        "requirements-sql.txt": table["optional-dependencies"]["sql"],
        "requirements-pools.txt": table["optional-dependencies"]["pools"],
        "requirements-cloud.txt": table["optional-dependencies"]["cloud"],
        "requirements-cloud-test.txt": [
            *table["optional-dependencies"]["cloud"],
            *table["optional-dependencies"]["cloud-test"],
        ],
        "requirements-dask.txt": table["optional-dependencies"]["dask"],
        "requirements-ray.txt": table["optional-dependencies"]["ray"],
    }
    for lock, lines in wanted.items():
        for requirement in map(Requirement, lines):
            found = locks[lock][canonicalize_name(requirement.name)]
            assert found["marker"] is None
            assert found["version"] in requirement.specifier, f"{lock}: {requirement}"


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("prefect", "==3.8.8"),
        # From 0.155 on Prefect's server does not start; its next release caps it here.
        ("fastapi", "<0.151"),
        # With 2.1 a schedule never fires, and only the server's log says why.
        ("sqlalchemy", "<2.1"),
    ],
)
def test_the_pins_without_which_prefect_fails_hold(
    package: str,
    allowed: str,
    project: dict[str, Any],
    locks: Locks,
) -> None:
    assert f"{package}{allowed}" in project["project"]["optional-dependencies"]["service"]
    assert locks["requirements.txt"][package]["version"] in SpecifierSet(allowed)
    assert version(package) in SpecifierSet(allowed)


def test_one_version_number(project: dict[str, Any]) -> None:
    assert "version" in project["project"]["dynamic"]
    assert version("ffn-pipeline") == ffn.__version__


def test_the_newest_version_of_the_changelog_is_this_one(repository: Path) -> None:
    text = (repository / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    released = [
        re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d", line) for line in headings[1:]
    ]
    assert all(released), headings
    numbers = [found[1] for found in released if found]
    assert numbers[0] == ffn.__version__
    assert numbers == sorted(numbers, key=lambda n: tuple(map(int, n.split("."))), reverse=True)


@pytest.mark.parametrize(
    "content",
    [
        "https://" + "pypi" + ".org/simple",
        "https://files." + "python" + "hosted" + ".org/packages",
        "/" + "home/someone/project",
        "/" + "Users/someone",
        "/" + "root/project",
    ],
)
def test_a_machines_name_is_found(content: str) -> None:
    assert machine_names(f"see {content}".encode())
    assert machine_names(b"see https://example.org/home and ./Users.md") == []


def test_no_file_names_a_registry_or_a_home(repository: Path) -> None:
    files = tracked(repository)
    assert repository / "pyproject.toml" in files
    named = {
        str(path.relative_to(repository)): names
        for path in files
        if (names := machine_names(path.read_bytes()))
    }
    assert named == {}


def test_no_file_is_empty_by_accident(repository: Path) -> None:
    empty = {path.name for path in tracked(repository) if not path.stat().st_size}
    assert empty <= {"__init__.py", "py.typed"}


def test_the_hooks_are_local(repository: Path) -> None:
    text = (repository / ".pre-commit-config.yaml").read_text("utf-8")
    assert set(re.findall(r"repo: *(\S+)", text)) == {"local"}
    entries = re.findall(r"entry: (\S+)", text)
    assert entries
    assert all(entry.startswith(".venv/bin/") for entry in entries)


@pytest.mark.parametrize(
    "source",
    [
        'monkeypatch.setattr(split_file, "_LEAST_BYTES", 1)',
        'with pytest.MonkeyPatch.context() as patch:\n    patch.setattr(module, "_FEW", 0)',
        'monkeypatch.setattr("ffn.scoring.canary._SECONDS", 0.01)',
        'with mock.patch("ffn.scoring.canary._SECONDS", 0.01):\n    pass',
        "checkpoint._LEAST_BYTES = 400_000",
    ],
)
def test_a_private_name_that_is_replaced_is_found(source: str) -> None:
    assert len(list(private_replacements(source))) == 1


def test_public_names_may_be_replaced() -> None:
    source = (
        'monkeypatch.setattr(os, "fsync", full)\nmonkeypatch.setattr("time.time", now)\n'
        'mock.patch(what, wrong)\nself._seen = []\nmonkeypatch.setattr(Kind, "__str__", told)\n'
        'monkeypatch.setattr(module, "write", lambda *_: None)'
    )
    assert list(private_replacements(source)) == []


def test_no_test_replaces_a_private_name(repository: Path) -> None:
    """It gives a keyword, or replaces what is public: then the code behind may change freely."""
    sources = {
        path.relative_to(repository).as_posix(): path.read_text("utf-8")
        for path in (repository / "tests").rglob("*.py")
    }
    assert len(sources) > 200
    found = {path: list(private_replacements(source)) for path, source in sources.items()}
    assert {path: names for path, names in found.items() if names} == {}
