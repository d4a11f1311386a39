"""A run of a way of replying: each reply is sent until the other side has it, or is given up."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, select

from janitor.errors import Cancelled, Rejected, Skip, Unavailable
from janitor.items import Failed, Item, Step
from janitor.items.ends import Answer
from janitor.items.replying import TOGETHER
from janitor.needs import Need
from janitor.operations import items as operations
from janitor.runs import Outcome, current_run
from janitor.settings import Settings
from janitor.state import item_acts, item_replies
from janitor.state.item_replies import DUE, GIVEN_UP, SENT, Due
from janitor.state.item_tables import item_replies as reply_rows
from tests.items.doors import Way
from tests.items.house import House, house, succeeded
from tests.small_engine import eventually, lite_state


class Shelf:
    """A store that has what it was told of."""

    requires: Sequence[Need] = ()

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def find(self, settings: Settings, pipeline: str, key: str) -> Any:
        if key == "broken":
            raise Rejected("the shelf is broken")
        return Place(f"shelf/{pipeline}/{key}") if key in self.keys else None


class Place:
    def __init__(self, address: str) -> None:
        self.address = address


def step(item: Item) -> str | None:
    """Do what the item's key says."""
    item.result = {"of": item.key}
    if item.key.startswith("bad"):
        raise Failed("far away", "no host", "E7")
    return "few" if item.key.startswith("few") else None


@contextmanager
def desk(url: URL, folder: Path, way: Way, leads: bool = True, **more: Any) -> Iterator[House]:
    statuses = {"few": "warning", "no host": "error"}
    with house(url, folder, Step("only", step), leads=leads, replies=[way], statuses=statuses, **more) as made:
        yield made


def rows(made: House) -> dict[str, Any]:
    with made.state.read() as connection:
        found = connection.execute(select(reply_rows).order_by(reply_rows.c.id))
        return {row.key: row for row in found}


def test_whoever_asked_is_told_what_came_of_it(state_url: URL, tmp_path: Path) -> None:
    way = Way()
    with desk(state_url, tmp_path, way, store=Shelf("good", "bad")) as made:
        made.add("good", args={"n": 1}, envelope={"to": "A"}, secrets={"token": "sesame-17"})
        made.add("few")
        made.add("bad", envelope={"to": "B"}, expires_at=made.now() + timedelta(days=1))
        made.do("only")
        assert succeeded(made.do("mail")) == {"sent": 3}
        good, few, bad = way.answers
        facts = [(one.status, one.kind, one.reason, one.code, one.is_late, one.envelope) for one in (good, few, bad)]
        assert facts == [
            ("processed", "ok", None, None, False, {"to": "A"}),
            ("few", "warning", None, None, False, {}),
            ("no host", "error", "far away", "E7", False, {"to": "B"}),
        ]
        assert (good.pipeline, good.key, good.args, good.results) == ("p", "good", {"n": 1}, {"only": {"of": "good"}})
        assert good.content is not None and good.content.address == "shelf/p/good"
        assert few.content is bad.content is None
        assert good.ended_at == made.item("good").ended_at and "sesame" not in repr(way.answers)
        assert len({answer.id for answer in way.answers}) == 3
        assert (way.opened, way.closed) == (1, 1)
        assert {row.state for row in rows(made).values()} == {SENT}
        assert succeeded(made.do("mail")) == {"sent": 0} and len(way.answers) == 3
        made.check_counts()


def test_an_item_that_ended_after_its_time_is_told_as_late(tmp_path: Path) -> None:
    way = Way()
    with desk(lite_state(tmp_path / "s.db"), tmp_path, way) as made:
        made.add("late", expires_at=made.now() + timedelta(days=1))
        made.do("only")
        made.change_row("late", expires_at=made.item("late").ended_at - timedelta(seconds=1))
        made.do("mail")
        assert [answer.is_late for answer in way.answers] == [True]


