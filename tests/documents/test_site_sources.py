"""Pages of the repository as pages of the site: links, navigation, and what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.extensions.site_sources import (
    FROM_THE_CODE,
    filled_in,
    navigation,
    site_source,
    with_links,
)

ROOT = Path(__file__).parents[2]
PAGES = sorted(ROOT.glob("docs/**/*.md"))
FRONT = """# Front

## Start

- [One](start/one.md): first
- [Two](../README.md)

## Why

- [Three](three.md)
"""


def test_links_to_folders_lead_to_the_page_about_them() -> None:
    text = "[a](decisions/) [b](learn) [c](gate.md#x) [d](../ffn/nn/reference.py) `](x)`"
    assert with_links(text, "docs/architecture") == (
        "[a](../docs/why/decisions.md) [b](../docs/learn/README.md) [c](gate.md#x) "
        "[d](../ffn/nn/reference.py) `](x)`"
    )
    assert with_links("[a](docs/decisions)", "README") == "[a](docs/why/decisions.md)"


def test_each_section_of_the_front_page_is_a_part_of_the_navigation() -> None:
    text = navigation(FRONT, "docs/index", ["docs/index", "docs/three", "docs/start/one", "README"])
    assert text.startswith(FRONT)
    parts = re.findall(r"```\{toctree\}\n(.*?)```", text, re.DOTALL)
    assert parts == [
        ":hidden:\n:caption: Start\n\nOne </docs/start/one>\nTwo </README>\n",
        ":hidden:\n:caption: Why\n\nThree </docs/three>\n",
    ]


def test_a_page_that_nothing_lists_is_not_lost() -> None:
    text = navigation(FRONT, "docs/index", ["docs/index", "docs/new", "docs/learn/01-learning"])
    assert text.endswith(":caption: More\n\n/docs/new\n```\n")


@pytest.mark.parametrize("folder", ["start", "how-to", "reference", "why"])
def test_the_front_page_lists_every_page_that_was_written_for_a_purpose(folder: str) -> None:
    source = (ROOT / "docs/index.md").read_text("utf-8")
    pages = [p.relative_to(ROOT / "docs").as_posix() for p in PAGES if p.parent.name == folder]
    assert pages
    assert [page for page in pages if f"]({page})" not in source] == []


def test_a_page_that_leads_to_a_folder_has_its_chapters_below_it() -> None:
    text = site_source("# Learn\n", "docs/learn/README", [])
    assert text.endswith("```{toctree}\n:hidden:\n:glob:\n\n/docs/learn/[0-9]*\n```\n")


def test_two_doors_are_on_the_front_page() -> None:
    start = (ROOT / "docs/index.md").read_text("utf-8").split("\n## ")[0]
    start = start[start.index("**Two doors.**") :]
    assert re.findall(r"\]\((\S+)\)", start) == ["start/first-pipeline.md", "learn/README.md"]


def test_every_mark_is_filled_in_and_none_is_unused() -> None:
    marks = [
        m
        for page in PAGES
        for m in re.findall(r"<!-- from the code: (.+?) -->", page.read_text("utf-8"))
    ]
    assert sorted(marks) == sorted(FROM_THE_CODE)
    text = filled_in("# Decisions\n\n<!-- from the code: decisions -->\n")
    assert text.startswith("# Decisions\n\n- [1. ")
    assert "<!--" not in text


def test_an_unknown_mark_is_refused() -> None:
    with pytest.raises(KeyError, match="weather"):
        filled_in("<!-- from the code: weather -->")
