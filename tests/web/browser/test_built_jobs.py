"""Jobs that build on one another in Chromium: what is live, what is armed, and that everybody can use it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.small_engine import eventually
from tests.web.browser.stage import PHONE, WAIT
from tests.web.building_house import PASSWORD, House, building

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with building(tmp_path_factory.mktemp("builders")) as one:
        one.built()
        one.run("publish", confirm="publish")
        one.run("fails")
        one.run("large")
        yield one


@contextmanager
def tab(browser: Browser, house: House, path: str, **options: Any) -> Iterator[Page]:
    """A tab of an operator's; whatever it complains of fails."""
    context = browser.new_context(base_url=house.operator.address, **options)
    context.set_default_timeout(WAIT)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        page.goto("/sign-in")
        page.get_by_label("User").fill("olga")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(re.compile(r"/$"))
        page.goto(path)
        yield page
    finally:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("script", [True, False])
def test_a_protected_job_is_armed_then_run(browser: Browser, house: House, script: bool) -> None:
    before = house.newest("publish")
    with tab(browser, house, "/jobs/publish", java_script_enabled=script) as page:
        run = page.get_by_role("button", name="Yes, run publish")
        expect(run).to_be_hidden()
        expect(page.get_by_role("button", name="Dry run")).to_be_hidden()
        page.locator("summary", has_text="Run now").click()
        expect(run).to_be_visible()
        assert house.newest("publish") == before, "to arm it runs nothing"
        run.click()
        page.wait_for_url(re.compile(r"/runs/\d+$"))
    assert house.newest("publish") > before


def test_the_graph_is_live_and_keeps_its_place_and_the_focus(browser: Browser, house: House) -> None:
    small = {"width": 500, "height": 600}
    with tab(browser, house, "/graph", viewport=small) as page:
        page.evaluate("window.untouched = true")
        node = page.locator("#node-publish")
        expect(node).to_have_class(re.compile("o-succeeded"))
        page.locator(".scroll").evaluate("box => (box.scrollLeft = 150)")
        node.focus()
        left = page.locator(".scroll").evaluate("box => box.scrollLeft")
        house.built()
        expect(node).to_have_class(re.compile("o-outdated"))
        expect(page.locator("#statuses")).to_contain_text("1 outdated")
        assert page.evaluate("window.untouched") and left > 0
        assert page.locator(".scroll").evaluate("box => box.scrollLeft") == left
        assert page.evaluate("document.activeElement.id") == "node-publish"
        expect(page.locator(".edge.lit")).to_have_count(1)
        page.locator("#node-process").hover()
        expect(page.locator(".edge.lit")).to_have_count(3)
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/jobs/publish$"))
        expect(page.locator("#node-publish")).to_have_attribute("aria-current", "page")


def test_a_run_is_deleted_once_somebody_agrees(browser: Browser, house: House) -> None:
    run = house.run("large")
    with tab(browser, house, f"/runs/{run}") as page:
        page.once("dialog", lambda dialog: dialog.dismiss())
        page.get_by_role("button", name="Delete").click()
        assert house.outcome(run) == "succeeded"
        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_role("status")).to_contain_text(f"Run {run} is deleted")
    assert eventually(lambda: house.outcome(run) is None)


def pages(house: House) -> list[str]:
    """Each kind of page, with all that it shows of such jobs."""
    found = ["/jobs", "/jobs?tag=words", "/graph", "/graph?whole=true", "/jobs/crawl", "/jobs/publish"]
    return [*found, *(f"/runs/{house.newest(job)}" for job in ("crawl", "process", "publish", "large", "fails"))]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(browser: Browser, house: House, scheme: str) -> None:
    found = dict[str, Any]()
    with tab(browser, house, "/", color_scheme=scheme) as page:
        for path in pages(house):
            page.goto(path)
            for arm in page.locator("details.armed").all():
                arm.evaluate("arm => (arm.open = true)")
            for one in Axe().run(page, None, {"resultTypes": ["violations"]}).response["violations"]:
                if one["impact"] in ("serious", "critical"):
                    found[f"{path}: {one['id']}"] = [node["html"] for node in one["nodes"]][:3]
    assert found == {}


def test_no_page_scrolls_sideways_on_a_phone(browser: Browser, house: House) -> None:
    with tab(browser, house, "/", viewport=PHONE, has_touch=True) as page:
        for path in pages(house):
            page.goto(path)
            for arm in page.locator("details.armed").all():
                arm.evaluate("arm => (arm.open = true)")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