def test_a_message_that_became_no_item_is_told_with_its_reason(tmp_path: Path) -> None:
    way = Way()
    with desk(lite_state(tmp_path / "s.db"), tmp_path, way) as made:
        error = {"error": {"code": "malformed", "message": "it has no key"}}
        with made.state.begin() as connection:
            item_replies.add(connection, made.pipeline.plan, [Due(None, "k", {"to": "A"}, error)], made.now())
        made.do("mail")
        [answer] = way.answers
        assert (answer.status, answer.kind, answer.reason, answer.code) == (
            "dead letter",
            "error",
            "it has no key",
            "malformed",
        )
        assert (answer.key, answer.envelope, answer.results, answer.args) == ("k", {"to": "A"}, {}, {})


def test_an_item_that_was_deleted_is_told_as_that(tmp_path: Path) -> None:
    way = Way()
    with desk(lite_state(tmp_path / "s.db"), tmp_path, way) as made:
        made.add("k", envelope={"to": "A"})
        made.do("only")
        with made.state.begin() as connection:
            item_acts.drop(connection, made.pipeline.plan, [made.item("k").id])
        assert succeeded(made.do("mail")) == {"sent": 1}
        [answer] = way.answers
        assert (answer.key, answer.status, answer.kind, answer.code) == ("k", "dropped", "error", "dropped")
        assert answer.reason == "the item was deleted before this could be told" and answer.envelope == {"to": "A"}


def test_what_may_go_another_time_is_put_off(state_url: URL, tmp_path: Path) -> None:
    # Given one of three whose receiver is away, and one that no receiver takes. The third is sent all the same.
    way = Way()
    refusals = {"away": Unavailable("nobody listens"), "never": Rejected("no such address")}

    def do(answer: Answer) -> None:
        if answer.key in refusals:
            raise refusals[answer.key]

    way.do = do
    with desk(state_url, tmp_path, way) as made:
        made.add("away", "never", "good")
        made.do("only")
        before = made.now()
        assert succeeded(made.do("mail")) == {"sent": 1, "put_off": 1, "given_up": 1}
        found = rows(made)
        assert way.keys == ["good"] and found["good"].state == SENT
        away, never = found["away"], found["never"]
        assert (away.state, away.tries, away.reason) == (DUE, 1, "nobody listens")
        assert before + timedelta(seconds=1) <= away.due_at <= made.now() + timedelta(seconds=1)
        assert (never.state, never.tries, never.reason) == (GIVEN_UP, 1, "no such address")
        made.check_counts()
        refusals.clear()
        with made.state.begin() as connection:
            item_replies.try_now(connection, made.pipeline.plan, made.now(), 9)
        assert succeeded(made.do("mail")) == {"sent": 2}
        assert sorted(way.keys) == ["away", "good", "never"]
        made.check_counts()


def test_a_run_fails_if_nobody_listens_at_all(tmp_path: Path) -> None:
    way = Way()

    def do(answer: Answer) -> None:
        raise ConnectionError("all is dark")

    way.do = do
    with desk(lite_state(tmp_path / "s.db"), tmp_path, way) as made:
        made.add("a", "b")
        made.do("only")
        ending = made.do("mail")
        assert (ending.outcome, ending.reason) == (Outcome.FAILED, "ConnectionError: all is dark")
        assert {row.state for row in rows(made).values()} == {DUE} and way.closed == 1
        made.check_counts()


def test_a_reply_that_cannot_be_made_waits_and_holds_up_no_other(tmp_path: Path) -> None:
    # Given a store that says no for one key, as one whose disk is not mounted does.
    way = Way()
    with desk(lite_state(tmp_path / "s.db"), tmp_path, way, store=Shelf()) as made:
        made.add("broken", "good")
        made.do("only")
        assert succeeded(made.do("mail")) == {"sent": 1, "put_off": 1}
        waits = rows(made)["broken"]
        assert way.keys == ["good"] and (waits.state, waits.reason) == (DUE, "the shelf is broken")


