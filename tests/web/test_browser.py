"""The dashboard as a person uses it: in Chromium, on a real daemon with real jobs.

`--screenshots` makes the pictures of the README anew.
"""

import io
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, expect, sync_playwright
from sqlalchemy import URL, func, select

from janitor.settings import passwords
from janitor.state import State, job_records
from janitor.state.tables import runs
from tests.daemons import daemons
from tests.small_engine import ROOT, migrated, remember_run
from tests.web import house

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PASSWORD = "a long way home"
SCREENSHOTS = ROOT / ".github" / "screenshots"
WAIT = 15_000
"""How long something on a page may take to come: milliseconds, on a machine that has much else to do."""
MOST_HEIGHT = 1600
"""Where a picture is cut off: pixels."""
ALIKE = ["tbody tr:nth-child(n + 7)", "svg a:nth-of-type(n + 4)"]
"""Parts of pages that are like others before them, and take axe its time."""
DESK, PHONE = {"width": 1280, "height": 860}, {"width": 360, "height": 740}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
expect.set_options(timeout=WAIT)


@dataclass(frozen=True)
class Stage:
    """A browser, a daemon with a furnished house, the cookies of who has signed in, and whether pictures are wanted."""

    pictures: bool
    browser: Browser
    address: str
    state: State
    cookies: dict[str, Any]

    @contextmanager
    def page(self, who: str | None = "olga", expected: str = "", **options: Any) -> Iterator[Page]:
        """A tab of somebody's; whatever it complains of, but what is `expected`, or asks another host for, fails."""
        stored = self.cookies.get(who) if who else None
        context = self.browser.new_context(viewport=options.pop("viewport", DESK), storage_state=stored, **options)
        context.set_default_timeout(WAIT)
        page, complaints = context.new_page(), list[str]()
        page.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        context.on("request", lambda one: None if one.url.startswith(self.address) else complaints.append(one.url))
        try:
            yield page
        finally:
            context.close()
        assert [one for one in complaints if not expected or expected not in one] == []

    def go(self, page: Page, path: str) -> None:
        """Open a page."""
        page.goto(self.address + path, wait_until="load")

    def picture(self, page: Page, name: str, whole: bool = True) -> None:
        """Take a picture for the README, where that is wanted."""
        if self.pictures:
            # Comes with matplotlib, and is needed by nobody else.
            from PIL import Image

            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            taken = Image.open(io.BytesIO(page.screenshot(full_page=whole, animations="disabled"))).convert("RGB")
            taken = taken.crop((0, 0, taken.width, min(taken.height, MOST_HEIGHT)))
            taken.quantize(220, dither=Image.Dither.NONE).save(SCREENSHOTS / f"{name}.png", optimize=True)

    def newest(self, job: str, outcome: str) -> int:
        """The newest run of a job that ended so."""
        query = select(func.max(runs.c.id)).where(runs.c.job == job, runs.c.outcome == outcome)
        with self.state.read() as connection:
            return int(connection.execute(query).scalar_one() or 0)

    def pages(self) -> dict[str, str]:
        """Each kind of page, by a name for it."""
        failed = self.newest("sequencing_publisher", "failed")
        found = {"overview": "/", "jobs": "/jobs", "job": "/jobs/labware_location", "run": f"/runs/{failed}"}
        return found | {"history": "/history", "notices": "/notices", "error": "/nowhere"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Stage]:
    """One browser and one daemon for all of these tests."""
    folder = tmp_path_factory.mktemp("house")
    url = URL.create("sqlite", database=str(folder / "state.db"))
    state = migrated(url)
    with state.begin() as connection:
        house.furnish(connection, datetime.now(timezone.utc))
    hashed = passwords.hashed(PASSWORD)
    settings = {"LEASE_SECONDS": "30", "WEB_ENABLED": "true", "WEB_PORT": "0"}
    settings["WEB_USERS"] = f"olga:operator:{hashed} vera:viewer:{hashed}"
    with daemons("tests.web.house", folder, **settings) as start, sync_playwright() as playwright:
        daemon = start(url)
        root = ["--no-sandbox"] if os.getuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-dev-shm-usage", *root])
        daemon.says("the dashboard is at")
        found = re.search(r"the dashboard is at (\S+)", daemon.text)
        assert found, daemon.text
        made = Stage(pytestconfig.getoption("--screenshots"), browser, found[1], state, {})
        for name in ("olga", "vera"):
            with made.page(None) as page:
                sign_in(made, page, name, PASSWORD)
                made.cookies[name] = page.context.storage_state()
        yield made
        browser.close()
    state.close()


