"""Both tasks run as users who may do exactly what the reference lists, and nothing else."""

import re
import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.tasks import labware_location, sequencing_publisher
from tests.fixtures import Exchange, Warehouses
from tests.recorded_runs import Daemon
from tests.servers import RabbitMQ, SqlServer
from tests.tasks.labware_location.labwhere import LabWhere
from tests.tasks.labware_location.oracle import expected, stored
from tests.tasks.labware_location.test_failures import failed
from tests.tasks.rows import fill_recently
from tests.tasks.sequencing_publisher.consumer import counted
from tests.tasks.sequencing_publisher.oracle import derived

PASSWORD = "Gr4nted-Pass"
LABWHERE = {name: "SELECT" for name in ("audits", "labwares", "coordinates", "locations", "users")}
MLWH = {
    "labware_location": "SELECT, INSERT, UPDATE",
    "iseq_run_status": "SELECT",
    "iseq_product_metrics": "SELECT",
    "iseq_flowcell": "SELECT",
    "sample": "SELECT",
    "study": "SELECT",
    "seq_product_irods_locations": "SELECT",
}
EVENTS = {name: "SELECT" for name in ("subjects", "roles", "role_types", "events", "event_types")}


class Users:
    """Users on the server, each granted so much on the tables of one database."""

    def __init__(self, server: SqlServer) -> None:
        self.server = server
        self.names: list[str] = []

    def make(self, url: URL, grants: dict[str, str]) -> URL:
        """A new user; the URL by which it reaches the database."""
        name = f"u_{secrets.token_hex(6)}"
        self.names.append(name)
        self.server.execute(f"CREATE USER `{name}`@`%` IDENTIFIED BY '{PASSWORD}'")
        for table, may in grants.items():
            self.server.execute(f"GRANT {may} ON `{url.database}`.`{table}` TO `{name}`@`%`")
        return url.set(username=name, password=PASSWORD)

    def drop(self) -> None:
        """Remove them all."""
        for name in self.names:
            self.server.execute(f"DROP USER `{name}`@`%`")


@pytest.fixture
def users(mariadb: SqlServer) -> Iterator[Users]:
    """Users who are gone after the test."""
    made = Users(mariadb)
    yield made
    made.drop()


@pytest.fixture
def writer(rabbitmq: RabbitMQ, exchange: Exchange) -> Iterator[dict[str, str]]:
    """A RabbitMQ user who may write to the exchange, and no more; the settings that log in as it."""
    name = f"u_{secrets.token_hex(6)}"
    rabbitmq.ctl("add_user", name, PASSWORD)
    rabbitmq.ctl("set_permissions", "-p", rabbitmq.vhost, name, "^$", f"^{exchange.name}$", "^$")
    settings = {"RABBITMQ_USERNAME": name, "RABBITMQ_PASSWORD": PASSWORD}
    yield rabbitmq.environment() | settings | {"SEQUENCING_PUBLISHER_EXCHANGE": exchange.name}
    rabbitmq.ctl("delete_user", name)


def shown(**urls: URL) -> dict[str, str]:
    """URLs as settings."""
    return {name: url.render_as_string(hide_password=False) for name, url in urls.items()}


@pytest.mark.slow
def test_the_least_grants_are_enough(
    mariadb_warehouses: Warehouses, users: Users, writer: dict[str, str], exchange: Exchange, state_folder: Path
) -> None:
    warehouses = mariadb_warehouses
    fill_recently(warehouses, runs=2, products=8, labwares=60)
    urls = shown(
        LABWHERE_DATABASE_URL=users.make(warehouses.labwhere_url, LABWHERE),
        MLWH_DATABASE_URL=users.make(warehouses.mlwh_url, MLWH),
        MLWH_EVENTS_DATABASE_URL=users.make(warehouses.events_url, EVENTS),
    )
    settings = {"SEQUENCING_PUBLISHER_SINCE": "2000-01-01", "LOAD_LIMIT_THREADS_RUNNING": "1000"}
    daemon = Daemon(writer | settings | urls, state_folder)
    daemon.counts(labware_location.follow)
    lab = LabWhere(warehouses.labwhere)
    lab.change("locations", {"name": "Box 00001"}, name="renamed")
    assert daemon.counts(labware_location.reconcile)["repaired"] > 5
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows
    assert daemon.counts(sequencing_publisher.follow)["published"] > 100
    assert daemon.counts(sequencing_publisher.reconcile)["already_published"] > 100
    assert counted(exchange.received()) == Counter(derived(warehouses).messages.values())
    daemon.close()


