"""Each statement that the tasks send, explained on filled databases: none scans a source table."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from janitor import databases
from janitor.demo.warehouses import fill
from janitor.tasks import labware_location, sequencing_publisher
from tests.explained import Sends, Sent, noted, scans
from tests.fixtures import Warehouses
from tests.recorded_runs import Daemon
from tests.servers import SqlServer
from tests.tasks.labware_location.labwhere import LabWhere

DICTIONARIES = {"role_types", "event_types", "iseq_run_status_dict"}
LABWARES, RUNS, PRODUCTS = 20_000, 200, 16


def fill_whole(warehouses: Warehouses) -> None:
    """A lab's worth of rows, and what the tasks may find besides."""
    engines, now = (warehouses.labwhere, warehouses.mlwh, warehouses.events), datetime.now(UTC)
    fill(*engines, labwares=LABWARES, runs=RUNS, seed=1, now=now, products=PRODUCTS)


def work(warehouses: Warehouses, folder: Path) -> Sends:
    """Let both tasks do all that they ever do, and note what they send."""
    since = (datetime.now(UTC) - timedelta(days=5)).date().isoformat()
    settings = {
        "MESSAGES_DIR": str(folder / "messages"),
        "SEQUENCING_PUBLISHER_SINCE": since,
        "LABWARE_LOCATION_DELETE_ORPHANS": "true",
    }
    daemon, lab = Daemon(warehouses.environment() | settings, folder), LabWhere(warehouses.labwhere)
    with noted() as sends:
        daemon.counts(labware_location.follow)
        lab.now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        user, number = lab.user(), LABWARES // 40
        with lab.transaction():
            for labware in range(1, number):
                lab.audit("Labware", labware * 39, user)
            for location in (40, 200):  # a shelf and a box
                lab.change("locations", {"id": location}, name="renamed")
                lab.audit("Location", location, user)
            lab.audit("Labware", 7, user, id=lab.audit("Labware", 6, user) + 10)
            lab.remove("labwares", id=3)
        counts = daemon.counts(labware_location.follow)
        assert counts["audits"] == number + 3 and counts["updated"] > number - 20 and counts["quarantined"] > 50
        daemon.counts(labware_location.follow)
        assert daemon.counts(labware_location.reconcile)["deleted"] == 1
        assert daemon.counts(sequencing_publisher.follow)["published"] > 100
        assert daemon.counts(sequencing_publisher.reconcile)["already_published"] > 100
    daemon.close()
    return sends


@pytest.fixture(params=["sqlite", "mariadb"])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouses]:
    """Three filled warehouses."""
    if request.param == "sqlite":
        with Warehouses.in_folder(tmp_path) as made:
            fill_whole(made)
            yield made
        return
    server: SqlServer = request.getfixturevalue("mariadb")
    with Warehouses.on_server(server) as made:
        fill_whole(made)
        for engine in (made.labwhere, made.mlwh, made.events):
            with engine.begin() as connection:
                for (name,) in list(connection.exec_driver_sql("SHOW TABLES")):
                    connection.exec_driver_sql(f"ANALYZE TABLE `{name}`")
        yield made


@pytest.mark.slow
def test_no_statement_scans_a_source_table(filled: Warehouses, state_folder: Path) -> None:
    # Given filled warehouses, on SQLite and on MariaDB.
    # What happens: the tasks do all that they ever do; each statement that they sent is explained.
    # What must hold: no statement reads a source table from end to end. The check itself can fail.
    sends = work(filled, state_folder)
    urls = {filled.labwhere_url, filled.mlwh_url, filled.events_url}
    each = sends.of_each_shape(urls)
    text = " ".join(sent.statement for sent in each)
    shipped = [
        path for task in (labware_location, sequencing_publisher) for path in Path(task.__path__[0]).glob("*.sql")
    ]
    for path in shipped:
        body = path.read_text().splitlines()
        assert body[0] in text, f"{path.name} was not sent"
    for what in ("FROM audits", "FROM iseq_run_status", "INSERT INTO", "UPDATE", "DELETE FROM", "BETWEEN"):
        assert what in text, what
    found = [scan for sent in each for scan in scans(sent, DICTIONARIES)]
    assert found == []
    check_that_it_can_fail(filled)
    databases.dispose()


def check_that_it_can_fail(filled: Warehouses) -> None:
    """A scan is seen: of a table without a fitting index, of a whole index, and of a page in an order without one."""
    for url, statement in (
        (filled.labwhere_url, "SELECT id FROM audits WHERE updated_at > '2026-01-01'"),
        (filled.mlwh_url, "SELECT id_run_status FROM iseq_run_status WHERE id_run = 47001"),
        (filled.labwhere_url, "SELECT COUNT(auditable_type) FROM audits WHERE auditable_type LIKE '%e'"),
        (filled.labwhere_url, "SELECT id FROM audits ORDER BY updated_at LIMIT 10"),
        (filled.labwhere_url, "SELECT id FROM audits WHERE id + 0 > 5 ORDER BY id LIMIT 10"),
    ):
        assert scans(Sent(url, statement, (), {"no_parameters": True}), DICTIONARIES), statement
