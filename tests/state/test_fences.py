"""Fences.

Given: a process that holds leases, and another process that takes one over.
What happens: both write, one after the other or at the same time.
What must hold: whoever lost a lease writes nothing, and a takeover waits for a write that began.
"""

from datetime import timedelta

import pytest
from sqlalchemy import text

from janitor.errors import Fenced, Unavailable
from janitor.runs import Fence
from janitor.state import State, cursors, leases
from tests.servers import SqlServer
from tests.small_engine import migrated, now


def test_a_lost_lease_lets_nothing_be_written(state: State) -> None:
    with state.begin() as connection:
        fence = leases.acquire(connection, "daemon", "me", now(), 60)
    assert fence is not None
    with state.begin(fence) as connection:
        cursors.save(connection, "feed", "seven", now(), 1)
    later = now() + timedelta(seconds=61)
    with state.begin() as connection:
        assert leases.acquire(connection, "daemon", "another", later, 60) == Fence("daemon", 2)
    with pytest.raises(Fenced, match="another process holds daemon"), state.begin(fence) as connection:
        cursors.save(connection, "feed", "eight", now(), 1)
    with state.begin() as connection:
        assert cursors.load(connection, "feed") == "seven"


def test_each_of_several_leases_has_to_stand(state: State) -> None:
    with state.begin() as connection:
        fences = [leases.acquire(connection, name, "me", now(), 60) for name in ("daemon", "job:a")]
    assert fences[0] is not None and fences[1] is not None
    with state.begin(fences[0], fences[1]):
        pass
    with pytest.raises(Fenced, match="another process holds job:a now"), state.begin(fences[0], Fence("job:a", 7)):
        pass


def test_a_takeover_waits_for_a_write_that_began(mariadb: SqlServer) -> None:
    first, second = migrated(mariadb.create_database()), None
    with first.begin() as connection:
        fence = leases.acquire(connection, "daemon", "me", first.now(connection), 60)
    assert fence is not None
    second = State(first.url)
    with first.begin(fence) as connection:
        cursors.save(connection, "feed", "seven", now(), 1)
        with pytest.raises(Unavailable, match="waited too long for a lock"), second.begin() as other:
            other.execute(text("SET innodb_lock_wait_timeout = 1"))
            leases.acquire(other, "daemon", "another", now() + timedelta(hours=1), 60)
    first.close()
    second.close()
