"""labware_location when something fails: said in words, nothing half done, nothing lost by the next run."""

import random
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor import databases
from janitor.databases import Limits
from janitor.state import cursors
from janitor.state.run_records import Ending
from janitor.tasks.labware_location import follow, reconcile, rows
from tests.fixtures import Warehouses
from tests.recorded_runs import Daemon
from tests.servers import MariaDB, free_port
from tests.tasks.labware_location.labwhere import LabWhere
from tests.tasks.labware_location.oracle import expected, stored
from tests.tasks.labware_location.test_sync import position
from tests.tasks.once import killed_after
from tests.tasks.rows import Tables

SECRET = "S3cret-Pass"
FULL = {
    "sqlite": "CREATE TRIGGER full BEFORE INSERT ON labware_location WHEN (SELECT COUNT(*) FROM labware_location) > 25 "
    "BEGIN SELECT abs(-9223372036854775808); END",  # integer overflow: nothing that a row holds
    "mysql": "CREATE TRIGGER full BEFORE INSERT ON labware_location FOR EACH ROW "
    "IF (SELECT COUNT(*) FROM labware_location) > 25 THEN "
    "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full'; END IF",
}


def failed(ending: Ending, *words: str) -> None:
    """The run failed, and its reason is one sentence that holds these words and no password."""
    assert ending.outcome.value == "failed"
    reason = ending.reason or ""
    assert all(word in reason for word in words), reason
    assert "\n" not in reason and "Error" not in reason.split(":")[0], reason
    assert SECRET not in f"{reason}{ending.traceback}"


