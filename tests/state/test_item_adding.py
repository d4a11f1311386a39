"""Adding items: each key is one item, and what becomes of a key that comes again."""

import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, delete, event, func, select

from janitor.databases.errors import lost_a_race
from janitor.errors import RowRefused
from janitor.state import State, item_acts, item_adding, item_replies
from janitor.state.item_adding import Added, NewItem
from janitor.state.item_changes import First
from janitor.state.item_plans import Plan
from janitor.state.item_states import DONE, FAILED, OPEN, PROCESSING, READY, WAITING
from janitor.state.item_tables import FAR, item_counts, item_steps, items
from tests.state.parcels import NOW, SECOND, end
from tests.state.pieces import (
    DIAMOND,
    Meanwhile,
    check_counts,
    item_of,
    plan_of,
    replies_of,
    states_of,
    steps_of,
    took,
)

PLAN = plan_of(DIAMOND, "mail")
SNAIL = "\U0001f40c"


def new(key: str = "k", args: Any = None, **more: Any) -> NewItem:
    return NewItem(key, json.dumps(args or {}), more.pop("order_at", NOW), **more)


def added(state: State, *news: NewItem, plan: Plan = PLAN) -> Added:
    with state.begin() as connection:
        return item_adding.add(connection, plan, news, NOW)


def id_of(state: State, key: str = "k") -> int:
    with state.read() as connection:
        found: int = connection.execute(select(items.c.id).where(items.c.key == key)).scalar_one()
    return found


def envelopes(state: State, key: str = "k") -> list[Mapping[str, Any]] | None:
    text = item_of(state, id_of(state, key)).envelope
    return None if text is None else json.loads(text)


def finished(state: State, key: str = "k", plan: Plan = PLAN) -> int:
    """An item whose steps have all ended."""
    item = id_of(state, key)
    for step in plan.steps:
        end(state, step.name, item, plan=plan)
    return item


def test_a_new_item_can_be_taken_where_nothing_is_needed(state: State) -> None:
    first = new("a", {"n": 1}, priority=2, order_at=NOW - SECOND, expires_at=NOW + SECOND, secrets='{"s": 1}')
    found = added(state, new("b"), first, new("c", priority=2))
    assert (found.new, found.known, found.anew) == (3, 0, 0)
    assert found.ready == [First("p.cut", -2, NOW - SECOND)]
    item = id_of(state, "a")
    row = item_of(state, item)
    assert (row.state, row.args, row.priority, row.order_at) == (OPEN, '{"n": 1}', 2, NOW - SECOND)
    assert (row.added_at, row.expires_at, row.secrets, row.times) == (NOW, NOW + SECOND, '{"s": 1}', 1)
    assert states_of(state, item) == {"cut": READY, "left": WAITING, "right": WAITING, "last": WAITING}
    cut = steps_of(state, item)["cut"]
    assert (cut.lane, cut.rank, cut.sort_at, cut.status) == ("p.cut", -2, NOW - SECOND, "not processed")
    check_counts(state)


def test_many_are_added_in_batches_and_counted_in_few_rows(state: State) -> None:
    number = 2 * item_adding.TOGETHER + 3
    assert added(state, *(new(f"{SNAIL}{n}") for n in range(number))).new == number
    assert check_counts(state)["", OPEN, "open"] == number
    with state.read() as connection:
        assert connection.execute(select(func.count()).select_from(item_counts)).scalar_one() == 3 * 5


def test_a_key_that_comes_twice_at_once_is_one_item(state: State) -> None:
    found = added(state, new(args={"n": 1}), new(args={"n": 2}), new("l"))
    assert (found.new, found.known) == (2, 1)
    assert item_of(state, id_of(state)).args == '{"n": 1}'
    check_counts(state)


def test_keys_that_are_there_are_found_wherever_they_stand(state: State) -> None:
    # Given a pipeline to which nothing was added twice so far. What happens: a few megabytes come, more than one
    # statement takes, and the last key is there already; then keys that are there, and then none.
    number, large = 50, {"text": "x" * 60_000}
    added(state, new("k0"))
    found = added(state, *(new(f"k{n}", large) for n in range(number - 1, -1, -1)))
    assert (found.new, found.known) == (number - 1, 1)
    for keys, known in (
        (["k3", "a", "k5"], 2),
        (["b", "c"], 0),
        (["d", "e"], 0),
        (["a"], 1),
        (["f"], 0),
        (["f", "g"], 1),
    ):
        again = added(state, *map(new, keys))
        assert (again.new, again.known) == (len(keys) - known, known)
    with state.read() as connection:
        rows = connection.execute(select(items.c.key, items.c.args)).all()
        steps = connection.execute(select(func.count()).select_from(item_steps)).scalar_one()
    assert len(rows) == len({row.key for row in rows}) == number + 7 and steps == 4 * len(rows)
    assert {row.key for row in rows if len(row.args) < 100} == {"k0", *"abcdefg"}
    check_counts(state)


