"""One browser for all tests in Chromium, and one daemon for the tests of the furnished house."""

import re
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import URL

from janitor.settings import passwords
from tests.daemons import daemons
from tests.small_engine import migrated
from tests.web import furniture, parcels
from tests.web.browser.chromium import chromium
from tests.web.browser.stage import PASSWORD, WAIT, Stage, sign_in

expect.set_options(timeout=WAIT)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser; it ends with these tests, because its event loop stands in the way of others."""
    with chromium() as made:
        yield made


@pytest.fixture(scope="package")
def stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Stage]:
    """A daemon with a furnished house, where olga and vera have signed in."""
    folder = tmp_path_factory.mktemp("house")
    url = URL.create("sqlite", database=str(folder / "state.db"))
    state = migrated(url)
    with state.begin() as connection:
        furniture.furnish(connection, datetime.now(timezone.utc))
        parcels.furnish(connection, datetime.now(timezone.utc))
    hashed = passwords.hashed(PASSWORD)
    settings = {
        "LEASE_SECONDS": "30",
        "WEB_ENABLED": "true",
        "WEB_PORT": "0",
        "WEB_USERS": f"olga:operator:{hashed} vera:viewer:{hashed}",
        # Its runs of the past have failed. A run that came due during a test would be another newest one.
        "SEQUENCING_PUBLISHER_SCHEDULE": "every 1d",
    }
    with daemons("tests.web.house", folder, **settings) as start:
        daemon = start(url)
        daemon.says("the dashboard is at")
        found = re.search(r"the dashboard is at (\S+)", daemon.text)
        assert found, daemon.text
        made = Stage(pytestconfig.getoption("--screenshots"), browser, found[1], state, {})
        for name in ("olga", "vera"):
            with made.page(None) as page:
                sign_in(made, page, name, PASSWORD)
                made.cookies[name] = page.context.storage_state()
        yield made
    state.close()
