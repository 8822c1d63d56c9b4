"""Long files scored on real clusters: the bytes of one process, whatever is killed meanwhile."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ffn.pipelines.retraining import retrain
from ffn.settings.pipeline import pipeline_at
from tests.helpers.command_line import Done
from tests.helpers.waiting import wait_for
from tests.running_clusters.conftest import DaskCluster, copied, ended, start
from tests.running_clusters.test_ray import ray, running

__all__ = ["ray"]

Command = Callable[..., Done]
PAYLOAD = "\n[runner]\npayload_mb = 2\n"
# Reasons take many times as long as a label, so that something can be done in the middle of a task.
EXPLAIN = "--explain=3"


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with a model, a file of 40 MB, and what one process makes of it."""
    root = copied(tmp_path_factory.mktemp("scored"), 20)
    settings = root / "data/iris/pipeline.toml"
    # Ranges of a megabyte, so that there are forty of them.
    settings.write_text(settings.read_text() + PAYLOAD)
    pipeline = pipeline_at("iris", root)
    retrain(pipeline, force=False)
    header, *rows = (root / "data/iris/train.csv").read_text().splitlines()
    with (root / "long.csv").open("w") as file:
        file.write(f"id,{header}\n")
        lines = [f"{{:07d}},{row}" for row in rows]
        lines[7] = "{:07d},x,1,1,1,"
        lines[70] = '"{:07d}\n,""",1,2,1,2,'
        for first in range(0, 1_300_000, len(lines)):
            file.write("\n".join(line.format(first + at) for at, line in enumerate(lines)) + "\n")
    from ffn.pipelines.batch_scoring import options_for, score
    from ffn.scoring.inputs import FileToScore

    files = [FileToScore(root / "long.csv", root / "here/out.csv")]
    score(pipeline, files, options_for(pipeline, explain=3)).check()
    return root


def hidden(scored: Path, tmp_path: Path) -> Path:
    """The same root at a path that workers without the disk do not see."""
    root = tmp_path / "root"
    root.mkdir(exist_ok=True)
    for name in ("data", "artifacts"):
        shutil.copytree(scored / name, root / name)
    os.link(scored / "long.csv", root / "long.csv")
    return root


def files_of(folder: Path) -> dict[str, bytes]:
    # The stamps of the parts have their times, and are hidden.
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("[!.]*")
        if path.is_file()
    }


def check_same(scored: Path, folder: Path, source: Path) -> None:
    """All that was made of a file is what one process makes of it, but for its path."""
    here = {path.name: path.read_bytes() for path in (scored / "here").glob("out.csv*")}
    there = {path.name: path.read_bytes() for path in folder.iterdir()}
    manifest = "out.csv.manifest.json"
    here[manifest] = here[manifest].replace(str(scored / "long.csv").encode(), str(source).encode())
    assert there == here


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "prefect"])
@pytest.mark.parametrize("sees_the_disk", [True, False], ids=["disk", "no disk"])
def test_dask_gives_the_same_bytes_though_a_worker_is_killed(
    scored: Path, tmp_path: Path, dask: DaskCluster, direct: bool, sees_the_disk: bool
) -> None:
    import distributed

    root = hidden(scored, tmp_path)
    first, second = (dask.worker(sees_the_disk=sees_the_disk) for _ in range(2))
    # The workers without the disk see neither, or the output is written by them.
    source, output = root / "long.csv", (tmp_path if sees_the_disk else root) / "there/out.csv"
    options = ("--output", output, "--dask-address", dask.address, "--json", "--root", root)
    how = ("--direct",) if direct else ()
    process = start(tmp_path, "score", "iris", source, EXPLAIN, *how, *options)
    with distributed.Client(dask.address) as client:
        assert wait_for(lambda: any(client.processing().values()))
    assert (process.poll(), first.poll(), second.poll()) == (None, None, None)
    os.kill(first.pid, signal.SIGKILL)
    done = ended(process)
    assert (done.code, done.err) == (0, ""), done
    check_same(scored, output.parent, source)
    assert second.poll() is None


