"""The container image of `make image`, run with buildah: it trains and scores, and not as root."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

IMAGE = "ffn"
# Of the user in the image.
USER = 10_001


@pytest.fixture(scope="module")
def container() -> Iterator[str]:
    made = subprocess.run(
        ["buildah", "from", "--pull-never", IMAGE], capture_output=True, text=True, check=True
    ).stdout.strip()
    yield made
    subprocess.run(["buildah", "rm", made], capture_output=True, check=True)


@pytest.fixture(scope="module")
def volumes(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data/ and artifacts/ that belong to the user in the image."""
    folder = tmp_path_factory.mktemp("volumes")
    shutil.copytree(repository / "data/iris", folder / "data/iris")
    (folder / "artifacts").mkdir()
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, USER, USER)
    # pytest's own folders are root's alone.
    for path in list(folder.parents)[:3]:
        path.chmod(0o755)
    return folder


def run(container: str, volumes: Path, *command: str) -> subprocess.CompletedProcess[str]:
    mounts = [f"--volume={volumes / name}:/srv/ffn/{name}" for name in ("data", "artifacts")]
    return subprocess.run(
        ["buildah", "run", "--isolation=chroot", *mounts, container, "--", *command],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_user_is_not_root_and_cannot_change_the_program(container: str, volumes: Path) -> None:
    assert run(container, volumes, "id", "-u").stdout == f"{USER}\n"
    code = (
        "import ffn, os\n"
        "print(*(os.access(path, os.W_OK) for path in (ffn.__path__[0], '/srv/ffn/data')))"
    )
    assert run(container, volumes, "python3", "-P", "-c", code).stdout == "False True\n"
    assert run(container, volumes, "pip", "--version").returncode != 0


def test_iris_is_learnt_and_flowers_are_scored(container: str, volumes: Path) -> None:
    done = run(container, volumes, "ffn", "retrain", "iris", "--direct", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["promoted"] is True
    assert (volumes / "artifacts/iris/reports/0001/learning_curves.png").is_file()
    inbox = "data/iris/inbox/new_flowers.csv"
    done = run(container, volumes, "ffn", "score", "iris", inbox, "--direct")
    assert done.returncode == 0, done.stderr
    with (volumes / "artifacts/iris/predictions/new_flowers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    owners = {path.stat().st_uid for path in (volumes / "artifacts").rglob("*")}
    assert owners == {USER}


def test_the_service_knows_what_it_would_run(container: str, volumes: Path) -> None:
    done = run(container, volumes, "ffn", "serve", "--check")
    assert done.returncode == 0, done.stderr
    assert "iris" in done.stdout


def test_a_refusal_is_a_line_there_too(container: str, volumes: Path) -> None:
    done = run(container, volumes, "ffn", "retrain", "nothing", "--direct")
    assert done.returncode == 1
    # Below it buildah says that the command failed.
    first, *others = done.stderr.splitlines()
    assert first.startswith('ffn: pipeline "nothing": no file ')
    assert all("exit" in line for line in others)