def test_an_item_gets_the_steps_of_its_own_pipeline_alone(state: State) -> None:
    # Given two pipelines that get items in one transaction; or on a server, where that may be, in two: the second is
    # committed after the items of the first were inserted, and before their steps are.
    other, begun = replace(plan_of({"one": {}, "two": {}}), pipeline="q"), list[str]()
    own, others = [new(f"p{n}") for n in range(6)], [new(f"q{n}") for n in range(3)]

    def meanwhile(connection: Connection, cursor: Any, text: str, *given: Any) -> None:
        if text.startswith("INSERT INTO item_steps") and not begun:
            begun.append(text)
            added(state, *others, plan=other)

    with state.begin() as connection:
        if connection.dialect.name == "sqlite":
            for plan, some in ((PLAN, own[:3]), (other, others), (PLAN, own[3:])):
                item_adding.add(connection, plan, some, NOW)
        else:
            event.listen(connection, "before_cursor_execute", meanwhile)
            item_adding.add(connection, PLAN, own, NOW)
            event.remove(connection, "before_cursor_execute", meanwhile)
    with state.read() as connection:
        query = select(items.c.pipeline, item_steps.c.step).join(item_steps, item_steps.c.item_id == items.c.id)
        found = Counter(tuple(row) for row in connection.execute(query))
    assert found == {("p", step.name): 6 for step in PLAN.steps} | {("q", "one"): 3, ("q", "two"): 3}


def test_an_item_is_open_until_it_expires_or_ends(state: State) -> None:
    def until(key: str) -> datetime | None:
        found: datetime | None = item_of(state, id_of(state, key)).open_until
        return found

    added(state, new("never"), new("soon", expires_at=NOW + SECOND))
    assert (until("never"), until("soon")) == (FAR, NOW + SECOND)
    added(state, new("never", expires_at=NOW + 2 * SECOND, on_duplicate="change"))
    added(state, new("soon", on_duplicate="change"))
    assert (until("never"), until("soon")) == (NOW + 2 * SECOND, FAR)
    finished(state, "never"), finished(state, "soon")
    assert until("never") is until("soon") is None
    added(state, new("never", expires_at=NOW + 3 * SECOND, on_duplicate="change"))
    assert until("never") is None
    added(state, new("soon", on_duplicate="anew"))
    added(state, new("never", expires_at=NOW + 4 * SECOND, on_duplicate="anew"))
    assert (until("never"), until("soon")) == (NOW + 4 * SECOND, FAR)


@pytest.mark.parametrize("kind", ["reply", "ignore", "change", "anew"])
@pytest.mark.parametrize("is_done", [False, True])
def test_what_becomes_of_a_key_that_is_there(state: State, kind: str, is_done: bool) -> None:
    # Given an item that waits, or that has ended, and whose first asker was A. Now B asks for the same key.
    added(state, new(args={"n": 1}, envelope={"to": "A"}), new("z"))
    item = finished(state) if is_done else id_of(state)
    again = new(args={"n": 2}, priority=5, order_at=NOW + SECOND, envelope={"to": "B"}, on_duplicate=kind)
    found = added(state, again)
    assert (found.new, found.known, found.anew) == (0, 1, int(kind == "anew"))
    row, cut = item_of(state, item), steps_of(state, item)["cut"]
    changed = kind in ("change", "anew")
    assert (row.args, row.priority, row.order_at) == (
        ('{"n": 2}', 5, NOW + SECOND) if changed else ('{"n": 1}', 0, NOW)
    )
    assert row.state == (DONE if is_done and kind != "anew" else OPEN)
    assert row.times == (2 if kind == "anew" else 1)
    if cut.state == READY:
        assert (cut.rank, cut.sort_at) == ((-5, NOW + SECOND) if changed else (0, NOW))
    assert (cut.state == READY) == (not is_done or kind == "anew")
    # Whoever waits for the end of an item that goes on again is told at its next end.
    told = [json.loads(reply.content)["envelope"]["to"] for reply in replies_of(state)]
    assert told == [*(["A"] if is_done and kind != "anew" else []), *(["B"] if is_done and kind == "reply" else [])]
    if not is_done or kind == "anew":
        wanted = {"reply": ["A", "B"], "ignore": ["A"], "change": ["A", "B"], "anew": ["A", "B"]}[kind]
        assert [one["to"] for one in envelopes(state) or []] == wanted
    check_counts(state)


