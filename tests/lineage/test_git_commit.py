"""The commit that is read from the files of a repository is the one that git names."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ffn.lineage.git_commit import commit_of

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *words: str) -> str:
    own = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    environment = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    command = ["git", "-C", str(folder), *own, *words]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    ).stdout.strip()


@pytest.fixture
def top(tmp_path: Path) -> Path:
    folder = tmp_path / "top"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "a/b.c")
    assert commit_of(folder) is None
    for text in ("one", "two"):
        (folder / "file").write_text(text)
        git(folder, "add", "file")
        git(folder, "commit", "--quiet", "-m", text)
    return folder


def test_a_branch_loose_and_packed(top: Path) -> None:
    head = git(top, "rev-parse", "HEAD")
    assert commit_of(top) == head
    git(top, "pack-refs", "--all")
    assert not (top / ".git/refs/heads/a/b.c").exists()
    assert commit_of(top) == head


def test_no_branch_and_an_older_commit(top: Path) -> None:
    older = git(top, "rev-parse", "HEAD~1")
    git(top, "checkout", "--quiet", older)
    assert commit_of(top) == older


@pytest.mark.parametrize("packed", [False, True])
def test_a_work_tree(top: Path, packed: bool) -> None:
    other = top.parent / "other"
    git(top, "worktree", "add", "--quiet", "-b", "side", str(other), "HEAD~1")
    if packed:
        git(top, "pack-refs", "--all")
    assert commit_of(other) == git(other, "rev-parse", "HEAD") == git(top, "rev-parse", "HEAD~1")


@pytest.mark.parametrize(
    "head",
    [
        "ref: refs/../../outside",
        "ref: outside",
        "",
        "0123",
        "ref: refs/heads/none",
        "\xff",
    ],
)
def test_what_names_no_commit_gives_none(top: Path, head: str) -> None:
    (top / "outside").write_text("a" * 40)
    (top / ".git/HEAD").write_text(head, encoding="latin-1")
    assert commit_of(top) is None


def test_only_the_top_of_a_repository_has_its_commit(top: Path) -> None:
    """A package that is installed somewhere in a repository is not the code of that repository."""
    inside = top / "site-packages"
    inside.mkdir()
    assert commit_of(inside) is None
    (inside / ".git").symlink_to(top / "nowhere")
    assert commit_of(inside) is None
