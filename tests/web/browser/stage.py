"""The dashboard's stage: a browser, a daemon with a furnished house, and who visits it."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Locator, Page
from sqlalchemy import func, select

from janitor.state import State
from janitor.state.tables import runs
from janitor.web import addresses
from tests.small_engine import ROOT
from tests.web import parcels

PASSWORD = "a long way home"

SCREENSHOTS = ROOT / ".github" / "screenshots"

WAIT = 15_000
"""How long something on a page may take to come: milliseconds, on a machine that has much else to do."""

MOST_HEIGHT = 1600
"""Where a picture is cut off: pixels."""

DESK, PHONE = {"width": 1280, "height": 860}, {"width": 360, "height": 740}


@dataclass(frozen=True)
class Stage:
    """A browser, a daemon with a furnished house, the cookies of its visitors, and whether pictures are wanted."""

    pictures: bool
    browser: Browser
    address: str
    state: State
    cookies: dict[str, Any]

    @contextmanager
    def page(self, who: str | None = "olga", expected: str = "", **options: Any) -> Iterator[Page]:
        """A tab of somebody's. A complaint that is not `expected` fails, and so does a request to another host."""
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
        """Take a picture for the documentation, if pictures are wanted."""
        if self.pictures:
            # Imported here: it comes with matplotlib, and only pictures need it.
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
        return {
            "overview": "/",
            "jobs": "/jobs",
            "job": "/jobs/labware_location",
            "run": f"/runs/{failed}",
            "history": "/history",
            "notices": "/notices",
            "pipelines": "/pipelines",
            "items": "/pipelines/parcels",
            "item": addresses.of_item(parcels.NAME, parcels.ODD),
            "letters": addresses.of_letters(parcels.NAME),
            "error": "/nowhere",
        }


def sign_in(stage: Stage, page: Page, name: str, password: str, wanted: str = "/jobs") -> None:
    """Ask for a page, and fill in the form that comes instead."""
    stage.go(page, wanted)
    page.get_by_label("User").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def choose(field: Locator, value: str) -> None:
    """Choose from a list that acts by script; a page shows the list before its script has run."""
    field.page.wait_for_load_state()
    field.select_option(value)


def run_of(page: Page) -> int:
    """The run whose page is open."""
    page.wait_for_url(re.compile(r"/runs/\d+$"))
    return int(page.url.rpartition("/")[2])
