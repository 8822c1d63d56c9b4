"""Retraining on real Ray clusters: the same bytes, and one line for whatever goes wrong."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers.command_line import Done, environment
from tests.helpers.waiting import wait_for
from tests.running_clusters.conftest import (
    LONG,
    PIPELINES,
    PROGRAMS,
    copied,
    digest,
    ended,
    registered,
    start,
)

Command = Callable[..., Done]


def commands() -> dict[int, str]:
    """The command line of each process; these tests have a space of processes of their own."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                found[int(entry.name)] = b" ".join(words).decode(errors="replace")
    return found


def running(program: str) -> list[int]:
    return [pid for pid, line in commands().items() if program in line.split(" ")[0]]


@pytest.fixture
def ray(tmp_path: Path) -> Iterator[str]:
    """The address of a cluster of one machine with two workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = ("--head", "--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=2")
    quiet = ("--include-dashboard=false", "--disable-usage-stats")
    subprocess.run(
        [PROGRAMS / "ray", "start", *own, *quiet],
        env=environment(tmp_path),
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    try:
        yield f"127.0.0.1:{port}"
    finally:
        for pid, line in commands().items():
            if "/ray/" in line or line.startswith("ray::"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("name", PIPELINES)
def test_a_cluster_of_the_run_gives_the_same_bytes(
    name: str, root: Path, ffn: Command, expected: dict[str, str]
) -> None:
    options = ("--runner", "ray", "--workers", "2", "--json", "--root", root)
    assert digest(ffn("retrain", name, *options)) == expected[name]
    assert running("raylet") == []


def test_a_cluster_that_is_there_gives_the_same_bytes_for_each_worker_killed(
    tmp_path: Path, ray: str, expected_long: str
) -> None:
    root = copied(tmp_path / "long", LONG)
    process = start(tmp_path, "retrain", "iris", "--ray-address", ray, "--json", "--root", root)
    (first, *_) = wait_for(lambda: running("ray::train_for_another"))
    time.sleep(1)
    assert process.poll() is None
    os.kill(first, signal.SIGKILL)
    assert digest(ended(process)) == expected_long


def test_a_lost_cluster_is_one_line(tmp_path: Path, ray: str) -> None:
    root = copied(tmp_path / "long", LONG)
    process = start(tmp_path, "retrain", "iris", "--ray-address", ray, "--root", root)
    wait_for(lambda: running("ray::train_for_another"))
    assert process.poll() is None
    for pid in (*running("raylet"), *running("gcs_server")):
        os.kill(pid, signal.SIGKILL)
    assert ended(process).refusal == (
        f"the Ray cluster at {ray} is gone. Nothing was registered; candidates that had finished "
        "are kept for the next retraining."
    )
    assert registered(root) == []


def test_no_cluster_is_one_line(root: Path, ffn: Command) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        done = ffn("retrain", "iris", "--ray-address", address, "--root", root)
    assert done.refusal.startswith(f"the Ray cluster at {address}: nothing answers (")
    assert registered(root) == []


def test_a_machine_that_belongs_to_no_cluster_is_one_line(root: Path, ffn: Command) -> None:
    # Clusters of other tests have left their addresses where Ray looks for one.
    with tempfile.TemporaryDirectory(prefix="ffn-", dir="/tmp") as nothing:
        address = ("--ray-address", "auto")
        done = ffn("retrain", "iris", *address, "--root", root, RAY_TMPDIR=nothing)
    assert done.refusal.startswith("the Ray cluster at auto: it cannot be joined (")
    assert registered(root) == []