def test_the_pipeline_says_what_becomes_of_a_key_unless_the_item_does(state: State) -> None:
    plan = plan_of(DIAMOND, on_duplicate="change")
    added(state, new(args={"n": 1}), plan=plan)
    added(state, new(args={"n": 2}), plan=plan)
    assert item_of(state, id_of(state)).args == '{"n": 2}'
    added(state, new(args={"n": 3}, on_duplicate="ignore"), plan=plan)
    assert item_of(state, id_of(state)).args == '{"n": 2}'


def test_all_who_ask_in_one_batch_are_told(state: State) -> None:
    # Given a key that three ask for in the batch that makes it, two of them with the same envelope, and two more in the
    # next batch. None may take the place of another.
    added(state, *(new(envelope={"to": to}) for to in ("A", "B", "B", "C")))
    added(state, new(envelope={"to": "D"}), new("other"), new(envelope={"to": "E"}))
    assert [one["to"] for one in envelopes(state) or []] == ["A", "B", "C", "D", "E"]
    finished(state)
    assert [json.loads(row.content)["envelope"]["to"] for row in replies_of(state)] == ["A", "B", "C", "D", "E"]
    check_counts(state)


def test_of_very_many_who_ask_the_newest_are_told(state: State) -> None:
    added(state, *(new(envelope={"to": n}) for n in range(item_replies.MOST_ENVELOPES + 5)))
    assert [one["to"] for one in envelopes(state) or []] == list(range(5, item_replies.MOST_ENVELOPES + 5))


def test_whoever_asks_while_an_item_is_done_anew_waits_for_it(state: State) -> None:
    # Given an item that has ended. In one batch it is to be done anew, and another one asks for it.
    added(state, new())
    item = finished(state)
    added(state, new(on_duplicate="anew", envelope={"to": "A"}), new(envelope={"to": "B"}))
    assert replies_of(state) == []
    assert [one["to"] for one in envelopes(state) or []] == ["A", "B"]
    assert item_of(state, item).state == OPEN
    check_counts(state)


def test_who_was_told_already_is_not_told_of_an_item_that_another_wants_anew(state: State) -> None:
    added(state, new(envelope={"to": "A"}))
    finished(state)
    with state.begin() as connection:
        item_replies.note_sent(connection, "p", [row.id for row in replies_of(state)], NOW)
    added(state, new(on_duplicate="anew", envelope={"to": "B"}))
    assert envelopes(state) == [{"to": "B"}]
    finished(state)
    assert [json.loads(row.content)["envelope"]["to"] for row in replies_of(state)] == ["A", "B"]
    check_counts(state)


def test_a_way_that_is_stuck_holds_no_other_up(state: State) -> None:
    # Given an item that has ended, and was told by post. The mail waits. Whoever asks again is told by post again.
    plan = plan_of(DIAMOND, "mail", "post")
    added(state, new(envelope={"to": "A"}), plan=plan)
    finished(state, plan=plan)
    with state.begin() as connection:
        item_replies.note_sent(connection, "p", [row.id for row in replies_of(state) if row.lane == "p.post"], NOW)
    added(state, new(envelope={"to": "A"}), plan=plan)
    assert [(row.lane, row.state) for row in replies_of(state)] == [
        ("p.mail", item_replies.DUE),
        ("p.post", item_replies.SENT),
        ("p.post", item_replies.DUE),
    ]
    check_counts(state)


def test_a_message_that_comes_twice_is_answered_once_while_its_reply_waits(state: State) -> None:
    # Given an item that has ended, and a message for it that comes twice. Once it is answered, it may ask anew.
    added(state, new())
    finished(state)
    before = len(replies_of(state))
    added(state, new(envelope={"to": "A"}))
    added(state, new(envelope={"to": "A"}), new(envelope={"to": "B"}))
    told = [json.loads(row.content)["envelope"]["to"] for row in replies_of(state)[before:]]
    assert told == ["A", "B"]
    with state.begin() as connection:
        item_replies.note_sent(connection, "p", [row.id for row in replies_of(state)], NOW)
    added(state, new(envelope={"to": "A"}))
    assert len(replies_of(state)) == before + 3
    check_counts(state)