@pytest.mark.parametrize("task", [follow, reconcile])
@pytest.mark.parametrize("kind", ["sqlite_warehouses", "own_databases"])
def test_a_sync_cut_off_in_the_middle_goes_on_there(
    task: Callable[..., object],
    kind: str,
    request: pytest.FixtureRequest,
    state_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warehouses: Warehouses = request.getfixturevalue(kind)
    monkeypatch.setattr(rows, "PAGE_ROWS", 10)
    warehouses.fill(labwares=60, runs=0)
    target = Tables(warehouses.mlwh)
    target.execute(FULL["mysql" if warehouses.server else "sqlite"])
    daemon = Daemon(warehouses.environment(), state_folder)
    failed(daemon.run(task), "full" if warehouses.server else "overflow")
    wanted = expected(warehouses.labwhere).rows
    written = stored(warehouses.mlwh)
    assert 0 < len(written) < len(wanted)
    if task is follow:
        cut = position(daemon)
        assert cut is not None and cut.snapshot_after is not None and cut.snapshot_after >= 20
    target.execute("DROP TRIGGER full")
    lab = LabWhere(warehouses.labwhere)
    moved = lab.all("labwares", "id")[0]["id"]
    lab.scan(moved, lab.user(), lab.location("Moved meanwhile"))
    counts = daemon.counts(task)
    if task is follow:
        assert counts["labwares"] < 60  # it did not begin anew
        assert counts["audits"] == 1
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows
    daemon.close()


@pytest.mark.slow
def test_a_server_that_stops_in_the_middle(
    mariadb_warehouses: Warehouses, mariadb: MariaDB, state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given follow in the middle of its first walk through all labwares.
    # What happens: the server dies, follow fails, and fails again; then the server is back.
    # What must hold: the next run goes on from the last page, and every row is as expected.
    monkeypatch.setattr(rows, "PAGE_ROWS", 5)
    mariadb_warehouses.fill(labwares=400, runs=0)
    daemon = Daemon(mariadb_warehouses.environment(), state_folder)
    endings: list[Ending] = []
    run = threading.Thread(target=lambda: endings.append(daemon.run(follow)))
    run.start()
    deadline = time.monotonic() + 30
    while (cut := position(daemon)) is None or not cut.snapshot_after:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    mariadb.kill()
    run.join()
    failed(endings[0], "127.0.0.1")
    failed(daemon.run(follow), "cannot be reached")
    cut = position(daemon)
    assert cut is not None and cut.snapshot_after is not None
    mariadb.start()
    for engine in (mariadb_warehouses.labwhere, mariadb_warehouses.mlwh):
        engine.dispose()
    assert 0 < len(stored(mariadb_warehouses.mlwh)) < 390
    assert daemon.counts(follow)["labwares"] < 400
    assert stored(mariadb_warehouses.mlwh) == expected(mariadb_warehouses.labwhere).rows
    daemon.close()


def test_each_thing_a_server_says_no_to_is_in_words(own_databases: Warehouses, state_folder: Path) -> None:
    warehouses, server = own_databases, own_databases.server
    assert server is not None
    warehouses.fill(labwares=30, runs=0)
    lab, target = LabWhere(warehouses.labwhere), Tables(warehouses.mlwh)
    good = warehouses.environment()
    source, mlwh = warehouses.labwhere_url, warehouses.mlwh_url
    away = source.set(port=free_port(), username="reader", password=SECRET)
    stranger = source.set(username="stranger", password=SECRET)

    def run(**changes: URL) -> Ending:
        shown = {name: url.render_as_string(hide_password=False) for name, url in changes.items()}
        daemon = Daemon(good | shown, state_folder)
        try:
            return daemon.run(follow)
        finally:
            daemon.close()

    failed(run(LABWHERE_DATABASE_URL=away), f"127.0.0.1:{away.port}", "cannot be reached")
    failed(run(MLWH_DATABASE_URL=away.set(database=mlwh.database)), "cannot be reached")
    failed(run(LABWHERE_DATABASE_URL=stranger), "access denied", "stranger", "check the user and the password")
    failed(run(LABWHERE_DATABASE_URL=source.set(database="nothing")), "no such database", "nothing")
    for table, column, of in (
        ("audits", "user_id", lab),
        ("labwares", "coordinate_id", lab),
        ("users", "login", lab),
        ("labware_location", "location_name", target),
    ):
        of.execute(f"RENAME TABLE {table} TO hidden")
        failed(run(), "a table is missing", table)
        of.execute(f"RENAME TABLE hidden TO {table}")
        of.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO hidden")
        failed(run(), "a column is missing", column)
        of.execute(f"ALTER TABLE {table} RENAME COLUMN hidden TO {column}")
        assert stored(warehouses.mlwh) == {}
    daemon = Daemon(good, state_folder)
    daemon.run(follow)
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows
    daemon.close()


def test_a_statement_over_its_limit_fails_the_run(mariadb_warehouses: Warehouses, state_folder: Path) -> None:
    warehouses = mariadb_warehouses
    warehouses.fill(labwares=30, runs=0)
    daemon = Daemon(warehouses.environment(), state_folder)
    databases.configure(Limits(1.0, 5.0))
    try:
        daemon.run(follow)
        before, cursor = stored(warehouses.mlwh), position(daemon)
        lab = LabWhere(warehouses.labwhere)
        lab.scan(1, lab.user(), lab.location("Moved"))
        with Tables(warehouses.mlwh).transaction() as other:
            other.exec_driver_sql("SELECT * FROM labware_location FOR UPDATE")
            ending = daemon.run(follow)
            failed(ending, "127.0.0.1")
            # Both limits are a second here: the statement's, and that of waiting for a lock.
            assert re.search("over its time limit|waited too long for a lock", ending.reason or "")
        assert (stored(warehouses.mlwh), position(daemon)) == (before, cursor)
        daemon.counts(follow)
        assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows
    finally:
        databases.configure(Limits())
        daemon.close()


def test_a_missing_file_or_table_of_sqlite(sqlite_warehouses: Warehouses, state_folder: Path) -> None:
    good = sqlite_warehouses.environment()
    sqlite_warehouses.fill(labwares=20, runs=0)
    daemon = Daemon(good | {"LABWHERE_DATABASE_URL": f"sqlite:///{state_folder}/none.db"}, state_folder)
    failed(daemon.run(follow), "none.db", "cannot be opened", "check the path")
    assert not (state_folder / "none.db").exists()
    daemon.close()
    lab = LabWhere(sqlite_warehouses.labwhere)
    lab.execute("ALTER TABLE users RENAME TO hidden")
    daemon = Daemon(good, state_folder)
    failed(daemon.run(follow), "a table is missing", "users")
    assert stored(sqlite_warehouses.mlwh) == {}
    lab.execute("ALTER TABLE hidden RENAME TO users")
    daemon.run(follow)
    assert stored(sqlite_warehouses.mlwh) == expected(sqlite_warehouses.labwhere).rows
    daemon.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [7])
def test_kill_9_at_any_moment_loses_nothing(seed: int, warehouses: Warehouses, state_folder: Path) -> None:
    # Given a lab that goes on working, and follow in a process of its own.
    # What happens: the process is killed at a random moment, three times.
    # What must hold: the next run brings every row up to date, and closes the dead runs.
    warehouses.fill(labwares=400, runs=0, seed=seed)
    lab, chance = LabWhere(warehouses.labwhere), random.Random(seed)
    user = lab.user()
    killed = 0
    for turn in range(3):
        ended = killed_after("labware_location.follow", state_folder, warehouses.environment(), chance.uniform(0, 0.3))
        killed += ended is None
        with lab.transaction():
            for _ in range(60):
                lab.scan(chance.randint(1, 400), user, lab.location(f"Turn {turn}"))
    assert killed
    daemon = Daemon(warehouses.environment(), state_folder)
    daemon.run(follow, "labware_location.follow")
    assert stored(warehouses.mlwh) == expected(warehouses.labwhere).rows
    with daemon.state.begin() as connection:
        assert cursors.load(connection, "labware_location") is not None
        running = connection.exec_driver_sql("SELECT COUNT(*) FROM runs WHERE outcome IS NULL").scalar()
    assert running == 0
    daemon.close()