def test_who_gave_no_address_is_not_told_and_it_is_noted(tmp_path: Path) -> None:
    way = Way()

    def nobody(answer: Answer) -> None:
        raise Skip("nobody asked by this way")

    with desk(lite_state(tmp_path / "s.db"), tmp_path, way) as made:
        made.add("k")
        made.do("only")
        way.do = nobody
        assert succeeded(made.do("mail")) == {"sent": 0, "to_nobody": 1}
        row = rows(made)["k"]
        assert (row.state, row.reason) == (SENT, "nobody asked by this way") and way.keys == []
        assert succeeded(made.do("mail")) == {"sent": 0}
        made.check_counts()


def test_nothing_is_told_of_an_item_that_goes_on_again(tmp_path: Path) -> None:
    # Given an item that has failed, and is retried just as its reply is to be sent. Its next end is told, and no other.
    way = Way()
    with desk(lite_state(tmp_path / "s.db"), tmp_path, way, store=Shelf()) as made:
        made.add("first", "bad", envelope={"to": "A"})
        made.do("only")
        way.do = lambda answer: operations.retry(
            made.state, operations.by_key(made.state, "p", "bad"), "eva", made.now()
        )
        assert succeeded(made.do("mail")) == {"sent": 1} and way.keys == ["first"]
        way.do = lambda answer: None
        made.do("only")
        assert succeeded(made.do("mail")) == {"sent": 1} and way.keys == ["first", "bad"]
        assert way.answers[1].status == "no host"
        made.check_counts()


def test_more_than_fit_into_one_batch_are_sent(tmp_path: Path) -> None:
    way, number = Way(), TOGETHER + 7
    with desk(lite_state(tmp_path / "s.db"), tmp_path, way) as made:
        made.add(*(str(n) for n in range(number)))
        made.do("only")
        assert succeeded(made.do("mail")) == {"sent": number} and len(set(way.keys)) == number
        made.check_counts()


def test_what_is_sent_in_the_middle_of_a_stop_is_not_put_off(tmp_path: Path) -> None:
    way = Way()

    def do(answer: Answer) -> None:
        current_run().ask_to_stop(Cancelled("eva said so"))
        current_run().check()

    way.do = do
    with desk(lite_state(tmp_path / "s.db"), tmp_path, way) as made:
        made.add("a")
        made.do("only")
        assert made.do("mail").outcome is Outcome.CANCELLED
        assert (rows(made)["a"].state, rows(made)["a"].tries) == (DUE, 0)


def test_nothing_is_sent_in_a_dry_run(tmp_path: Path) -> None:
    way = Way()
    with desk(lite_state(tmp_path / "s.db"), tmp_path, way) as made:
        made.add("a")
        made.do("only")
        ending = made.do("mail", dry_run=True)
        assert (ending.outcome, ending.reason) == (Outcome.SKIPPED, "replies are not sent in a dry run")
        assert way.opened == 0


@pytest.mark.parametrize("dies", [False, True])
def test_a_daemon_tells_whoever_asked(state_url: URL, tmp_path: Path, dies: bool) -> None:
    # Given a process that may end after a reply is sent, and before that is noted: it is sent again, with the same id.
    way = Way()
    with desk(state_url, tmp_path, way, leads=False) as made:
        made.add("a", "bad")
        made.go(lambda: eventually(lambda: len(way.answers) == 2))
    if dies:
        with desk(state_url, tmp_path, way, leads=False) as made:
            with made.state.begin() as connection:
                connection.execute(reply_rows.update().values(state=DUE, ended_at=None))
            made.go(lambda: eventually(lambda: len(way.answers) == 4))
    ids = {answer.key: answer.id for answer in way.answers[:2]}
    assert set(ids) == {"a", "bad"} and all(answer.id == ids[answer.key] for answer in way.answers)
