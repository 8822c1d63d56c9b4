"""``ffn models`` and ``ffn compare``: what a person reads, and what a machine does."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from ffn.quantities import NOTHING, counted, size
from tests.helpers.warned import warn

ROOT = "--root"


def document(root, version, name):
    return json.loads((root / f"artifacts/iris/models/{version:04d}/{name}.json").read_bytes())


def too_wide(text):
    return [line for line in text.splitlines() if len(line.rstrip()) > 80]


def test_the_list_has_a_line_for_each_version(ffn, registry):
    warning = warn(registry, 3)
    done = ffn("models", "iris", ROOT, registry)
    assert (done.code, done.err, too_wide(done.out)) == (0, "", [])
    figure = r"\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\]"
    lines = re.findall(
        rf"^ +(\*?) ?(\d) +\d{{4}}-\d\d-\d\d \d\d:\d\d  (\w+) +({figure}) +(\d+)  (\w+) *$",
        done.out,
        re.M,
    )
    assert [(mark, int(number)) for mark, number, *_ in lines] == [
        ("", 1),
        ("", 2),
        ("", 3),
        ("*", 4),
    ]
    assert [line[-1] for line in lines] == ["promote", "promote", "keep", "promote"]
    for _, number, winner, accuracy, rows, _ in lines:
        metrics = document(registry, int(number), "metrics")
        assert winner == metrics["selection"]["winner"]
        assert int(rows) == metrics["test"]["rows"] == 30
        wanted = [metrics["test"]["accuracy"][name] for name in ("value", "low", "high")]
        assert [float(x) for x in re.findall(r"[\d.]+", accuracy)] == pytest.approx(
            wanted, abs=6e-4
        )
    kept = list((registry / "artifacts/iris/training-data").iterdir())
    stored = size(sum(path.stat().st_size for path in kept))
    tables = f"{counted(len(kept), 'training table')} kept, {stored}.\n"
    after = done.out.split(
        f"* in production: version 4.\nffn rollback iris would go to version 2.\n{tables}"
    )[1]
    assert " ".join(after.split()) == f"Version 3: {warning}"


def test_the_list_for_machines(ffn, registry):
    warning = warn(registry, 3)
    done = ffn("models", "iris", "--json", ROOT, registry)
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    found = json.loads(done.out)
    assert (found["pipeline"], found["production"]) == ("iris", 4)
    assert [one["version"] for one in found["versions"]] == [1, 2, 3, 4]
    for one in found["versions"]:
        manifest = registry / f"artifacts/iris/models/{one['version']:04d}/bundle/manifest.json"
        assert one["bundle_sha256"] == hashlib.sha256(manifest.read_bytes()).hexdigest()
        assert one["accuracy"] == document(registry, one["version"], "metrics")["test"]["accuracy"]
        assert one["production"] is (one["version"] == 4)
        assert one["next_back"] is (one["version"] == 2)
        assert one["warning"] == (warning if one["version"] == 3 else "")


def test_a_version_in_full_says_where_it_comes_from(ffn, registry):
    warning = warn(registry, 3)
    done = ffn("models", "iris", "3", ROOT, registry)
    assert (done.code, done.err, too_wide(done.out)) == (0, "", [])
    assert done.out.startswith("iris, version 3: not in production\n")
    text = " ".join(done.out.split())
    made = document(registry, 3, "provenance")
    data = registry / "data/iris/train.csv"
    assert hashlib.sha256(data.read_bytes()).hexdigest()[:16] in text
    assert f"SHA-256 {made['settings_sha256'][:16]}" in text
    assert f"warning {warning} bundle" in text
    assert "seed 2," in text
    assert 'verdict keep: gate.mode is "never"' in text
    assert f"numpy {made['packages']['numpy']}" in text
    assert "promoted" not in text
    scoring = " ".join(ffn("models", "iris", "4", ROOT, registry).out.split())
    assert re.search(
        r"promoted 20.* UTC by .* in place of version 2: retrained; gate\.mode", scoring
    )
    found = json.loads(ffn("models", "iris", "4", "--json", ROOT, registry).out)
    assert found["provenance"] == document(registry, 4, "provenance")
    assert found["verdict"] == document(registry, 4, "verdict")
    assert [entry["version"] for entry in found["history"]] == [4]


def test_before_the_first_retraining(ffn, root):
    done = ffn("models", "iris", ROOT, root)
    assert (done.code, done.out) == (
        0,
        "iris: no versions yet. Make one with: ffn retrain iris\n",
    )
    assert json.loads(ffn("models", "iris", "--json", ROOT, root).out)["versions"] == []
    assert "version 1 does not exist" in ffn("models", "iris", "1", ROOT, root).refusal


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"test": 3, "selection": []}', "[" * 10**5])
def test_damaged_files_leave_gaps_and_a_hint(ffn, registry, content):
    for name in ("metrics", "provenance", "verdict", "files"):
        (registry / f"artifacts/iris/models/0002/{name}.json").write_text(content)
    done = ffn("models", "iris", ROOT, registry)
    assert (done.code, done.err) == (0, "")
    assert [line.split() for line in done.out.splitlines()][4] == ["2", *[NOTHING] * 5]
    assert "Some files are missing or changed. To list them: ffn verify iris" in done.out
    assert ffn("models", "iris", "2", ROOT, registry).code == 0
    assert ffn("compare", "iris", "2", "4", ROOT, registry).code == 0


def test_a_figure_that_was_changed_is_not_shown(ffn, registry):
    path = registry / "artifacts/iris/models/0002/metrics.json"
    metrics = document(registry, 2, "metrics")
    path.write_text(json.dumps(metrics | {"test": {"accuracy": {"value": 1, "low": 1, "high": 1}}}))
    done = ffn("models", "iris", ROOT, registry)
    assert "1.000 [1.000, 1.000]" not in done.out
    assert "Some files are missing or changed. To list them: ffn verify iris" in done.out
    shown = ffn("models", "iris", "2", ROOT, registry)
    assert "damage some files are missing or changed: ffn verify iris" in " ".join(
        shown.out.split()
    )


def test_two_versions_side_by_side(ffn, registry):
    done = ffn("compare", "iris", "1", "4", ROOT, registry)
    assert (done.code, done.err, too_wide(done.out)) == (0, "", [])
    assert re.search(r"^ +version 1 +version 4 *$", done.out, re.M)
    assert re.search(r"^ training\.seed +42 +3 *$", done.out, re.M)
    assert re.search(r"^ data +[0-9a-f]{16} +the same *$", done.out, re.M)
    text = " ".join(done.out.split())
    assert re.search(
        r"Paired, on \d+ of 150 rows of the training CSV \(left out: \d+ that .*"
        r"Accuracy [+-]\d\.\d{4} \[[+-]\d\.\d{4}, [+-]\d\.\d{4}\], "
        r"p = \d\.\d{3} \(exact McNemar, two-sided\)",
        text,
    )
    found = json.loads(ffn("compare", "iris", "1", "4", "--json", ROOT, registry).out)
    assert found["settings"]["training.seed"] == [42, 3]
    rows = found["paired"]["rows"]
    # Two seeds hold out 30 rows each; in common are some of them.
    assert 0 < rows["fit"] <= 30
    assert rows["trained_on"] == 150 - rows["fit"]


@pytest.mark.parametrize("version", ["../../x", "0", "-1", "latest", "1/2"])
def test_a_version_is_a_number(ffn, registry, version):
    for arguments in (("models", "iris"), ("compare", "iris", "1")):
        done = ffn(*arguments, ROOT, registry, "--", version)
        assert (done.code, done.out) == (2, "")
        assert "is not a version's number, such as 3" in done.err


def test_what_is_not_there_is_refused(ffn, registry):
    for arguments in (("models", "iris", "9"), ("compare", "iris", "1", "9")):
        refusal = ffn(*arguments, ROOT, registry).refusal
        assert "iris: version 9 does not exist; there are: 1, 2, 3, 4." in refusal
