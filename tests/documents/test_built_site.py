"""The check of the built site: each kind of mistake is found, and a sound site has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.extensions.built_site import loads, main, problems

SOUND = """<!doctype html><html><head><link rel="stylesheet" href="style.css">
<link rel="canonical" href="https://example.org/page.html"><style>body { color: red }</style>
</head><body><h1 id="top">A</h1><a href="#top">up</a> <a href="other.html#there">there</a>
<a href="https://example.org">elsewhere</a> <img src="picture.png">
<script src="script.js"></script></body></html>"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text(SOUND)
    (tmp_path / "other.html").write_text('<p id="there">x</p><a href="./">back</a>')
    (tmp_path / "style.css").write_text('a { background: url("picture.png") }')
    (tmp_path / "script.js").write_text('fetch("searchindex.js"); // see https://example.org')
    (tmp_path / "picture.png").write_bytes(b"")
    return tmp_path


def test_a_sound_site_has_no_problem(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(problems(site)) == []
    assert main(site) == 0
    assert capsys.readouterr().out == f"2 pages, 0.0 MB, 0 problems: {site}/index.html\n"


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://example.org/a.js"></script>',
        '<link rel="stylesheet" href="//example.org/a.css">',
        '<link rel="preload canonical" href="https://example.org/a.css">',
        '<img src="http://example.org/a.png">',
        '<img srcset="picture.png 1x, https://example.org/a.png 2x">',
        '<iframe src="https://example.org/"></iframe>',
        '<svg><image xlink:href="https://example.org/a.png"></image></svg>',
        '<style>@import "https://example.org/a.css";</style>',
        '<p style="background: url(https://example.org/a.png)">',
        '<script>fetch("https://example.org/a")</script>',
        "<script>x.open('GET', 'https://example.org/a')</script>",
        '<script>new WebSocket("wss://example.org/a")</script>',
        "<script>element.src = '//example.org/a.js'</script>",
    ],
)
def test_what_is_loaded_from_elsewhere_is_found(text: str, site: Path) -> None:
    (site / "page.html").write_text(text)
    (found,) = problems(site)
    assert found.startswith("page.html: loads ")
    assert "//example.org/" in found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.css", "@font-face { src: url('https://example.org/a.woff2') }"),
        ("a.js", 'import("https://example.org/a.js")'),
        ("a.svg", '<svg><style>@import "https://example.org/a.css"</style></svg>'),
    ],
)
def test_styles_scripts_and_pictures_are_read_as_well(name: str, text: str, site: Path) -> None:
    (site / name).write_text(text)
    assert len(loads(site / name)) == 1
    (found,) = problems(site)
    assert found.startswith(f"{name}: loads https://example.org/a.")


@pytest.mark.parametrize(
    "link", ["gone.html", "other.html#gone", "#gone", "other.html#%67one", "folder/"]
)
def test_a_link_that_leads_nowhere_is_found(
    link: str, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / "page.html").write_text(f'<a href="{link}">x</a>')
    assert list(problems(site)) == [f"page.html: the link {link} leads nowhere"]
    assert main(site) == 1
    assert "1 problems" in capsys.readouterr().out


def test_a_picture_that_is_not_there_is_found(site: Path) -> None:
    (site / "page.html").write_text('<img src="gone.png">')
    assert list(problems(site)) == ["page.html: loads gone.png, which is not there"]


def test_an_empty_site_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tmp_path) == 1
    assert capsys.readouterr().out.startswith("0 pages")
