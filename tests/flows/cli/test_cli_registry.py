"""``ffn promote``, ``rollback``, ``prune``, ``verify``: what they print, do and refuse."""

from __future__ import annotations

import json
import re
import shutil

import joblib
import pytest

from ffn.bundles.bundle import read_bundle
from ffn.registry.versions import production_version, versions
from tests.helpers.command_line import listing
from tests.helpers.warned import warn

ROOT = "--root"


def exported(root):
    """The parameters that notebooks get."""
    return joblib.load(root / "artifacts/iris/best_iris_model.pkl")["network"].network_.parameters


def parameters(root, version):
    bundle = read_bundle(root / f"artifacts/iris/models/{version:04d}/bundle")
    return bundle.network.parameters


def history(root):
    lines = (root / "artifacts/iris/history.jsonl").read_bytes().splitlines()
    return [json.loads(line) for line in lines]


def test_promote_overrules_the_gate_and_says_so(ffn, registry, monkeypatch):
    monkeypatch.chdir(registry)
    warning = warn(registry, 3)
    done = ffn("promote", "iris", "3", "--reason", "the gate knows too few rows")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "iris: version 3 is in production now; version 4 was before.\n"
        f"Warning: {warning}\n"
        "  for notebooks  artifacts/iris/best_iris_model.pkl\n"
    )
    again = json.loads(ffn("promote", "iris", "3", "--json").out)
    assert (again["changed"], again["warning"]) == (False, warning)
    assert f"  warning  {warning}\n" in ffn("status", "iris").out
    assert production_version(registry / "artifacts/iris") == 3
    last = history(registry)[-1]
    assert (last["action"], last["from"], last["version"]) == ("promote", 4, 3)
    assert last["reason"] == "the gate knows too few rows"
    assert (exported(registry) == parameters(registry, 3)).all()
    assert (exported(registry) != parameters(registry, 4)).any()
    scored = json.loads(ffn("score", "iris", "--direct", "--json").out)
    assert scored["version"] == 3


def test_promoting_what_scores_already_changes_nothing(ffn, registry):
    before = history(registry)
    done = ffn("promote", "iris", "0004", ROOT, registry)
    assert done.out.startswith("iris: version 4 is in production already; nothing changed.\n")
    assert json.loads(ffn("promote", "iris", "4", ROOT, registry, "--json").out)["changed"] is False
    assert history(registry) == before


def test_rollback_goes_back_one_promotion_after_another(ffn, registry):
    warning = warn(registry, 2)
    done = ffn("rollback", "iris", ROOT, registry, "--reason", "complaints")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("iris: version 2 is in production again, in place of version 4.\n")
    assert (exported(registry) == parameters(registry, 2)).all()
    assert f"\nWarning: {warning}\n" in done.out
    found = json.loads(ffn("rollback", "iris", ROOT, registry, "--json").out)
    assert found["warning"] == ""
    assert (found["action"], found["from"], found["version"]) == ("rollback", 2, 1)
    assert found["reason"] == "by hand"
    assert [entry["version"] for entry in history(registry)] == [1, 2, 4, 2, 1]
    assert "there is no version to roll back to" in ffn("rollback", "iris", ROOT, registry).refusal


@pytest.mark.parametrize("json_or_text", [("--json",), ()], ids=["json", "text"])
@pytest.mark.parametrize(("verb", "version"), [(("promote", "1"), 1), (("rollback",), 2)])
def test_what_was_done_is_no_failure_for_want_of_an_export(
    ffn, registry, verb, version, json_or_text
):
    """A failure would be tried again, and a rollback then go one version further."""
    export = registry / "artifacts/iris/best_iris_model.pkl"
    export.unlink()
    export.mkdir()
    done = ffn(verb[0], "iris", *verb[1:], ROOT, registry, *json_or_text)
    assert done.code == 0
    if json_or_text:
        found = json.loads(done.out)
        assert (found["version"], found["export"]) == (version, None)
    else:
        assert re.fullmatch(
            rf"iris: version {version} is in production .*\n(Warning: .*\n)?", done.out
        )
    assert done.err == (
        f"ffn: iris: version {version} is in production; the export for notebooks could not be "
        f"written ({export}: Is a directory). When it can be: ffn promote iris {version}\n"
    )
    export.rmdir()
    assert "nothing changed" in ffn("promote", "iris", version, ROOT, registry).out
    assert (exported(registry) == parameters(registry, version)).all()


