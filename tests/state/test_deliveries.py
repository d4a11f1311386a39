"""Deliveries: each channel tells of a notice in order, once, and what became of it stays on record."""

from typing import Any

from janitor.state import State, deliveries, notices
from janitor.state.deliveries import BEGAN, DELIVERED, ENDED, GIVEN_UP, REPEATED
from tests.state.history import MINUTE, NOW


def notice_of(state: State, *kinds: str, channel: str = "email") -> list[int]:
    """A notice, and a delivery of each kind for a channel; the ids of those that wait."""
    with state.begin() as connection:
        notice = notices.begin(connection, "failed", "a", "a failed", 7, NOW)
        for kind in kinds:
            deliveries.add(connection, notice, channel, kind, f"text of {kind}", NOW)
    return waiting(state, channel)


def waiting(state: State, channel: str = "email", limit: int = 9) -> list[int]:
    with state.read() as connection:
        return [row.id for row in deliveries.waiting_of(connection, channel, limit)]


def close(state: State, delivery: int, outcome: str, minute: int, reason: str | None = None) -> bool:
    with state.begin() as connection:
        return deliveries.close(connection, delivery, outcome, NOW + minute * MINUTE, reason)


def channels(state: State) -> list[dict[str, Any]]:
    with state.read() as connection:
        return deliveries.of_channels(connection)


def test_what_is_added_waits_for_its_channel_in_order(state: State) -> None:
    mine = notice_of(state, BEGAN, ENDED)
    theirs = notice_of(state, BEGAN, channel="slack")
    with state.read() as connection:
        first = deliveries.next_of(connection, "email")
        assert deliveries.next_of(connection, "teams") is None
    assert first is not None
    assert (first.id, first.kind, first.content, first.tries) == (mine[0], BEGAN, "text of began", 0)
    assert first.added_at == first.due_at == NOW
    assert (waiting(state), waiting(state, limit=1), waiting(state, "slack")) == (mine, mine[:1], theirs)


def test_a_repeat_does_not_wait_behind_an_earlier_delivery(state: State) -> None:
    # Given a channel that has told nothing of a notice yet.
    # The notice is repeated: nothing more waits. Once the channel has told it, a repeat waits as any other.
    # Another notice, another channel and the notice's end are not held back.
    with state.begin() as connection:
        one, other = (notices.begin(connection, "failed", job, "text", 7, NOW) for job in "ab")
        for notice, channel, kind in (
            (one, "email", BEGAN),
            (one, "email", REPEATED),
            (one, "slack", REPEATED),
            (other, "email", REPEATED),
            (one, "email", ENDED),
        ):
            deliveries.add(connection, notice, channel, kind, "text", NOW)
    assert (len(waiting(state)), len(waiting(state, "slack"))) == (3, 1)
    for delivery in waiting(state):
        close(state, delivery, DELIVERED, 1)
    with state.begin() as connection:
        deliveries.add(connection, one, "email", REPEATED, "text", NOW)
    assert len(waiting(state)) == 1


def test_a_delivery_is_closed_once(state: State) -> None:
    first, second = notice_of(state, BEGAN, ENDED)
    assert close(state, first, GIVEN_UP, 1, "no such mailbox")
    assert not close(state, first, DELIVERED, 2)
    assert not close(state, 99, DELIVERED, 2)
    assert waiting(state) == [second]
    assert [(one["delivered_at"], one["error"]) for one in channels(state)] == [(None, "no such mailbox")]


def test_a_failed_try_is_put_off_and_counted(state: State) -> None:
    (delivery,) = notice_of(state, BEGAN)
    for minute in (1, 3):
        with state.begin() as connection:
            deliveries.put_off(connection, delivery, NOW + minute * MINUTE, f"away at minute {minute}")
    with state.read() as connection:
        row = deliveries.next_of(connection, "email")
    assert row is not None and (row.tries, row.reason) == (2, "away at minute 3")
    assert row.due_at == NOW + 3 * MINUTE and row.added_at == NOW


def test_a_closed_delivery_is_not_put_off(state: State) -> None:
    (delivery,) = notice_of(state, BEGAN)
    close(state, delivery, GIVEN_UP, 1, "refused")
    with state.begin() as connection:
        deliveries.put_off(connection, delivery, NOW + MINUTE, "too late")
    assert channels(state)[0]["error"] == "refused" and waiting(state) == []


def test_channels_tell_what_waits_and_what_is_wrong(state: State) -> None:
    # Given three channels. "email" told one delivery and gave up a later one, "slack" failed at its oldest,
    # and "teams" gave one up and told the next.
    # What must hold: an error shows until a later delivery is told.
    one, two = notice_of(state, BEGAN, ENDED)
    close(state, one, DELIVERED, 1)
    close(state, two, GIVEN_UP, 2, "no such mailbox")
    late, _ = notice_of(state, BEGAN, ENDED, channel="slack")
    with state.begin() as connection:
        deliveries.put_off(connection, late, NOW + MINUTE, "away")
    lost, told = notice_of(state, BEGAN, ENDED, channel="teams")
    close(state, lost, GIVEN_UP, 1, "refused")
    close(state, told, DELIVERED, 2)
    columns = ("channel", "waiting", "delivered_at", "error", "failing_since")
    assert [tuple(one[column] for column in columns) for one in channels(state)] == [
        ("email", 0, NOW + MINUTE, "no such mailbox", NOW),
        ("slack", 2, None, "away", NOW),
        ("teams", 0, NOW + 2 * MINUTE, None, None),
    ]


def test_an_untried_delivery_does_not_hide_an_error(state: State) -> None:
    lost, _ = notice_of(state, BEGAN, ENDED)
    close(state, lost, GIVEN_UP, 1, "refused")
    assert (channels(state)[0]["waiting"], channels(state)[0]["error"]) == (1, "refused")
