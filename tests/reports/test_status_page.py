"""The status of a pipeline, from its files alone, in words, as a page, as JSON."""

from __future__ import annotations

import atexit
import dataclasses
import datetime
import json
import re

import pytest

from ffn.bundles.bundle import write_bundle
from ffn.bundles.contents import measure, seal
from ffn.registry.live_runs import at_work, lives
from ffn.registry.run_log import DriftNote, Note, note_down
from ffn.reports.status_page import read_status, status_lines, status_markdown
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline
from tests.helpers.bundles import make
from tests.helpers.report_inputs import render


@pytest.fixture
def pipeline(tmp_path):
    settings = check_settings({"data": {"source": "t.csv", "target": "y"}}, "t")
    (tmp_path / "inbox").mkdir()
    return Pipeline(name="p", settings=settings, folder=tmp_path, artifacts=tmp_path / "artifacts")


def put_in_production(pipeline, hours):
    artifacts = pipeline.artifacts
    (artifacts / "models/0002").mkdir(parents=True)
    (artifacts / "models/0001").mkdir()
    then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=hours)
    figures = {"test": {"accuracy": {"value": 0.9, "low": 0.8, "high": 0.95}}}
    folder = artifacts / "models/0002"
    (folder / "metrics.json").write_text(json.dumps(figures))
    sha256 = write_bundle(make(), folder / "bundle")
    seal(folder, measure(folder), pipeline=artifacts.name, version=2)
    pointer = {"version": 2, "bundle_sha256": sha256}
    (artifacts / "production.json").write_text(json.dumps(pointer))
    history = [
        {"version": 1, "at": "2020-01-01T00:00:00+00:00"},
        {"version": 2, "at": then.isoformat()},
    ]
    (artifacts / "history.jsonl").write_text("".join(json.dumps(e) + "\n" for e in [*history, 3]))


@pytest.mark.parametrize(
    ("hours", "age"),
    [
        (0, "for less than a minute"),
        (1.1, "for 1 hour"),
        (23.9, "for 23 hours"),
        (50, "for 2 days"),
    ],
)
def test_production_is_told_with_its_age_and_figure(pipeline, hours, age):
    put_in_production(pipeline, hours)
    status = read_status(pipeline)
    assert status_lines(status)[0] == (
        f"p: version 2 of 2 in production, {age}, held-out accuracy 0.900 [0.800, 0.950]"
    )
    assert f"version 2 of 2 in production, {age}" in status_markdown(status)
    found = status.to_json()
    assert (found["production"], found["accuracy"]) == (2, [0.9, 0.8, 0.95])


@pytest.mark.parametrize("part", ["arrays.safetensors", "manifest.json"])
def test_production_that_is_damaged_cannot_score(pipeline, part):
    put_in_production(pipeline, 1)
    assert read_status(pipeline).health.colour == "green"
    path = pipeline.artifacts / "models/0002/bundle" / part
    path.write_bytes(path.read_bytes()[:-9])
    status = read_status(pipeline)
    assert status.health.sentence == "red: it cannot score"
    first = status_lines(status)[0]
    assert first.startswith("p: version 2 of 2 in production, for ")
    assert str(path.parent) in first
    path.unlink()
    assert read_status(pipeline).health.colour == "red"


def test_a_warning_about_production_stays_as_long_as_it_does(pipeline):
    put_in_production(pipeline, 1)
    status = read_status(pipeline)
    assert (status.warning, status.to_json()["warning"]) == ("", "")
    assert "arning" not in "".join([*status_lines(status), status_markdown(status)])
    folder = pipeline.artifacts / "models/0002"
    verdict = {"baseline": {"finding": "a *line* is better by\n+0.1 [+0.0, +0.2]"}}
    (folder / "verdict.json").write_text(json.dumps(verdict))
    # Not as it was registered, so not believed.
    assert read_status(pipeline).warning == ""
    seal(folder, measure(folder), pipeline="artifacts", version=2)
    status = read_status(pipeline)
    assert status.to_json()["warning"] == "A *line* is better by\n+0.1 [+0.0, +0.2]."
    assert status_lines(status)[2] == r"  warning  A *line* is better by\n+0.1 [+0.0, +0.2]."
    page = render(status_markdown(status))
    assert "Warning: A *line* is better by" in page.text
    assert "em" not in page.names()


