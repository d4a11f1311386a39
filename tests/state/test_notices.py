"""Notices: each is open until it ends, and it ends once."""

import pytest
from sqlalchemy import select

from janitor.state import State, deliveries, notices
from janitor.state.tables import deliveries as delivery_rows
from janitor.state.tables import notices as notice_rows
from tests.state.history import MINUTE, NOW


def begun(state: State, job: str = "a", minute: int = 0) -> int:
    with state.begin() as connection:
        return notices.begin(connection, "failed", job, f"{job} failed", 7, NOW + minute * MINUTE)


def ids_of_open(state: State) -> list[int]:
    """The open notices, as they are listed; as many must be counted."""
    with state.read() as connection:
        found = [row.id for row in notices.still_open(connection)]
        assert notices.count_open(connection) == len(found)
    return found


def test_a_notice_is_open_from_its_beginning(state: State) -> None:
    first, second = begun(state), begun(state, "b")
    with state.read() as connection:
        row = notices.still_open(connection)[0]
    assert (row.rule, row.job, row.text, row.run_id) == ("failed", "a", "a failed", 7)
    assert row.began_at == row.told_at == NOW and row.ended_at is None
    assert ids_of_open(state) == [first, second]


def test_a_notice_ends_once(state: State) -> None:
    first, second = begun(state), begun(state, "b")
    with state.begin() as connection:
        assert notices.end(connection, first, NOW + MINUTE)
        assert not notices.end(connection, first, NOW + 2 * MINUTE)
        assert not notices.end(connection, 99, NOW)
        ended_at = connection.execute(select(notice_rows.c.ended_at).where(notice_rows.c.id == first)).scalar()
    assert ended_at == NOW + MINUTE and ids_of_open(state) == [second]


def test_only_an_open_notice_is_told_again(state: State) -> None:
    notice = begun(state)
    with state.begin() as connection:
        assert notices.tell_again(connection, notice, "still so", 8, NOW + MINUTE)
        notices.end(connection, notice, NOW + 2 * MINUTE)
        assert not notices.tell_again(connection, notice, "too late", 9, NOW + 3 * MINUTE)
        row = connection.execute(select(notice_rows)).one()
    assert (row.text, row.run_id, row.began_at, row.told_at) == ("still so", 8, NOW, NOW + MINUTE)


def test_old_notices_go_with_their_deliveries(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given three notices that ended at minutes 0, 1 and 2, and an open notice, each with a delivery.
    # All that ended before minute 2 is deleted, one notice at a time.
    # The open notice, the notice that ended later, and their deliveries stay.
    monkeypatch.setattr(notices, "BATCH", 1)
    ids = [begun(state, minute=-9) for _ in range(4)]
    with state.begin() as connection:
        for number, notice in enumerate(ids):
            deliveries.add(connection, notice, "email", deliveries.BEGAN, "{}", NOW)
            if number < 3:
                notices.end(connection, notice, NOW + number * MINUTE)
    with state.begin() as connection:
        assert [notices.prune(connection, NOW + 2 * MINUTE) for _ in range(3)] == [1, 1, 0]
        left = [list(connection.execute(select(column)).scalars()) for column in KEPT]
    assert left == [ids[2:], ids[2:]]


KEPT = (notice_rows.c.id, delivery_rows.c.notice_id)
