"""How pages look: to axe, on a phone, and in the dark."""

import re
from datetime import datetime, timezone
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.small_engine import remember_run
from tests.web.browser.stage import PHONE, Stage

ALIKE = ["tbody tr:nth-child(n + 7)", "svg a:nth-of-type(n + 4)"]
"""Parts of pages that are like others before them, and take axe its time."""


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(stage: Stage, scheme: str) -> None:
    axe, found = Axe(), dict[str, Any]()
    # Colours are what a scheme changes: the other rules are tried in one of them.
    rules = None if scheme == "light" else {"runOnly": ["color-contrast"]}
    with stage.page(expected="404 (Not Found)", color_scheme=scheme) as page:
        for name, path in stage.pages().items():
            stage.go(page, path)
            found |= {f"{name}: {one}": where for one, where in findings(axe, page, rules).items()}
    with stage.page(None, color_scheme=scheme) as page:
        stage.go(page, "/sign-in")
        found |= findings(axe, page, rules)
    assert found == {}


def findings(axe: Axe, page: Page, rules: dict[str, Any] | None) -> dict[str, Any]:
    """What is seriously wrong with a page."""
    violations = axe.run(page, {"exclude": ALIKE}, {"resultTypes": ["violations"], **(rules or {})}).response[
        "violations"
    ]
    grave = [one for one in violations if one["impact"] in ("serious", "critical")]
    return {one["id"]: [node["html"] for node in one["nodes"]][:3] for one in grave}


@pytest.mark.slow
def test_no_page_scrolls_sideways_on_a_phone(stage: Stage) -> None:
    remember_run(stage.state, "a_job_with_a_name_that_is_long", datetime.now(timezone.utc))
    with stage.page(viewport=PHONE, expected="404 (Not Found)", has_touch=True) as page:
        for name, path in stage.pages().items():
            stage.go(page, path)
            wide = "() => [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 361"
            wide += " && !e.closest('.scroll, .log, .trace')).map(e => e.outerHTML.slice(0, 200)).slice(0, 3)"
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, (name, page.evaluate(wide))
        stage.go(page, "/")
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Jobs").tap()
        button = page.locator("#job-labware_location").get_by_role("button", name="Dry run")
        expect(button).to_be_visible()
        box = button.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 360 and box["height"] >= 24


@pytest.mark.slow
def test_dark_is_what_the_system_or_the_switch_says(stage: Stage) -> None:
    def luminance(page: Page) -> int:
        text = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", text)[:3]))

    with stage.page(color_scheme="dark") as page:
        stage.go(page, "/")
        assert luminance(page) < 120
    with stage.page(color_scheme="light") as page:
        stage.go(page, "/")
        assert luminance(page) > 650
        page.get_by_role("button", name="System theme").click()
        expect(page.get_by_role("button", name="Dark theme")).to_be_visible()
        assert luminance(page) < 120
        stage.go(page, "/jobs")
        assert luminance(page) < 120
        page.get_by_role("button", name="Dark theme").click()
        page.get_by_role("button", name="Light theme").click()
        assert page.context.cookies(stage.address + "/") and luminance(page) > 650
        assert not [one for one in page.context.cookies() if one.get("name") == "janitor_theme"]
