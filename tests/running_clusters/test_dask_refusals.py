"""Which Dask clusters are not taken, each in one line: none there, other versions, other keys."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.command_line import Done
from tests.running_clusters.conftest import (
    DaskCluster,
    digest,
    registered,
)

Command = Callable[..., Done]


def test_a_scheduler_without_workers_is_one_line(
    root: Path, ffn: Command, dask: DaskCluster
) -> None:
    settings = root / "data/iris/pipeline.toml"
    settings.write_text(settings.read_text() + '\n[runner]\nwait = "2s"\n')
    done = ffn("retrain", "iris", "--dask-address", dask.address, "--root", root)
    assert done.refusal == (
        f"the Dask cluster at {dask.address} has had no worker for 2 s. Start some, or raise "
        "runner.wait if they need longer."
    )
    assert registered(root) == []


def test_no_scheduler_is_one_line(root: Path, ffn: Command) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        done = ffn("retrain", "iris", "--dask-address", address, "--root", root)
    assert done.refusal.startswith(f"the Dask cluster at {address}: no scheduler answers (")
    assert registered(root) == []


def test_something_that_is_no_scheduler_is_one_line(root: Path, ffn: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connection.sendall(b"220 mail.example ESMTP\r\n")

        threading.Thread(target=answer, daemon=True).start()
        done = ffn("retrain", "iris", "--dask-address", address, "--root", root)
    assert done.refusal.startswith(f"the Dask cluster at {address}: no scheduler answers (")
    assert registered(root) == []


PRETEND = """
import importlib.metadata, sys
true = importlib.metadata.version
importlib.metadata.version = lambda name: {other!r} if name == {package!r} else true(name)
"""


@pytest.mark.parametrize(
    ("package", "other", "named"),
    [
        ("ffn-pipeline", "0.0.1", 'ffn-pipeline "0.0.1"'),
        ("numpy", "1.26.4", 'NumPy "1.26.4"'),
        ("scipy", "1.10.0", 'SciPy "1.10.0"'),
    ],
)
def test_a_worker_with_another_version_is_refused_naming_both(
    package: str,
    other: str,
    named: str,
    root: Path,
    tmp_path: Path,
    ffn: Command,
    dask: DaskCluster,
) -> None:
    from importlib.metadata import version

    (tmp_path / "pretend").mkdir()
    code = PRETEND.format(package=package, other=other)
    (tmp_path / "pretend/sitecustomize.py").write_text(code)
    repository = Path(__file__).parents[2]
    dask.worker(PYTHONPATH=f"{tmp_path / 'pretend'}:{repository}")
    told = ffn("retrain", "iris", "--dask-address", dask.address, "--root", root).refusal
    assert f'has {named} and this process "{version(package)}"' in told
    assert registered(root) == []


NOWHERE = """
import importlib.metadata, sys
true = importlib.metadata.version
def version(name):
    if name == "ffn-pipeline":
        raise importlib.metadata.PackageNotFoundError(name)
    return true(name)
importlib.metadata.version = version
class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "ffn":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Nowhere())
"""


def test_a_worker_without_ffn_is_refused(
    root: Path, tmp_path: Path, ffn: Command, dask: DaskCluster
) -> None:
    (tmp_path / "pretend").mkdir()
    (tmp_path / "pretend/sitecustomize.py").write_text(NOWHERE)
    dask.worker(PYTHONPATH=str(tmp_path / "pretend"))
    told = ffn("retrain", "iris", "--dask-address", dask.address, "--root", root).refusal
    assert told.startswith(f"the Dask cluster at {dask.address}: the worker tcp://127.0.0.1:")
    assert ' has ffn-pipeline "none" and this process "' in told
    assert registered(root) == []


def runner_with_tls(root: Path, address: str) -> None:
    settings = root / "data/iris/pipeline.toml"
    table = (
        f'\n[runner]\nkind = "dask"\ndask_address = "{address}"\ntls_ca = "tls/ca.pem"\n'
        'tls_certificate = "tls/own.pem"\ntls_key = "tls/own.key"\nwait = "5s"\n'
    )
    settings.write_text(settings.read_text() + table)


def test_both_ends_are_known_by_their_certificates(
    root: Path, ffn: Command, dask_with_tls: DaskCluster, expected: dict[str, str]
) -> None:
    dask_with_tls.worker()
    runner_with_tls(root, dask_with_tls.address)
    made = digest(ffn("retrain", "iris", "--json", "--root", root))
    assert made == expected["iris"]


def test_a_scheduler_of_another_authority_is_refused(
    root: Path, ffn: Command, dask_with_tls: DaskCluster
) -> None:
    import distributed

    dask_with_tls.worker()
    other = distributed.Security.temporary()
    (root / "data/iris/tls/ca.pem").write_text(other.tls_ca_file)
    runner_with_tls(root, dask_with_tls.address)
    told = ffn("retrain", "iris", "--root", root).refusal
    assert told.startswith(f"the Dask cluster at {dask_with_tls.address}: no scheduler answers (")
    (root / "data/iris/tls/own.key").unlink()
    told = ffn("retrain", "iris", "--root", root).refusal
    assert told.endswith("data/iris/tls/own.key: cannot be read (No such file or directory).")
    assert registered(root) == []


def test_others_cannot_connect_to_the_cluster_of_a_run() -> None:
    code = (
        "import distributed\n"
        "from ffn.clusters.workers import open_workers\n"
        "from ffn.settings.service_settings import RunnerSettings\n"
        "from pathlib import Path\n"
        "if __name__ == '__main__':\n"
        "    with open_workers(RunnerSettings(kind='dask', workers=1), Path()) as workers:\n"
        "        address = workers.address\n"
        "        assert address.startswith('tls://127.0.0.1:'), address\n"
        "        for security in (None, distributed.Security.temporary()):\n"
        "            try:\n"
        "                distributed.Client(address, security=security, timeout=3)\n"
        "            except Exception as error:\n"
        "                print('refused', type(error).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("refused") == 2
