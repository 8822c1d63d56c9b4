from __future__ import annotations

import base64
import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ffn.reports.markup.html_page import render_page
from ffn.reports.pictures.confusion_matrix import confusion_matrix
from ffn.reports.pictures.feature_importance import feature_importance
from ffn.reports.pictures.learning_curves import learning_curves
from ffn.reports.pictures.loss_by_rate import loss_by_rate
from ffn.reports.pictures.reliability_diagram import reliability
from ffn.reports.retraining_report import Report, write_report
from tests.helpers.report_inputs import Page, Reported, render


def write(retrained: Reported, root: Path) -> Report:
    pipeline = dataclasses.replace(retrained.pipeline, artifacts=root / "iris")
    return write_report(dataclasses.replace(retrained, pipeline=pipeline), retrained.version)


@pytest.fixture(scope="module")
def report(iris: Reported, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return write(iris, tmp_path_factory.mktemp("artifacts"))


def test_the_files_are_where_they_are_said_to_be(iris: Reported, report: Report) -> None:
    assert report.folder.parts[-3:] == ("iris", "reports", "0007")
    assert sorted(report.folder.iterdir()) == [
        report.folder / "confusion_matrix.png",
        report.folder / "feature_importance.png",
        report.folder / "learning_curves.png",
        report.folder / "loss_by_rate.png",
        report.folder / "reliability.png",
        report.folder / "report.html",
    ]
    drawn = {
        "curves": learning_curves(iris.candidates, iris.selection.winner),
        "confusion": confusion_matrix(iris.evaluation),
        "reliability": reliability(iris.evaluation.calibration),
        "importance": feature_importance(iris.examination.importance),
        "rates": loss_by_rate(iris.selection.leaderboard),
    }
    assert {name: path.read_bytes() for name, path in report.pictures.items()} == drawn


def test_the_dashboards_text_holds_the_pictures(report: Report) -> None:
    inside = re.findall(r"\(data:image/png;base64,([^)]*)\)", report.markdown)
    pictures = [base64.b64decode(picture, validate=True) for picture in inside]
    assert sorted(pictures) == sorted(path.read_bytes() for path in report.pictures.values())
    assert len(report.markdown) < 350_000


def test_the_page_needs_nothing_else(report: Report) -> None:
    page = Page(report.html.read_text("utf-8"))
    names = set(page.names())
    assert {"html", "title", "h1", "h2", "table", "img"} <= names
    assert names.isdisjoint({"script", "link", "iframe", "object", "embed", "base", "form", "a"})
    sources = [attributes["src"] for _, attributes in page.tags if "src" in attributes]
    assert len(sources) == 5
    assert all(source and source.startswith("data:image/png;base64,") for source in sources)
    assert not [key for _, attributes in page.tags for key in attributes if key.startswith("on")]
    assert not re.search(r"url\(|@import|https?:", page.text)


def test_page_and_dashboard_say_the_same(report: Report) -> None:
    page, dashboard = Page(report.html.read_text("utf-8")), render(report.markdown)
    # The page alone has a frame around all of it and around each table.
    body = page.names()[page.names().index("main") + 1 :]
    assert [name for name in body if name != "div"] == dashboard.names()
    assert page.text.strip().endswith(dashboard.text.strip())
    assert page.cells == dashboard.cells


def test_pictures_have_their_size_in_css_pixels(report: Report) -> None:
    page = Page(report.html.read_text("utf-8"))
    rates, curves, *others = (attributes for name, attributes in page.tags if name == "img")
    assert rates["width"] == curves["width"] == "845"  # 8.8 inches of 96
    assert all(200 < int(picture["width"] or 0) < 750 for picture in others)


def test_every_picture_is_described_and_every_table_can_be_reached(report: Report) -> None:
    page = Page(report.html.read_text("utf-8"))
    described = [attributes["alt"] or "" for name, attributes in page.tags if name == "img"]
    assert len(set(described)) == 5
    assert min(map(len, described)) > 30
    frames = [attributes for name, attributes in page.tags if name == "div"]
    assert frames == [{"class": "wide", "tabindex": "0"}] * page.names().count("table")
    headers = [attributes for name, attributes in page.tags if name == "th"]
    assert all(attributes["scope"] == "col" for attributes in headers)
    # One h1, and no level left out.
    levels = [int(name[1]) for name in page.names() if re.fullmatch(r"h[1-6]", name)]
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
    assert ("html", {"lang": "en"}) in page.tags


def test_the_same_run_gives_the_same_files(iris: Reported, report: Report, tmp_path: Path) -> None:
    again = write(iris, tmp_path)
    for name, path in report.pictures.items():
        assert again.pictures[name].read_bytes() == path.read_bytes()
    root, other = str(report.folder.parents[2]), str(tmp_path)
    assert again.html.read_text("utf-8").replace(other, root) == report.html.read_text("utf-8")


def test_a_report_is_written_whole_or_not_at_all(iris: Reported, tmp_path: Path) -> None:
    in_the_way = tmp_path / "iris" / "reports" / "0007" / "report.html"
    in_the_way.mkdir(parents=True)
    with pytest.raises(IsADirectoryError, match=r"report\.html"):
        write(iris, tmp_path)
    assert list(in_the_way.parent.iterdir()) == [in_the_way]


def test_a_page_shows_markup_in_markdown_and_title_as_text() -> None:
    html = render_page("<b>&", "so <b onclick=x>bold</b>\n\n<script>x</script>\n", {})
    page = Page(html)
    assert {"b", "script"}.isdisjoint(page.names())
    assert "so <b onclick=x>bold</b>" in page.text
    assert "<title>&lt;b&gt;&amp;</title>" in html


def test_text_that_looks_like_a_pictures_address_stays_text(report: Report) -> None:
    picture = report.pictures["confusion"].read_bytes()
    page = Page(render_page("t", 'src="curves"\n\n![a](curves)\n', {"curves": picture}))
    assert page.names().count("img") == 1
    assert 'src="curves"' in page.text


def test_importing_reports_is_cheap_and_drawing_leaves_pyplot_alone(repository: Path) -> None:
    code = (
        "import sys\n"
        "import ffn.reports.retraining_report, ffn.reports.retraining_page\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\n"
        "from ffn.reports.pictures.confusion_matrix import confusion_matrix\n"
        "from ffn.evaluation.class_figures import ClassFigures\n"
        "from ffn.evaluation.metrics import HeldOutEvaluation\n"
        "from ffn.evaluation.inference.statistics import Interval\n"
        "half = Interval(0.5, 0.0, 1.0)\n"
        "one = ClassFigures(name='a', rows=1, recall=half, precision=half)\n"
        "confusion_matrix(HeldOutEvaluation(rows=2, correct=2, accuracy=half, macro_f1=half,\n"
        "    log_loss=half, brier=half, calibration=None, classes=(one, one),\n"
        "    confusions=((0, 0, 1), (1, 1, 1)), usual=0))\n"
        "print(*sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True
    )
    imported, drawn = (set(line.split()) for line in done.stdout.splitlines())
    assert imported.isdisjoint({"matplotlib", "PIL", "markdown_it"})
    assert "matplotlib.figure" in drawn
    assert "matplotlib.pyplot" not in drawn
