"""Eight retrainings at once, in processes of their own, and scorings between their promotions."""

from __future__ import annotations

import hashlib
import itertools
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from ffn.bundles.bundle import write_bundle
from ffn.errors import RegistryError
from ffn.registry.pointer import promote
from ffn.registry.promotion_history import read_history
from ffn.registry.verification import verify
from ffn.registry.versions import add_version, production_version, version_folder, versions
from ffn.scoring.model import load
from ffn.storage.atomic import is_temporary
from tests.helpers.bundles import make
from tests.helpers.gated import pipeline, retrain, rows
from tests.helpers.waiting import LAST_RESORT, wait_for

RETRAININGS, SCORERS = 8, 2


def retrain_once(root: Path, seed: int) -> None:
    """Retrain on a table of its own; write the digest of the bundle to a file."""
    folder = root / f"data-{seed}"
    folder.mkdir()
    found = pipeline(folder, rows(90), "mode = 'always'")
    training = found.settings.training.model_copy(update={"seed": seed, "epochs": 2, "networks": 2})
    settings = found.settings.model_copy(update={"training": training})
    outcome = retrain(replace(found, settings=settings, artifacts=root / "made"))
    (folder / "sha256").write_text(outcome.version.sha256)


def score_again_and_again(root: Path, name: int) -> None:
    """Score with whatever is in production, until all retrainings have ended."""
    for number in itertools.count():
        if (root / "stop").exists():
            break
        try:
            model = load(root / "made")
        except RegistryError as error:
            if "no model in production" not in str(error):
                raise
            continue
        model.score_csv(root / "new.csv", root / f"scored/{name}-{number}.csv")


def fork(work: Callable[[Path, int], None], root: Path, number: int) -> BaseProcess:
    """A process of its own that has everything imported, which would take longer than its work."""
    process = multiprocessing.get_context("fork").Process(target=work, args=(root, number))
    process.start()
    return process


def start(repository: Path, code: str, *arguments: object) -> subprocess.Popen[str]:
    paths = str(repository)
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"},
    )


def scored(root: Path) -> int:
    """How many files have been scored to the end."""
    return len(list((root / "scored").glob("*.manifest.json")))


@pytest.fixture(scope="module")
def rush(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> tuple[Path, set[str]]:
    """All of them at once; returns the folder, and the digests that the retrainings printed."""
    root = tmp_path_factory.mktemp("rush")
    (root / "scored").mkdir()
    (root / "new.csv").write_text("\n".join(["p,q,y", *rows(30, seed=1)]) + "\n")
    scorers = [fork(score_again_and_again, root, name) for name in range(SCORERS)]
    retrainings = [fork(retrain_once, root, seed) for seed in range(RETRAININGS - 1)]
    # The last begins when something was scored, so that scorings fall between promotions.
    wait_for(lambda: scored(root))
    retrainings.append(fork(retrain_once, root, RETRAININGS - 1))
    for process in retrainings:
        process.join(LAST_RESORT)
    begun = scored(root) + SCORERS
    wait_for(lambda: scored(root) > begun)
    (root / "stop").touch()
    for process in scorers:
        process.join(LAST_RESORT)
    processes = [*retrainings, *scorers]
    assert [process.exitcode for process in processes] == [0] * len(processes)
    return root, {path.read_text() for path in root.glob("data-*/sha256")}


def test_no_version_is_lost_or_mixed_with_another(rush: tuple[Path, set[str]]) -> None:
    root, printed = rush
    artifacts = root / "made"
    assert versions(artifacts) == list(range(1, RETRAININGS + 1))
    assert verify(artifacts).damages == ()
    manifests = [version_folder(artifacts, v) / "bundle/manifest.json" for v in versions(artifacts)]
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in manifests}
    assert digests == printed
    assert len(digests) == RETRAININGS


def test_every_promotion_is_in_the_history_once(rush: tuple[Path, set[str]]) -> None:
    artifacts = rush[0] / "made"
    history = read_history(artifacts)
    assert sorted(entry.version for entry in history.entries) == versions(artifacts)
    assert history.damaged == ()
    befores = [entry.replaced for entry in history.entries]
    assert befores == [None, *(entry.version for entry in history.entries[:-1])]
    assert production_version(artifacts) == history.entries[-1].version


def test_each_output_is_of_one_model_and_says_which(rush: tuple[Path, set[str]], tmp_path) -> None:
    root, printed = rush
    manifests = sorted((root / "scored").glob("*.manifest.json"))
    outputs = sorted(path for path in (root / "scored").glob("*.csv") if "rejects" not in path.name)
    assert [path.name.removesuffix(".manifest.json") for path in manifests] == [
        path.name for path in outputs
    ]
    by_version: dict[int, list[str]] = {}
    for path in manifests:
        said = json.loads(path.read_bytes())
        assert said["bundle_sha256"] in printed
        folder = version_folder(root / "made", said["model_version"])
        assert load(folder).scorer.sha256 == said["bundle_sha256"]
        by_version.setdefault(said["model_version"], []).append(said["files"]["output"]["sha256"])
    # Scorings fell between promotions.
    assert len(by_version) > 1
    for version, found in by_version.items():
        again = tmp_path / f"{version}.csv"
        load(version_folder(root / "made", version)).score_csv(root / "new.csv", again)
        assert set(found) == {hashlib.sha256(again.read_bytes()).hexdigest()}


def test_nothing_unfinished_is_left(rush: tuple[Path, set[str]]) -> None:
    assert [path for path in rush[0].rglob("*") if is_temporary(path)] == []


def test_the_lock_dies_with_its_process(tmp_path: Path, repository: Path) -> None:
    artifacts = tmp_path / "things"
    add_version(artifacts, lambda folder: write_bundle(make(), folder / "bundle"))  # type: ignore[arg-type, return-value]
    hold = (
        "import sys, time\nfrom pathlib import Path\n"
        "from ffn.storage.pipeline_locks import registry_lock\n"
        "with registry_lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(600)"
    )
    holder = start(repository, hold, artifacts)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    waiting = start(
        repository,
        "import sys\nfrom pathlib import Path\nfrom ffn.registry.pointer import promote\n"
        "print('asks', flush=True)\npromote(Path(sys.argv[1]), 1, reason='')",
        artifacts,
    )
    assert waiting.stdout is not None
    assert waiting.stdout.readline() == "asks\n"
    # The kernel lists those who wait for a lock behind an arrow.
    blocked = re.compile(rf"-> FLOCK .* {waiting.pid} ")
    wait_for(lambda: blocked.search(Path("/proc/locks").read_text()))
    assert waiting.poll() is None
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert waiting.communicate(timeout=LAST_RESORT)[1] == ""
    assert production_version(artifacts) == 1
    promote(artifacts, 1, reason="")
