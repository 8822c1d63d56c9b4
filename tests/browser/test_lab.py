"""The lab in Chromium: it learns what the reference learns, and what it shows is what was asked."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Request, expect, sync_playwright

from examples.course.lab import lab_run
from ffn.nn import OPTIMIZERS, reference

REPOSITORY = Path(__file__).parents[2]
LAB = (REPOSITORY / "docs/learn/lab.html").as_uri()
PICTURES = REPOSITORY / os.environ.get("PICTURES", "build/pictures")
CHROMIUM = "/usr/bin/chromium"
LOSSES = "Object.fromEntries(Object.entries(runs).map(([name, run]) => [name, run.losses]))"


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """What the page loaded beside itself, and errors that it ran into."""
    return []


@pytest.fixture(scope="module")
def page(complaints: list[str]) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1080, "height": 1150})

        def note(request: Request) -> None:
            if not request.url.startswith((LAB, "data:")):
                complaints.append(request.url)

        page.on("request", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text))
        yield page
        browser.close()


def open_lab(page: Page, address: str = "") -> None:
    page.goto("about:blank")
    page.goto(LAB + address)
    expect(page.locator("#epoch")).to_have_text("epoch 0 of 150")


@pytest.mark.parametrize("own", [0, 1])
def test_the_page_learns_what_the_reference_learns(page: Page, own: int) -> None:
    open_lab(page, f"#rate=0.01&scale=0.3&batch=16&seed=11&own={own}")
    for _ in range(30):
        page.click("#step")
    expect(page.locator("#epoch")).to_have_text("epoch 30 of 150")
    found, rates = page.evaluate(LOSSES), page.evaluate("OWN") if own else {}
    for name in OPTIMIZERS:
        x, labels, network, orders = lab_run(seed=11, scale=0.3, epochs=30)
        begun = reference.mean_loss(reference.forward(network, x)[-1], labels)
        rate = rates.get(name, 0.01)
        losses = reference.train(
            network, getattr(reference, name), rate, x, labels, orders, batch_size=16
        )
        np.testing.assert_allclose(found[name], [begun, *losses], rtol=0, atol=1e-12)
        expect(page.locator(f"#loss-{name}")).to_have_text(f"{losses[-1]:.10f}")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(page.inner_text("#numpy"), "the lab's lines", "exec"), {})
    shown = [f"{name:8} {page.inner_text(f'#loss-{name}')}" for name in OPTIMIZERS]
    assert printed.getvalue().splitlines() == shown
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"lab_{own}.png")


def test_a_slider_begins_again_and_is_in_the_address(page: Page) -> None:
    open_lab(page)
    page.click("#step")
    page.fill("#batch", "0")
    expect(page.locator("#epoch")).to_have_text("epoch 0 of 150")
    assert page.url.endswith("#rate=0.005&scale=1&batch=1&seed=3&own=0")
    again = page.url
    losses = page.evaluate(LOSSES)
    page.goto("about:blank")
    page.goto(again)
    assert page.evaluate(LOSSES) == losses
    assert page.input_value("#batch") == "0"


def test_an_experiment_of_a_chapter_plays_to_its_end(page: Page) -> None:
    open_lab(page)
    page.select_option("#preset", label="Chapter 3: begin with zeros")
    expect(page.locator("#epoch")).to_have_text("epoch 150 of 150", timeout=120_000)
    expect(page.locator("#play")).to_have_text("Play")
    losses = page.evaluate(LOSSES)
    # Nothing but the last biases moves, so nothing is learnt: the logarithm of three.
    for name in OPTIMIZERS:
        assert losses[name][-1] == pytest.approx(np.log(3), abs=5e-3)


def test_an_address_that_cannot_be_meant_is_complained_of(page: Page) -> None:
    open_lab(page, "#rate=7&seed=4")
    said = page.locator("#message")
    expect(said).to_contain_text("rate=7: not one of 0.0001")
    assert page.evaluate("settings.rate") == 0.005
    assert page.evaluate("settings.seed") == 4


def test_boundaries_and_curves_are_drawn(page: Page) -> None:
    open_lab(page)
    colours = """id => {
        const canvas = document.getElementById(id);
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        const found = new Set();
        for (let i = 0; i < pixels.length; i += 4) found.add(pixels.slice(i, i + 3).join());
        return found.size;
    }"""
    page.click("#step")
    for name in OPTIMIZERS:
        assert page.evaluate(colours, f"map-{name}") > 20
    assert page.evaluate(colours, "curves") > 4


def test_nothing_was_loaded_and_nothing_went_wrong(page: Page, complaints: list[str]) -> None:
    assert page.url.startswith(LAB)
    assert complaints == []
