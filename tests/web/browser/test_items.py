"""Pipelines and items in a browser: what changes by itself, what filters choose, and what buttons ask."""

import re
from datetime import datetime, timezone

import pytest
from playwright.sync_api import Dialog, expect

from janitor.state import item_adding, item_search
from janitor.state.item_adding import NewItem
from tests.web import parcels
from tests.web.browser.stage import Stage, choose

PATH = "/pipelines/parcels"


def add(stage: Stage, *keys: str) -> None:
    """Add parcels, as another process does."""
    now = datetime.now(timezone.utc)
    with stage.state.begin() as connection:
        item_adding.add(connection, parcels.pipeline().plan, [NewItem(key, "{}", now) for key in keys], now)


@pytest.mark.slow
def test_pages_show_by_themselves_that_items_have_come(stage: Stage) -> None:
    with stage.page("vera") as listing, stage.page("vera") as item:
        add(stage, "live-0")
        stage.go(listing, f"{PATH}?key=live")
        stage.go(item, f"{PATH}/items/live-0")
        listing.evaluate("window.untouched = true")
        expect(listing.locator("#listing tbody tr")).to_have_count(1)
        add(stage, "live-1", "live-2")
        expect(listing.locator("#listing tbody tr")).to_have_count(3)
        expect(listing.locator("#listing")).to_contain_text("3 items fit")
        assert listing.evaluate("window.untouched"), "the page is not loaded anew"
        with stage.state.begin() as connection:
            row, now = item_search.one(connection, parcels.NAME, "live-0"), datetime.now(timezone.utc)
            assert row is not None
            plan = parcels.pipeline().plan
            parcels.end(connection, plan, "weigh", [row.id], now, "failed", reason="the scale is gone")
        expect(item.locator("#steps")).to_contain_text("weigh: failed")
        expect(item.locator("#node-weigh")).to_have_class(re.compile("o-error"))
        expect(item.locator("#attempts")).to_contain_text("the scale is gone")


@pytest.mark.slow
def test_bars_filters_and_badges_lead_to_items(stage: Stage) -> None:
    with stage.page() as page:
        stage.go(page, "/")
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Pipelines").click()
        page.get_by_role("link", name="match: 6 no host").click()
        page.wait_for_url(re.compile("step=match&state=failed&status=no\\+host"))
        expect(page.locator("#listing tbody tr")).to_have_count(6)
        choose(page.get_by_label("Status", exact=True), "few filters")
        choose(page.get_by_label("State", exact=True), "done")
        page.wait_for_url(re.compile("status=few"))
        expect(page.locator("#listing tbody tr")).to_have_count(4)
        page.get_by_label("Key, or its beginning").fill("DN0036")
        page.get_by_role("button", name="Show").click()
        page.get_by_role("link", name="DN0036").click()
        expect(page.locator("h1")).to_contain_text("DN0036")
        page.locator("#node-match").click()
        assert page.url.endswith("#step-match")


@pytest.mark.slow
def test_buttons_ask_before_they_do_something_with_many(stage: Stage) -> None:
    asked = list[str]()

    def decline(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    with stage.page() as page:
        page.on("dialog", decline)
        stage.go(page, f"{PATH}?key=DN000")
        page.get_by_text("Do something with items that fit").click()
        page.get_by_role("button", name="Do these 10 items again").click()
        page.get_by_label("Why").fill("lost")
        page.get_by_role("button", name="Delete these 10 items").click()
        assert asked == [
            "Let all steps of these 10 items be done again?",
            "Delete these 10 items, with all that is kept of them?",
        ]
        expect(page.locator("#listing")).to_contain_text("10 items fit")
        stage.go(page, f"{PATH}?key=DN9")
        page.get_by_role("link", name=parcels.ODD).click()
        page.get_by_role("button", name="Retry", exact=False).first.click()
        expect(page.get_by_role("status")).to_contain_text(f"{parcels.ODD} is tried again")
