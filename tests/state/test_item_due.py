"""Whether there is work: for each lane at its own moment, and for many lanes in few statements."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from janitor.runs import Outcome
from janitor.state import State, item_due, item_replies, run_records
from janitor.state.item_replies import Due
from janitor.state.item_states import LATER
from janitor.state.run_records import Ending
from tests.state.parcels import NOW, SECOND, add, end
from tests.state.pieces import DIAMOND, an_end, plan_of, record, replies_of, states_of, took

PLAN = plan_of(DIAMOND, "mail", "post")
LANES = ["p.cut", "p.left", "p.right", "p.last"]


def due(state: State, lanes: list[str] | None = None, seconds: int = 0) -> set[str]:
    with state.read() as connection:
        return item_due.steps(connection, LANES if lanes is None else lanes, NOW + seconds * SECOND)


def replies(state: State, *lanes: str, seconds: int = 0) -> set[str]:
    with state.read() as connection:
        return item_due.replies(connection, lanes, NOW + seconds * SECOND)


def test_lanes_with_items_that_can_be_taken_are_due(state: State) -> None:
    assert due(state) == set()
    [item] = add(state, "k", plan=PLAN)
    assert due(state) == {"p.cut"} and due(state, ["p.left", "q.cut"]) == set()
    took(state, PLAN, "cut", item)
    assert due(state) == set()
    other = add(state, "l", plan=PLAN)[0]
    end(state, "cut", other, plan=PLAN)
    assert due(state) == {"p.left", "p.right"}


def test_a_lane_is_due_once_the_moment_of_another_try_has_come(state: State) -> None:
    [item] = add(state, "k", plan=PLAN)
    [claim] = took(state, PLAN, "cut", item)
    record(state, PLAN, "cut", an_end(item, claim, state=LATER, until=NOW + 5 * SECOND))
    assert (due(state, seconds=4), due(state, seconds=5)) == (set(), {"p.cut"})


def test_a_lane_is_due_that_a_run_holds_which_has_ended(state: State) -> None:
    with state.begin() as connection:
        run_id: int = run_records.start(connection, "p.cut", "work", None, NOW, False, "me")
    [item] = add(state, "k", plan=PLAN)
    took(state, PLAN, "cut", item, run_id=run_id)
    assert due(state) == set()
    with state.begin() as connection:
        run_records.finish(connection, run_id, Ending(Outcome.INTERRUPTED, None, NOW, 1.0))
    assert due(state) == {"p.cut"}


def test_what_waits_for_the_time_of_a_clock_that_was_set_back_is_brought_forward(state: State) -> None:
    # Given two items that wait for another try, one of them since an hour from now, and a reply that waits for an hour.
    hour = timedelta(hours=1)
    first, second = add(state, "k", "l", plan=PLAN)
    for item, ahead in ((first, timedelta()), (second, hour)):
        [claim] = took(state, PLAN, "cut", item)
        record(state, PLAN, "cut", an_end(item, claim, state=LATER, until=NOW + ahead + 5 * SECOND), at=NOW + ahead)
    with state.begin() as connection:
        item_replies.add(connection, PLAN, [Due(None, "k", None)], NOW)
    for reply, wait in zip(replies_of(state), (hour, timedelta(minutes=9)), strict=True):
        with state.begin() as connection:
            item_replies.put_off(connection, reply.id, NOW + wait, "nobody answers")
    assert (due(state), replies(state, "p.mail", "p.post")) == (set(), set())
    with state.begin() as connection:
        assert item_due.bring_forward(connection, PLAN.lanes, NOW) == 2
        assert item_due.bring_forward(connection, PLAN.lanes, NOW) == 0
    assert (due(state), replies(state, "p.mail", "p.post")) == ({"p.cut"}, {"p.mail"})
    assert states_of(state, first)["cut"] == LATER == states_of(state, second)["cut"]


def test_all_lanes_are_asked_however_many_priorities_wait(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given three pipelines whose items have more priorities than a server tells at once.
    monkeypatch.setattr(item_due, "MOST_GROUPS", 4)
    for name, number in (("p", 7), ("q", 0), ("r", 4), ("s", 1)):
        for priority in range(number):
            add(state, f"{priority}", plan=plan_of(DIAMOND, name=name), priority=priority)
    lanes = [f"{name}.cut" for name in "tsrqp"]
    assert due(state, lanes) == {"p.cut", "r.cut", "s.cut"}


def test_ways_with_replies_are_due_at_their_moment(state: State) -> None:
    assert replies(state, "p.mail", "p.post") == set()
    with state.begin() as connection:
        item_replies.add(connection, PLAN, [Due(None, "k", None)], NOW)
    mail, post = replies_of(state)
    assert replies(state, "p.mail", "p.post") == {"p.mail", "p.post"}
    with state.begin() as connection:
        item_replies.put_off(connection, mail.id, NOW + 9 * SECOND, "away")
        item_replies.note_sent(connection, "p", [post.id], NOW)
    assert replies(state, "p.mail", "p.post", seconds=8) == set()
    assert replies(state, "p.mail", "p.post", seconds=9) == {"p.mail"}


def test_many_lanes_are_asked_for_in_few_statements(state: State) -> None:
    # Given more lanes than one statement asks for, of which the first and the last have work.
    lanes = ["p.cut", *(f"q.{number}" for number in range(60)), "r.cut"]
    add(state, "k", plan=PLAN)
    add(state, "k", plan=plan_of(DIAMOND, name="r"))
    asked: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        asked.append(statement)

    with state.read() as connection:
        event.listen(connection.engine, "before_cursor_execute", note)
        assert item_due.steps(connection, lanes, NOW) == {"p.cut", "r.cut"}
        event.remove(connection.engine, "before_cursor_execute", note)
    assert len(asked) == 1
    with state.read() as connection:
        assert item_due.replies(connection, lanes, NOW) == set()
