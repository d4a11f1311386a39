"""One daemon for all tests of pages."""

import re
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
from sqlalchemy import URL

from janitor.settings import passwords
from tests.daemons import daemons
from tests.small_engine import migrated
from tests.web import furniture, house, parcels
from tests.web.pages.furnished import PASSWORD, House
from tests.web.visitor import Visitor


@pytest.fixture(scope="package")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One daemon for all of these tests, whose past is full of hostile texts."""
    folder = tmp_path_factory.mktemp("house")
    url = URL.create("sqlite", database=str(folder / "state.db"))
    state = migrated(url)
    with state.begin() as connection:
        furniture.furnish(connection, datetime.now(timezone.utc), house.HOSTILE)
        parcels.furnish(connection, datetime.now(timezone.utc), house.HOSTILE)
    hashed = passwords.hashed(PASSWORD)
    users = f"olga:operator:{hashed} vera:viewer:{hashed}"
    with daemons(
        "tests.web.house",
        folder,
        LEASE_SECONDS="30",
        HOUSE_PAGES="600",
        WEB_ENABLED="true",
        WEB_PORT="0",
        WEB_USERS=users,
        HOUSE_SAYS=house.HOSTILE,
        # Its runs of the past have failed. A run that came due during a test would be another newest one.
        SEQUENCING_PUBLISHER_SCHEDULE="every 1d",
    ) as start:
        daemon = start(url)
        daemon.says("leading with")
        daemon.says("the dashboard is at")
        found = re.search(r"the dashboard is at (\S+)", daemon.text)
        assert found, daemon.text
        one = House(Visitor(found[1]), Visitor(found[1]), state)
        for visitor, name in ((one.operator, "olga"), (one.viewer, "vera")):
            assert visitor.sign_in(name, PASSWORD).status == 200
        yield one
    state.close()
