"""Which tables are kept, what is said of them, and when they go."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ffn.errors import DataError
from ffn.lineage.kept_data import keep_table
from ffn.pipelines import retraining_steps
from ffn.pipelines.execution import InProcess
from ffn.pipelines.outcomes import SkippedOutcome
from ffn.pipelines.retraining import run_steps
from ffn.quantities import size
from ffn.registry.versions import add_version
from ffn.settings.pipeline import find_pipeline
from ffn.storage.documents import write_json
from tests.helpers.command_line import Done, listing, run_here
from tests.helpers.tiny_pipeline import ROWS, SETTINGS, table, version

HEADER = "size,age,kind\n"


def test_data_that_must_not_be_copied(root: Path) -> None:
    shutil.rmtree(root / "artifacts/tiny/training-data")
    known = find_pipeline("tiny", root)
    text = SETTINGS.format(keep="keep = false")
    (root / "data/tiny/pipeline.toml").write_text(text)
    secret = find_pipeline("tiny", root)
    dataset = retraining_steps.LOAD.function(secret)
    assert retraining_steps.KEEP.function(dataset, secret) == ()
    assert not (root / "artifacts/tiny/training-data").exists()
    # A model is the same with and without, so switching it makes no new version.
    assert secret.settings.of_training() == known.settings.of_training()
    outcome = run_steps(secret, InProcess())
    assert isinstance(outcome, SkippedOutcome)
    assert not (root / "artifacts/tiny/training-data").exists()


def test_the_size_is_stated_and_pruned(root: Path, ffn: Callable[..., Done]) -> None:
    """Two more versions, of two more tables, and a table that no version has any more."""
    artifacts, digests = root / "artifacts/tiny", []
    for number in range(3):
        content = f"size,age,kind\n{number},2,no\n".encode()
        (root / "other.csv").write_bytes(content)
        digests.append(hashlib.sha256(content).hexdigest())
        keep_table(root / "other.csv", artifacts, digests[-1])

    def fill(digest: str) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            shutil.copytree(version(root) / "bundle", folder / "bundle")
            write_json(folder / "provenance.json", {"source_sha256": digest})

        return write

    for digest in digests[:2]:
        add_version(artifacts, fill(digest))
    kept = sorted((artifacts / "training-data").iterdir())
    total = sum(path.stat().st_size for path in kept)
    assert len(kept) == 4
    assert f"  data     4 training tables kept, {size(total)}\n" in ffn("status").out
    assert f"4 training tables kept, {size(total)}.\n" in ffn("models", "tiny").out
    (status,) = json.loads(ffn("status", "--json").out)
    assert sum(one["bytes"] for one in status["training_tables"]) == total
    listed = json.loads(ffn("models", "tiny", "--json").out)["training_tables"]
    assert {one["sha256"] for one in listed} == {path.name.removesuffix(".zst") for path in kept}
    # Version 1 scores, and 3 is the newest; the table of 2, and that of none, go.
    dry = json.loads(ffn("prune", "tiny", "--keep", 1, "--dry-run", "--json").out)
    assert sorted((artifacts / "training-data").iterdir()) == kept
    pruned = json.loads(ffn("prune", "tiny", "--keep", 1, "--json").out)
    assert {**dry, "dry_run": False} == pruned
    assert (pruned["removed"], pruned["training_tables"]) == ([2], 2)
    left = {path.name.removesuffix(".zst") for path in (artifacts / "training-data").iterdir()}
    assert left == {path.name.removesuffix(".zst") for path in kept} - {digests[0], digests[2]}
    assert "removed nothing (0 bytes)" in ffn("prune", "tiny", "--keep", 1).out


def test_of_a_version_without_provenance_nobody_knows_which_table_it_needs(
    root: Path, ffn: Callable[..., Done]
) -> None:
    (root / "other.csv").write_bytes(b"other")
    keep_table(root / "other.csv", root / "artifacts/tiny", hashlib.sha256(b"other").hexdigest())
    (version(root) / "provenance.json").write_text("{}")
    assert "removed nothing" in ffn("prune", "tiny", "--keep", 1).out
    assert len(list((root / "artifacts/tiny/training-data").iterdir())) == 2


def test_damage_of_kept_data_is_verified(root: Path, ffn: Callable[..., Done]) -> None:
    assert ffn("verify", "tiny").code == 0
    table(root).write_bytes(b"")
    done = ffn("verify", "tiny")
    assert done.code == 1
    assert "is damaged" in done.out + done.err


def test_a_refused_retraining_leaves_no_table(root: Path, ffn: Callable[..., Done]) -> None:
    before = listing(root / "artifacts")
    (root / "data/tiny/train.csv").write_text("size,age,kind\n1,2,no\n2,3,yes\n")
    assert ffn("retrain", "tiny", "--direct").code == 1
    assert listing(root / "artifacts") == before


def test_a_table_that_changes_before_it_is_kept_is_refused(
    root: Path, ffn: Callable[..., Done]
) -> None:
    source = root / "data/tiny/train.csv"
    source.write_text("size,age,kind\n" + ROWS[:-8])
    pipeline = find_pipeline("tiny", root)
    dataset = retraining_steps.LOAD.function(pipeline)
    source.write_text("size,age,kind\n" + ROWS[:-16])
    with pytest.raises(DataError, match=r"changed after it was read for training"):
        retraining_steps.KEEP.function(dataset, pipeline)


def test_a_file_of_held_out_rows_is_kept_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both have one name, so that one kept under its name would overwrite the other."""
    root = tmp_path / "held"
    folder = root / "data/tiny"
    (folder / "later").mkdir(parents=True)
    settings = SETTINGS.format(keep="") + '[split]\ntest = "later/train.csv"\n'
    (folder / "pipeline.toml").write_text(settings)
    tables = {"train.csv": HEADER + ROWS, "later/train.csv": HEADER + ROWS[: len(ROWS) // 2]}
    for name, text in tables.items():
        (folder / name).write_text(text)

    def ffn(*arguments: object) -> Done:
        code = run_here((*arguments, "--root", root))
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    assert ffn("retrain", "tiny", "--direct", "--json").code == 0
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in tables.values()]
    kept = root / "artifacts/tiny/training-data"
    assert sorted(path.name for path in kept.iterdir()) == sorted(f"{d}.zst" for d in digests)
    made = json.loads((version(root) / "provenance.json").read_text())
    assert [made["source_sha256"], made["test_sha256"]] == digests
    assert "removed nothing" in ffn("prune", "tiny", "--keep", 1).out
    (folder / "later/train.csv").write_text(HEADER + ROWS)
    done = ffn("reproduce", "tiny", 1)
    assert done.code == 0, done.out + done.err
    assert "same digest" in done.out
    (kept / f"{digests[1]}.zst").unlink()
    done = ffn("reproduce", "tiny", 1)
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines()[1:] == [
        f"  data: {kept / digests[1]}.zst is missing, and {folder / 'later/train.csv'} is not that "
        "table"
    ]
    (folder / "later/train.csv").write_text(tables["later/train.csv"])
    done = ffn("reproduce", "tiny", 1)
    assert (done.code, done.out.count("same digest")) == (0, 1)
    assert "  data: no sound copy is kept; the training CSV is still the same table" in done.out