@pytest.mark.parametrize("shared", [True, False], ids=["written there", "sent back"])
def test_parts_on_dask_are_those_of_one_process(
    scored: Path, tmp_path: Path, ffn: Command, dask: DaskCluster, shared: bool
) -> None:
    import distributed

    root = hidden(scored, tmp_path)
    tables = root / "tables"
    tables.mkdir()
    with (root / "long.csv").open() as file:
        header = next(file)
        for number in range(6):
            part = "".join(itertools.islice(file, 20_000))
            (tables / f"{number}.csv").write_text(header + part)
    dask.worker()
    there = (tmp_path if shared else root) / "there"
    for where, cluster in (
        (tmp_path / "here", ()),
        (there, ("--dask-address", dask.address)),
    ):
        output = ("--output", where / "parts", "--partitioned", "--direct", "--json")
        done = ffn("score", "iris", tables, *output, *cluster, "--root", root)
        assert (done.code, done.err) == (0, ""), done
    assert files_of(there) == files_of(tmp_path / "here")
    with distributed.Client(dask.address) as client:
        (scored_there,) = client.run(
            lambda: "ffn.cluster_scoring.part_answers" in __import__("sys").modules
        ).values()
    assert scored_there


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_scheduler_is_one_line_and_the_next_run_goes_on(
    how: signal.Signals, scored: Path, tmp_path: Path, ffn: Command, dask: DaskCluster
) -> None:
    import distributed

    root = hidden(scored, tmp_path)
    dask.worker()
    output = tmp_path / "there/out.csv"
    where = ("--output", output, EXPLAIN, "--direct", "--root", root)
    address = ("--dask-address", dask.address)
    process = start(tmp_path, "score", "iris", root / "long.csv", *where, *address)
    with distributed.Client(dask.address) as client:
        wait_for(lambda: any(client.processing().values()))
    os.kill(dask.scheduler.pid, how)
    assert ended(process).refusal == (
        f"the Dask cluster at {dask.address}: the scheduler does not answer any more. "
        "No output was written; the same command goes on from where it was."
    )
    assert not [path for path in output.parent.iterdir() if not path.name.startswith(".")]
    assert ffn("score", "iris", root / "long.csv", *where).code == 0
    check_same(scored, output.parent, root / "long.csv")


def test_a_cluster_that_is_not_there_is_one_line(
    scored: Path, tmp_path: Path, ffn: Command, dask: DaskCluster
) -> None:
    root = hidden(scored, tmp_path)
    settings = root / "data/iris/pipeline.toml"
    settings.write_text(settings.read_text() + 'wait = "5s"\n')
    output = tmp_path / "there/out.csv"
    where = ("--output", output, "--direct", "--root", root)
    told = ffn("score", "iris", root / "long.csv", *where, "--dask-address", dask.address).refusal
    assert told == (
        f"the Dask cluster at {dask.address} has had no worker for 5 s. Start some, or raise "
        "runner.wait if they need longer."
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        for option, name in (("--dask-address", f"tcp://{address}"), ("--ray-address", address)):
            told = ffn("score", "iris", root / "long.csv", *where, option, name).refusal
            assert f"cluster at {name}: " in told
            assert "answer" in told
    with contextlib.suppress(FileNotFoundError):
        assert list(output.parent.iterdir()) == []


def test_ray_gives_the_same_bytes_though_a_worker_is_killed(
    scored: Path, tmp_path: Path, ray: str
) -> None:
    root = hidden(scored, tmp_path)
    source, output = root / "long.csv", tmp_path / "there/out.csv"
    options = ("--output", output, "--ray-address", ray, "--json", "--root", root)
    process = start(tmp_path, "score", "iris", source, EXPLAIN, "--direct", *options)
    (worker, *_) = wait_for(lambda: running("ray::score_range_for_another"))
    assert process.poll() is None
    os.kill(worker, signal.SIGKILL)
    done = ended(process)
    assert (done.code, done.err) == (0, ""), done
    check_same(scored, output.parent, source)
