"""Migrating under the daemon's lease: one process at a time, and none beside a daemon that leads.

Given: the state database of the release before.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator

import pytest
from sqlalchemy import URL, Connection, Engine, event

from janitor.engine.migrating import migrate
from janitor.errors import Fenced, Rejected
from janitor.runs import Fence
from janitor.state import State, leases
from janitor.state.holders import new_holder
from janitor.state.migrations import Keep
from janitor.state.tables import SCHEMA_VERSION
from tests.engine.keeping import ELSEWHERE
from tests.small_engine import eventually
from tests.state.migrations.older import older


@pytest.fixture
def old(lite_url: URL) -> Iterator[State]:
    made = older(lite_url, "0005")
    yield made
    made.close()


def test_whoever_migrates_holds_the_lease(old: State) -> None:
    assert migrate(old, "me", 30) == Fence("daemon", 1)
    assert old.version() == SCHEMA_VERSION
    with old.read() as connection:
        assert leases.holder_of(connection, leases.DAEMON) == "me"


def test_nothing_changes_while_another_process_has_the_lease(old: State) -> None:
    with old.begin() as connection:
        fence = leases.acquire(connection, leases.DAEMON, ELSEWHERE, old.now(connection), 60)
    assert fence is not None and migrate(old, "me", 30) is None
    assert old.version() == "0005"
    with old.begin() as connection:
        leases.release(connection, fence)
    assert migrate(old, "me", 30) == Fence("daemon", fence.token + 2)


def test_after_a_killed_migration_the_lease_is_free_at_once(old: State) -> None:
    # Given: a process of this machine was killed as it migrated. What must hold: nobody waits for the end of its lease.
    # What happened on another machine nobody can know: there the lease ends by itself.
    killed = multiprocessing.get_context("fork").Process(target=die_holding_the_lease, args=(old.url,))
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL and old.version() == "0005"
    assert migrate(old, "me", 30) == Fence("daemon", 2) and old.version() == SCHEMA_VERSION


def die_holding_the_lease(url: URL) -> None:
    """Migrate, and be killed at the first table."""

    def kill(connection: Connection, cursor: object, statement: str, *rest: object) -> None:
        if "CREATE TABLE" in statement:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", kill)
    migrate(State(url), new_holder(), 3600)


def test_after_a_migration_elsewhere_the_lease_ends_by_itself(old: State) -> None:
    with old.begin() as connection:
        leases.acquire(connection, leases.DAEMON, ELSEWHERE, old.now(connection), -1)
    assert migrate(old, "me", 30) == Fence("daemon", 2)


def test_a_lease_that_is_lost_ends_the_migration(old: State) -> None:
    # Given: as names are entered, another process takes the lease. What must hold: the migration ends after what it
    # was at, and the version stays. The next migration goes on.
    with old.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE memories (job VARCHAR(191), name VARCHAR(191))")
        connection.exec_driver_sql(
            "CREATE TRIGGER takes_over BEFORE INSERT ON memories "
            f"BEGIN UPDATE leases SET holder = '{ELSEWHERE}', token = token + 1; END"
        )
    with pytest.raises(Fenced, match="another daemon has taken over"):
        migrate(old, "me", 30)
    assert old.version() == "0005"
    with old.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER takes_over")
    assert migrate(old, "me", 30) is not None and old.version() == SCHEMA_VERSION


class Slow(State):
    """A state database whose migration takes longer than the lease lasts."""

    def migrate(self, keep: Keep = lambda connection: None, to: str = SCHEMA_VERSION) -> bool:
        moments: set[object] = set()

        def renewed_often() -> bool:
            with self.read() as connection:
                moments.add(connection.exec_driver_sql("SELECT expires_at FROM leases").scalar())
            return len(moments) > 4

        eventually(renewed_often)
        return super().migrate(keep, to)


def test_the_lease_is_renewed_meanwhile(old: State) -> None:
    # Four renewals, each after a third of the time: a lease that is not renewed would have ended.
    slow = Slow(old.url)
    assert migrate(slow, "me", 0.3) is not None
    assert slow.version() == SCHEMA_VERSION
    slow.close()


def test_an_error_gives_the_lease_back(old: State) -> None:
    # Given a table of a person's own, in the way of an index. Once it is gone, the migration goes on.
    with old.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE actions_by_age (x INTEGER)")
    with pytest.raises(Rejected, match="there is already a table named actions_by_age"):
        migrate(old, "me", 30)
    with old.begin() as connection:
        assert leases.holder_of(connection, leases.DAEMON) is None
        connection.exec_driver_sql("DROP TABLE actions_by_age")
    assert migrate(old, "me", 30) is not None and old.version() == SCHEMA_VERSION
