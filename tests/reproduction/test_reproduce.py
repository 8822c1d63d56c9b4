"""A version made again is the same, or what differs is named, and by how much."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ffn.bundles.bundle import read_bundle, write_bundle
from ffn.bundles.contents import measure, seal
from ffn.storage.documents import write_json
from tests.helpers.command_line import Done, listing, run_here
from tests.helpers.tiny_pipeline import SETTINGS, table, version


def rewritten(root: Path, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a JSON file of the version, as if it had been registered so."""
    folder = version(root)
    document = json.loads((folder / name).read_text())
    change(document)
    write_json(folder / name, document)
    (folder / "files.json").unlink()
    seal(folder, measure(folder), pipeline="tiny", version=1)


def test_it_is_the_same_and_nothing_was_touched(root: Path, ffn: Callable[..., Done]) -> None:
    # What is there now is not what it was made from.
    (root / "data/tiny/train.csv").write_text("size,age,kind\n1,2,no\n")
    (root / "data/tiny/pipeline.toml").write_text(
        SETTINGS.format(keep="").replace("epochs = 3", "epochs = 9")
    )
    before = listing(root)
    done = ffn("reproduce", "tiny", 1)
    assert done.code == 0, done.err
    assert "tiny, version 1 was made again in " in done.out
    digest = json.loads((root / "artifacts/tiny/production.json").read_text())["bundle_sha256"]
    assert f"same digest, SHA-256 {digest[:16]}." in done.out
    assert done.out.count("\n") == 1
    assert listing(root) == before
    assert not [path for path in (root / "artifacts/tiny/cache").iterdir() if path.name[0] == "."]
    found = json.loads(ffn("reproduce", "tiny", 1, "--json").out)
    assert (found["same"], found["bundle_sha256"], found["made_sha256"]) == (True, digest, digest)
    assert (found["data"], found["obstacles"], found["differences"]) == ("kept", [], [])
    assert not any(one["differs"] for one in found["circumstances"])
    names = {one["name"] for one in found["circumstances"]}
    assert names >= {"code", "Python", "machine", "processor", "BLAS", "numpy", "scipy"}


def test_data_that_is_nowhere(root: Path, ffn: Callable[..., Done]) -> None:
    path, source = table(root), root / "data/tiny/train.csv"
    content = path.read_bytes()
    path.write_bytes(content[:-5])
    done = ffn("reproduce", "tiny", 1)
    assert done.code == 0, "the training CSV is still the same"
    assert "  data: no sound copy is kept; the training CSV is still the same table" in done.out
    source.write_text("size,age,kind\n1,2,no\n")
    done = ffn("reproduce", "tiny", 1)
    assert (done.code, done.err) == (1, "")
    first, second = done.out.splitlines()
    assert first == "tiny, version 1 cannot be made again."
    assert second.startswith(f"  data: {path} is damaged: ")
    assert second.endswith(f", and {source} is not that table")
    path.unlink()
    found = json.loads(ffn("reproduce", "tiny", 1, "--json").out)
    assert (found["same"], found["made"], found["data"]) == (False, False, None)
    assert found["obstacles"] == [f"data: {path} is missing, and {source} is not that table"]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("code_sha256", "ab" * 32, "  code was abababababababab and is "),
        ("python", "3.9.1", "  Python was 3.9.1 and is 3."),
        ("machine", "vax", "  machine was vax and is "),
        ("processor", "KA780", "  processor was KA780 and is "),
        ("blas", "none", "  BLAS was none and is "),
        ("packages", {"numpy": "1.0"}, "  numpy was 1.0 and is "),
        ("packages", {"gone": "7"}, "  gone was 7 and is \N{EN DASH}"),
    ],
)
def test_what_else_it_depended_on_is_named(
    root: Path, ffn: Callable[..., Done], key: str, value: Any, told: str
) -> None:
    rewritten(root, "provenance.json", lambda made: made.update({key: value}))
    done = ffn("reproduce", "tiny", 1)
    assert done.code == 0
    assert told in done.out
    assert len(done.out.splitlines()) == 2


