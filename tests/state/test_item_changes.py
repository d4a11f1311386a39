"""Changes: what one step brings moves others and the item, whatever came before, and whoever else is at it."""

import random
from typing import Any

import pytest
from sqlalchemy import Connection

from janitor.state import State, item_acts, item_claims, item_endings, item_fitting
from janitor.state.item_changes import First, Steps, change
from janitor.state.item_counts import Changes
from janitor.state.item_plans import Plan
from janitor.state.item_states import (
    BLOCKED,
    DONE,
    FAILED,
    LATER,
    LEFT_OUT,
    OPEN,
    PROCESSING,
    READY,
    WAITING,
    Standing,
    of_item,
    settled,
)
from tests.state.parcels import NOW, SECOND, add, end
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
    replies_of,
    states_of,
    steps_of,
    took,
)

PLAN = plan_of(DIAMOND, "mail")


def test_what_a_step_brings_makes_those_behind_it_ready(state: State) -> None:
    [item] = add(state, "k", plan=PLAN, priority=3)
    [claim] = took(state, PLAN, "cut", item)
    changed = record(state, PLAN, "cut", an_end(item, claim))
    assert sorted(changed.ready, key=str) == [First("p.left", -3, NOW), First("p.right", -3, NOW)]
    assert (changed.ended, changed.touched) == ([], 1)
    assert states_of(state, item) == {"cut": DONE, "left": READY, "right": READY, "last": WAITING}
    check_counts(state)


def test_an_item_ends_with_its_last_step_and_is_told_of(state: State) -> None:
    one, other = add(state, "a", "b", plan=PLAN, secrets='{"s": 1}')
    for step in ("cut", "left", "right"):
        end(state, step, one, plan=PLAN)
    claims = took(state, PLAN, "last", one)
    assert item_of(state, one).state == OPEN and item_of(state, one).secrets is not None
    assert record(state, PLAN, "last", an_end(one, claims[0]), at=NOW + SECOND).ended == [one]
    row = item_of(state, one)
    assert (row.state, row.ended_at, row.secrets) == (DONE, NOW + SECOND, None)
    assert [(reply.item_id, reply.lane) for reply in replies_of(state)] == [(one, "p.mail")]
    assert item_of(state, other).secrets == '{"s": 1}'
    check_counts(state)


@pytest.mark.parametrize(
    ("status", "left", "last", "of_all"),
    [
        ("processed", READY, WAITING, OPEN),
        ("few filters", LEFT_OUT, LEFT_OUT, DONE),
        ("no host", BLOCKED, BLOCKED, FAILED),
    ],
)
def test_what_can_never_be_done_is_known_at_once(state: State, status: str, left: int, last: int, of_all: int) -> None:
    [item] = add(state, "k", plan=PLAN)
    end(state, "cut", item, plan=PLAN, status=status)
    assert (states_of(state, item)["left"], states_of(state, item)["last"]) == (left, last)
    assert item_of(state, item).state == of_all
    check_counts(state)


def test_two_steps_of_one_item_may_end_at_the_same_moment(state: State) -> None:
    # Given the two steps that the last one needs, each held by a run. Both end in two transactions that overlap: the
    # later one must see what the earlier one did, or the last step would wait for ever.
    [item] = add(state, "k", plan=PLAN)
    end(state, "cut", item, plan=PLAN)
    claims = {step: took(state, PLAN, step, item)[0] for step in ("left", "right")}

    def ends(step: str, connection: Connection) -> Any:
        changes = Changes("p")
        changed = item_endings.record(connection, PLAN, step, 7, [an_end(item, claims[step])], NOW, changes)
        changes.write(connection)
        return changed

    with Meanwhile(state, lambda connection: ends("right", connection)) as other, state.begin() as connection:
        assert ends("left", connection).ready == []
        other.begin()
    assert other.came.ready == [First("p.last", 0, NOW)]
    assert states_of(state, item) == {"cut": DONE, "left": DONE, "right": DONE, "last": READY}
    check_counts(state)


@pytest.mark.parametrize("act", ["reset", "expire", "drop", "fit"])
def test_what_is_taken_meanwhile_is_counted_once(state: State, act: str) -> None:
    # Given a step that a run takes, not yet committed, while the item is reset, or dropped, or past its time. Whoever
    # acts must wait for the row: what it read of it before would be counted a second time.
    [item] = add(state, "k", plan=PLAN, expires_at=NOW)
    end(state, "cut", item, plan=PLAN)
    smaller = plan_of({"cut": {}, "right": {"cut": "processed"}})

    def do(connection: Connection) -> object:
        match act:
            case "reset":
                return item_acts.reset(connection, PLAN, [item], "cut", NOW)
            case "expire":
                return item_claims.expire(connection, PLAN, NOW)
            case "drop":
                return item_acts.drop(connection, PLAN, [item])
        return item_fitting.fit(connection, smaller, 0, NOW)

    with Meanwhile(state, do) as other, state.begin() as connection:
        changes = Changes("p")
        assert len(item_claims.take(connection, PLAN, "left", 8, [item], NOW, changes)) == 1
        changes.write(connection)
        other.begin()
    check_counts(state)
    left = {"reset": WAITING, "expire": PROCESSING}
    assert states_of(state, item).get("left") == left.get(act)


def test_what_is_there_no_more_is_passed_over(state: State) -> None:
    one, gone = add(state, "a", "b", plan=PLAN)
    claims = took(state, PLAN, "cut", one, gone)
    with state.begin() as connection:
        item_acts.drop(connection, PLAN, [gone])
    changed = record(state, PLAN, "cut", an_end(one, claims[0]), an_end(gone, claims[1]))
    assert changed.touched == 1 and attempts_of(state, gone) == []
    check_counts(state)


