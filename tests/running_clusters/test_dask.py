"""Retraining on real Dask clusters: the same bytes, and one line if it is lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.command_line import Done
from tests.helpers.waiting import wait_for
from tests.running_clusters.conftest import (
    LONG,
    PIPELINES,
    DaskCluster,
    children_of,
    copied,
    digest,
    ended,
    is_alive,
    registered,
    start,
)

Command = Callable[..., Done]


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("workers", [1, 3])
def test_a_cluster_of_the_run_gives_the_same_bytes(
    name: str, workers: int, root: Path, ffn: Command, expected: dict[str, str]
) -> None:
    options = ("--runner", "dask", "--workers", workers, "--json", "--root", root)
    assert digest(ffn("retrain", name, *options)) == expected[name]


@pytest.mark.parametrize("name", PIPELINES)
def test_workers_without_the_disk_give_the_same_bytes(
    name: str, root: Path, ffn: Command, dask: DaskCluster, expected: dict[str, str]
) -> None:
    dask.worker()
    dask.worker()
    options = ("--dask-address", dask.address, "--json", "--root", root)
    assert digest(ffn("retrain", name, *options)) == expected[name]


def test_the_settings_name_the_cluster(
    root: Path, ffn: Command, dask: DaskCluster, expected: dict[str, str]
) -> None:
    dask.worker()
    settings = root / "data/iris/pipeline.toml"
    table = f'\n[runner]\nkind = "dask"\ndask_address = "{dask.address}"\n'
    settings.write_text(settings.read_text() + table)
    assert digest(ffn("retrain", "iris", "--json", "--root", root)) == expected["iris"]
    # The result depends on none of it, so there is nothing to train.
    again = ffn("retrain", "iris", "--runner", "thread", "--json", "--root", root)
    assert (again.code, "skipped" in again.out) == (0, True)


def test_a_killed_worker_is_replaced_by_the_other(
    tmp_path: Path, dask: DaskCluster, expected_long: str
) -> None:
    import distributed

    root = copied(tmp_path / "long", LONG)
    first, second = dask.worker(), dask.worker()
    options = ("--dask-address", dask.address, "--json", "--root", root)
    process = start(tmp_path, "retrain", "iris", *options)
    with distributed.Client(dask.address) as client:
        busy = wait_for(lambda: sum(len(keys) for keys in client.processing().values()) >= 2)
        assert busy
    time.sleep(1)
    assert (process.poll(), first.poll(), second.poll()) == (None, None, None)
    os.kill(first.pid, signal.SIGKILL)
    assert digest(ended(process)) == expected_long
    assert second.poll() is None


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_scheduler_is_one_line(
    how: signal.Signals, tmp_path: Path, dask: DaskCluster
) -> None:
    import distributed

    root = copied(tmp_path / "long", LONG)
    dask.worker()
    process = start(tmp_path, "retrain", "iris", "--dask-address", dask.address, "--root", root)
    with distributed.Client(dask.address) as client:
        wait_for(lambda: any(client.processing().values()))
    time.sleep(1)
    assert process.poll() is None
    os.kill(dask.scheduler.pid, how)
    assert ended(process).refusal == (
        f"the Dask cluster at {dask.address}: the scheduler does not answer any more. "
        "Nothing was registered; candidates that had finished are kept for the next retraining."
    )
    assert registered(root) == []


def test_all_workers_lost_is_one_line(tmp_path: Path, dask: DaskCluster) -> None:
    import distributed

    root = copied(tmp_path / "long", LONG)
    settings = root / "data/iris/pipeline.toml"
    settings.write_text(settings.read_text() + '\n[runner]\nwait = "3s"\n')
    workers = [dask.worker(), dask.worker()]
    process = start(tmp_path, "retrain", "iris", "--dask-address", dask.address, "--root", root)
    with distributed.Client(dask.address) as client:
        wait_for(lambda: any(client.processing().values()))
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)
    assert ended(process).refusal == (
        f"the Dask cluster at {dask.address} has had no worker for 3 s. Start some, or raise "
        "runner.wait if they need longer."
    )
    assert registered(root) == []


def long_table(root: Path) -> None:
    """Make a table of more than a megabyte of inputs, which may not be sent."""
    source = root / "data/iris/train.csv"
    header, *rows = source.read_text().splitlines()
    cells = [row.split(",") for row in rows for _ in range(400)]
    more = [f"{float(first) + i / 1e6:.6f}," + ",".join(rest) for i, (first, *rest) in
            enumerate(cells)]  # fmt: skip
    source.write_text("\n".join([header, *more]) + "\n")
    settings = root / "data/iris/pipeline.toml"
    text = settings.read_text().replace('"auto"', "0.01")
    for key, value in (("epochs", 1), ("networks", 2), ("batch_size", 1024)):
        text = re.sub(rf"(?m)^{key} = \d+", f"{key} = {value}", text)
    settings.write_text(text + "\n[runner]\npayload_mb = 1\n")


def test_a_table_that_is_not_sent_needs_the_shared_disk(
    tmp_path: Path, root: Path, ffn: Command, dask: DaskCluster
) -> None:
    long_table(root)
    dask.worker()
    told = ffn("retrain", "iris", "--dask-address", dask.address, "--root", root).refusal
    assert "it does not have the folder " in told
    assert "and at most 1 are sent" in told
    assert registered(root) == []


def test_a_table_that_is_not_sent_is_found_on_the_shared_disk(
    tmp_path: Path, root: Path, ffn: Command, dask: DaskCluster
) -> None:
    long_table(root)
    dask.worker(sees_the_disk=True)
    options = ("--json", "--root", root)
    made = digest(ffn("retrain", "iris", "--dask-address", dask.address, *options))
    assert made == digest(ffn("retrain", "iris", "--direct", "--force", *options))


def test_megabytes_are_sent_without_a_word() -> None:
    code = (
        "from pathlib import Path\n"
        "from ffn.clusters.parcels import unpack\n"
        "from ffn.clusters.remote_training import train_for_another\n"
        "from ffn.clusters.workers import RemoteTask, open_workers\n"
        "from ffn.settings.service_settings import RunnerSettings\n"
        "with open_workers(RunnerSettings(kind='dask', workers=1), Path()) as workers:\n"
        "    sent = bytes(30_000_000)\n"
        "    task = RemoteTask(train_for_another, b'', 'k', lambda: sent)\n"
        "    answer = workers.compute(task, lambda: None)\n"
        "    print(unpack(answer)['answer.json'].decode())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "failure" in done.stdout


def test_an_interrupted_command_leaves_no_process(tmp_path: Path) -> None:
    root = copied(tmp_path / "long", LONG)
    process = start(tmp_path, "retrain", "iris", "--runner", "dask", "--root", root)
    wait_for(lambda: len(children_of(process.pid)) >= 3)
    time.sleep(3)
    below = children_of(process.pid)
    process.send_signal(signal.SIGTERM)
    assert ended(process).code == 128 + signal.SIGTERM
    wait_for(lambda: not any(map(is_alive, below)))
    assert registered(root) == []
