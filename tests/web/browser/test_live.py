"""What changes on a page by itself."""

from datetime import datetime, timezone

import pytest
from playwright.sync_api import expect

from janitor.state import job_records
from tests.web.browser.stage import Stage, run_of


@pytest.mark.slow
def test_log_and_progress_are_live_while_a_run_runs(stage: Stage) -> None:
    with stage.page() as page, stage.page("vera") as other:
        stage.go(other, "/jobs")
        row = other.locator("#job-nightly_reconcile")
        stage.go(page, "/jobs")
        page.locator("#job-nightly_reconcile").get_by_role("button", name="Run now").click()
        run = run_of(page)
        expect(page.get_by_role("status")).to_contain_text("A run of nightly_reconcile has begun")
        page.evaluate("window.untouched = true")
        lines = page.locator("#lines li")
        expect(lines.filter(has_text="page 3: 250 rows compared")).to_be_visible()
        bar = page.get_by_role("progressbar", name="labwares")
        before, count = float(bar.get_attribute("value") or 0), lines.count()
        expect(lines.nth(count + 5)).to_be_attached()
        assert page.evaluate("window.untouched"), "the page is not loaded anew"
        assert float(page.get_by_role("progressbar", name="labwares").get_attribute("value") or 0) > before
        expect(page.locator("#progress").get_by_text("plates")).to_be_visible()
        stage.picture(page, "run-live")
        expect(row).to_contain_text("running")
        page.once("dialog", lambda dialog: dialog.dismiss())
        page.get_by_role("button", name="Cancel").click()
        assert page.evaluate("window.untouched"), "whoever thinks better of it, cancels nothing"
        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#reason")).to_contain_text("Cancelled by olga")
        assert stage.newest("nightly_reconcile", "cancelled") == run
        expect(page.locator("h1")).to_contain_text("cancelled")
        expect(row).not_to_contain_text("running")


@pytest.mark.slow
def test_a_page_tells_by_itself_that_a_run_has_ended(stage: Stage) -> None:
    with stage.page() as page, stage.page("vera") as other:
        stage.go(other, "/jobs")
        row = other.locator("#job-nightly_reconcile")
        stage.go(page, "/jobs/nightly_reconcile")
        page.get_by_role("button", name="Dry run").click()
        expect(page.locator("h1")).to_contain_text("succeeded")
        expect(page.get_by_role("heading", name="Counts")).to_be_visible()
        expect(page.locator(".counts")).to_contain_text("repaired")
        begun = page.get_by_role("status").filter(has_text="A dry run of nightly_reconcile has begun")
        expect(begun).to_be_visible()
        page.reload()
        expect(page.locator(".counts")).to_contain_text("repaired")
        expect(begun).to_have_count(0)
        expect(row).to_contain_text("dry run")
        assert pause_elsewhere(stage, "labware_location")
        expect(other.locator("#job-labware_location")).to_contain_text("Paused by ben")
        with stage.state.begin() as connection:
            job_records.resume(connection, "labware_location")


@pytest.mark.slow
def test_a_page_says_so_while_the_daemon_does_not_answer(stage: Stage) -> None:
    with stage.page("vera", expected="ERR_") as page:
        stage.go(page, "/")
        page.context.route("**/events", lambda route: route.abort())
        hidden = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true}); "
        look = "document.dispatchEvent(new Event('visibilitychange'))"
        page.evaluate(hidden % "true" + look)
        page.evaluate(hidden % "false" + look)
        warned = page.get_by_role("alert").filter(has_text="The daemon does not answer")
        expect(warned).to_be_visible()
        page.context.unroute("**/events")
        page.evaluate(hidden % "true" + look)
        page.evaluate(hidden % "false" + look)
        expect(warned).to_have_count(0)


def pause_elsewhere(stage: Stage, job: str) -> bool:
    """Another process pauses a job."""
    with stage.state.begin() as connection:
        return job_records.pause(connection, job, "x", datetime.now(timezone.utc), "ben")
