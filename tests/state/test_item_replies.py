"""Replies: each who asked is told by each way, once it is noted that the other side has it; or it is given up."""

import json
from typing import Any

from janitor.state import State, item_replies
from janitor.state.item_replies import DUE, GIVEN_UP, SENT, Due
from tests.state.parcels import NOW, SECOND, add, end
from tests.state.pieces import check_counts, plan_of, replies_of

PLAN = plan_of({"only": {}}, "mail", "post")


def made(state: State, *dues: Due, plan: Any = PLAN) -> None:
    with state.begin() as connection:
        item_replies.add(connection, plan, dues, NOW)


def taken(state: State, lane: str = "p.mail", seconds: int = 0, most: int = 9) -> list[int]:
    with state.read() as connection:
        return [row.id for row in item_replies.take(connection, lane, NOW + seconds * SECOND, most)]


def ids(state: State, lane: str = "p.mail") -> list[int]:
    return [row.id for row in replies_of(state) if row.lane == lane]


def test_each_who_asked_is_told_by_each_way(state: State) -> None:
    # Given two items of which one was asked for twice, and one by nobody.
    one = add(state, "one", plan=PLAN, envelope={"to": "A"})[0]
    add(state, "one", plan=PLAN, envelope={"to": "B"})
    [other] = add(state, "other", plan=PLAN)
    end(state, "only", one, other, plan=PLAN)
    found = [(row.lane, row.item_id, row.key, json.loads(row.content)) for row in replies_of(state)]
    for lane in ("p.mail", "p.post"):
        assert [row[1:] for row in found if row[0] == lane] == [
            (one, "one", {"envelope": {"to": "A"}}),
            (one, "one", {"envelope": {"to": "B"}}),
            (other, "other", {"envelope": None}),
        ]
    assert {(row.state, row.tries, row.due_at, row.added_at) for row in replies_of(state)} == {(DUE, 0, NOW, NOW)}
    assert check_counts(state)[":replies", DUE, "waiting"] == 6


def test_nothing_is_told_of_an_item_that_goes_on(state: State) -> None:
    # Given a reply of an item that goes on, as no act leaves one: an older release may have.
    [item] = add(state, "k", plan=PLAN)
    made(state, Due(item, "k", None), Due(None, "gone", None))
    assert len(taken(state)) == 1
    end(state, "only", item, plan=PLAN)
    assert len(taken(state)) == 3


def test_nothing_is_written_for_a_pipeline_that_tells_nobody(state: State) -> None:
    plan = plan_of({"only": {}})
    made(state, Due(1, "k", None), plan=plan)
    with state.begin() as connection:
        item_replies.of_ended(connection, plan, [1], NOW)
        item_replies.of_ended(connection, PLAN, [], NOW)
    assert replies_of(state) == [] and check_counts(state) == {}


def test_an_envelope_may_have_what_no_database_takes(state: State) -> None:
    # Given half a character, as a message in JSON may have it.
    envelope = {"to\ud800": ["\udfff", "\U0001f40c"]}
    [item] = add(state, "k", plan=PLAN, envelope=envelope)
    end(state, "only", item, plan=PLAN)
    made(state, Due(None, "l", envelope, {"error": {"message": "\ud800"}}))
    assert [json.loads(row.content)["envelope"] for row in replies_of(state)] == [envelope] * 4


def test_what_has_waited_longest_is_taken_first(state: State) -> None:
    made(state, *(Due(None, str(n), None) for n in range(4)))
    first, second, third, fourth = ids(state)
    with state.begin() as connection:
        item_replies.put_off(connection, first, NOW + 2 * SECOND, "away")
        item_replies.put_off(connection, second, NOW + SECOND, "away")
    assert taken(state) == [third, fourth]
    assert taken(state, seconds=2)[2:] == [second, first]
    assert taken(state, most=1) == [third] and taken(state, lane="p.post", most=1) == ids(state, "p.post")[:1]
    row = replies_of(state)[0]
    assert (row.tries, row.reason, row.state) == (1, "away", DUE)


def test_a_reply_ends_once(state: State) -> None:
    made(state, *(Due(None, str(n), None) for n in range(3)))
    sent, given_up, waits = ids(state)
    with state.begin() as connection:
        assert item_replies.note_sent(connection, "p", [sent], NOW + SECOND) == 1
        assert item_replies.note_sent(connection, "p", [sent, 999], NOW) == 0
        assert item_replies.give_up(connection, "p", [given_up, sent], NOW, "no such address") == 1
        assert item_replies.note_sent(connection, "p", [], NOW) == 0
    rows = {row.id: row for row in replies_of(state)}
    assert (rows[sent].state, rows[sent].ended_at, rows[sent].reason) == (SENT, NOW + SECOND, None)
    assert (rows[given_up].state, rows[given_up].reason, rows[given_up].tries) == (GIVEN_UP, "no such address", 1)
    assert taken(state) == [waits]
    counts = check_counts(state)
    assert counts[":replies", SENT, "sent"] == counts[":replies", GIVEN_UP, "given up"] == 1


def test_a_person_may_let_all_be_tried_now(state: State) -> None:
    made(state, *(Due(None, str(n), None) for n in range(4)))
    sent, given_up, put_off, _ = ids(state)
    post = ids(state, "p.post")[0]
    with state.begin() as connection:
        item_replies.note_sent(connection, "p", [sent], NOW)
        item_replies.give_up(connection, "p", [given_up, post], NOW, "refused")
        item_replies.put_off(connection, put_off, NOW + 999 * SECOND, "away")
        assert item_replies.try_now(connection, plan_of({"only": {}}, "mail", name="q"), NOW, 9) == 0
        assert item_replies.try_now(connection, PLAN, NOW, 9, item_id=12345) == 0
        assert item_replies.try_now(connection, plan_of({"only": {}}, "mail"), NOW + SECOND, 9) == 2
    rows = {row.id: row for row in replies_of(state)}
    assert [(rows[one].state, rows[one].due_at) for one in (given_up, put_off)] == [(DUE, NOW + SECOND)] * 2
    assert (rows[sent].state, rows[post].state) == (SENT, GIVEN_UP)
    check_counts(state)
    with state.begin() as connection:
        item_replies.give_up(connection, "p", [given_up], NOW, "refused")
        assert item_replies.try_now(connection, PLAN, NOW + SECOND, 1) == 1
        assert item_replies.try_now(connection, PLAN, NOW + SECOND, 9) == 1
        assert item_replies.try_now(connection, PLAN, NOW + SECOND, 9) == 0
    assert replies_of(state)[0].state == SENT
    check_counts(state)


def test_an_item_has_its_newest_replies(state: State) -> None:
    made(state, Due(7, "k", None), Due(8, "l", None))
    made(state, Due(7, "k", None))
    with state.read() as connection:
        found = [row.id for row in item_replies.of_item(connection, 7)]
        assert [row.id for row in item_replies.of_item(connection, 7, most=2)] == found[:2]
    assert found == sorted((row.id for row in replies_of(state) if row.item_id == 7), reverse=True) and len(found) == 4
