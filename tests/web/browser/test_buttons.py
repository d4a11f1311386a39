"""Buttons, links and filters: what they do, for whom, and without a script."""

import re

import pytest
from playwright.sync_api import Dialog, expect

from tests.web.browser.stage import Stage, choose, run_of


def test_every_button_does_what_it_says(stage: Stage) -> None:
    asked = list[str]()

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept()

    with stage.page() as page:
        page.on("dialog", agree)
        stage.go(page, "/jobs")
        row = page.locator("#job-expire_tokens")
        row.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("status")).to_contain_text("expire_tokens is resumed")
        row.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("status")).to_contain_text("expire_tokens is paused")
        row.get_by_role("button", name="Run now").click()
        expect(page.locator("h1")).to_contain_text("succeeded")
        first = page.url
        page.get_by_role("button", name="Run again").click()
        # The page of a run that ends at once loads itself again, and what it said of the beginning is gone.
        expect(page).not_to_have_url(first)
        expect(page.locator("h1")).to_contain_text("succeeded")

        stage.go(page, "/jobs/labware_location")
        rows = page.locator("#quarantine tbody tr")
        rows.filter(has_text="DN1038473B").get_by_role("button", name="Retry").click()
        expect(page.get_by_role("status")).to_contain_text("DN1038473B is looked at first")
        page.get_by_role("button", name="Retry all").click()
        expect(page.get_by_role("status")).to_contain_text("All of the quarantine")
        last = rows.filter(has_text="DN0991256K")
        last.get_by_text("Give up…").click()
        last.get_by_role("button", name="Give up").click()
        expect(page.get_by_role("status")).to_contain_text("All of the quarantine")  # without a note nothing is sent
        last.get_by_label("Why").fill("its user has left")
        last.get_by_role("button", name="Give up").click()
        expect(page.get_by_role("status")).to_contain_text("DN0991256K is given up")
        page.get_by_role("link", name=re.compile("given up")).click()
        expect(page.locator("#quarantine")).to_contain_text("its user has left")
        choose(page.locator("#history").get_by_label("Outcome"), "missed")
        page.wait_for_url(re.compile("outcome=missed"))
        expect(page.locator("#history tbody")).to_contain_text("no daemon was running")
        assert asked == ["Let the next run look at all of them first?"]


@pytest.mark.slow
def test_filters_links_and_neighbours_lead_where_they_say(stage: Stage) -> None:
    with stage.page() as page:
        stage.go(page, "/")
        page.locator("#failed").get_by_role("link", name=re.compile("sequencing_publisher")).first.click()
        run = run_of(page)
        expect(page.locator("#reason")).to_contain_text("refuses connections")
        expect(page.locator("#trace")).to_contain_text("AMQPConnectionError")
        expect(page.locator("#lines li")).to_have_count(4)
        choose(page.get_by_label("Level"), "WARNING")
        expect(page.locator("#lines li")).to_have_count(2)
        page.get_by_role("link", name=re.compile(r"^Run \d+$")).first.click()
        assert run_of(page) < run
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="History").click()
        choose(page.get_by_label("What"), "actions")
        expect(page.locator("tbody")).to_contain_text("by anna")
        page.get_by_role("link", name="All", exact=True).click()
        page.get_by_role("link", name="Older").click()
        expect(page.get_by_role("link", name="Newer")).to_be_visible()
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=re.compile("Notices")).click()
        expect(page.locator("#open")).to_contain_text("sequencing_publisher")
        expect(page.locator("#undelivered")).to_contain_text("503 Service Unavailable")


@pytest.mark.slow
def test_a_viewer_has_nothing_to_press(stage: Stage) -> None:
    with stage.page("vera") as page:
        for path in list(stage.pages().values())[:-1]:
            stage.go(page, path)
            main = page.locator("main form[method=post]")
            assert main.count() == 0, path


@pytest.mark.slow
def test_it_works_without_script(stage: Stage) -> None:
    with stage.page(java_script_enabled=False) as page:
        stage.go(page, "/jobs")
        page.locator("#job-archive_plates").get_by_role("button", name="Run now").click()
        page.wait_for_url(re.compile(r"/runs/\d+$"))
        stage.go(page, "/jobs/nightly_reconcile")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("status")).to_contain_text("nightly_reconcile is paused")
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("status")).to_contain_text("nightly_reconcile is resumed")
        choose(page.locator("#history").get_by_label("Outcome"), "cancelled")
        page.locator("#history").get_by_role("button", name="Show").click()
        assert "outcome=cancelled" in page.url