def test_an_edit_may_leave_an_item_as_it_is(state: State) -> None:
    one, other = add(state, "a", "b", plan=PLAN)

    def edit(item_id: int, found: Steps) -> bool:
        found["cut"] = found["cut"].__class__(FAILED, "failed", 0, 0, 0)
        return item_id == one

    with state.begin() as connection:
        changes = Changes("p")
        changed = change(connection, PLAN, [one, other, one], edit, NOW, changes)
        changes.write(connection)
    assert (changed.touched, changed.ended) == (1, [one])
    assert states_of(state, other)["cut"] == READY
    check_counts(state)


def test_what_goes_back_takes_its_place_in_the_order_again(state: State) -> None:
    # Given an item that waits for another try: its row is in the order of moments then.
    [item] = add(state, "k", plan=PLAN, priority=4)
    [claim] = took(state, PLAN, "cut", item)
    until = NOW + 9 * SECOND
    record(state, PLAN, "cut", an_end(item, claim, "failed", state=LATER, until=until))
    row = steps_of(state, item)["cut"]
    assert (row.state, row.rank, row.sort_at, row.status, row.run_id) == (LATER, 0, until, "not processed", 0)
    with state.begin() as connection:
        assert item_claims.promote(connection, PLAN, "cut", until).ready == [First("p.cut", -4, NOW)]
    row = steps_of(state, item)["cut"]
    assert (row.state, row.rank, row.sort_at, row.tries) == (READY, -4, NOW, 1)
    check_counts(state)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_done_rows_and_counts_agree(state: State, seed: int) -> None:
    # Given three items, and sixty acts by chance on them. After each act every row is what its needs say, and the
    # counts are what the rows say.
    walk = Walk(state, random.Random(seed))
    for _ in range(60):
        walk.act()
        walk.check()


class Walk:
    """Acts by chance on three items of a plan."""

    def __init__(self, state: State, chance: random.Random) -> None:
        self.state, self.chance, self.plan = state, chance, PLAN
        self.ids = add(state, *"abc", plan=PLAN)
        self.held: dict[tuple[int, str], int] = {}
        self.now = NOW
        self.tried = 0

    def act(self) -> None:
        item, step = self.chance.choice(self.ids), self.chance.choice(self.plan.steps).name
        self.now += SECOND
        self.chance.choice([self.take, self.take, self.take, self.end, self.end, self.do])(item, step)

    def take(self, item: int, step: str) -> None:
        was = states_of(self.state, item)[step]
        claims = took(self.state, self.plan, step, item, at=self.now)
        assert bool(claims) == (was == READY)
        self.held.update({(item, step): claim for claim in claims})

    def end(self, item: int, step: str) -> None:
        if not self.held:
            return
        (item, step), claim = self.chance.choice(list(self.held.items()))
        del self.held[item, step]
        is_held = states_of(self.state, item)[step] == PROCESSING
        status = self.chance.choice(["processed", "processed", "few filters", "no host", "failed"])
        more: dict[str, Any] = {}
        if self.chance.random() < 0.2:
            more = {"state": self.chance.choice([LATER, READY]), "until": self.now + 2 * SECOND}
        changed = record(self.state, self.plan, step, an_end(item, claim, status, **more), at=self.now)
        assert changed.touched == int(is_held)
        self.tried += changed.touched

    def do(self, item: int, step: str) -> None:
        some = self.chance.sample(self.ids, 2)
        with self.state.begin() as connection:
            match self.chance.choice(["retry", "reset", "reprocess", "promote", "let go"]):
                case "retry":
                    item_acts.retry(connection, self.plan, some, self.now)
                case "reset":
                    item_acts.reset(connection, self.plan, some, step, self.now)
                    self.forget(some, item_acts.behind(self.plan, step))
                case "reprocess":
                    item_acts.reprocess(connection, self.plan, some, self.now)
                    self.forget(some, [one.name for one in self.plan.steps])
                case "promote":
                    item_claims.promote(connection, self.plan, step, self.now)
                case "let go":
                    claims = {one: claim for (one, name), claim in self.held.items() if name == step}
                    item_claims.let_go(connection, self.plan, step, claims, self.now)
                    self.forget(list(claims), [step])

    def forget(self, ids: list[int], steps: list[str]) -> None:
        for key in [key for key in self.held if key[0] in ids and key[1] in steps]:
            del self.held[key]

    def check(self) -> None:
        check_counts(self.state)
        for item in self.ids:
            rows, row = steps_of(self.state, item), item_of(self.state, item)
            known = {name: Standing(one.state, one.status) for name, one in rows.items()}
            states = {name: one.state for name, one in rows.items()}
            assert states == settled(self.plan, known)
            assert row.state == of_item(list(states.values())) and (row.ended_at is None) == (row.state == OPEN)
            for name, one in rows.items():
                assert (one.run_id != 0) == (one.state == PROCESSING) == (one.status == "processing")
                assert (one.rank, one.sort_at) == (0, NOW) or one.state in (LATER, PROCESSING, DONE, FAILED)
                assert one.state in (DONE, FAILED, PROCESSING) or one.status == "not processed"
                assert (item, name) not in self.held or one.claims >= self.held[item, name]
        assert sum(attempts_counted(self.state).values()) == self.tried


def test_a_plan_of_one_step_has_items_that_end_with_it(state: State) -> None:
    plan: Plan = plan_of({"only": {}})
    [item] = add(state, "k", plan=plan)
    end(state, "only", item, plan=plan)
    assert item_of(state, item).state == DONE and replies_of(state) == []
    assert check_counts(state) == {("only", DONE, "processed"): 1, ("", DONE, "done"): 1}
