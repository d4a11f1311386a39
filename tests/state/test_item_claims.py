"""Claims: what is due is found in order and taken once, and what a dead run held goes back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, update

from janitor.runs import Outcome
from janitor.runs.outcome import CUT_OFF
from janitor.state import State, item_claims, item_endings, run_records
from janitor.state.item_changes import Changed, First
from janitor.state.item_claims import Claimed
from janitor.state.item_counts import Changes
from janitor.state.item_states import DONE, FAILED, LATER, OPEN, PROCESSING, READY, WAITING
from janitor.state.item_tables import item_steps
from janitor.state.run_records import Ending
from tests.state.parcels import NOW, SECOND, Work, add, end
from tests.state.pieces import (
    DIAMOND,
    Meanwhile,
    an_end,
    attempts_counted,
    attempts_of,
    check_counts,
    item_of,
    plan_of,
    record,
    states_of,
    steps_of,
    took,
)

PLAN = plan_of(DIAMOND)


def looked(state: State, most: int = 9, **more: Any) -> list[int]:
    with state.read() as connection:
        return list(item_claims.look(connection, "p.cut", most, **more).ids)


def claimed(state: State, *ids: int, step: str = "cut", run_id: int = 7) -> list[Claimed]:
    with state.begin() as connection:
        changes = Changes("p")
        found = item_claims.take(connection, PLAN, step, run_id, ids, NOW, changes)
        changes.write(connection)
    return found


def a_run(state: State, outcome: Outcome | None = None, reason: str | None = None, job: str = "p.cut") -> int:
    """A run that began a minute ago, and has ended ten seconds later if it has an outcome."""
    at = NOW - timedelta(minutes=1)
    with state.begin() as connection:
        run_id: int = run_records.start(connection, job, "work", None, at, False, "me")
        if outcome is not None:
            run_records.finish(connection, run_id, Ending(outcome, reason, at + 10 * SECOND, 10.0))
    return run_id


def died(state: State, *ids: int, times: int = 1) -> None:
    """Let so many processes have died of items."""
    with state.begin() as connection:
        connection.execute(update(item_steps).where(item_steps.c.item_id.in_(ids)).values(deaths=times))


def released(state: State, run_id: int | None, most: int = 3, **more: Any) -> Changed:
    with state.begin() as connection:
        return item_claims.release_dead(connection, PLAN, "cut", run_id, most, NOW, **more)


def test_the_oldest_of_the_highest_priority_comes_first(state: State) -> None:
    # Given items with priorities and moments, two of which are alike in both: the one added first comes first.
    wanted = [("urgent", 5, 9), ("old", 0, -9), ("tie one", 0, 0), ("tie two", 0, 0), ("new", 0, 9), ("last", -1, -99)]
    ids = {}
    for key, priority, seconds in (wanted[2], wanted[4], wanted[3], wanted[0], wanted[5], wanted[1]):
        [ids[key]] = add(state, key, plan=PLAN, at=NOW + seconds * SECOND, priority=priority)
    assert looked(state) == [ids[key] for key, _, _ in wanted]
    assert looked(state, most=2) == [ids["urgent"], ids["old"]]


def test_a_look_may_go_on_from_where_the_last_one_came(state: State) -> None:
    ids = [add(state, str(n), plan=PLAN, at=NOW + n * SECOND, priority=-(n // 3))[0] for n in range(8)]
    with state.read() as connection:
        place, found = None, list[int]()
        while (page := item_claims.look(connection, "p.cut", 3, place)).last is not None and len(found) <= len(ids):
            found, place = [*found, *page.ids], page.last
        assert place == (2, NOW + 7 * SECOND, ids[7]) and page.ids == []
    assert found == ids


def test_a_look_tells_whether_it_came_to_the_end(state: State) -> None:
    ids = add(state, *"abc", plan=PLAN)
    with state.read() as connection:
        found = [item_claims.look(connection, "p.cut", most) for most in (2, 3, 4)]
    assert [(one.ids, one.is_all) for one in found] == [(ids[:2], False), (ids, False), (ids, True)]
    died(state, ids[1])
    with state.read() as connection:
        assert not item_claims.look(connection, "p.cut", 4).is_all
        assert not item_claims.look(connection, "p.cut", 4, suspects=False).is_all
        assert item_claims.look(connection, "p.left", 4).is_all


def test_a_look_reads_nothing_before_its_place(state: State) -> None:
    # Given very many that stand before the place, all of one priority: a backup's snapshot may still see them there.
    ids = add(state, *(str(number) for number in range(2_000)), plan=PLAN)
    with state.read() as connection:
        beginning = item_claims.look(connection, "p.cut", 5)
        assert list(beginning.ids) == ids[:5]
        with Work(connection) as first:
            item_claims.look(connection, "p.cut", 5, beginning.last)
        with Work(connection) as late:
            assert list(item_claims.look(connection, "p.cut", 5, (0, NOW, ids[1_989])).ids) == ids[1_990:1_995]
    assert 0 < late.done <= first.done + 10


def test_what_is_in_another_state_or_lane_is_not_found(state: State) -> None:
    one, two, three = add(state, *"abc", plan=PLAN)
    took(state, PLAN, "cut", one)
    end(state, "cut", two, plan=PLAN)
    add(state, "elsewhere", plan=plan_of(DIAMOND, name="q"))
    assert looked(state) == [three]
    with state.read() as connection:
        assert item_claims.look(connection, "p.left", 9).ids == [two]


def test_a_suspect_comes_alone_or_is_passed_over(state: State) -> None:
    a, b, c, d = add(state, *"abcd", plan=PLAN)
    died(state, b, c)
    with state.read() as connection:
        found = item_claims.look(connection, "p.cut", 9)
        assert (found.ids, found.is_suspect) == ([a], False)
        found = item_claims.look(connection, "p.cut", 9, found.last)
        assert (found.ids, found.is_suspect) == ([b], True)
        found = item_claims.look(connection, "p.cut", 9, (0, NOW, a), suspects=False)
        assert (found.ids, found.is_suspect, found.last) == ([d], False, (0, NOW, d))
        assert item_claims.look(connection, "p.cut", 2, suspects=False).ids == [a, d]


def test_a_claim_has_all_that_a_step_needs(state: State) -> None:
    text = '[{"to": "A"}]'
    at = {"order_at": NOW - SECOND, "expires_at": NOW + SECOND}
    [item] = add(state, "k", plan=PLAN, at=NOW - SECOND, expires_at=NOW + SECOND, envelope={"to": "A"}, secrets="{}")
    end(state, "cut", item, plan=PLAN, result='{"n": 1}')
    [found] = claimed(state, item, step="left")
    assert (found.id, found.key, found.args, found.envelope, found.secrets) == (item, "k", "{}", text, "{}")
    assert (found.order_at, found.expires_at) == tuple(at.values())
    assert (found.tries, found.deaths, found.claim, found.times) == (0, 0, 1, 1)
    assert found.results == {"cut": '{"n": 1}'}
    row = steps_of(state, item)["left"]
    assert (row.state, row.status, row.run_id, row.since_at, row.rank) == (PROCESSING, "processing", 7, NOW, 0)
    check_counts(state)


def test_what_is_taken_is_given_in_the_order_in_which_it_was_asked_for(state: State) -> None:
    ids = add(state, *"abcd", plan=PLAN)
    took(state, PLAN, "cut", ids[1], run_id=8)
    assert [one.id for one in claimed(state, ids[3], ids[1], ids[0], 999)] == [ids[3], ids[0]]
    assert claimed(state, ids[1]) == claimed(state) == []
    assert steps_of(state, ids[1])["cut"].run_id == 8
    check_counts(state)


def test_two_that_take_the_same_at_once_share_it(state: State) -> None:
    # Given ten items, which two runs have found. Both take them in transactions that overlap.
    ids = add(state, *"abcdefghij", plan=PLAN)

    def take(run_id: int, some: list[int], connection: Connection) -> list[int]:
        changes = Changes("p")
        found = item_claims.take(connection, PLAN, "cut", run_id, some, NOW, changes)
        changes.write(connection)
        return [one.id for one in found]

    with Meanwhile(state, lambda connection: take(8, ids, connection)) as other, state.begin() as connection:
        assert take(7, ids[:6], connection) == ids[:6]
        other.begin()
    assert other.came == ids[6:]
    with state.read() as connection:
        query = select(item_steps.c.item_id, item_steps.c.run_id).where(item_steps.c.run_id != 0)
        holders = {row.item_id: row.run_id for row in connection.execute(query)}
    assert holders == {item: 7 if item in ids[:6] else 8 for item in ids}
    check_counts(state)


def test_what_is_given_back_counts_for_nothing(state: State) -> None:
    [item] = add(state, "k", plan=PLAN, priority=2)
    [claim] = took(state, PLAN, "cut", item)
    with state.begin() as connection:
        assert item_claims.let_go(connection, PLAN, "cut", {item: claim + 1}, NOW).ready == []
        assert item_claims.let_go(connection, PLAN, "cut", {item: claim}, NOW).ready == [First("p.cut", -2, NOW)]
    row = steps_of(state, item)["cut"]
    assert (row.state, row.tries, row.deaths, row.claims, row.rank) == (READY, 0, 0, 1, -2)
    assert attempts_of(state, item) == []
    check_counts(state)


def test_another_try_waits_for_its_moment(state: State) -> None:
    ids = add(state, *"abc", plan=PLAN)
    for item, seconds in zip(ids, (1, 2, 9), strict=True):
        [claim] = took(state, PLAN, "cut", item)
        record(state, PLAN, "cut", an_end(item, claim, state=LATER, until=NOW + seconds * SECOND))
    with state.read() as connection:
        assert not item_claims.has_later(connection, "p.cut", NOW)
        assert item_claims.has_later(connection, "p.cut", NOW + SECOND)
        assert not item_claims.has_later(connection, "p.left", NOW + SECOND)
    with state.begin() as connection:
        assert item_claims.promote(connection, PLAN, "cut", NOW + 2 * SECOND).touched == 2
        assert item_claims.promote(connection, PLAN, "cut", NOW + 20 * SECOND, most=1).touched == 1
    assert looked(state) == ids
    check_counts(state)


@pytest.mark.parametrize(
    ("outcome", "reason", "deaths", "told"),
    [
        (Outcome.INTERRUPTED, "the process that ran it is gone", 1, "its process ended before it was done, 1 of 3"),
        (Outcome.INTERRUPTED, f"{CUT_OFF} within 5 s", 0, "its run ended before it was done"),
        (Outcome.FAILED, "the state database was away", 0, "its run ended before it was done"),
        (None, None, 1, "its process ended before it was done, 1 of 3"),
    ],
)
def test_what_a_dead_run_held_goes_back(
    state: State, outcome: Outcome | None, reason: str | None, deaths: int, told: str
) -> None:
    run_id = a_run(state, outcome, reason)
    item, other = add(state, "a", "b", plan=PLAN)
    took(state, PLAN, "cut", item, run_id=run_id, at=NOW - 55 * SECOND)
    took(state, PLAN, "cut", other, run_id=run_id + 1)
    assert released(state, run_id + 1).ready == [First("p.cut", 0, NOW)]
    row = steps_of(state, item)["cut"]
    assert (row.state, row.status, row.deaths, row.tries, row.run_id) == (READY, "not processed", deaths, 0, 0)
    [attempt] = attempts_of(state, item)
    assert (attempt.status, attempt.reason, attempt.run_id) == ("interrupted", told, run_id)
    assert attempt.started_at == NOW - 55 * SECOND
    assert attempt.seconds == (55.0 if outcome is None else 5.0)
    assert states_of(state, other)["cut"] == PROCESSING
    assert attempts_counted(state) == {("cut", "interrupted"): 1}
    check_counts(state)


def test_an_item_of_which_processes_die_is_tried_no_more(state: State) -> None:
    run_id = a_run(state, Outcome.INTERRUPTED, "gone")
    item, other = add(state, "a", "b", plan=PLAN)
    died(state, item, times=2)
    took(state, PLAN, "cut", item, other, run_id=run_id)
    assert released(state, 99, failed="no host").ended == [item]
    row = steps_of(state, item)["cut"]
    assert (row.state, row.status, row.deaths) == (FAILED, "no host", 3)
    assert attempts_of(state, item)[0].status == "no host"
    assert attempts_of(state, item)[0].reason == "its process ended before it was done, 3 of 3"
    assert (item_of(state, item).state, item_of(state, other).state) == (FAILED, OPEN)
    assert looked(state) == [other]
    check_counts(state)


def test_an_item_fails_by_no_end_in_order(state: State) -> None:
    # Given an item of which two processes have died, and which a daemon has cut off as it stopped.
    run_id = a_run(state, Outcome.INTERRUPTED, f"{CUT_OFF} within 5 s")
    [item] = add(state, "a", plan=PLAN)
    died(state, item, times=3)
    took(state, PLAN, "cut", item, run_id=run_id)
    released(state, 99)
    assert states_of(state, item)["cut"] == READY


def test_what_a_run_holds_that_goes_on_is_left_to_it(state: State) -> None:
    dead, alive = a_run(state, Outcome.INTERRUPTED), a_run(state)
    one, two, three = add(state, *"abc", plan=PLAN)
    for item, run_id in ((one, dead), (two, alive), (three, 10_000)):
        took(state, PLAN, "cut", item, run_id=run_id)
    with state.read() as connection:
        assert item_claims.has_held_by_dead(connection, "p.cut")
        assert not item_claims.has_held_by_dead(connection, "p.left")
    # The record of the third run is deleted already.
    assert released(state, None).touched == 2
    assert [states_of(state, item)["cut"] for item in (one, two, three)] == [READY, PROCESSING, READY]
    with state.read() as connection:
        assert not item_claims.has_held_by_dead(connection, "p.cut")
    check_counts(state)


def test_what_was_taken_anew_meanwhile_is_not_given_back(state: State) -> None:
    # Given an item that a dead run held. It is given back and taken by the next run, in the same moment in which
    # somebody else gives back what the dead run held.
    dead, next_run = a_run(state, Outcome.INTERRUPTED), a_run(state)
    [item] = add(state, "a", plan=PLAN)
    took(state, PLAN, "cut", item, run_id=dead)

    def release(connection: Connection) -> object:
        return item_claims.release_dead(connection, PLAN, "cut", None, 3, NOW).touched

    with Meanwhile(state, release) as other, state.begin() as connection:
        assert item_claims.release_dead(connection, PLAN, "cut", next_run, 3, NOW).touched == 1
        changes = Changes("p")
        assert item_claims.take(connection, PLAN, "cut", next_run, [item], NOW, changes)
        changes.write(connection)
        other.begin()
    assert other.came == 0
    row = steps_of(state, item)["cut"]
    assert (row.state, row.run_id, row.deaths) == (PROCESSING, next_run, 1)
    check_counts(state)


@pytest.mark.parametrize("at", [WAITING, READY, LATER, PROCESSING, DONE, FAILED])
def test_an_item_past_its_time_is_not_begun(state: State, at: int) -> None:
    # Given an item at each state of a step, and whose time is over. A step that was begun may end; what can be taken is
    # not.
    [item] = add(state, "k", plan=PLAN, expires_at=NOW + SECOND)
    step = "left" if at == WAITING else "cut"
    if at != READY:
        [claim] = took(state, PLAN, "cut", item)
    if at == LATER:
        record(state, PLAN, "cut", an_end(item, claim, state=LATER, until=NOW + 60 * SECOND))
    if at in (DONE, FAILED):
        record(state, PLAN, "cut", an_end(item, claim, "processed" if at == DONE else "failed"))
        step = "left" if at == DONE else "cut"
    with state.begin() as connection:
        assert item_claims.has_expired(connection, "p", NOW) is False
        assert item_claims.expire(connection, PLAN, NOW).touched == 0
        assert item_claims.has_expired(connection, "q", NOW + SECOND) is False
        assert item_claims.has_expired(connection, "p", NOW + SECOND) is (at != FAILED)
        changed = item_claims.expire(connection, PLAN, NOW + SECOND)
    row = steps_of(state, item)[step]
    expires = at in (READY, LATER, DONE)
    assert changed.touched == int(expires)
    assert (row.status == "expired") == expires and (row.state == FAILED) == (expires or at == FAILED)
    assert changed.ended == ([item] if expires else [])
    check_counts(state)


def test_a_step_that_was_begun_in_time_ends_and_the_next_expires(state: State) -> None:
    [item] = add(state, "k", plan=PLAN, expires_at=NOW + SECOND)
    [claim] = took(state, PLAN, "cut", item)
    with state.begin() as connection:
        item_claims.expire(connection, PLAN, NOW + SECOND)
    record(state, PLAN, "cut", an_end(item, claim))
    with state.begin() as connection:
        item_claims.expire(connection, PLAN, NOW + SECOND)
    assert {name: row.status for name, row in steps_of(state, item).items()} == {
        "cut": "processed",
        "left": "expired",
        "right": "expired",
        "last": "not processed",
    }
    assert item_of(state, item).state == FAILED
    check_counts(state)


def test_envelopes_come_as_they_were() -> None:
    assert item_claims.envelopes_of(None) == []
    assert item_claims.envelopes_of('[{"to": "A"}, {"to": "B"}]') == [{"to": "A"}, {"to": "B"}]


def test_a_result_is_there_for_the_steps_behind(state: State) -> None:
    [item] = add(state, "k", plan=PLAN)
    end(state, "cut", item, plan=PLAN, result='"one"')
    end(state, "left", item, plan=PLAN, result='"two"')
    [found] = claimed(state, item, step="right")
    assert dict(found.results) == {"cut": '"one"', "left": '"two"'}
    with state.read() as connection:
        assert item_endings.results_of(connection, item) == {"cut": '"one"', "left": '"two"'}


@pytest.mark.parametrize("count", [1, 20])
def test_who_has_no_results_is_not_asked_for_them(state: State, count: int) -> None:
    sent: list[str] = []
    ids = add(state, *(f"k{number}" for number in range(count)), plan=PLAN)
    event.listen(state.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    assert [one.results for one in claimed(state, *ids)] == [{}] * count
    assert sent and not any("item_results.content" in text for text in sent)