def test_the_reference_lists_these_grants() -> None:
    lines = (Path(__file__).parents[2] / "docs" / "reference" / "grants.md").read_text(encoding="utf-8").splitlines()
    for setting, grants in (("LABWHERE", LABWHERE), ("MLWH", MLWH), ("MLWH_EVENTS", EVENTS)):
        (row,) = (line for line in lines if line.startswith(f"| of `{setting}_DATABASE_URL`"))
        assert set(re.findall(r"`([a-z_]+)`", row)) == set(grants)
        assert set(re.findall(r"[A-Z]{6}", row.split("|")[2])) - {"DELETE"} == set(
            ", ".join(grants.values()).split(", ")
        )


def test_orphans_need_one_grant_more(mariadb_warehouses: Warehouses, users: Users, state_folder: Path) -> None:
    warehouses = mariadb_warehouses
    warehouses.fill(labwares=20, runs=0)
    source = users.make(warehouses.labwhere_url, LABWHERE)
    for grants in (MLWH, MLWH | {"labware_location": "SELECT, INSERT, UPDATE, DELETE"}):
        settings = shown(LABWHERE_DATABASE_URL=source, MLWH_DATABASE_URL=users.make(warehouses.mlwh_url, grants))
        daemon = Daemon(settings | {"LABWARE_LOCATION_DELETE_ORPHANS": "true"}, state_folder)
        daemon.counts(labware_location.follow)
        before = len(stored(warehouses.mlwh))
        LabWhere(warehouses.labwhere).remove("labwares", id=3)
        if grants is MLWH:
            failed(daemon.run(labware_location.reconcile), "a grant is missing", "DELETE")
            assert len(stored(warehouses.mlwh)) == before
        else:
            assert daemon.counts(labware_location.reconcile)["deleted"] == 1
            assert len(stored(warehouses.mlwh)) == before - 1
        daemon.close()


@pytest.mark.slow
def test_no_grant_can_be_left_out(mariadb_warehouses: Warehouses, users: Users, state_folder: Path) -> None:
    # Given users who each lack one of the grants that the reference lists.
    # What happens: the task that needs the grant runs as such a user.
    # What must hold: it fails, and its reason names the table and the missing grant.
    warehouses = mariadb_warehouses
    fill_recently(warehouses, runs=2, products=8, labwares=30)
    settings = {"MESSAGES_DIR": str(state_folder / "messages"), "SEQUENCING_PUBLISHER_SINCE": "2000-01-01"}
    daemon = Daemon(warehouses.environment() | settings, state_folder)
    daemon.counts(labware_location.follow)
    daemon.counts(sequencing_publisher.follow)
    moved, shelf = LabWhere(warehouses.labwhere), 45
    moved.scan(1, moved.user(), shelf, at=datetime(2027, 1, 1))
    moved.scan(moved.labware("NEW"), moved.user(), shelf)
    warehouses_of = {
        "LABWHERE_DATABASE_URL": (warehouses.labwhere_url, LABWHERE, labware_location.reconcile),
        "MLWH_DATABASE_URL": (warehouses.mlwh_url, MLWH, sequencing_publisher.reconcile),
        "MLWH_EVENTS_DATABASE_URL": (warehouses.events_url, EVENTS, sequencing_publisher.reconcile),
    }
    for setting, (url, grants, task) in warehouses_of.items():
        for table, may in grants.items():
            rights = may.split(", ")
            for left_out in rights:
                fewer = {**grants, table: ", ".join(right for right in rights if right != left_out)}
                user = users.make(url, {name: right for name, right in fewer.items() if right})
                daemon.close()
                daemon = Daemon(warehouses.environment() | settings | shown(**{setting: user}), state_folder)
                called = labware_location.reconcile if table == "labware_location" else task
                failed(daemon.run(called), table, "missing")
    daemon.close()
