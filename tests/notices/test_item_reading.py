"""What the rules of items look at, read from the state database.

Given: items, dead letters and replies in every state.
What happens: they are read as a look does, among few and among many.
What must hold: what is told is so, and a look reads as little of many as of few.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, update

from janitor.notices import item_reading
from janitor.notices.item_facts import Failure, Letters, Streak, Undelivered
from janitor.state import State, item_acts, item_letters, item_replies
from janitor.state.item_states import LATER
from janitor.state.item_tables import item_attempts
from janitor.state.item_tables import item_replies as replies_table
from janitor.state.item_tables import item_steps
from tests.explained import noted, scans
from tests.notices.parcel_house import bury, give_up, owe
from tests.small_engine import DATABASES, empty_state, migrated
from tests.state.parcels import NOW, PLAN, RUN, SECOND, STEPS, Work, add, end, fill

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FETCH, MAIL = PLAN.lane("fetch"), PLAN.lane("mail")
FEW, MANY = 600, 4_800


@pytest.fixture(params=DATABASES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    made = migrated(empty_state(request, tmp_path))
    yield made
    made.close()


def streak(state: State, most: int = 3, step: str = "fetch") -> Streak:
    """The items in a row at which a step failed."""
    lane = PLAN.lane(step)
    with state.read() as connection:
        return item_reading.streaks(connection, {lane: most})[lane]


def fails(state: State, *ids: int, seconds: float = 0, reason: str = "no space left", **more: Any) -> None:
    """Let the step `fetch` fail at items, one after the other."""
    for number, item_id in enumerate(ids):
        at = NOW + (seconds + number) * SECOND
        end(state, "fetch", item_id, status="failed", at=at, reason=reason, **more)


def test_items_that_failed_since_the_last_success_are_counted(state: State) -> None:
    ids = add(state, *"abcdef")
    assert streak(state) == Streak()
    fails(state, ids[0])
    end(state, "fetch", ids[1], at=NOW + 10 * SECOND)
    assert streak(state) == Streak(0, NOW + 10 * SECOND)
    fails(state, ids[2], ids[3], seconds=20, reason="first")
    fails(state, ids[4], seconds=30, reason="second")
    assert streak(state, 10) == Streak(3, NOW + 10 * SECOND, Failure("e", "second", RUN))
    assert streak(state, 2).failures == 2
    assert streak(state, step="match") == Streak()
    end(state, "fetch", ids[5], status="few filters", at=NOW + 40 * SECOND)
    assert streak(state, 10) == Streak(0, NOW + 40 * SECOND)


def test_a_status_of_one_s_own_that_is_an_error_is_a_failure(state: State) -> None:
    (one,) = add(state, "a")
    end(state, "fetch", one, status="no host", at=NOW)
    # Another step of the item was tried since.
    tried = {"item_id": one, "step": "match", "run_id": 8, "started_at": NOW, "seconds": 1.0, "status": "failed"}
    with state.begin() as connection:
        connection.execute(insert(item_attempts).values(tried))
    assert streak(state).newest == Failure("a", "no host", RUN)


def test_a_try_that_failed_counts_before_its_retries(state: State) -> None:
    """Given a step that fails at items and tries them again later; one of them it only passed over.

    The failed tries count, and that the step passed over an item does not.
    """
    ids = add(state, *"abcd")
    for number, item_id in enumerate(ids[:3]):
        at = NOW + number * SECOND
        later: Any = {"state": LATER, "until": at + HOUR}
        end(state, "fetch", item_id, status="failed", at=at, reason="away", **later)
    end(state, "fetch", ids[3], **(later | {"counts": False}))
    assert streak(state, 10) == Streak(3, None, Failure("c", "away", RUN))
    end(state, "fetch", *add(state, "e"), at=NOW + 5 * SECOND)
    assert streak(state, 10).failures == 0


def test_items_past_their_time_are_no_failures_and_hide_none(state: State) -> None:
    ids = add(state, *(f"DN{number}" for number in range(12)))
    fails(state, *ids[:4])
    for number, item_id in enumerate(ids[4:]):
        end(state, "fetch", item_id, status="expired", at=NOW + (60 + number) * SECOND)
    found = streak(state, 3)
    assert found.failures == 3 and found.newest == Failure("DN3", "no space left", RUN)
    with state.begin() as connection:
        item_acts.drop(connection, PLAN, ids[:4])
    assert streak(state, 3) == Streak()


def test_items_that_are_retried_by_hand_have_not_failed(state: State) -> None:
    ids = add(state, *"abc")
    fails(state, *ids)
    assert streak(state).failures == 3
    with state.begin() as connection:
        item_acts.retry(connection, PLAN, ids[:2], NOW + MINUTE)
    assert streak(state).failures == 1


def letters(state: State) -> dict[str, Letters]:
    """The dead letters of the last day by inbox, an hour after noon."""
    with state.read() as connection:
        found = item_reading.letters(connection, ["parcels", "others"], NOW + HOUR)
    assert {pipeline for pipeline, _ in found} <= {"parcels"}
    return {inbox: one for (_, inbox), one in found.items()}


def test_only_letters_of_a_day_that_are_there_count(state: State) -> None:
    assert letters(state) == {}
    bury(state, NOW - DAY, "too old", "too old")
    assert letters(state) == {}
    ids = bury(state, NOW, "no JSON", "too large")
    bury(state, NOW + MINUTE, "no key", inbox="window")
    assert letters(state) == {"desk": Letters(2, NOW, "too large"), "window": Letters(1, NOW + MINUTE, "no key")}
    with state.begin() as connection:
        item_letters.drop(connection, ids[1:], "anna", NOW)
    assert letters(state)["desk"] == Letters(1, NOW, "no JSON")


def undelivered(state: State, *known: int, minutes: float = 6) -> Undelivered:
    """The replies that do not arrive, so long after noon."""
    with state.read() as connection:
        return item_reading.undelivered(connection, MAIL, NOW + minutes * MINUTE, known)


def test_a_reply_that_waits_is_told_after_five_tries_and_five_minutes(state: State) -> None:
    owe(state, NOW, "a", "b")
    owe(state, NOW, "c", tries=4)
    long, longer = owe(state, NOW, "d", tries=5) + owe(state, NOW, "e", tries=9)
    assert undelivered(state, minutes=4.9) == Undelivered()
    assert undelivered(state) == Undelivered((long, longer), 0, "e", "nobody is there", 9, NOW)
    with state.begin() as connection:
        item_replies.note_sent(connection, "parcels", [longer], NOW)
    assert undelivered(state).failing == (long,)
    with state.read() as connection:
        assert item_reading.undelivered(connection, "parcels.other", NOW + HOUR) == Undelivered()


def test_a_reply_given_up_is_told_for_a_day(state: State) -> None:
    ids = owe(state, NOW - DAY, "a", "b")
    give_up(state, ids[:1], NOW, "no such mailbox")
    give_up(state, ids[1:], NOW + MINUTE, "refused")
    assert undelivered(state) == Undelivered((), 2, "b", "refused", 1, NOW - DAY)
    assert undelivered(state, minutes=24 * 60 + 0.5).given_up == 1
    assert undelivered(state, minutes=24 * 60 + 2) == Undelivered()


def test_a_reply_that_failed_before_is_not_lost_among_others(state: State) -> None:
    """Given a reply that failed often, and whose next try is overdue; many that were never tried wait behind it.

    It is told as long as it waits, as it was known at the look before.
    """
    (one,) = owe(state, NOW, "a", tries=9, due_at=NOW + MINUTE)
    assert undelivered(state).failing == (one,)
    owe(state, NOW, *(f"b{number}" for number in range(50)), due_at=NOW + 2 * MINUTE)
    assert undelivered(state).failing == ()
    assert undelivered(state, one).failing == (one,)
    with state.begin() as connection:
        item_replies.note_sent(connection, "parcels", [one], NOW)
    assert undelivered(state, one) == Undelivered()


def look(connection: Connection, number: int) -> None:
    """Read all that a look reads; everything fails."""
    now = NOW + number * SECOND + MINUTE
    found = item_reading.streaks(connection, {PLAN.lane(step): 10 for step in STEPS})
    assert all(one.failures == 10 for one in found.values())
    # Of the filled letters one in twenty is there, and the newest is not a day old.
    assert item_reading.letters(connection, ["parcels"], now + DAY - HOUR)["parcels", "desk"].number
    assert item_reading.undelivered(connection, MAIL, now, range(1, 20)).failing


@pytest.mark.slow
@pytest.mark.parametrize("kind", DATABASES)
def test_a_look_reads_as_much_of_few_as_of_many(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Among few there are as many as these limits, so that more of them would be seen.
    monkeypatch.setattr(item_reading, "MOST", 20)
    monkeypatch.setattr(item_reading, "MOST_LATER", 3)
    read = []
    for number in (FEW, MANY):
        request.param = kind
        state = migrated(empty_state(request, tmp_path / str(number)))
        fill(state, number)
        with state.begin() as connection:
            # The last success is old, so that all that failed later counts; what waits was tried.
            connection.execute(
                update(item_steps).where(item_steps.c.state == 4, item_steps.c.item_id > 20).values(state=5)
            )
            connection.execute(update(item_steps).values(tries=1))
            connection.execute(update(replies_table).values(state=0, tries=9))
        with noted() as sends, state.read() as connection, Work(connection) as work:
            look(connection, number)
        read.append(work.done)
        found = [scan for sent in sends.of_each_shape({state.url}) for scan in scans(sent, ())]
        assert not found, "\n".join(found)
        state.close()
    assert 1 <= read[1] <= 1.2 * read[0] + 300, read
