"""What a person sees in Chromium: signing in, the runs, the report, the status."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect, sync_playwright

from ffn.evaluation.inference.statistics import Interval
from ffn.quantities import interval
from ffn.registry.live_runs import at_work
from ffn.registry.run_log import Note, note_down
from tests.helpers.service import Service, serving
from tests.helpers.waiting import wait_for

REPOSITORY = Path(__file__).parents[2]
PICTURES = REPOSITORY / os.environ.get("PICTURES", "build/pictures")
CHROMIUM = "/usr/bin/chromium"
# A page that a busy machine draws slowly is no fault.
expect.set_options(timeout=45_000)
# A name that would be a picture which runs a script, if anything took it for HTML.
EVIL = "<img src=x onerror=document.title='run'>.csv"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Both pipelines as shipped, Iris also every minute; two bad files in its inbox."""
    home = tmp_path_factory.mktemp("browser")
    root = home / "root"
    shutil.copytree(REPOSITORY / "data", root / "data")
    settings = root / "data/iris/pipeline.toml"
    text = settings.read_text()
    assert 'timezone = "UTC" }]' in text
    settings.write_text(
        text.replace('timezone = "UTC" }]', 'timezone = "UTC" }, { every = "1m" }]')
    )
    inbox = root / "data/iris/inbox"
    header, *flowers = (inbox / "new_flowers.csv").read_text().splitlines()
    (inbox / EVIL).write_text("x\n1\n")
    broken = flowers[0].replace(",", ",?", 1)
    (inbox / "some_bad_rows.csv").write_text("\n".join([header, *flowers, broken, "1,2"]) + "\n")
    put_birds_in_centimetres(root / "data/penguins")
    with serving(root, home) as found:
        wait_for(lambda: service_is_done(found), 400, found.said)
        yield found


