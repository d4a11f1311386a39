"""Each statement that the tasks send, explained on filled databases: none scans a source table."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import URL, Connection, Engine, event

from janitor import databases
from janitor.demo.warehouses import fill
from janitor.tasks import labware_location, sequencing_publisher
from tests.fixtures import Warehouses
from tests.recorded_runs import Daemon
from tests.servers import SqlServer
from tests.tasks.labware_location.labwhere import LabWhere

DICTIONARIES = {"role_types", "event_types", "iseq_run_status_dict"}
LABWARES, RUNS, PRODUCTS = 20_000, 200, 16


class Sent(NamedTuple):
    """A statement as it went to a database."""

    url: URL
    statement: str
    parameters: Any
    options: Any

    @property
    def shape(self) -> str:
        """The statement without its values: lists of any length are one shape."""
        bare = re.sub(r"'[^']*'|\"[^\"]*\"|%s|%\(\w+\)s|\?|:\w+|\b\d+\b", "?", self.statement)
        return re.sub(r"[\s,()?]+", " ", bare)


class Sends(list[Sent]):
    """All that was sent to the warehouses."""

    def note(self, connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, *_: Any) -> None:
        """Remember a statement, as SQLAlchemy tells of it."""
        if re.match(r"\s*(--.*\n\s*)*(SELECT|INSERT|UPDATE|DELETE)", statement):
            self.append(Sent(connection.engine.url, statement, parameters, context.execution_options))

    def of_each_shape(self, urls: set[URL]) -> list[Sent]:
        """The shortest and the longest of each shape."""
        found: dict[tuple[URL, str], list[Sent]] = {}
        for sent in self:
            if sent.url in urls and not re.search("information_schema|sqlite_master", sent.statement):
                found.setdefault((sent.url, sent.shape), []).append(sent)
        return [pick(each, key=lambda one: len(one.statement)) for each in found.values() for pick in (min, max)]


@contextmanager
def noted() -> Iterator[Sends]:
    """Note what is sent inside the block."""
    sends = Sends()
    event.listen(Engine, "before_cursor_execute", sends.note)
    try:
        yield sends
    finally:
        event.remove(Engine, "before_cursor_execute", sends.note)


def scans(sent: Sent) -> list[str]:
    """The tables that a statement reads from end to end, dictionaries and what has a LIMIT aside."""
    if re.match(r"INSERT INTO \S+ \([^)]*\) VALUES", sent.statement):
        return []  # it reads nothing, which MariaDB calls ALL
    with databases.begin(sent.url) as connection:
        explain = "EXPLAIN QUERY PLAN " if databases.family(sent.url) == "sqlite" else "EXPLAIN FORMAT=TRADITIONAL "
        cursor = connection.connection.cursor()
        if sent.options.get("no_parameters"):
            cursor.execute(explain + sent.statement)
        else:
            many = sent.parameters and isinstance(sent.parameters, list)
            cursor.execute(explain + sent.statement, sent.parameters[0] if many else sent.parameters)
        names = [column[0].lower() for column in cursor.description or ()]
        plan = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return _sqlite_scans(plan, sent) if databases.family(sent.url) == "sqlite" else _mysql_scans(plan, sent)


def _mysql_scans(plan: list[dict[str, Any]], sent: Sent) -> list[str]:
    found = []
    for step in plan:
        table, kind = str(step["table"]), step["type"]
        bounded = kind == "index" and _is_bounded(sent) and "filesort" not in str(step["extra"])
        made_up = table.startswith("<") or table == "s"  # a derived table, or the values of the statement itself
        if kind in ("ALL", "index") and not bounded and not made_up and table not in DICTIONARIES:
            found.append(f"{table} ({kind}): {sent.statement[:300]}")
    return found


def _is_bounded(sent: Sent) -> bool:
    """Whether a scan ends soon: a condition that the index does not serve could pass over any number of rows first."""
    return "LIMIT" in sent.statement and "WHERE" not in sent.statement.replace("WHERE 1 ", "")


def _sqlite_scans(plan: list[dict[str, Any]], sent: Sent) -> list[str]:
    found = []
    sorts = any("TEMP B-TREE FOR ORDER BY" in step["detail"] for step in plan)
    for step in plan:
        scanned = re.match(r"SCAN (\w+)", step["detail"])
        bounded = _is_bounded(sent) and not sorts
        if scanned and scanned[1] not in DICTIONARIES | {"page", "newest", "CONSTANT"} and not bounded:
            found.append(f"{scanned[0]}: {sent.statement[:300]}")
    return found


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
    found = [scan for sent in each for scan in scans(sent)]
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
        assert scans(Sent(url, statement, (), {"no_parameters": True})), statement