def test_settings_that_cannot_be_read(root: Path, ffn: Callable[..., Done]) -> None:
    rewritten(root, "provenance.json", lambda made: made["settings"]["training"].update(wings=2))
    done = ffn("reproduce", "tiny", 1)
    assert done.code == 1
    assert '  settings: this release cannot read them: the recorded settings: unknown key "tra' in (
        done.out
    )


def test_settings_that_refuse_the_table(root: Path, ffn: Callable[..., Done]) -> None:
    rewritten(root, "provenance.json", lambda made: made["settings"]["data"].update(target="gone"))
    done = ffn("reproduce", "tiny", 1)
    assert done.code == 1
    assert "  training: " in done.out
    assert '"gone"' in done.out


def test_a_bundle_of_other_settings_differs_in_its_numbers(
    root: Path, ffn: Callable[..., Done]
) -> None:
    rewritten(root, "provenance.json", lambda made: made["settings"]["training"].update(seed=7))
    found = json.loads(ffn("reproduce", "tiny", 1, "--json").out)
    assert (found["same"], found["made"]) == (False, True)
    by_name = {one["where"]: one for one in found["differences"]}
    assert by_name["parameters"]["difference"] > 0.01
    # Another seed holds other rows out.
    assert by_name["fingerprints"]["difference"] is None
    assert found["labels"]["rows"] == 24


def test_one_parameter_and_by_how_much(root: Path, ffn: Callable[..., Done]) -> None:
    """The registered bundle is rewritten with one weight a quarter larger."""
    folder = version(root) / "bundle"
    bundle = read_bundle(folder)
    bundle.network.parameters[0, 0] += 0.25
    write_bundle(bundle, folder)
    (version(root) / "files.json").unlink()
    seal(version(root), measure(version(root)), pipeline="tiny", version=1)
    done = ffn("reproduce", "tiny", 1)
    assert done.code == 1
    size = bundle.network.parameters.size
    assert (
        f"  arrays.safetensors: 1 of {size:,} values of parameters differ, by at most 0.25\n"
        in done.out
    )
    found = json.loads(ffn("reproduce", "tiny", 1, "--json").out)
    (difference,) = found["differences"]
    assert difference["difference"] == pytest.approx(0.25, rel=1e-6)
    assert found["labels"]["rows"] == 24
    assert 0 <= found["labels"]["changed"] <= 24


def test_a_damaged_bundle_is_no_obstacle_to_the_comparison_of_digests(
    root: Path, ffn: Callable[..., Done]
) -> None:
    (version(root) / "bundle/arrays.safetensors").write_bytes(b"")
    assert ffn("reproduce", "tiny", 1).code == 0


def test_a_version_of_an_older_release(root: Path, ffn: Callable[..., Done]) -> None:
    """It recorded neither processor nor commit, and kept no data."""
    for key in ("processor", "blas", "commit"):
        rewritten(root, "provenance.json", lambda made, key=key: made.pop(key, None))
    shutil.rmtree(root / "artifacts/tiny/training-data")
    done = ffn("reproduce", "tiny", 1)
    assert done.code == 0
    assert "not recorded" not in done.out
    rewritten(root, "provenance.json", lambda made: made["settings"]["training"].update(seed=7))
    done = ffn("reproduce", "tiny", 1)
    assert done.code == 1
    assert "  processor was not recorded\n  BLAS was not recorded\n" in done.out


def test_without_provenance_nothing_is_known(root: Path, ffn: Callable[..., Done]) -> None:
    (version(root) / "provenance.json").write_text("{}")
    refusal = ffn("reproduce", "tiny", 1).refusal
    assert refusal.endswith("so nothing says how version 1 was made. Choose another version.")
    assert "version 7 does not exist; there are: 1" in ffn("reproduce", "tiny", 7).refusal


def test_two_at_once_and_a_killed_one(root: Path, ffn: Callable[..., Done]) -> None:
    context = multiprocessing.get_context("fork")
    arguments = ("reproduce", "tiny", 1, "--root", root)
    both = [context.Process(target=lambda: os._exit(run_here(arguments))) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    cache = root / "artifacts/tiny/cache"
    left = cache / f".ffn-{both[0].pid}-00.tmp"
    (left / "data").mkdir(parents=True)
    assert ffn("reproduce", "tiny", 1).code == 0
    assert not left.exists()
