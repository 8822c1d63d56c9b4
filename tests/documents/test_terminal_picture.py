"""The picture at the top of the README shows what the start page shows, which is what happens."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from docs.extensions.built_site import loads
from docs.extensions.executed_page import blocks
from docs.extensions.terminal_picture import COLUMNS, PICTURE, picture, scenes

ROOT = Path(__file__).parents[2]
NAME = "{http://www.w3.org/2000/svg}"


def test_the_picture_is_that_of_the_page() -> None:
    assert PICTURE.read_text("utf-8") == picture(), "python -m docs.extensions.terminal_picture"
    assert "](docs/images/first_minute.svg)" in (ROOT / "README.md").read_text("utf-8")


def test_all_that_is_printed_is_in_the_picture() -> None:
    page = (ROOT / "docs/start/first-pipeline.md").read_text("utf-8")
    lines = [line.text or "" for line in ElementTree.fromstring(picture()).iter(f"{NAME}text")]
    assert max(map(len, lines)) <= COLUMNS
    words = " ".join(line for line in lines if line != "$").split()
    commands = [command for command, _ in scenes()]
    for command in commands:
        assert command in lines
    printed = (blocks(page)[0].shown or "").split()
    at = len(commands[0].split())
    shown = words[at:]
    # The second command stands between what the two print.
    second = commands[1].split()
    place = next(n for n in range(len(shown)) if shown[n : n + len(second)] == second)
    assert shown[:place] + shown[place + len(second) :] == printed


def test_the_picture_runs_nothing_and_loads_nothing() -> None:
    tree = ElementTree.fromstring(picture())
    assert {element.tag.removeprefix(NAME) for element in tree.iter()} == {
        *("svg", "title", "style", "clipPath", "g", "rect", "text"),
    }
    assert loads(PICTURE) == []
    assert "prefers-reduced-motion" in picture()
    assert len(picture()) < 20_000
