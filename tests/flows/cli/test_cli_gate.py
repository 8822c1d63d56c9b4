"""What a person sees of the gate: promoted, kept back, skipped."""

from __future__ import annotations

import html
import json
import re

from ffn.registry.versions import production_version, versions
from tests.helpers.command_line import listing

DIRECT = ("--direct", "--root")


def append(root, text: str) -> None:
    with (root / "data/iris/pipeline.toml").open("a") as settings:
        settings.write(text)


def add_flowers(root, count: int) -> None:
    """New flowers: the first ones, a little longer."""
    path = root / "data/iris/train.csv"
    header, *lines = path.read_text().splitlines()
    longer = [f"{float(line.split(',')[0]) + 0.05:.2f},{line.partition(',')[2]}" for line in lines]
    path.write_text("\n".join([header, *lines, *longer[:: len(lines) // count]]) + "\n")


def test_where_nothing_changed_nothing_is_trained(ffn, trained):
    artifacts = trained / "artifacts/iris"
    done = ffn("retrain", "iris", *DIRECT, trained)
    assert (done.code, done.err, done.out) == (
        0,
        "",
        "iris: data, settings and code equal those of version 1; unchanged, skipped. Use --force "
        "to train anyway.\n",
    )
    found = json.loads(ffn("retrain", "iris", *DIRECT, trained, "--json").out)
    assert (found["version"], found["promoted"]) == (1, False)
    assert "unchanged, skipped" in found["skipped"]
    assert versions(artifacts) == [1]
    forced = ffn("retrain", "iris", *DIRECT, trained, "--force")
    assert "it is identical to the model in production, bit for bit" in forced.out
    assert (versions(artifacts), production_version(artifacts)) == ([1, 2], 1)


def test_a_damaged_production_is_replaced_over_night_where_nothing_changed(ffn, trained):
    artifacts = trained / "artifacts/iris"
    (artifacts / "models/0001/bundle/model.json").unlink()
    done = ffn("retrain", "iris", *DIRECT, trained)
    assert done.code == 0
    assert "Version 2 is promoted: version 1 in production cannot be loaded" in done.out
    assert "0001/bundle/model.json: cannot be read as part of a bundle" in done.out
    assert production_version(artifacts) == 2
    assert "those of version 2; unchanged" in ffn("retrain", "iris", *DIRECT, trained).out


def test_a_version_that_is_kept_back_is_told_and_changes_nothing(ffn, trained):
    artifacts = trained / "artifacts/iris"
    export = (artifacts / "best_iris_model.pkl").read_bytes()
    history = (artifacts / "history.jsonl").read_bytes()
    add_flowers(trained, 6)
    done = ffn("retrain", "iris", *DIRECT, trained)
    assert done.code == 0
    lines = [line for line in done.out.splitlines() if line.startswith("Version 2")]
    assert len(lines) == 1
    assert re.match(
        r"Version 2 is not promoted; version 1 stays in production: \d+ held-out rows cannot show "
        r"that any challenger is good enough \(of 31 rows held out, production was trained on "
        r"1\); on 16 resamples, for its recipe .*\.$",
        lines[0],
    )
    assert "for notebooks" not in done.out
    assert production_version(artifacts) == 1
    assert (artifacts / "best_iris_model.pkl").read_bytes() == export
    assert (artifacts / "history.jsonl").read_bytes() == history
    verdict = json.loads((artifacts / "models/0002/verdict.json").read_bytes())
    assert (verdict["promote"], verdict["production"]) == (False, 1)
    assert verdict["resampled"]["resamples"] == 16
    assert verdict["rows"]["held_out"] == 31
    report = (artifacts / "reports/0002/report.html").read_text()
    assert "Version 2 is not promoted; version 1 stays in production" in report
    # It would come out again, so it is not made again.
    assert "those of version 2; unchanged" in ffn("retrain", "iris", *DIRECT, trained).out


def test_json_holds_the_verdict_that_the_version_keeps(ffn, trained):
    add_flowers(trained, 6)
    append(trained, '\n[gate]\nmode = "always"\nmin_accuracy = 0.5\n')
    found = json.loads(ffn("retrain", "iris", *DIRECT, trained, "--json").out)
    kept = json.loads((trained / "artifacts/iris/models/0002/verdict.json").read_bytes())
    assert found["verdict"] == kept
    assert found["promoted"] is kept["promote"] is True
    assert [floor["setting"] for floor in kept["floors"]] == ["min_accuracy"]
    assert production_version(trained / "artifacts/iris") == 2


def test_a_bundle_that_fails_in_a_fresh_process_keeps_production(
    ffn, trained, tmp_path, monkeypatch
):
    add_flowers(trained, 6)
    append(trained, '\n[gate]\nmode = "always"\n')
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/numpy.py").write_text('raise ImportError("broken")')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    done = ffn("retrain", "iris", *DIRECT, trained)
    assert done.code == 0
    assert "Version 2 is not promoted; version 1 stays in production: its bundle failed" in done.out
    assert production_version(trained / "artifacts/iris") == 1


def test_a_table_that_breaks_the_contract_is_refused_and_changes_nothing(ffn, trained):
    """Rows of one species are gone, and the petals' width is constant or named otherwise."""
    source = trained / "data/iris/train.csv"
    header, *lines = source.read_text().splitlines()
    lines = [line for line in lines if not line.endswith("Iris-setosa")]
    cells = [line.split(",") for line in lines]
    at = header.split(",").index("petal_width")
    constant = [",".join([*row[:at], "0.2", *row[at + 1 :]]) for row in cells]
    source.write_text("\n".join([header, *constant]) + "\n")
    before = listing(trained)
    refusal = ffn("retrain", "iris", *DIRECT, trained).refusal
    assert refusal == (
        f'{source} differs from what version 1 in production was trained on: column "petal_width" '
        'is missing, constant or empty; class "Iris-setosa" is gone. Nothing was trained. Correct '
        "the file or, if this is intended, set contract.missing_columns and "
        'contract.vanished_classes to "warn".'
    )
    assert listing(trained) == before

    renamed = header.replace("petal_width", "petal_breadth")
    assert renamed != header
    source.write_text("\n".join([renamed, *lines]) + "\n")
    before = listing(trained)
    refusal = ffn("retrain", "iris", *DIRECT, trained).refusal
    assert refusal == (
        f'{source} differs from what version 1 in production was trained on: column "petal_width" '
        'is missing. Did you mean "petal_breadth"? Nothing was trained. Correct the file or, if '
        'this is intended, set contract.missing_columns to "warn".'
    )
    assert listing(trained) == before

    toml = trained / "data/iris/pipeline.toml"
    quick = toml.read_text().replace("epochs = 150", "epochs = 5")
    toml.write_text(quick.replace("networks = 16", "networks = 2"))
    append(
        trained,
        '\n[gate]\nmode = "never"\n[contract]\nmissing_columns = "accept"\n'
        'vanished_classes = "warn"\n',
    )
    done = ffn("retrain", "iris", *DIRECT, trained)
    assert done.code == 0
    assert 'class "Iris-setosa" is gone' in done.out
    assert "missing, constant or empty" not in done.out
    folder = trained / "artifacts/iris"
    found = [
        (change["kind"], change["policy"], change["text"])
        for change in json.loads((folder / "models/0002/verdict.json").read_bytes())["contract"]
    ]
    assert found == [
        ("missing_columns", "accept", 'column "petal_width" is missing, constant or empty'),
        ("new_columns", "warn", 'column "petal_breadth" is new'),
        ("vanished_classes", "warn", 'class "Iris-setosa" is gone'),
    ]
    report = (folder / "reports/0002/report.html").read_text()
    told = " ".join(ffn("models", "iris", "2", "--root", trained).out.split())
    for _, policy, text in found:
        assert html.escape(text) in report
        assert f"contract {text} ({policy})" in told
