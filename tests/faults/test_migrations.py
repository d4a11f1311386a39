"""Migrations that are hindered, on each kind of server: killed, cut, without room, two at once.

Given: the state database of an earlier release. What must hold: sooner or later it has the newest schema and all its
rows. Meanwhile each hindrance is told in a sentence, and the daemons of this release do not give up.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError

from janitor.engine import migrating
from janitor.errors import Rejected, StatementTimeout, Unavailable
from janitor.state import State
from janitor.state.tables import SCHEMA_VERSION
from tests.daemons import daemons
from tests.faults.small_disk import SmallDisk, small_disk
from tests.servers import SqlServer
from tests.small_engine import eventually
from tests.state.migrations.older import CHANGES, RELEASED, cutting, fill, kept, migrate_and_be_killed, older

pytestmark = pytest.mark.slow

MODULE = "tests.faults.effects_daemon"
SECONDS = 90.0


def rows(url: URL) -> dict[str, object]:
    """The rows of each table."""
    state = State(url)
    with state.read() as connection:
        found = kept(connection)
    state.close()
    return found


@contextmanager
def listening(name: str, listener: Callable[..., Any], **options: bool) -> Iterator[None]:
    """Hear of what all engines of this process do, during a block."""
    event.listen(Engine, name, listener, **options)
    try:
        yield
    finally:
        event.remove(Engine, name, listener)


def test_processes_are_killed_as_they_migrate(mariadb_url: URL) -> None:
    older(mariadb_url, RELEASED[0]).close()
    before = rows(mariadb_url)
    migrate_and_be_killed(mariadb_url)
    assert rows(mariadb_url) == before


def test_a_server_that_dies_within_a_step_goes_on(mariadb: SqlServer, mariadb_url: URL) -> None:
    # Given: tables whose indexes take a while. What happens: the server is killed in the middle of a step, and of a
    # later step, and so on. What must hold: whoever migrates hears each time that the server is away, and no more.
    older(mariadb_url, RELEASED[0]).close()
    fill(mariadb_url, 50_000)
    before, after = rows(mariadb_url), 0
    while dies_at(mariadb, mariadb_url, after):
        after += 2
        mariadb.start()
    assert after > 4 and rows(mariadb_url) == before


def dies_at(server: SqlServer, url: URL, after: int) -> bool:
    """Migrate, and kill the server a moment after the next change, after so many others; False if there are no more."""
    killers: list[threading.Timer] = []
    left = [after]

    def kill(connection: object, cursor: object, statement: str, *rest: object) -> None:
        left[0] -= statement.lstrip().startswith(CHANGES)
        if left[0] < 0 and not killers:
            killers.append(threading.Timer(0.02, server.kill))
            killers[0].start()

    state = State(url)
    with listening("before_cursor_execute", kill), suppress(Unavailable):
        state.migrate()
    for killer in killers:
        killer.join()
    state.close()
    return killers != []


def test_a_limit_of_the_server_cuts_no_step(mariadb: SqlServer, mariadb_url: URL) -> None:
    # Given: a server that cuts each statement after 0.3 s. An index takes longer.
    state = older(mariadb_url, RELEASED[0])
    fill(mariadb_url, 300_000)
    with cutting(mariadb, 0.3):
        with state.read() as connection, pytest.raises(StatementTimeout, match="ran over its time limit"):
            connection.execute(text("SELECT COUNT(*) FROM run_logs AS a, run_logs AS b WHERE a.message = b.message"))
        assert migrating.migrate(state, "me", 30) is not None
    assert state.version() == SCHEMA_VERSION
    state.close()


def test_no_row_is_copied_for_a_new_column(mariadb_url: URL) -> None:
    # A server says no to ALGORITHM=INSTANT if it would have to copy rows, which takes hours for a large table.
    added: list[str] = []

    def at_once(connection: object, cursor: object, statement: str, given: object, *rest: object) -> tuple[str, object]:
        if statement.lstrip().startswith("ALTER"):
            added.append(statement)
            statement += ", ALGORITHM=INSTANT"
        return statement, given

    state = older(mariadb_url, RELEASED[0])
    with listening("before_cursor_execute", at_once, retval=True):
        state.migrate()
    assert len(added) == 8 and state.version() == SCHEMA_VERSION
    state.close()


@pytest.fixture
def disk(mariadb: SqlServer) -> Iterator[SmallDisk]:
    """A disk that has room, until it is made smaller."""
    with small_disk(mariadb.disks, "64m") as made:
        yield made


def is_full(disk: SmallDisk, kb: int) -> None:
    """Let a disk have room for so much more."""
    used = sum(one.stat().st_blocks * 512 for one in disk.folder.rglob("*"))
    disk.grow(f"{used // 1024 + kb}k")


def test_a_full_disk_is_told_and_costs_nothing(disk: SmallDisk) -> None:
    url = URL.create("sqlite", database=str(disk.folder / "state.db"))
    older(url, "0002").close()
    fill(url, 60_000)
    goes_on_once_there_is_room(url, disk, 1_000)


def test_a_full_disk_of_a_server_is_told_and_costs_nothing(
    disk: SmallDisk, mariadb: SqlServer, mariadb_url: URL
) -> None:
    older(mariadb_url, "0005").close()
    disk.take(mariadb, mariadb_url, "actions")
    fill(mariadb_url, 10_000)
    disk.grow("30m")
    fill_up(mariadb_url)
    goes_on_once_there_is_room(mariadb_url, disk, 100)


def fill_up(url: URL) -> None:
    """Add actions until a server has no room for more: its file has at most 4 MB to spare then, less than an index."""
    more = "INSERT INTO actions (at, actor, action, job) SELECT at, actor, action, job FROM actions LIMIT 2000"
    engine = create_engine(url)
    with pytest.raises(OperationalError, match="is full"):
        while True:
            with engine.begin() as connection:
                connection.execute(text(more))
    engine.dispose()


def goes_on_once_there_is_room(url: URL, disk: SmallDisk, kb: int) -> None:
    """Make sure that a migration needs more room than so much, says so, and goes on."""
    state, before = State(url), rows(url)
    version = state.version()
    is_full(disk, kb)
    with pytest.raises(Rejected, match="full"):
        migrating.migrate(state, "me", 30)
    assert state.version() == version
    disk.grow("64m")
    assert migrating.migrate(state, "me", 30) is not None
    assert state.version() == SCHEMA_VERSION and rows(url) == before
    state.close()


def test_two_daemons_that_start_at_once_migrate_once(database_url: URL, tmp_path: Path) -> None:
    older(database_url, "0003").close()
    with daemons(MODULE, tmp_path, JOBS="2", EFFECTS=str(tmp_path / "effects")) as start:
        both = [start(database_url, name) for name in ("first", "second")]
        eventually(lambda: any("leading with" in one.text for one in both), "one leads", SECONDS)
        leader, other = sorted(both, key=lambda one: "leading with" not in one.text)
        eventually(lambda: "standing by" in other.text or "leads or migrates" in other.text, "one waits", SECONDS)
        leader.close()
        other.says("leading with", seconds=SECONDS)
        assert other.end() == 0
    said = "".join(one.text for one in both)
    assert said.count("schema 0007, step 22: ") == 1 and "Traceback" not in said


def test_a_daemon_that_is_killed_as_it_migrates_is_followed(mariadb_url: URL, tmp_path: Path) -> None:
    # Given: a session has a table that a step needs. So the daemon that migrates waits, says so, and is killed.
    # What must hold: the other daemon goes on at once, and leads once the session has ended. One that is asked to stop
    # meanwhile stops in time.
    older(mariadb_url, "0005").close()
    holding = create_engine(mariadb_url)
    with holding.connect() as holder, daemons(MODULE, tmp_path, JOBS="2", EFFECTS=str(tmp_path / "effects")) as start:
        holder.execute(text("SELECT * FROM actions"))
        first = start(mariadb_url, "first")
        first.says("is tried again", seconds=SECONDS)
        second = start(mariadb_url, "second")
        second.says("leads or migrates", seconds=SECONDS)
        first.close()
        second.says("is tried again", seconds=SECONDS)
        assert second.end() == 0
        assert "stopped in the middle of a migration" in second.text and "does not answer" not in second.text
        third = start(mariadb_url, "third")
        third.says("is tried again", seconds=SECONDS)
        holder.rollback()
        third.says("leading with", seconds=SECONDS)
        assert third.end() == 0
        assert "Traceback" not in first.text + second.text + third.text
    holding.dispose()
