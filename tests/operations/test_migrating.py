"""Migrating on a person's word: what is to do, and that a daemon keeps it from being done."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL, select

from janitor.errors import JanitorError, Rejected
from janitor.operations import migrating
from janitor.state import State, leases
from janitor.state.tables import SCHEMA_VERSION, actions
from tests.engine.keeping import ELSEWHERE
from tests.state.migrations.older import older


@pytest.fixture
def old(database_url: URL) -> Iterator[State]:
    made = older(database_url, "0005")
    yield made
    made.close()


def test_what_is_to_do_is_told_and_done_once(old: State) -> None:
    sentence, steps = migrating.plan(old)
    assert sentence.endswith("has schema 0005, and this release needs schema 0007: 29 steps, about 1 s in all")
    assert str(steps[2]) == "schema 0006, step 3: fill the table memories from quarantine (1 row, under a second)"
    assert old.version() == "0005"
    assert migrating.migrate(old, "anna", 30).endswith("had schema 0005, and has schema 0007 now")
    assert old.version() == SCHEMA_VERSION
    for said in (migrating.plan(old)[0], migrating.migrate(old, "anna", 30)):
        assert said.endswith("has schema 0007: there is nothing to migrate")
    with old.read() as connection:
        assert leases.holder_of(connection, leases.DAEMON) is None
        (told,) = connection.execute(select(actions.c.actor, actions.c.detail).where(actions.c.action == "migrated"))
        assert tuple(told) == ("anna", "schema 0005 to 0007")


def test_a_daemon_that_leads_is_to_be_stopped_first(old: State) -> None:
    with old.begin() as connection:
        leases.acquire(connection, leases.DAEMON, ELSEWHERE, old.now(connection), 60)
    with pytest.raises(JanitorError, match=r"leads on this state database, or migrates it \(process 1 on elsewhere\)"):
        migrating.migrate(old, "anna", 30)
    assert old.version() == "0005" and len(migrating.plan(old)[1]) == 29


def test_what_is_not_there_is_not_made(database_url: URL) -> None:
    state = State(database_url)
    with pytest.raises(Rejected, match="there is no state database at"):
        migrating.plan(state)
    with pytest.raises(Rejected, match="there is no state database at"):
        migrating.migrate(state, "anna", 30)
    assert state.version() is None
    state.close()