def test_prune_removes_what_is_old_and_neither_production_nor_what_it_replaced(ffn, registry):
    artifacts = registry / "artifacts/iris"
    before = listing(registry)
    tried = json.loads(
        ffn("prune", "iris", "--keep", "1", "--dry-run", "--json", ROOT, registry).out
    )
    assert (tried["removed"], tried["kept"], tried["protected"]) == ([1, 3], [2, 4], [2])
    assert listing(registry) == before
    done = ffn("prune", "iris", "--keep", "1", ROOT, registry)
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(
        r"iris: removed versions 1, 3 \(\d+\.\d [kM]B\); 2 kept\.\n"
        r"Older, and kept: 2, in production or next to roll back to\.\n",
        done.out,
    )
    assert versions(artifacts) == [2, 4]
    gone = {name: kind for name, kind in before.items() if name not in listing(registry)}
    assert all(re.match(r"artifacts/iris/(models|reports)/000[13]/", name) for name in gone)
    assert tried["bytes"] == sum(len(content) for _, content in gone.values())
    # The history keeps what it has, and numbers are not given again.
    assert [entry["version"] for entry in history(registry)] == [1, 2, 4]
    assert ffn("verify", "iris", ROOT, registry).code == 0
    assert ffn("rollback", "iris", ROOT, registry).code == 0
    again = json.loads(ffn("retrain", "iris", "--direct", "--force", "--json", ROOT, registry).out)
    assert again["version"] == 5


def test_pruning_to_more_than_there_are_removes_nothing(ffn, registry):
    before = listing(registry)
    done = ffn("prune", "iris", "--keep", "20", ROOT, registry)
    assert (done.code, done.out) == (0, "iris: removed nothing (0 bytes); 4 kept.\n")
    assert listing(registry) == before


def test_a_rollback_guards_another_version(ffn, registry):
    """From 2, which was rolled back to, the next step goes to 1."""
    ffn("rollback", "iris", ROOT, registry)
    found = json.loads(ffn("prune", "iris", "--keep", "1", "--json", ROOT, registry).out)
    assert (found["removed"], found["protected"]) == ([3], [1, 2])


def test_verify_vouches_for_what_retraining_wrote(ffn, registry):
    done = ffn("verify", "iris", ROOT, registry)
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(
        r"iris: 4 versions, \d+ files, \d+\.\d [kM]B: no damage found\.\n", done.out
    )
    found = json.loads(ffn("verify", "iris", ROOT, registry, "--json").out)
    assert (found["versions"], found["damages"]) == ([1, 2, 3, 4], [])
    names = [path for path in (registry / "artifacts/iris/models").rglob("*") if path.is_file()]
    own = [path for path in names if path.name not in ("files.json", ".last.json")]
    own += (registry / "artifacts/iris/training-data").iterdir()
    assert found["files"] == len(own)
    assert found["bytes"] == sum(path.stat().st_size for path in own)


def test_verify_names_each_damage_and_fails(ffn, registry, monkeypatch):
    monkeypatch.chdir(registry)
    artifacts = registry / "artifacts/iris"
    with (artifacts / "models/0003/metrics.json").open("r+b") as file:
        file.write(b"[")
    (artifacts / "models/0001/bundle/model.json").unlink()
    done = ffn("verify", "iris")
    assert done.code == 1
    assert done.err.startswith("ffn: iris: 2 problems in 4 versions, ")
    assert done.err.count("\n") == 1
    assert "Restore the files named from a backup" in done.err
    assert done.out.splitlines() == [
        "artifacts/iris/models/0001/bundle/model.json is missing",
        "artifacts/iris/models/0003/metrics.json has another SHA-256 than files.json says",
    ]
    found = ffn("verify", "iris", "--json")
    assert found.code == 1
    assert found.out.count("\n") == 1
    assert [d["path"] for d in json.loads(found.out)["damages"]] == [
        str(artifacts / "models/0001/bundle/model.json"),
        str(artifacts / "models/0003/metrics.json"),
    ]


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda models: (models / "0003/bundle/model.json").unlink(), r"json: cannot be read"),
        (lambda models: (models / "0003/files.json").unlink(), r"version 3 cannot be verified"),
        (lambda models: shutil.rmtree(models / "0003"), r"version 3 does not exist; there are: 1"),
        (
            lambda models: shutil.copytree(
                models / "0002/bundle", models / "0003/bundle", dirs_exist_ok=True
            ),
            r"0003/bundle: not the bundle that was registered as version 3",
        ),
    ],
)  # fmt: skip
def test_what_is_damaged_is_not_promoted(ffn, registry, damage, expected):
    damage(registry / "artifacts/iris/models")
    before = listing(registry)
    assert re.search(expected, ffn("promote", "iris", "3", ROOT, registry).refusal)
    assert listing(registry) == before