def put_birds_in_centimetres(penguins: Path) -> None:
    """Put the training birds into the inbox, with a unit that nobody asked for."""
    with (penguins / "train.csv").open(newline="") as file:
        birds = [dict(row) for row in csv.DictReader(file)]
    for bird in birds:
        del bird["species"]
        if bird["flipper_length_mm"] != "NA":
            bird["flipper_length_mm"] = f"{float(bird['flipper_length_mm']) / 10:g}"
    with (penguins / "inbox/autumn.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(birds[0]))
        writer.writeheader()
        writer.writerows(birds)


def service_is_done(service: Service) -> bool:
    """Whether both pipelines are trained and scored, and a run of the schedule has ended."""
    scheduled = service.rows(
        "SELECT 1 FROM flow_run WHERE auto_scheduled AND state_type = 'COMPLETED'"
    )
    ended = {name for name, _ in service.states()}
    return bool(scheduled) and {"score-iris-v0001", "score-penguins-v0001"} <= ended


@pytest.fixture(scope="module")
def elsewhere() -> list[str]:
    """Addresses that the page reached beside the service."""
    return []


@pytest.fixture(scope="module")
def page(service: Service, elsewhere: list[str]) -> Iterator[Page]:
    """A browser that has signed in with the password."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(60_000)

        def note(request: Request) -> None:
            if not request.url.startswith((service.dashboard, "data:", "blob:")):
                elsewhere.append(request.url)

        page.on("requestfinished", note)
        page.goto(service.dashboard)
        page.wait_for_url("**/login**")
        picture(page, "sign_in")
        password = page.locator("input")
        password.fill("ffn:wrong")
        password.press("Enter")
        page.wait_for_timeout(1500)
        assert "/login" in page.url
        password.fill(service.password)
        password.press("Enter")
        page.wait_for_url("**/dashboard**")
        yield page
        browser.close()


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(1000)
    page.screenshot(path=PICTURES / f"dashboard_{name}.png")


def sees(page: Page, *texts: str) -> None:
    for text in texts:
        expect(page.get_by_text(text).first).to_be_visible()


def recorded(service: Service, pipeline: str, what: str) -> dict[str, Any]:
    """Return what the registry holds of a pipeline's first version."""
    file = service.root / f"artifacts/{pipeline}/models/0001/{what}.json"
    found: dict[str, Any] = json.loads(file.read_bytes())
    return found


def open_artifact(page: Page, service: Service, key: str) -> None:
    """Open the newest artifact of a key, the way a person does: by its page, then its version."""
    page.goto(f"{service.dashboard}/v2/artifacts/key/{key}")
    page.locator('a[href*="/artifacts/artifact/"]').first.click()
    page.wait_for_url("**/artifacts/artifact/**")
    expect(page.get_by_text("Show Raw Data").first).to_be_visible()


def test_the_runs_have_names_that_tell(page: Page, service: Service) -> None:
    page.goto(f"{service.dashboard}/v2/runs")
    for name in ("retrain-iris-v0001", "score-penguins-v0001"):
        expect(page.get_by_text(name).first).to_be_visible()
    expect(page.get_by_text("auto-scheduled").first).to_be_visible()
    picture(page, "runs")


def test_a_retraining_shows_its_steps_and_what_came_of_them(page: Page, service: Service) -> None:
    page.goto(f"{service.dashboard}/v2/runs?flow-run-search=retrain-penguins")
    page.get_by_text("retrain-penguins-v0001").first.click()
    page.wait_for_url("**/flow-run/**")
    # The time line is drawn on a canvas.
    page.wait_for_function("document.querySelector('canvas')?.width > 100")
    page.get_by_role("tab", name="Artifacts").click()
    for key in ("leaderboard-penguins", "retrain-penguins", "gate-penguins", "status-penguins"):
        expect(page.get_by_text(key).first).to_be_visible()
    promoted = f"Version 1 is promoted: {recorded(service, 'penguins', 'verdict')['reason']}."
    sees(page, promoted)
    picture(page, "run")
    page.get_by_role("tab", name="Details").click()
    sees(page, promoted)


def test_the_report_has_verdict_figures_and_pictures(page: Page, service: Service) -> None:
    open_artifact(page, service, "retrain-penguins")
    held_out = recorded(service, "penguins", "metrics")["test"]
    right = f"{held_out['correct']} of {held_out['rows']} held-out rows"
    sees(page, "penguins: version 1", right, "Leaderboard", "Learning curves")
    drawn = "document.querySelectorAll('img[src^=\"data:image/png\"]')"
    widths = page.evaluate(f"[...{drawn}].map(image => image.naturalWidth)")
    assert len(widths) >= 2
    assert min(widths) > 300
    picture(page, "report")


def test_a_scoring_shows_rejected_rows_and_shares(page: Page, service: Service) -> None:
    open_artifact(page, service, "scored-iris")
    sees(
        page, "rows rejected; 1 file refused.", "not_a_number", "wrong_field_count", "33.3 %", EVIL
    )
    sees(page, "some_bad_rows.csv line 14, sepal_length: ?")
    picture(page, "score")


def test_the_status_is_the_page_of_the_morning(page: Page, service: Service) -> None:
    open_artifact(page, service, "status-iris")
    accuracy = recorded(service, "iris", "metrics")["test"]["accuracy"]
    figures = interval(Interval(accuracy["value"], accuracy["low"], accuracy["high"]))
    sees(page, "in production, for", f"held-out accuracy {figures}", "1 refused", EVIL)
    open_artifact(page, service, "status-penguins")
    sees(
        page,
        "2 scored",
        "Drift: in 1 of 1 file",
        "autumn.csv, unlike training",
        "10 times too small",
    )
    picture(page, "status")


def test_all_pipelines_are_on_one_page_of_every_width(page: Page, service: Service) -> None:
    artifacts = service.root / "artifacts"
    for name in ("failing", "training"):
        shutil.copytree(service.root / "data/iris", service.root / "data" / name)
    failed = Note(outcome="refused", text=f"{EVIL}: it has no header.")
    note_down(artifacts / "failing", "score", failed)
    page.goto(service.dashboard)
    # Prefect's page forgets the key if it is left while it is being checked.
    page.wait_for_url("**/dashboard**")
    sees(page, "Flow Runs")
    page.get_by_role("link", name="All pipelines").click()
    # Signed in to Prefect is signed in here.
    page.wait_for_url("**/overview")
    page.wait_for_selector("article")
    with at_work(artifacts / "training", "retrain", "2026-11-23T04:05:06+00:00"):
        for name, width in (("desktop", 1280), ("phone", 390)):
            page.set_viewport_size({"width": width, "height": 900})
            page.reload()
            sees(page, "4 pipelines: 2 red, 1 amber, 1 green", "the last scoring was refused")
            sees(page, "the last files tested have drifted", "1 file in the inbox refused", EVIL)
            sees(page, "training now, since 2026-11-23 04:05 UTC", "10 times too small")
            headings = page.locator("article h2").all_inner_texts()
            assert [" ".join(text.split()) for text in headings] == [
                "failing ▲ red: act",
                "iris ▲ red: act",
                "penguins ◆ amber: look",
                "training ● green: fine",
            ]
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width
            picture(page, f"overview_{name}")
    page.set_viewport_size({"width": 1280, "height": 1000})
    iris = page.locator("article", has_text="iris")
    iris.get_by_role("link", name="model card").click()
    sees(page, "Intended use")
    page.go_back()
    iris.get_by_role("link", name="report").click()
    sees(page, "iris: version 1", "Leaderboard")
    page.go_back()
    page.locator("article", has_text="penguins").get_by_role("link", name="2026-").first.click()
    page.wait_for_url("**/flow-run/**")
    expect(page.get_by_text("retrain-penguins-v0001").first).to_be_visible()
    for name in ("failing", "training"):
        shutil.rmtree(service.root / "data" / name)
        shutil.rmtree(artifacts / name)


def test_deployments_say_what_they_do_and_when(page: Page, service: Service) -> None:
    page.goto(f"{service.dashboard}/v2/deployments")
    page.get_by_text("retrain-iris").first.click()
    page.wait_for_url("**/deployment/**")
    page.get_by_role("tab", name="Description").click()
    sees(page, "promotes it only if it passes the gate")
    picture(page, "deployment")


def test_a_run_can_be_started_with_all_protections_on(page: Page, service: Service) -> None:
    before = len(service.states())
    page.goto(f"{service.dashboard}/v2/deployments")
    page.get_by_text("score-penguins").first.click()
    page.wait_for_url("**/deployment/**")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("menuitem", name="Quick run").click()
    wait_for(lambda: len(service.states()) > before, 60)


def test_nothing_ran_and_nothing_was_asked_of_others(page: Page, elsewhere: list[str]) -> None:
    assert page.title() != "run"
    assert elsewhere == []
