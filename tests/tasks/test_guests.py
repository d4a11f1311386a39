"""The tasks as guests in the source databases: they lock nothing there, hold nothing open, and read what they need."""

import threading
from collections import Counter
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from janitor import databases
from janitor.databases import Limits
from janitor.tasks import labware_location, sequencing_publisher
from tests.fixtures import Warehouses
from tests.recorded_runs import Daemon
from tests.servers import SqlServer
from tests.tasks.labware_location.labwhere import LabWhere
from tests.tasks.labware_location.oracle import expected, stored
from tests.tasks.labware_location.test_reconcile import until, waiting_for_a_lock
from tests.tasks.rows import Tables, fill_recently
from tests.tasks.sequencing_publisher.consumer import in_files
from tests.tasks.sequencing_publisher.oracle import derived
from tests.tasks.sequencing_publisher.warehouse import Warehouse

TASKS = (
    labware_location.follow,
    labware_location.reconcile,
    sequencing_publisher.follow,
    sequencing_publisher.reconcile,
)
TARGET = "labware_location"
READ = "first", "key", "last", "next", "prev", "rnd", "rnd_next"


def daemon_on(warehouses: Warehouses, folder: Path) -> Daemon:
    """A daemon that publishes every status into files."""
    settings = {"MESSAGES_DIR": str(folder / "messages"), "SEQUENCING_PUBLISHER_SINCE": "2000-01-01"}
    return Daemon(warehouses.environment() | settings, folder)


def test_locked_sources_are_read_all_the_same(mariadb_warehouses: Warehouses, state_folder: Path) -> None:
    # Given another program that has locked every row of the sources.
    # What happens: each task runs, with a limit of two seconds for a statement.
    # What must hold: no task waits for a lock, and all results are there.
    warehouses = mariadb_warehouses
    fill_recently(warehouses, runs=2, products=8, labwares=60)
    rows, messages = expected(warehouses.labwhere).rows, Counter(derived(warehouses).messages.values())
    daemon = daemon_on(warehouses, state_folder)
    databases.configure(Limits(2.0, 5.0))
    try:
        with ExitStack() as locked:
            for engine in (warehouses.labwhere, warehouses.mlwh, warehouses.events):
                connection = locked.enter_context(engine.begin())
                for (name,) in connection.execute(text("SHOW TABLES")).all():
                    if name != TARGET:
                        connection.execute(text(f"SELECT * FROM `{name}` FOR UPDATE")).all()
            for task in TASKS:
                daemon.counts(task)
        assert stored(warehouses.mlwh) == rows and len(rows) > 50
        assert in_files(state_folder / "messages") == messages and len(messages) > 50
    finally:
        databases.configure(Limits())
        daemon.close()


def test_a_source_is_let_go_while_the_target_is_written(mariadb_warehouses: Warehouses, state_folder: Path) -> None:
    # Given another program that has locked the target's rows.
    # What happens: follow has read its source, and waits for the lock to write.
    # What must hold: follow has a transaction open in the target, and none in the source.
    warehouses, server = mariadb_warehouses, mariadb_warehouses.server
    assert server is not None
    daemon, lab = daemon_on(warehouses, state_folder), LabWhere(warehouses.labwhere)
    labware, user = lab.labware("DN1A"), lab.user()
    lab.scan(labware, user, lab.location("Old"))
    daemon.counts(labware_location.follow)
    lab.scan(labware, user, lab.location("New"))
    run = threading.Thread(target=daemon.run, args=(labware_location.follow,))
    with warehouses.mlwh.begin() as other:
        other.execute(text(f"SELECT * FROM {TARGET} FOR UPDATE")).all()
        run.start()
        until(lambda: bool(waiting_for_a_lock(warehouses)))
        query = "SELECT p.db FROM information_schema.innodb_trx t JOIN information_schema.processlist p"
        held = [row[0] for row in server.execute(f"{query} ON p.id = t.trx_mysql_thread_id")]
    run.join()
    assert warehouses.mlwh_url.database in held and warehouses.labwhere_url.database not in held
    assert stored(warehouses.mlwh)["DN1A"]["location_name"] == "New"
    daemon.close()


class Reads:
    """How many rows a server has read since this was made, by its own count."""

    def __init__(self, server: SqlServer) -> None:
        self._server = server
        first, self._before = self._count(), self._count()
        # To ask is to read: the answer is a table.
        self._asking = self._before - first

    def _count(self) -> int:
        names = ", ".join(f"'Handler_read_{name}'" for name in READ)
        found = self._server.execute(f"SHOW GLOBAL STATUS WHERE Variable_name IN ({names})")
        return sum(int(value) for _, value in found)

    @property
    def rows(self) -> int:
        """Without those of the asking itself."""
        return self._count() - self._before - self._asking


@pytest.mark.slow
def test_a_tick_costs_what_changed_at_any_size(mariadb: SqlServer, tmp_path: Path) -> None:
    # Given a small lab, and a lab of four times its size.
    # What happens: in both, each follow runs once without news and once with the same few news.
    # What must hold: a run reads about as many rows in the large lab as in the small one.
    costs: list[list[int]] = []
    for labwares, runs in ((2_000, 60), (8_000, 240)):
        with Warehouses.on_server(mariadb) as warehouses:
            fill_recently(warehouses, runs=runs, products=8, labwares=labwares)
            analyze(warehouses)
            costs.append(costs_of_ticks(warehouses, mariadb, tmp_path / str(runs)))
    for small, large in zip(*costs, strict=True):
        assert large <= 1.2 * small + 5, costs
    _, of_audits, _, of_products = costs[0]
    assert of_audits > 3 and of_products > 8  # what is read is counted


def analyze(warehouses: Warehouses) -> None:
    """Let the server know how large the tables are, as it comes to know by itself after a while."""
    for engine in (warehouses.labwhere, warehouses.mlwh, warehouses.events):
        with engine.begin() as connection:
            for (name,) in connection.execute(text("SHOW TABLES")).all():
                connection.execute(text(f"ANALYZE TABLE `{name}`")).all()


def costs_of_ticks(warehouses: Warehouses, server: SqlServer, folder: Path) -> list[int]:
    """How many rows a tick of each follow reads: without news, with three audits, with one status of eight products."""
    folder.mkdir()
    daemon = Daemon(warehouses.environment() | {"MESSAGES_DIR": str(folder / "messages")}, folder)
    lab, made = LabWhere(warehouses.labwhere), Warehouse.__new__(Warehouse)
    made.mlwh, made.now = Tables(warehouses.mlwh), datetime(2026, 7, 1)

    def read_by(task: Any, name: str, news: int) -> int:
        reads = Reads(server)
        assert daemon.counts(task)[name] == news
        return reads.rows

    daemon.counts(labware_location.follow)
    quiet_labware = read_by(labware_location.follow, "audits", 0)
    user = lab.user()
    for labware in (2, 3, 4):
        lab.audit("Labware", labware, user, datetime(2030, 1, 1))
    changed_labware = read_by(labware_location.follow, "audits", 3)
    daemon.counts(sequencing_publisher.follow)
    quiet_status = read_by(sequencing_publisher.follow, "statuses", 0)
    # Samples of one manifest, which is as long in a large warehouse as in a small one.
    for sample in range(1, 9):
        made.product(1, sample, 1)
    made.status(1)
    changed_status = read_by(sequencing_publisher.follow, "statuses", 1)
    daemon.close()
    return [quiet_labware, changed_labware, quiet_status, changed_status]
