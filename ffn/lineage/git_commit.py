"""The commit that a git repository has checked out, read from its files without running git."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from ffn.storage.plain_files import read_plain

__all__ = ["commit_of"]

_MOST_BYTES = 64 * 1024
_MOST_PACKED_BYTES = 16 * 1024 * 1024
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_REFERENCE = re.compile(r"ref: (refs/[\w./-]+)")


def commit_of(top: Path) -> str | None:
    """Return the commit that is checked out in a repository; None if there is none to be found.

    Git itself is not run: it need not be installed, and it runs what a repository's settings say.

    Parameters
    ----------
    top
        Top folder of the repository, which has ``.git``: a folder, or the file of a work tree.
    """
    with contextlib.suppress(OSError, ValueError):
        own = _git_folder(top)
        head = _text(own / "HEAD")
        if _COMMIT.fullmatch(head):
            return head
        found = _REFERENCE.fullmatch(head)
        if found and ".." not in found[1]:
            return _commit_named(found[1], own)
    return None


def _git_folder(top: Path) -> Path:
    git = top / ".git"
    if git.is_dir():
        return git
    # A work tree beside the main one, or a submodule.
    return top / _text(git).removeprefix("gitdir: ")


def _commit_named(name: str, own: Path) -> str | None:
    """Return the commit of a branch: from its own file, or from that of all packed branches."""
    shared = own
    with contextlib.suppress(OSError):
        shared = own / _text(own / "commondir")
    for folder in (own, shared):
        with contextlib.suppress(OSError):
            commit = _text(folder / name)
            return commit if _COMMIT.fullmatch(commit) else None
    packed = read_plain(shared / "packed-refs", _MOST_PACKED_BYTES).decode()
    lines = (line.split(" ") for line in packed.splitlines())
    commits = {words[1]: words[0] for words in lines if len(words) == 2}
    commit = commits.get(name, "")
    return commit if _COMMIT.fullmatch(commit) else None


def _text(path: Path) -> str:
    return read_plain(path, _MOST_BYTES).decode().strip()
