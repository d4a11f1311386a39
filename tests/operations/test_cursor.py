"""A job's cursor in a person's hands: shown in words, moved, and refused while the job runs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.errors import BadSetting, JanitorError
from janitor.feeds import TimePosition
from janitor.feeds.position import Position, position_after
from janitor.operations import cursor
from janitor.state import State, actions, cursors, leases
from tests.small_engine import migrated, now, remember_run, rows_of

LEASE_SECONDS = 30.0


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """A state database in which `copy` has read its feed up to id 41."""
    made = migrated(URL.create("sqlite", database=str(tmp_path / "state.db")))
    save(made, position_after("41"))
    yield made
    made.close()


def save(state: State, position: str) -> None:
    with state.begin() as connection:
        cursors.save(connection, "copy", position, now(), 1)


def move(state: State, value: str, job: str = "copy") -> None:
    cursor.move(state, job, value, "anna", now(), LEASE_SECONDS)


def settled(state: State) -> int | None:
    """Up to which id all is settled; None without a cursor."""
    found = cursor.read(state, "copy")
    return None if found is None else int(found["settled"])


def done(state: State) -> list[tuple[str, str | None, str]]:
    with state.read() as connection:
        return [(row.action, row.job, row.detail) for row in actions.listing(connection)]


def test_a_cursor_moves_and_the_lease_is_free_again(state: State) -> None:
    move(state, "17")
    move(state, "5")
    assert settled(state) == 5
    assert done(state) == [("cursor set", "copy", "5; it was at 17"), ("cursor set", "copy", "17; it was at 41")]


def test_start_forgets_the_cursor(state: State) -> None:
    move(state, cursor.START)
    assert cursor.read(state, "copy") is None
    assert cursor.sentence("copy", None) == "copy has no cursor: its next run begins anew"


def test_the_cursor_of_a_running_job_stays(state: State) -> None:
    # Given a job whose lease a run holds.
    # What happens: a person sets the job's cursor.
    # What must hold: the wish is refused, cursor and history are as before.
    with state.begin() as connection:
        assert leases.acquire(connection, leases.job_lease("copy"), "a run", state.now(connection), LEASE_SECONDS)
    with pytest.raises(JanitorError, match="^copy is running: set its cursor once it has ended, or pause it first$"):
        move(state, "17")
    assert settled(state) == 41 and done(state) == []


@pytest.mark.parametrize("value", ["17", cursor.START])
def test_a_job_without_a_cursor_is_refused_and_stays_free(value: str, state: State) -> None:
    for _ in range(2):
        with pytest.raises(BadSetting, match="JOB is 'other': it has no cursor"):
            move(state, value, job="other")
    assert done(state) == []


def test_a_cursor_of_another_kind_is_told_and_only_begins_anew(state: State) -> None:
    for position in (TimePosition(datetime(2026, 7, 1)).dump(), "page 7"):
        save(state, position)
        assert cursor.sentence("copy", cursor.read(state, "copy")) == "copy has a cursor of its own kind"
        with pytest.raises(
            BadSetting, match="--set is '17': copy does not follow ids: only 'start' lets it begin anew"
        ):
            move(state, "17")
        move(state, cursor.START)
        assert done(state)[0] == ("cursor set", "copy", "start; it was at a place of its own kind")


def test_a_snapshot_that_goes_on_is_told(state: State) -> None:
    found = cursor.read(state, "copy")
    assert found is not None and "snapshot" not in cursor.sentence("copy", found)
    save(state, replace(Position.load(position_after("41")), snapshot_after=9).dump())
    assert cursor.sentence("copy", cursor.read(state, "copy")).endswith("; its snapshot goes on after key 9")


def test_a_cursor_of_another_name_is_not_set_while_its_job_runs(state: State) -> None:
    # Given a cursor that has its task's name, last saved by a run of the job `sync`, which runs again.
    # What must hold: neither by the job nor by the cursor's name is it set; nor does a lease stay taken.
    remember_run(state, "sync", now())
    (saved,) = rows_of(state)
    with state.begin() as connection:
        cursors.save(connection, "task", position_after("41"), now(), saved.id)
        running = leases.acquire(connection, leases.job_lease("sync"), "elsewhere 1 2 3", now(), LEASE_SECONDS)
    assert running is not None
    for job in ("sync", "task"):
        with pytest.raises(JanitorError, match="sync is running"):
            cursor.move(state, job, "17", "anna", now(), LEASE_SECONDS, "task")
    with state.begin() as connection:
        leases.release(connection, running)
    for job in ("sync", "task", "sync"):
        cursor.move(state, job, "17", "anna", now(), LEASE_SECONDS, "task")
    found = cursor.read(state, "sync", "task")
    assert found is not None and (found["job"], found["settled"]) == ("sync", 17)
