"""The page of all pipelines: what stands on it, in which order, and that nothing breaks out."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it.common.utils import unescapeAll

from ffn.errors import RegistryError
from ffn.reports.at_a_glance.pipelines_page import Glance, glance_at, pipelines_page
from ffn.reports.at_a_glance.version_pages import has_page, read_page
from ffn.scoring.inbox.inbox_scan import InboxScan
from tests.helpers.gated import pipeline as gated
from tests.helpers.gated import retrain, rows
from tests.monitoring.test_realised_quality import QUALITY
from tests.reports.at_a_glance.conftest import RUN_ID, run_record

AT = datetime.datetime(2026, 11, 23, 6, 30, tzinfo=datetime.UTC)


def page(*found: Glance, dashboard: str | None = "") -> str:
    return pipelines_page(found, AT, here="/overview", dashboard=dashboard)


def words(text: str) -> str:
    body = text.partition("</style>")[2]
    return " ".join(unescapeAll(re.sub(r"<[^>]*>", " ", body)).split())


def test_a_pipeline_is_shown_with_all_that_is_known_of_it(fine):
    status = replace(
        fine,
        quality=QUALITY,
        inbox=InboxScan(refused={"a.csv": "it has no header"}),
        latest=(
            run_record("retrain", "kept", "Version 4 is kept back."),
            run_record("score", "scored", "12 rows", run="../../x"),
        ),
    )
    text = page(Glance(name="loans", status=status, pages=("report", "card")))
    said = words(text)
    assert "1 pipeline: 1 amber, as of 2026-11-23 06:30 UTC" in said
    assert "loans ◆ amber: look" in said
    assert "amber: realised accuracy is below what was promised" in said
    assert "production version 3 of 3 in production, for 3 days" in said
    assert f"quality {QUALITY.sentence}" in said
    assert "retrain 2026-11-23 04:05 UTC , kept: Version 4 is kept back." in said
    assert "refused a.csv: it has no header" in said
    assert text.count("<svg ") == 1
    assert f'<a href="/v2/runs/flow-run/{RUN_ID}">' in text
    # Only what looks like a run's id becomes part of an address.
    assert text.count("/runs/flow-run/") == 1
    assert '<a href="/overview/loans/3/report">report</a>' in text
    assert '<a href="/overview/loans/3/card">model card</a>' in text


def test_without_a_dashboard_nothing_links_to_it(fine):
    text = page(Glance(name="loans", status=fine), dashboard=None)
    assert "flow-run" not in text
    assert "Prefect" not in text


def test_what_others_wrote_is_shown_and_not_interpreted(fine):
    evil = "<img src=x onerror=alert(1)>"
    status = replace(
        fine,
        warning=evil,
        inbox=InboxScan(refused={f"{evil}.csv": evil}),
        latest=(run_record("score", evil, evil, evil),),
        drift=None,
    )
    text = page(
        Glance(name=f'{evil}"', status=status, pages=("report",)),
        Glance(name="b", status=None, problem=evil),
    )
    assert "<img" not in text
    assert 'href="/overview/%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E%22/3/report"' in text
    assert re.findall(r"<script|onerror=(?!alert)|javascript:", text) == []
    assert evil in words(text.replace("&lt;", "«").replace("&gt;", "»")).replace("«", "<").replace(
        "»", ">"
    )


def test_an_empty_root_says_what_to_do(tmp_path: Path):
    (tmp_path / "data").mkdir()
    assert glance_at(tmp_path) == []
    said = words(page())
    assert "0 pipelines, as of" in said
    assert "Make one with: ffn init" in said


def test_what_needs_attention_comes_first_and_what_cannot_be_read_is_there(tmp_path: Path):
    for name, text in (
        ("a_new", '[data]\nsource = "t.csv"\ntarget = "y"\n'),
        ("b_broken", "[data\n"),
        ("c_broken", '[data]\nsource = 3\ntarget = "y"\n'),
    ):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        (folder / "pipeline.toml").write_text(text)
    found = glance_at(tmp_path)
    assert [(one.name, one.colour) for one in found] == [
        ("b_broken", "red"),
        ("c_broken", "red"),
        ("a_new", "amber"),
    ]
    assert "pipeline.toml" in found[0].problem
    assert "3 pipelines: 2 red, 1 amber" in words(page(*found))


def test_report_and_card_of_a_version_are_pages(tmp_path: Path):
    found = gated(tmp_path, rows(150))
    retrain(found)
    artifacts = found.artifacts
    assert has_page(artifacts, 1, "card")
    assert "<h1>" in read_page(artifacts, 1, "card")
    assert not has_page(artifacts, 1, "report")
    assert not has_page(artifacts, None, "report")
    with pytest.raises(RegistryError, match=r"version 1 has no report to show \(No such file"):
        read_page(artifacts, 1, "report")
    (artifacts / "reports/0001").mkdir(parents=True)
    (artifacts / "reports/0001/report.html").write_text("<p>report</p>")
    assert read_page(artifacts, 1, "report") == "<p>report</p>"
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (artifacts / "reports/0001/report.html").unlink()
    (artifacts / "reports/0001/report.html").symlink_to(secret)
    with pytest.raises(RegistryError, match="version 1 has no report to show"):
        read_page(artifacts, 1, "report")
    (artifacts / "models/0001/model_card.md").write_bytes(b"\xff")
    with pytest.raises(RegistryError, match="it is not UTF-8 text"):
        read_page(artifacts, 1, "card")