def test_nobody_is_told_who_gave_no_envelope(state: State) -> None:
    added(state, new(envelope={"to": "A"}))
    finished(state)
    added(state, new())
    assert len(replies_of(state)) == 1


def test_a_key_that_is_at_work_is_done_anew(state: State) -> None:
    # Given a step that a run has taken. Anew it can be taken, and what the run brings is another claim's.
    added(state, new())
    item = id_of(state)
    assert took(state, PLAN, "cut", item) == [1]
    found = added(state, new(on_duplicate="anew"))
    assert found.ready == [First("p.cut", 0, NOW)] and states_of(state, item)["cut"] == READY
    assert took(state, PLAN, "cut", item) == [2]
    assert states_of(state, item)["cut"] == PROCESSING
    check_counts(state)


def test_a_secret_is_not_kept_for_an_item_that_has_ended(state: State) -> None:
    # Given an item with a secret that has ended. A change of it brings a secret for which no step is left.
    added(state, new(secrets='{"s": 1}'), new("open", secrets='{"s": 1}'))
    item = finished(state)
    assert item_of(state, item).secrets is None
    for kind in ("change", "reply", "ignore"):
        added(state, new(secrets='{"s": 2}', on_duplicate=kind), new("open", secrets='{"s": 2}', on_duplicate=kind))
        assert item_of(state, item).secrets is None
    assert item_of(state, id_of(state, "open")).secrets == '{"s": 2}'
    added(state, new(secrets='{"s": 3}', on_duplicate="anew"))
    assert item_of(state, item).secrets == '{"s": 3}'


def test_an_item_that_failed_can_be_done_anew(state: State) -> None:
    added(state, new())
    item = id_of(state)
    end(state, "cut", item, plan=PLAN, status="failed")
    assert item_of(state, item).state == FAILED
    added(state, new(on_duplicate="anew"))
    row = item_of(state, item)
    assert (row.state, row.ended_at) == (OPEN, None)
    assert states_of(state, item) == {"cut": READY, "left": WAITING, "right": WAITING, "last": WAITING}
    check_counts(state)


@pytest.mark.parametrize("repeats", [False, True])
def test_two_that_add_the_same_key_at_once_make_one_item(state: State, repeats: bool) -> None:
    # Given two transactions. On a server the second finds the key only as it writes; where keys repeat, and it has
    # looked for them before, it has lost a race, which whoever adds goes through again.
    for _ in range(1 + repeats):
        added(state, new("z"))
    news = [new(), new("z")] if repeats else [new()]

    def second(connection: Any) -> object:
        try:
            return item_adding.add(connection, PLAN, news, NOW).new
        except RowRefused as exc:
            assert lost_a_race(exc)
            raise

    def again(connection: Any) -> object:
        with pytest.raises(RowRefused):
            second(connection)
        connection.rollback()
        return None

    loses = repeats and state.engine.dialect.name != "sqlite"
    with Meanwhile(state, again if loses else second) as other, state.begin() as connection:
        item_adding.add(connection, PLAN, news, NOW)
        other.begin()
    assert other.came == (None if loses else 0)
    assert added(state, new()).known == 1
    check_counts(state)


def test_a_key_that_is_dropped_meanwhile_is_added_anew(state: State) -> None:
    # Given an item that is deleted, and not committed yet, as its key comes again.
    added(state, new(args={"n": 1}), new("z"))
    item, came = id_of(state), threading.Event()

    def add_again(connection: Any) -> object:
        came.set()
        return item_adding.add(connection, PLAN, [new(args={"n": 2}), new("z")], NOW)

    with Meanwhile(state, add_again) as other, state.begin() as connection:
        item_acts.drop(connection, PLAN, [item])
        other.begin()
    assert came.is_set() and (other.came.new, other.came.known) == (1, 1)
    assert item_of(state, id_of(state)).args == '{"n": 2}' and id_of(state) != item
    check_counts(state)


def test_what_is_added_goes_with_the_transaction(state: State) -> None:
    class Enough(Exception):
        pass

    with pytest.raises(Enough), state.begin() as connection:
        item_adding.add(connection, PLAN, [new()], NOW)
        connection.execute(delete(items).where(items.c.id == -1))
        raise Enough
    assert check_counts(state) == {}
