"""What a process changes on the disk, system call by system call, and its death at any of them.

``strace`` is attached to a child that waits for it, so that counting begins with the work itself:
imports are done, and the n-th call of a kind is the same one in every run.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# All that changes a file system; which of them are below the root is seen in the trace.
CHANGES = (
    "openat,creat,write,pwrite64,writev,rename,renameat,renameat2,link,linkat,symlink,symlinkat,"
    "unlink,unlinkat,rmdir,mkdir,mkdirat,ftruncate,truncate,fallocate,fsync,fdatasync,msync,"
    "sendfile,copy_file_range,chmod,fchmod,fchmodat,utimensat"
)
_CALL = re.compile(r"(\w+)\((.*)")
_CHANCE = ((r"\.ffn-\d+-[0-9a-f]+\.tmp", ".tmp"), (r"/\.at-work/[0-9a-f]+$", "/.at-work/run"))
_SECONDS = 120


@dataclass(frozen=True)
class Point:
    """The ``number``-th call of ``call`` in a run, and the path it is about, below the root."""

    call: str
    number: int
    path: str


@dataclass(frozen=True)
class Ended:
    """How a traced run ended: exit code (negative: the signal), output, and calls made."""

    code: int
    output: str
    points: tuple[Point, ...]
    last: str


def run(work: Callable[[], int], log: Path, root: Path, *inject: str) -> Ended:
    """Run ``work`` in a child under strace, with what is to be injected, and wait for its end."""
    output = log.with_suffix(".out")
    sys.stdout.flush()
    child = os.fork()
    if not child:
        _work(work, output)
    _, status = os.waitpid(child, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    options = [f"--inject={what}" for what in inject]
    command = ["strace", "-y", "-s", "0", "-e", f"trace={CHANGES}", "-e", "signal=none", *options]
    with subprocess.Popen(
        [*command, "-o", str(log), "-p", str(child)], stderr=subprocess.PIPE, text=True
    ) as strace:
        assert strace.stderr is not None
        said = strace.stderr.readline()
        assert "attached" in said, said
        os.kill(child, signal.SIGCONT)
        _, status = os.waitpid(child, 0)
        strace.communicate(timeout=_SECONDS)
    calls = [line for line in log.read_text(errors="replace").splitlines() if _CALL.match(line)]
    return Ended(
        code=os.waitstatus_to_exitcode(status),
        output=output.read_text(errors="replace"),
        points=_points(calls, root),
        last=calls[-1] if calls else "",
    )


def _work(work: Callable[[], int], output: Path) -> None:
    """Be the child: say all to a file, wait to be traced, work, and end."""
    code = 70
    try:
        signal.alarm(_SECONDS)
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number in (1, 2):
            os.dup2(handle, number)
        sys.stdout = sys.stderr = open(1, "w", closefd=False)  # noqa: SIM115
        os.kill(os.getpid(), signal.SIGSTOP)
        code = work()
        sys.stdout.flush()
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def without_chance(path: str) -> str:
    """Return a path below the root without what differs from run to run in its names."""
    for chance, name in _CHANCE:
        path = re.sub(chance, name, path)
    return path


def _points(calls: list[str], root: Path) -> tuple[Point, ...]:
    """Return the calls that change something below ``root``."""
    counts: Counter[str] = Counter()
    points = []
    for line in calls:
        found = _CALL.match(line)
        assert found is not None
        call, rest = found[1], found[2]
        counts[call] += 1
        if call == "openat" and not re.search(r"\bO_(CREAT|TRUNC)\b", rest):
            continue
        below = re.escape(str(root))
        paths = re.findall(rf'["<]{below}/([^">]*)', rest)
        # A call that was not finished does not say what it opened in a folder given as a number.
        if call == "openat" and (inside := re.match(rf'\d+<{below}/([^>]*)>, "([^"/]+)"', rest)):
            paths = [f"{inside[1]}/{inside[2]}"]
        if paths:
            points.append(Point(call, counts[call], without_chance(paths[-1])))
    return tuple(points)


def strace_is_there() -> bool:
    return shutil.which("strace") is not None
