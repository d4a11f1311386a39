"""The post: each notice reaches each channel in order, whatever fails. A channel's trouble hurts no other channel."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from janitor.notices.channel import Channel, Undelivered
from janitor.notices.content import Content, from_json
from janitor.notices.post import MOST_TOGETHER, Post
from janitor.notices.watch import Watch
from janitor.state import leases
from janitor.state.tables import deliveries
from janitor.state.tables import leases as lease_table
from tests.notices.house import RUN_RULES, House
from tests.notices.notebook import Notebook
from tests.small_engine import eventually, now, run_by_hand


@contextmanager
def posted(house: House, *channels: Channel) -> Iterator[Watch]:
    """Give a watch that looks only when asked; the post of each channel runs."""
    posts = [Post(house.runner, channel, first_pause_seconds=0.05) for channel in channels]
    rules = house.watch(rules=RUN_RULES)._rules
    for post in posts:
        post.start()
    try:
        yield Watch(house.runner, house.jobs, rules, posts)
    finally:
        for post in posts:
            post.ask_to_stop()
        for post in posts:
            post.wait(5)


def records(house: House) -> list[Any]:
    with house.runner.state.read() as connection:
        return list(connection.execute(select(deliveries).order_by(deliveries.c.id)))


def test_each_channel_is_told_in_order_and_tried_until_it_takes(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    good, bad = Notebook("good"), Notebook("bad", errors=[Undelivered("it is asleep")] * 4)
    with posted(house, good, bad) as watch:
        for outcome in ("failed", "succeeded"):
            house.ran(outcome)
            watch.look(now())
        eventually(lambda: len(good.told) == len(bad.told) == 2)
        eventually(lambda: all(row.outcome == "delivered" for row in records(house)))
    assert good.told == bad.told == ["began failed", "ended failed"]
    assert [row.tries for row in records(house) if row.channel == "bad"] == [5, 1]
    assert caplog.text.count("cannot be told by bad (here) and wait: it is asleep") == 1
    assert caplog.text.count("notices are told by bad (here) again") == 1


def test_a_channel_that_hangs_delays_no_run_and_no_other(house: House) -> None:
    good, bad = Notebook("good"), Notebook("bad")
    bad.hangs.set()
    with posted(house, good, bad) as watch:
        house.ran("failed")
        watch.look(now())
        eventually(lambda: good.told == ["began failed"])
        for _ in range(3):
            assert run_by_hand(house.runner, print, id="copy")[1].outcome.value == "succeeded"
        watch.look(now())
        eventually(lambda: good.told == ["began failed", "ended failed"])
        assert bad.told == []
        bad.hangs.clear()
        eventually(lambda: bad.told == ["began failed", "ended failed"])


def test_what_can_never_be_taken_is_given_up_at_once(house: House, caplog: pytest.LogCaptureFixture) -> None:
    channel = Notebook(errors=[Undelivered("it answered 400", final=True)])
    with posted(house, channel) as watch:
        for outcome in ("failed", "succeeded"):
            house.ran(outcome)
            watch.look(now())
        eventually(lambda: channel.told == ["ended failed"])
        eventually(lambda: records(house)[1].outcome)
    assert [(row.outcome, row.reason) for row in records(house)] == [
        ("given_up", "it answered 400"),
        ("delivered", None),
    ]
    assert "notice 1 is given up after 1 tries: it answered 400" in caplog.text


def test_notices_of_one_look_make_one_digest(house: House) -> None:
    alone, digests = Notebook("alone"), Notebook("digests", together=True)
    with posted(house, alone, digests) as watch:
        for job in house.jobs:
            house.ran("failed", job=job)
        watch.look(now())
        eventually(lambda: len(alone.told) == 2 and all(row.outcome == "delivered" for row in records(house)))
        house.ran("succeeded")
        watch.look(now())
        eventually(lambda: len(alone.told) == 3 and all(row.outcome == "delivered" for row in records(house)))
    assert alone.told == ["began failed", "began failed", "ended failed"]
    assert digests.told == ["began copy + began clean", "ended failed"]
    assert {row.tries for row in records(house)} == {1}


def test_waiting_notices_come_as_one_digest(house: House) -> None:
    channel = Notebook(together=True, errors=[Undelivered("it is asleep")] * 3)
    with posted(house, channel) as watch:
        watch.look(now())
        for job, outcome in (("copy", "failed"), ("clean", "failed"), ("copy", "succeeded")):
            house.ran(outcome, job=job)
        watch.look(now())
        eventually(lambda: channel.told)
        eventually(lambda: all(row.outcome == "delivered" for row in records(house)))
    assert channel.told == ["began copy + ended copy + began clean"]
    assert [row.tries for row in records(house)] == [4, 1, 1], "one of them tells that the channel is in trouble"


def test_a_refused_digest_is_sent_one_by_one(house: House) -> None:
    channel = Notebook(together=True, errors=[Undelivered("it answered 413", final=True)] * 2)
    with posted(house, channel) as watch:
        for job in house.jobs:
            house.ran("failed", job=job)
        watch.look(now())
        eventually(lambda: all(row.outcome for row in records(house)))
    assert channel.told == ["began failed"]
    assert [(row.outcome, row.reason) for row in records(house)] == [
        ("given_up", "it answered 413"),
        ("delivered", None),
    ]


def test_a_digest_is_told_once_and_has_a_most(house: House) -> None:
    """Given: one notice more than a digest holds, and a channel that takes each message just as the lead is lost.

    Happens: four rounds, each with the lead again.
    Must hold: two messages, the first full; each delivery is recorded one round after it was told.
    """
    watch = house.watch()
    watch.look(now())
    for _ in range(MOST_TOGETHER // 2):
        house.ran("failed")
        house.ran("succeeded")
    house.ran("failed", job="clean")
    watch.look(now())

    class Gone(Notebook):
        """Takes a notice, and then the lead is lost."""

        def send(self, content: Content) -> str:
            said = super().send(content)
            house.runner.leadership.take(None)
            return said

    channel = Gone(together=True)
    post, fence = Post(house.runner, channel), house.runner.lead.fence
    recorded = list[int]()
    for _ in range(4):
        house.runner.leadership.take(fence)
        post._round(now())
        recorded.append(sum(row.outcome == "delivered" for row in records(house)))
    assert [told.count(" + ") + 1 for told in channel.told] == [MOST_TOGETHER, 1]
    assert recorded == [0, MOST_TOGETHER, MOST_TOGETHER, MOST_TOGETHER + 1]


def test_a_notice_not_taken_for_a_day_is_given_up(house: House) -> None:
    channel = Notebook(errors=[Undelivered("it is asleep")] * 2)
    house.ran("failed")
    house.watch().look(now())
    for hours, outcome in ((23, None), (25, "given_up")):
        added = {"added_at": now() - timedelta(hours=hours), "due_at": now()}
        with house.runner.state.begin() as connection:
            connection.execute(update(deliveries).values(added))
        Post(house.runner, channel)._round(now())
        assert records(house)[0].outcome == outcome
    assert channel.errors == [] and channel.told == []


def test_pauses_grow_and_last_over_restarts(house: House) -> None:
    house.ran("failed")
    house.watch().look(now())
    pauses = list[int]()
    for _ in range(9):
        channel, at = Notebook(errors=[Undelivered("it is asleep")]), now()
        assert Post(house.runner, channel)._round(at) == Post(house.runner, channel)._pause(len(pauses) + 1)
        (row,) = records(house)
        pauses.append(round((row.due_at - at).total_seconds()))
        assert Post(house.runner, channel)._round(at) > 5 and channel.told == []
        with house.runner.state.begin() as connection:
            connection.execute(update(deliveries).values(due_at=now()))
    assert pauses == [10, 20, 40, 80, 160, 320, 600, 600, 600]


def test_a_clock_set_back_holds_no_notice_up(house: House) -> None:
    # Given: a notice that is to be told, then one that was put off. What happens: the clock is set back by an hour.
    # What must hold: it is told at once, not in an hour.
    hour = timedelta(hours=1)
    house.ran("failed")
    house.watch().look(now())
    channel = Notebook(errors=[Undelivered("it is asleep")])
    Post(house.runner, channel)._round(now() - hour)
    assert records(house)[0].tries == 1
    assert Post(house.runner, channel)._round(now()) > 5 and channel.told == []
    Post(house.runner, channel)._round(now() - hour)
    assert channel.told == ["began failed"]


def test_a_daemon_without_the_lead_tells_nothing(house: House) -> None:
    house.ran("failed")
    house.watch().look(now())
    fence = house.runner.lead.fence
    house.runner.leadership.take(None)
    channel = Notebook()
    Post(house.runner, channel)._round(now())
    assert channel.told == []
    house.runner.leadership.take(fence)
    Post(house.runner, channel)._round(now())
    assert channel.told == ["began failed"]


def test_what_was_told_but_not_recorded_is_not_told_again(house: House) -> None:
    """Given: a channel that takes a notice just as the lead is lost, so that the delivery cannot be recorded.

    Happens: the lead comes back, and the post goes on.
    Must hold: the notice is not sent again, and the delivery is recorded.
    """
    house.ran("failed")
    house.watch().look(now())
    channel = Notebook()
    post = Post(house.runner, channel)

    class Gone(Notebook):
        """Takes a notice, and then the lead is lost."""

        def send(self, content: Content) -> str:
            said = super().send(content)
            house.runner.leadership.take(None)
            return said

    post.channel = channel = Gone()
    fence = house.runner.lead.fence
    post._round(now())
    assert records(house)[0].outcome is None
    house.runner.leadership.take(fence)
    post._round(now())
    assert channel.told == ["began failed"] and records(house)[0].outcome == "delivered"


def test_who_was_followed_records_no_delivery(house: House) -> None:
    house.ran("failed")
    house.watch().look(now())

    class Followed(Notebook):
        """Takes a notice, and then another daemon leads, which nobody here has noticed."""

        def send(self, content: Content) -> str:
            with house.runner.state.begin() as connection:
                connection.execute(update(lease_table).where(lease_table.c.name == leases.DAEMON).values(token=99))
            return super().send(content)

    channel = Followed()
    Post(house.runner, channel)._round(now())
    assert channel.told == ["began failed"] and records(house)[0].outcome is None


def test_a_delivery_that_nobody_can_read_holds_up_nothing(house: House) -> None:
    """Given deliveries; the content of the first is no JSON, that of the second no notice.

    The post tells what is due.
    Must hold: the third is told, and the first two are given up with the reason.
    """
    watch = house.watch()
    for outcome in ("failed", "interrupted", "missed"):
        house.ran(outcome, slot_at=now())
    watch.look(now())
    first, second, third = records(house)
    with house.runner.state.begin() as connection:
        for row, content in ((first, "{"), (second, second.content.replace('"began_at": "', '"began_at": "x'))):
            connection.execute(update(deliveries).where(deliveries.c.id == row.id).values(content=content))
    channel = Notebook()
    post = Post(house.runner, channel)
    for _ in range(5):
        post._round(now())
    assert channel.told == [f"began {from_json(third.content).rule}"]
    assert [(row.outcome, row.reason) for row in records(house)[:2]] == [
        ("given_up", "it cannot be read from the state database")
    ] * 2


class Stumbles(Notebook):
    """A channel that stumbles over what a task wrote."""

    def send(self, content: Content) -> str:
        if any(one.error or one.counts for one in (content, *content.parts)):
            raise UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range")
        return super().send(content)


@pytest.mark.parametrize("together", [True, False])
def test_what_a_channel_stumbles_over_is_told_in_brief(house: House, together: bool) -> None:
    watch = house.watch()
    for outcome in ("failed", "interrupted"):
        house.ran(outcome, slot_at=now())
    watch.look(now())
    channel = Stumbles(together=together)
    post = Post(house.runner, channel)
    for _ in range(3):
        post._round(now())
    assert channel.told == (["began copy + began copy"] if together else ["began failed", "began interrupted"])
    assert {row.outcome for row in records(house)} == {"delivered"}
    assert house.runner.loops.failures["notices to notebook"] == (1 if together else 2)


def test_a_channel_with_a_mistake_keeps_its_notices(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Given a channel that raises what nobody expects, whatever it is told.

    Its thread tries, and tries again.
    Must hold: the notice waits with a growing pause, as if the channel were down, and the trouble is a condition.
    """

    class Broken(Notebook):
        def send(self, content: Content) -> str:
            raise LookupError("no such codec")

    house.ran("failed")
    house.watch().look(now())
    post = Post(house.runner, Broken())
    for _ in range(3):
        post._round(now())
        with house.runner.state.begin() as connection:
            connection.execute(update(deliveries).values(due_at=now()))
    (row,) = records(house)
    assert (row.outcome, row.tries) == (None, 3)
    assert row.reason == "this channel cannot be used: LookupError: no such codec"
    assert [one.duty for one in house.runner.loops.troubles] == ["notices to notebook"]
    assert caplog.text.count("Traceback") == 1


def test_a_notice_from_memory_is_tried_until_taken(house: House) -> None:
    channel = Notebook(errors=[Undelivered("it is asleep")] * 2)
    house.runner.leadership.take(None)
    with posted(house, channel) as watch:
        for kind in ("began", "ended"):
            watch._tell_directly(Content("k", kind, "state_away", "janitor", "it is away", now(), now(), "here"))
        eventually(lambda: channel.told == ["began state_away", "ended state_away"])