def test_a_lost_pointer_is_told_and_a_rollback_finds_the_version_before(ffn, registry):
    """Promoted were 1, 2 and 4."""
    (registry / "artifacts/iris/production.json").unlink()
    new = registry / "data/iris/inbox/new_flowers.csv"
    refusal = ffn("score", "iris", new, "--direct", ROOT, registry).refusal
    assert re.search(r"production\.json: missing, .* ffn promote iris N, or roll back: ", refusal)
    done = ffn("rollback", "iris", ROOT, registry)
    assert done.out.startswith("iris: version 2 is in production again.\n")
    assert ffn("verify", "iris", ROOT, registry).code == 0


@pytest.mark.parametrize("verb", [("promote", "3"), ("rollback",)])
def test_a_history_that_no_memory_holds_is_refused(ffn, registry, verb):
    history = registry / "artifacts/iris/history.jsonl"
    with history.open("wb") as file:
        file.truncate(2**40)
    refusal = ffn(verb[0], "iris", *verb[1:], ROOT, registry).refusal
    assert refusal == f"{history}: longer than 536,870,912 bytes."


OUTSIDE = (
    "../../x",
    "../models/0001",
    "/etc",
    "1/../2",
    "0",
    "-1",
    "1.0",
    "\uff11",
    "",
    "1e3",
    "9" * 30,
)


@pytest.mark.parametrize("version", OUTSIDE)
def test_a_version_is_a_number_and_never_a_path(ffn, registry, version):
    before = listing(registry.parent)
    done = ffn("promote", "iris", ROOT, registry, "--", version)
    assert (done.code, done.out) == (2, "")
    assert re.search(r'VERSION: ".*" is not a version\'s number, such as 3', done.err)
    assert listing(registry.parent) == before


@pytest.mark.parametrize(
    "verb", [("promote", "1"), ("rollback",), ("prune", "--keep", "1"), ("verify",)]
)
@pytest.mark.parametrize("pipeline", ["../../x", "..", "/etc", "a/../../b", "x\0y", ""])
def test_a_pipelines_name_never_leaves_the_folder(ffn, registry, verb, pipeline):
    before = listing(registry.parent)
    done = ffn(verb[0], pipeline, *verb[1:], ROOT, registry)
    assert done.refusal
    assert listing(registry.parent) == before


@pytest.mark.parametrize(
    "verb", [("promote", "1"), ("rollback",), ("prune", "--keep", "1"), ("verify",)]
)
def test_versions_that_lie_elsewhere_are_left_alone(ffn, registry, verb):
    """Through a link pruning would remove, and promotion read, somebody else's folders."""
    models = registry / "artifacts/iris/models"
    models.rename(registry.parent / "elsewhere")
    models.symlink_to(registry.parent / "elsewhere")
    before = listing(registry.parent / "elsewhere")
    done = ffn(verb[0], "iris", *verb[1:], ROOT, registry)
    assert re.search(r"models is a link; versions are kept in plain folders", done.refusal)
    assert listing(registry.parent / "elsewhere") == before


@pytest.mark.parametrize(
    "wrong", [("prune", "iris"), ("prune", "iris", "--keep", "0"), ("promote", "iris")]
)
def test_wrong_usage_exits_2(ffn, wrong):
    assert ffn(*wrong).code == 2


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        (("promote", "1"), r"version 1 does not exist; there are: none"),
        (("rollback",), r"no versions yet .* Make one with: ffn retrain iris"),
        (("prune", "--keep", "1"), r"no versions yet .* Make one with: ffn retrain iris"),
        (("verify",), r"no versions in .* Make one with: ffn retrain iris"),
    ],
)
def test_before_the_first_retraining_the_next_step_is_told(ffn, root, verb, expected):
    done = ffn(verb[0], "iris", *verb[1:], ROOT, root)
    assert re.search(expected, done.refusal)
