"""The built site in Chromium, from its files: nothing is loaded from elsewhere, search finds.

`make browser-test` builds the site first.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect, sync_playwright

REPOSITORY = Path(__file__).parents[2]
SITE = REPOSITORY / "build/site"
HOME = f"{SITE.as_uri()}/"
PICTURES = REPOSITORY / os.environ.get("PICTURES", "build/pictures")
CHROMIUM = "/usr/bin/chromium"
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """Addresses that pages asked for, and errors that they ran into."""
    return []


@pytest.fixture(scope="module")
def page(asked: list[str]) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})

        def note(request: Request) -> None:
            asked.append(request.url)

        page.on("request", note)
        page.on("pageerror", lambda error: asked.append(f"error: {error}"))
        yield page
        browser.close()


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"site_{name}.png")


def test_the_folder_opens_the_front_page_with_both_doors(page: Page) -> None:
    page.goto(f"{HOME}index.html")
    page.wait_for_url(f"{HOME}docs/index.html")
    for door in ("start/first-pipeline.html", "learn/README.html"):
        expect(page.locator(f"article a[href='{door}']").first).to_be_visible()
    captions = page.locator(".sidebar-tree .caption-text").all_inner_texts()
    assert [c.upper() for c in captions][:5] == ["START", "LEARN", "HOW TO", "REFERENCE", "WHY"]
    picture(page, "front")


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("rollback", "how-to/undo-a-promotion.html"),
        ("backpropagation", "learn/04-backward.html"),
        ("abstain_below", "reference/settings.html"),
    ],
)
def test_search_works_from_files(word: str, found: str, page: Page) -> None:
    page.goto(f"{HOME}search.html?q={word}")
    expect(page.locator(f"#search-results a[href*='{found}']").first).to_be_visible(timeout=60_000)
    picture(page, f"search_{word}")


def test_formulas_are_drawn_by_the_browser(page: Page) -> None:
    page.goto(f"{HOME}docs/learn/04-backward.html")
    formulas = page.locator("math")
    assert formulas.count() >= 6
    box = formulas.first.bounding_box()
    assert box is not None
    assert box["width"] > 20
    assert "\\" not in "".join(formulas.all_text_contents())
    assert "$" not in "".join(page.locator("td").all_inner_texts())
    formulas.first.scroll_into_view_if_needed()
    picture(page, "formulas")


def test_the_reference_is_filled_in(page: Page) -> None:
    page.goto(f"{HOME}docs/reference/command-line.html")
    headings = page.locator("article h2").all_inner_texts()
    assert {"retrain", "score", "serve"} <= {re.sub(r"ffn |\W", "", text) for text in headings}
    page.goto(f"{HOME}docs/reference/python.html")
    assert page.locator("dt#ffn\\.retrain").count() == 1
    picture(page, "python")


def test_the_lab_opens_instead_of_being_saved(page: Page) -> None:
    page.goto(f"{HOME}docs/learn/README.html")
    page.click("article a[href='lab.html']")
    expect(page.locator("#epoch")).to_have_text("epoch 0 of 150")


def test_no_page_loads_anything_from_elsewhere(page: Page, asked: list[str]) -> None:
    assert len(PAGES) > 60
    # The first page goes on to the front page by itself.
    for name in set(PAGES) - {"index.html"}:
        page.goto(HOME + name)
    own = (HOME, "data:", "about:")
    assert [address for address in asked if not address.startswith(own)] == []
    assert f"{HOME}_static/styles/furo.css" in {address.partition("?")[0] for address in asked}