def test_a_class_that_is_never_found_comes_first(pipeline):
    put_in_production(pipeline, 1)
    folder = pipeline.artifacts / "models/0002"
    metrics = json.loads((folder / "metrics.json").read_text())
    share, none = ({"value": value, "low": 0.0, "high": 1.0} for value in (0.5, 0.0))
    metrics["test"] |= {
        "auc": share,
        "average_precision": share,
        "balanced_accuracy": share,
        "positive": "bad",
        "classes": [
            {"name": "good", "rows": 30, "recall": share, "precision": share},
            {"name": "bad", "rows": 10, "recall": none, "precision": share},
        ],
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    seal(folder, measure(folder), pipeline="artifacts", version=2)
    status = read_status(pipeline)
    lines = status_lines(status)
    assert lines[0].startswith(
        'p: warning: finds 0 of the 10 held-out rows of "bad"; version 2 of 2 in production, for '
    )
    assert lines[1] == "  health   amber: a class is never found"
    assert lines[2:8] == [
        '  held out ROC-AUC 0.500 [0.000, 1.000], average precision of "bad"',
        "           0.500 [0.000, 1.000] (by chance 0.250), balanced accuracy",
        "           0.500 [0.000, 1.000]",
        "      rows  recall                precision             class",
        "        30  0.500 [0.000, 1.000]  0.500 [0.000, 1.000]  good",
        "        10  0.000 [0.000, 1.000]  0.500 [0.000, 1.000]  bad",
    ]
    page = render(status_markdown(status))
    assert page.text.strip().startswith("warning: finds 0 of the 10 held-out rows of")
    found = status.to_json()
    assert found["missed"] == 'finds 0 of the 10 held-out rows of "bad"'
    assert (found["auc"], found["positive"]) == ([0.5, 0.0, 1.0], "bad")
    assert [one["recall"][0] for one in found["classes"]] == [0.5, 0.0]


@pytest.mark.parametrize("at", ["2026-01-01T00:00:00", "2026-01-01", "yesterday", 3])
def test_a_time_of_promotion_that_is_none_gives_no_age(pipeline, at):
    put_in_production(pipeline, 1)
    line = json.dumps({"version": 2, "at": at})
    (pipeline.artifacts / "history.jsonl").write_text(f"{line}\n")
    assert "in production, for an unknown time" in read_status(pipeline).production_sentence


def test_a_pipeline_without_a_model_has_a_status(pipeline):
    (pipeline.folder / "inbox/a.csv").write_text("x\n1\n")
    status = read_status(pipeline)
    assert status_lines(status) == [
        "p: nothing trained yet",
        "  health   amber: nothing is trained yet",
        "  inbox    0 scored, 1 waiting",
    ]
    assert not pipeline.artifacts.exists()


def test_a_pipeline_that_is_being_trained_is_said_to_be(pipeline):
    since = "2026-03-01T04:05:06+00:00"
    with at_work(pipeline.artifacts, "retrain", since), at_work(pipeline.artifacts, "score", since):
        status = read_status(pipeline)
        assert status_lines(status) == [
            "p: training now, since 2026-03-01 04:05 UTC",
            "  health   green: nothing needs attention",
            "  inbox    0 scored, 0 waiting; scoring now, since 2026-03-01 04:05 UTC",
        ]
        assert "nothing trained yet" not in status_markdown(status)
        assert [run["what"] for run in status.to_json()["at_work"]] in (
            ["retrain", "score"],
            ["score", "retrain"],
        )
        put_in_production(pipeline, 2.1)
        assert read_status(pipeline).production_sentence == (
            "version 2 of 2 in production, for 2 hours, held-out accuracy 0.900 [0.800, 0.950]; "
            "training now, since 2026-03-01 04:05 UTC"
        )
    assert "now" not in "".join(status_lines(read_status(pipeline)))


def test_a_pipeline_that_is_being_evaluated_is_said_to_be(pipeline):
    put_in_production(pipeline, 2.1)
    with at_work(pipeline.artifacts, "evaluate", "2026-03-01T04:05:06+00:00"):
        status = read_status(pipeline)
    said = "evaluating now, since 2026-03-01 04:05 UTC"
    assert status.production_sentence.endswith(f"[0.800, 0.950]; {said}")
    assert status_lines(status)[0].endswith(said)
    assert said in status_markdown(status)
    assert [run["what"] for run in status.to_json()["at_work"]] == ["evaluate"]
    assert "now" not in read_status(pipeline).production_sentence


def test_a_run_whose_work_is_done_is_not_at_work_while_its_process_ends(pipeline):
    """A served run is shown until its process ends, after its last status was written."""
    ends = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atexit, "register", ends.append)
        with at_work(pipeline.artifacts, "retrain", "2026-03-01", "run", until_exit=True):
            assert "training now" in read_status(pipeline).production_sentence
    assert lives(pipeline.artifacts, "run")
    assert read_status(pipeline).production_sentence == "nothing trained yet"
    ends[0]()
    assert not lives(pipeline.artifacts, "run")


