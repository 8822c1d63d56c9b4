"""A registry of a tiny pipeline, the commands that change it, and what is right at any moment."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Imported here, so that a process that is traced opens none of the modules on its way.
import ffn.shadow.shadow_scoring
import ffn.training_history.appending  # noqa: F401
from ffn.bundles.contents import read_contents
from ffn.monitoring.record.outcome_record import reading_record
from ffn.registry.verification import verify
from ffn.registry.versions import production_version, version_folder, versions
from ffn.scoring.model import load
from flows.cli.app import main
from tests.crash.tracing import without_chance

SETTINGS = """
[data]
source = "train.csv"
target = "y"
[network]
hidden_layers = [3]
[training]
epochs = 3
networks = 2
seed = {seed}
[optimizers.adam]
[gate]
mode = "{mode}"
accuracy_margin = 0.6
log_loss_margin = 5.0
class_margin = 0.9
[outcomes]
id = "id"
append = "history"
[shadow]
versions = "latest"
"""
# Models, by number: those promoted are 1, 2 and 4, and 4 scores; 5 was kept back.
LABELS = 30
VERSIONS = ((1, "always"), (2, "always"), (3, "never"), (4, "always"), (5, "never"))


def write_table(root: Path, rows: int) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=rows)
    x = 3 * labels[:, None] + rng.normal(size=(rows, 2))
    lines = [f"{p:.4f},{q:.4f},{'ab'[y]}\n" for (p, q), y in zip(x, labels, strict=True)]
    (root / "data/tiny/train.csv").write_text("".join(["p,q,y\n", *lines]))


def write_settings(root: Path, seed: int, mode: str) -> None:
    (root / "data/tiny/pipeline.toml").write_text(SETTINGS.format(seed=seed, mode=mode))


def build(root: Path) -> None:
    """Five versions; then the table grows, so that the next retraining has something new."""
    (root / "data/tiny").mkdir(parents=True)
    write_table(root, 120)
    for seed, mode in VERSIONS:
        write_settings(root, seed, mode)
        assert main(["retrain", "tiny", "--direct", "--json", "--root", str(root)]) == 0
    write_settings(root, 4, "not_worse")
    lines = [f"r{n},{n % 7},{n % 3}" for n in range(40)]
    (root / "new.csv").write_text("\n".join(["id,p,q", *lines]) + "\n")
    assert main(["score", "tiny", str(root / "new.csv"), "--direct", "--root", str(root)]) == 0
    # Taken up again by each evaluation.
    (root / "artifacts/tiny/outcomes/record.sqlite").unlink()
    labels = [f"r{n},{'ab'[n % 2]}" for n in range(LABELS)]
    (root / "labels.csv").write_text("\n".join(["id,y", *labels]) + "\n")
    write_table(root, 200)


@dataclass(frozen=True)
class State:
    """Which versions are there, and which scores."""

    versions: tuple[int, ...]
    production: int


def state(root: Path) -> State:
    artifacts = root / "artifacts/tiny"
    return State(tuple(versions(artifacts)), production_version(artifacts))


BEFORE = State((1, 2, 3, 4, 5), 4)


@dataclass(frozen=True)
class Command:
    """A command line, and the states that it may be found in; the last one when it succeeded."""

    words: tuple[str, ...]
    states: tuple[State, ...]

    def work(self, root: Path) -> Callable[[], int]:
        words = [word.format(root=root) for word in self.words]
        return lambda: main([*words, "--root", str(root)])


COMMANDS = {
    # Registering and promoting are a step each.
    "retrain": Command(
        ("retrain", "tiny", "--direct", "--json"),
        (BEFORE, State((1, 2, 3, 4, 5, 6), 4), State((1, 2, 3, 4, 5, 6), 6)),
    ),
    "promote": Command(("promote", "tiny", "3"), (BEFORE, State((1, 2, 3, 4, 5), 3))),
    "rollback": Command(("rollback", "tiny"), (BEFORE, State((1, 2, 3, 4, 5), 2))),
    # Each version goes by itself, wholly.
    "prune": Command(
        ("prune", "tiny", "--keep", "1"), (BEFORE, State((2, 3, 4, 5), 4), State((2, 4, 5), 4))
    ),
    "score": Command(
        ("score", "tiny", "{root}/new.csv", "--force", "--direct", "--json"), (BEFORE,)
    ),
    "evaluate": Command(("evaluate", "tiny", "{root}/labels.csv", "--direct", "--json"), (BEFORE,)),
}


def problems(root: Path, allowed: tuple[State, ...] | None) -> list[str]:
    """Return what is not as it has to be at any moment: whole versions, a pointer that loads."""
    artifacts = root / "artifacts/tiny"
    found = [f"{damage.path} {damage.problem}" for damage in verify(artifacts).damages]
    now = state(root)
    if allowed is not None and now not in allowed:
        found.append(f"{now} is neither old nor new")
    model = load(artifacts)
    contents = read_contents(
        version_folder(artifacts, now.production), pipeline="tiny", version=now.production
    )
    if (model.version, model.scorer.sha256) != (now.production, contents.bundle_sha256):
        found.append(f"version {now.production} is in production, {model.version} scores")
    return found + torn_outcomes(artifacts) + torn_history(root) + torn_shadow(artifacts)


def torn_history(root: Path) -> list[str]:
    """Return what is wrong with the training CSV: the new rows are all in it, or none, once."""
    lines = (root / "data/tiny/train.csv").read_text().splitlines()
    new = [f"{n % 7},{n % 3},{'ab'[n % 2]}" for n in range(LABELS)]
    whole = lines[201:] in ([], new) and len(lines[:201]) == 201
    return [] if whole else [f"the training table has {len(lines)} lines, {lines[201:]}"]


def torn_shadow(artifacts: Path) -> list[str]:
    """Return what is wrong with the disagreements: they are of the output that is there."""
    output = artifacts / "predictions/new.csv"
    mark = output.with_name("new.csv.shadow.json")
    manifest = output.with_name("new.csv.manifest.json")
    if not (mark.exists() and manifest.exists()):
        return []
    told = json.loads(mark.read_text())
    if told["manifest_sha256"] != hashlib.sha256(manifest.read_bytes()).hexdigest():
        return []
    content = output.with_name("new.csv.disagreements.csv").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    found = {"bytes": len(content), "sha256": digest}
    return [] if told["disagreements"] == found else ["the disagreements are torn"]


def torn_outcomes(artifacts: Path) -> list[str]:
    """Return what is not whole in the record of labels: each file is there whole or not at all."""
    with reading_record(artifacts) as record:
        if record is None:
            return []
        tables = ("predictions", "labels", "joined")
        counts = [
            record.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in tables
        ]
        (sound,) = record.connection.execute("PRAGMA integrity_check").fetchone()
    # With what version 5 says beside production, once the file is scored again.
    whole = counts in ([0, 0, 0], [40, 0, 0], [80, 0, 0], [40, LABELS, LABELS])
    return [] if whole and sound == "ok" else [f"the record holds {counts}, {sound}"]


def kinds_of_files(root: Path) -> set[str]:
    """Return every file and folder there is, any number in its name being a hash sign."""
    names = {path.relative_to(root).as_posix() for path in root.rglob("*")}
    return {re.sub(r"\b\d{4}\b", "#", name) for name in names}


def shape(root: Path) -> frozenset[tuple[str, int]]:
    """Return what the next run finds, apart from times and process numbers.

    That is which version scores, the names of all files, and their sizes; of versions, reports
    and the journal, where times are written down, only whether a file is empty.
    """
    found = {("production", state(root).production)}
    for path in root.rglob("*"):
        name = without_chance(path.relative_to(root).as_posix())
        size = path.stat().st_size if path.is_file() else -1
        timed = re.search(r"/(models|reports)/|/runs\.jsonl$|\.lock$", name)
        found.add((name, min(size, 1) if timed else size))
    return frozenset(found)


def fresh(template: Path, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(template, root, symlinks=True)
