"""Two processes write one output, or are killed: what is there is of one run, and complete."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ffn.errors import DataError
from ffn.object_stores.object_address import parse_object_address
from ffn.object_stores.write_claims import claimed
from tests.helpers.waiting import wait_for
from tests.object_store.conftest import Store

# Both start from a signal, and say what became of them.
RACER = """
import sys
from pathlib import Path
from ffn.errors import FFNError
from ffn.object_stores.object_address import as_path
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import TenthsScorer
print("ready", flush=True)
sys.stdin.readline()
try:
    score_csv(TenthsScorer(version=int(sys.argv[3])), as_path(sys.argv[1]), as_path(sys.argv[2]))
except FFNError as error:
    print(error)
else:
    print("done")
"""
ROWS = b"size,colour\n" + b"7,red\n2,blue\n" * 2_000


def start(code: str, repository: Path, *arguments: object) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=repository,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def check_whole(store: Store, output: str) -> dict[str, object]:
    """The manifest describes the two objects beside it."""
    manifest = json.loads(store.get(f"{output}.manifest.json"))
    for name, key in (("output", output), ("rejects", f"{output}.rejects.csv")):
        content = store.get(key)
        assert manifest["files"][name]["sha256"] == hashlib.sha256(content).hexdigest()
    return dict(manifest)


def test_two_processes_that_write_one_output(store: Store, repository: Path) -> None:
    store.put("in.csv", ROWS)
    racers = [
        start(RACER, repository, store.address("in.csv"), store.address("out.csv"), version)
        for version in (1, 2)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = [racer.communicate()[0].strip() for racer in racers]
    assert "done" in told
    for text in told:
        busy = f"{store.address('out.csv')} is being written by another run."
        assert text == "done" or text.startswith(busy)
    manifest = check_whole(store, "out.csv")
    assert told[int(manifest["model_version"]) - 1] == "done"
    assert store.names() == ["in.csv", "out.csv", "out.csv.manifest.json", "out.csv.rejects.csv"]
    assert store.uploads() == []


def test_a_claim_is_of_one_run(store: Store) -> None:
    output = parse_object_address(store.address("out.csv"))
    with (
        claimed(output, every=0.2),
        pytest.raises(DataError, match=r"out\.csv is being written by another run\."),
        claimed(output),
    ):
        pass
    assert store.names() == []


def test_a_claim_that_nobody_renews_is_taken_over_and_its_owner_notices(store: Store) -> None:
    output = parse_object_address(store.address("out.csv"))
    # As of a process that stands still: it does not renew.
    with claimed(output, every=3600) as still, claimed(output, patience=1.0) as other:
        with pytest.raises(DataError, match=r"out\.csv was taken over by another run"):
            still.renew()
        other.renew()
    assert store.names() == []


def test_a_store_that_ignores_conditions_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ffn.object_stores.buckets import Bucket

    put = Bucket.put
    monkeypatch.setattr(
        Bucket, "put", lambda self, key, content, *, replacing=None: put(self, key, content)
    )
    output = parse_object_address(store.address("out.csv"))
    with (
        pytest.raises(DataError, match=r"out\.csv cannot be written: this store ignores condit"),
        claimed(output),
    ):
        pass
    assert store.names() == []


STOPS = """
import os, signal, sys
from ffn.object_stores import buckets
from ffn.object_stores.object_address import as_path
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import TenthsScorer
print("ready", flush=True)
sys.stdin.readline()
at, put_file = sys.argv[3], buckets.Bucket.put_file
def end(self, key, source, *more):
    done = put_file(self, key, source, *more)
    if key.endswith(at):
        os.kill(os.getpid(), signal.SIGKILL)
    return done
buckets.Bucket.put_file = end
score_csv(TenthsScorer(), as_path(sys.argv[1]), as_path(sys.argv[2]))
"""


@pytest.mark.parametrize("after", ["out.csv", "out.csv.rejects.csv"])
def test_what_is_killed_between_two_objects_has_no_manifest_and_is_done_again(
    after: str, store: Store, repository: Path
) -> None:
    store.put("in.csv", ROWS)
    names = store.address("in.csv"), store.address("out.csv")
    first = start(RACER, repository, *names, 1)
    assert first.communicate("go\n")[0] == "done\n"
    killed = start(STOPS, repository, *names, after)
    killed.communicate("go\n")
    assert killed.returncode == -signal.SIGKILL
    assert "out.csv.manifest.json" not in store.names()
    assert ".out.csv.ffn-unfinished" in store.names()
    if after == "out.csv":
        # Otherwise the next run waits until the claim is known to be left behind.
        store.client.delete_object(Bucket=store.bucket, Key=".out.csv.ffn-unfinished")
    again = start(RACER, repository, *names, 3)
    assert again.communicate("go\n")[0] == "done\n"
    assert check_whole(store, "out.csv")["model_version"] == 3
    assert ".out.csv.ffn-unfinished" not in store.names()


def test_an_interrupted_command_leaves_nothing(
    store: Store, repository: Path, tmp_path: Path
) -> None:
    content = b"size,colour\n" + b"7,red\n" * 3_000_000
    store.put("in.csv", content)
    code = RACER.replace("except FFNError", "except (FFNError, KeyboardInterrupt)")
    process = start(code, repository, store.address("in.csv"), store.address("out.csv"), 1)
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    wait_for(lambda: ".out.csv.ffn-unfinished" in store.names())
    os.kill(process.pid, signal.SIGINT)
    process.communicate()
    assert store.names() == ["in.csv"]
    assert store.uploads() == []