def sign_in(stage: Stage, page: Page, name: str, password: str, wanted: str = "/jobs") -> None:
    """Ask for a page, and fill in the form that comes instead."""
    stage.go(page, wanted)
    page.get_by_label("User").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def run_of(page: Page) -> int:
    """The run whose page is open."""
    page.wait_for_url(re.compile(r"/runs/\d+$"))
    return int(page.url.rpartition("/")[2])


@pytest.mark.slow
def test_nobody_comes_in_without_a_password(stage: Stage) -> None:
    with stage.page(None, expected="401 (Unauthorized)") as page:
        sign_in(stage, page, "olga", "not the password", "/jobs/labware_location")
        expect(page.get_by_role("alert")).to_contain_text("do not fit")
        assert "/sign-in" in page.url and page.get_by_label("User").input_value() == "olga"
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("labware_location")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        stage.go(page, "/jobs")
        assert "/sign-in" in page.url


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
        page.locator("#history").get_by_label("Outcome").select_option("missed")
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
        page.get_by_label("Level").select_option("WARNING")
        expect(page.locator("#lines li")).to_have_count(2)
        page.get_by_role("link", name=re.compile(r"^Run \d+$")).first.click()
        assert run_of(page) < run
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="History").click()
        page.get_by_label("What").select_option("actions")
        expect(page.locator("tbody")).to_contain_text("by anna")
        page.get_by_role("link", name="All", exact=True).click()
        page.get_by_role("link", name="Older").click()
        expect(page.get_by_role("link", name="Newer")).to_be_visible()
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=re.compile("Notices")).click()
        expect(page.locator("#open")).to_contain_text("sequencing_publisher")
        expect(page.locator("#undelivered")).to_contain_text("503 Service Unavailable")


@pytest.mark.slow
def test_the_keyboard_alone_is_enough(stage: Stage) -> None:
    with stage.page() as page:
        stage.go(page, "/jobs")
        page.keyboard.press("Tab")
        assert focused(page) == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        seen = list[str]()
        while "Run now" not in (words := focused(page)):
            assert len(seen) < 40, seen
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            marked = page.evaluate("document.activeElement.closest('svg') !== null")
            assert outline != "none" or marked or not seen, f"the focus is not seen on {words}"
            seen.append(words)
            page.keyboard.press("Tab")
        assert sum(word.startswith("Run ") for word in seen) == 1, "a strip is one stop"
        stage.go(page, "/jobs/labware_location")
        newest = page.locator("svg.plot a[tabindex='0']").first
        newest.focus()
        was = page.evaluate("document.activeElement.getAttribute('href')")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        now = page.evaluate("document.activeElement.getAttribute('href')")
        assert now != was
        page.keyboard.press("Enter")
        assert f"/runs/{run_of(page)}" == now


def focused(page: Page) -> str:
    """What has the focus, in words."""
    words = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
    return " ".join(str(page.evaluate(words)).split())


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
        page.locator("#history").get_by_label("Outcome").select_option("cancelled")
        page.locator("#history").get_by_role("button", name="Show").click()
        assert "outcome=cancelled" in page.url


@pytest.mark.slow
def test_pictures_for_the_readme(stage: Stage) -> None:
    if not stage.pictures:
        pytest.skip("pictures are made with --screenshots")
    with stage.page(expected="404") as page:
        for name, path in stage.pages().items():
            stage.go(page, path)
            stage.picture(page, name)
    with stage.page(color_scheme="dark") as page:
        stage.go(page, "/")
        stage.picture(page, "overview-dark")
    with stage.page(None, color_scheme="light") as page:
        stage.go(page, "/sign-in")
        stage.picture(page, "sign-in", whole=False)
    with stage.page(viewport=PHONE, color_scheme="dark", device_scale_factor=2) as page:
        stage.go(page, "/jobs")
        stage.picture(page, "jobs-phone", whole=False)