def test_a_damaged_pointer_is_told(pipeline):
    put_in_production(pipeline, 1)
    (pipeline.artifacts / "production.json").write_text("{")
    assert "production.json: damaged" in status_lines(read_status(pipeline))[0]


def test_runs_and_refused_files_cannot_inject(pipeline):
    evil = "<b>x</b> | ![p](http://e.example)\nretrain  promoted"
    (pipeline.folder / "inbox/<b>.csv").symlink_to("elsewhere")
    note_down(pipeline.artifacts, "score", Note(outcome="failed", text=evil))
    status = read_status(pipeline)
    assert all(line.isprintable() for line in status_lines(status))
    page = status_markdown(status)
    assert "<b>" not in page
    assert "![" not in page
    # Two tables of a header, a rule and one row each.
    assert page.count("\n| ") == 2 * 3


def lines_of_drift(pipeline):
    return [line for line in status_lines(read_status(pipeline)) if line.startswith("  drift ")]


def test_the_last_judgement_of_drift_is_told(pipeline):
    put_in_production(pipeline, 1)
    assert lines_of_drift(pipeline) == [
        "  drift    not tested yet, needs a file of at least 30 rows"
    ]
    assert read_status(pipeline).to_json()["drift"] is None
    note = DriftNote(judged=2, detected=0, columns=(), text="")
    note_down(pipeline.artifacts, "score", Note(outcome="scored", version=2, drift=note))
    (line,) = lines_of_drift(pipeline)
    assert re.fullmatch(r"  drift    none in 2 files \(20..-..-.. ..:.., version 2\)", line)
    found = DriftNote(judged=3, detected=1, columns=("a b",), text='x.csv, unlike training: "a\nb"')
    note_down(pipeline.artifacts, "score", Note(outcome="scored", version=2, drift=found))
    # Files of too few rows say nothing against it, however many runs of them come after.
    for _ in range(15):
        note_down(pipeline.artifacts, "score", Note(outcome="scored", version=2))
    status = read_status(pipeline)
    (line,) = lines_of_drift(pipeline)
    assert re.fullmatch(
        r"  drift    in 1 of 3 files \(.{16}, version 2\): "
        r'x\.csv, unlike training: "a\\nb"',
        line,
    )
    assert "\n\nDrift: in 1 of 3 files (" in status_markdown(status)
    told = status.to_json()["drift"]
    assert (told["found"], told["judged"], told["columns"]) == (True, 3, ("a b",))


def test_drift_that_is_not_looked_for_is_told_so(pipeline):
    put_in_production(pipeline, 1)
    off = dataclasses.replace(
        pipeline,
        settings=check_settings(
            {"data": {"source": "t.csv", "target": "y"}, "drift": {"policy": "off"}}, "t"
        ),
    )
    assert lines_of_drift(off) == ['  drift    not tested, policy is "off"']
