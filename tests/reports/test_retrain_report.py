from __future__ import annotations

import base64
import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest
from report_inputs import Page, Retrained, render

from ffn.reports.confusion import confusion_matrix
from ffn.reports.curves import learning_curves
from ffn.reports.html import render_page
from ffn.reports.retrain import Report, write_report


def write(retrained: Retrained, root: Path) -> Report:
    pipeline = dataclasses.replace(retrained.pipeline, artifacts=root / "iris")
    return write_report(**(retrained.arguments() | {"pipeline": pipeline}))


@pytest.fixture(scope="module")
def report(iris: Retrained, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return write(iris, tmp_path_factory.mktemp("artifacts"))


def test_the_files_are_where_they_are_said_to_be(iris: Retrained, report: Report) -> None:
    assert report.folder.parts[-3:] == ("iris", "reports", "0007")
    assert sorted(report.folder.iterdir()) == [
        report.folder / "confusion_matrix.png",
        report.folder / "learning_curves.png",
        report.folder / "report.html",
    ]
    assert report.curves.read_bytes() == learning_curves(iris.candidates, iris.selection.winner)
    assert report.confusion.read_bytes() == confusion_matrix(iris.evaluation)


def test_the_dashboards_text_holds_the_pictures(report: Report) -> None:
    inside = re.findall(r"\(data:image/png;base64,([^)]*)\)", report.markdown)
    pictures = [base64.b64decode(picture, validate=True) for picture in inside]
    assert pictures == [report.curves.read_bytes(), report.confusion.read_bytes()]
    assert len(report.markdown) < 350_000


def test_the_page_needs_nothing_else(report: Report) -> None:
    page = Page(report.html.read_text("utf-8"))
    names = set(page.names())
    assert {"html", "title", "h1", "h2", "table", "img"} <= names
    assert names.isdisjoint({"script", "link", "iframe", "object", "embed", "base", "form", "a"})
    sources = [attributes["src"] for _, attributes in page.tags if "src" in attributes]
    assert len(sources) == 2
    assert all(source and source.startswith("data:image/png;base64,") for source in sources)
    assert not [key for _, attributes in page.tags for key in attributes if key.startswith("on")]
    assert not re.search(r"url\(|@import|https?:", page.text)


def test_page_and_dashboard_say_the_same(report: Report) -> None:
    page, dashboard = Page(report.html.read_text("utf-8")), render(report.markdown)
    body = page.names().index("body") + 1
    assert page.names()[body:] == dashboard.names()
    assert page.text.strip().endswith(dashboard.text.strip())
    assert page.cells == dashboard.cells


def test_pictures_have_their_size_in_css_pixels(report: Report) -> None:
    page = Page(report.html.read_text("utf-8"))
    curves, confusion = (attributes for name, attributes in page.tags if name == "img")
    assert curves["width"] == "845"  # 8.8 inches of 96
    assert 200 < int(confusion["width"] or 0) < 600


def test_the_same_run_gives_the_same_files(iris: Retrained, report: Report, tmp_path: Path) -> None:
    again = write(iris, tmp_path)
    assert again.curves.read_bytes() == report.curves.read_bytes()
    assert again.confusion.read_bytes() == report.confusion.read_bytes()
    root, other = str(report.folder.parents[2]), str(tmp_path)
    assert again.html.read_text("utf-8").replace(other, root) == report.html.read_text("utf-8")


def test_a_report_is_written_whole_or_not_at_all(iris: Retrained, tmp_path: Path) -> None:
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
    picture = report.confusion.read_bytes()
    page = Page(render_page("t", 'src="curves"\n\n![a](curves)\n', {"curves": picture}))
    assert page.names().count("img") == 1
    assert 'src="curves"' in page.text


def test_importing_reports_is_cheap_and_drawing_leaves_pyplot_alone(repository: Path) -> None:
    code = (
        "import sys\n"
        "import ffn.reports.retrain, ffn.reports.markdown\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\n"
        "from ffn.reports.confusion import confusion_matrix\n"
        "from ffn.models.evaluation import Evaluation, ClassFigures\n"
        "from ffn.models.statistics import Interval\n"
        "half = Interval(0.5, 0.0, 1.0)\n"
        "one = ClassFigures(name='a', rows=1, recall=half, precision=half)\n"
        "confusion_matrix(Evaluation(rows=2, correct=2, accuracy=half, log_loss=half,\n"
        "    classes=(one, one), confusion=((1, 0), (0, 1))))\n"
        "print(*sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True
    )
    imported, drawn = (set(line.split()) for line in done.stdout.splitlines())
    assert imported.isdisjoint({"matplotlib", "PIL", "markdown_it"})
    assert "matplotlib.figure" in drawn
    assert "matplotlib.pyplot" not in drawn
