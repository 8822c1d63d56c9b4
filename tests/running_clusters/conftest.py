"""Pipelines to retrain elsewhere, the digests that a retraining here gives, and a Dask cluster."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers.command_line import REPOSITORY, Done, environment, run_apart
from tests.helpers.waiting import LAST_RESORT, wait_for

PROGRAMS = Path(sys.executable).parent
# Prefect's server of a command takes most of the time; what it retrains is small.
PIPELINES = ("iris", "penguins")
# Epochs, long enough to be in the middle of them for seconds.
LONG = 600


def digest(done: Done) -> str:
    assert (done.code, done.err) == (0, ""), done
    return str(json.loads(done.out)["bundle_sha256"])


def copied(folder: Path, epochs: int | None = None) -> Path:
    """A root with the shipped pipelines, which train for so many epochs."""
    shutil.copytree(REPOSITORY / "data", folder / "data", dirs_exist_ok=True)
    for name in PIPELINES:
        settings = folder / f"data/{name}/pipeline.toml"
        if epochs is not None:
            text, changed = re.subn(
                r"(?m)^epochs = \d+", f"epochs = {epochs}", settings.read_text()
            )
            assert changed == 1
            settings.write_text(text)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copied(tmp_path / "root")


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The digests of bundles that were made in one process, without Prefect."""
    home = tmp_path_factory.mktemp("direct")
    root = copied(home / "root")
    return {
        name: digest(run_apart(home, "retrain", name, "--direct", "--json", "--root", root))
        for name in PIPELINES
    }


@pytest.fixture(scope="session")
def expected_long(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of Iris trained for long."""
    home = tmp_path_factory.mktemp("direct-long")
    root = copied(home / "root", LONG)
    return digest(run_apart(home, "retrain", "iris", "--direct", "--json", "--root", root))


@pytest.fixture
def ffn(tmp_path: Path) -> Callable[..., Done]:
    def ffn(*arguments: object, **variables: str) -> Done:
        return run_apart(tmp_path, *arguments, **variables)

    return ffn


def registered(root: Path) -> list[str]:
    """The versions of all pipelines, and whatever else a retraining writes in the end."""
    found = root.glob("artifacts/*/models/*")
    return sorted(str(path.relative_to(root)) for path in found)


class DaskCluster:
    """A scheduler and workers in processes of their own, each without the folder ``hidden``.

    With ``tls``, they take only connections with the certificate in the files of that folder.
    """

    def __init__(self, folder: Path, hidden: Path, tls: Path | None = None) -> None:
        self._folder, self._hidden = folder, hidden
        self._tls: list[str] = []
        if tls is not None:
            files = {"ca-file": "ca.pem", "cert": "own.pem", "key": "own.key"}
            self._tls = [f"--tls-{name}={tls / file}" for name, file in files.items()]
        self._running: list[subprocess.Popen[bytes]] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        protocol = "tls" if tls else "tcp"
        self.address = f"{protocol}://127.0.0.1:{self.port}"
        host = ("--host", f"{protocol}://127.0.0.1", "--port", self.port)
        self.scheduler = self._start("scheduler", *host, "--no-dashboard")
        wait_for(self._answers)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False

    def _start(
        self, what: str, *arguments: object, apart: bool = False, **variables: str
    ) -> subprocess.Popen[bytes]:
        command = [str(PROGRAMS / "dask"), what, *map(str, arguments), *self._tls]
        if apart:
            hide = f'mount -t tmpfs none "{self._hidden}" && exec "$0" "$@"'
            command = ["unshare", "--mount", "bash", "-c", hide, *command]
        with (self._folder / f"{what}-{len(self._running)}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=self._folder,
                env=environment(self._folder, **variables),
                stdout=log,
                stderr=log,
            )
        self._running.append(process)
        return process

    def worker(self, *, sees_the_disk: bool = False, **variables: str) -> subprocess.Popen[bytes]:
        """Start a worker; a killed one is not replaced, as it would be by Dask's nanny."""
        host = f"{self.address.partition(':')[0]}://127.0.0.1"
        own = ("--no-nanny", "--nthreads", "1", "--no-dashboard", "--host", host)
        place = ("--local-directory", self._folder)
        return self._start(
            "worker", self.address, *own, *place, apart=not sees_the_disk, **variables
        )

    def stop(self) -> None:
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait(LAST_RESORT)


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[DaskCluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    (tmp_path / "root").mkdir(exist_ok=True)
    cluster = DaskCluster(folder, tmp_path / "root")
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def tls_files(tmp_path: Path) -> Path:
    """A folder with a certificate that is its own authority, and its key."""
    import distributed

    made = distributed.Security.temporary()
    folder = tmp_path / "root/data/iris/tls"
    folder.mkdir(parents=True)
    (folder / "ca.pem").write_text(made.tls_ca_file)
    (folder / "own.pem").write_text(made.tls_client_cert)
    (folder / "own.key").write_text(made.tls_client_key)
    return folder


@pytest.fixture
def dask_with_tls(tmp_path: Path, tls_files: Path) -> Iterator[DaskCluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    # What it reads must not be hidden from it.
    kept = shutil.copytree(tls_files, folder / "tls")
    cluster = DaskCluster(folder, tmp_path / "root", kept)
    try:
        yield cluster
    finally:
        cluster.stop()


def start(home: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start a command, to do something to it in the middle."""
    return subprocess.Popen(
        [sys.executable, "-m", "flows", *map(str, arguments)],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> Done:
    out, err = process.communicate(timeout=LAST_RESORT)
    return Done(process.returncode, out, err)


def children_of(pid: int) -> set[int]:
    """Processes below a process, at any depth."""
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == pid:
                    found |= {int(entry.name), *children_of(int(entry.name))}
    return found


def is_alive(pid: int) -> bool:
    """Say whether a process runs: one that nobody has asked for its end is still listed."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
