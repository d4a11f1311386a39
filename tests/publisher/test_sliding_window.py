"""The sliding window at a real RabbitMQ: how much is under way, and that a refused message holds up no other."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from janitor.errors import Cancelled, DeadlineExceeded, Fenced, Interrupted, JanitorError, Rejected, Unavailable
from janitor.publisher import Settled
from janitor.publisher.confirming_channel import ConfirmingChannel
from janitor.runs import Run, running
from tests.brokers import channel_limit, full_queue, message_limit
from tests.faults.proxy import Proxy
from tests.fixtures import Exchange
from tests.messages import SCHEMA, publisher_to, settings_for, statuses
from tests.publisher.decoding import decoded
from tests.rabbitmq.closing_frames import ClosedBehindConfirm
from tests.servers import Broker


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many messages were in flight after each sending."""
    seen, send = list[int](), ConfirmingChannel.send

    def watch(channel: ConfirmingChannel, *rest: Any) -> None:
        send(channel, *rest)
        seen.append(len(channel.in_flight))

    with monkeypatch.context() as patched:
        patched.setattr(ConfirmingChannel, "send", watch)
        yield seen


def places(settled: list[Settled]) -> list[int]:
    return sorted(at for one in settled for at in one.published)


def large(count: int, size: int) -> list[dict[str, Any]]:
    return [{**row, "sequencing_study": "x" * size} for row in statuses(count)]


def test_no_more_than_the_window_is_under_way(
    rabbitmq: Broker, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: 500 records and a window of 20.
    # What happens: they are published; what is yielded counts as remembered when the next is asked for.
    # What must hold: what is in flight and what is yielded are never over 20 together, and the window was full.
    rows, remembered = statuses(500), 0
    with watched(monkeypatch) as in_flight, publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        settled = []
        for one in publisher.publish_each(iter(rows), window=20):
            assert exchange.waiting() <= remembered + 20
            settled.append(one)
            remembered += len(one.published)
    assert max(in_flight) == 20 and places(settled) == list(range(500))
    assert decoded(exchange) == rows


def test_what_is_abandoned_is_at_most_a_window(rabbitmq: Broker, exchange: Exchange) -> None:
    # Given: 200 records and a window of 30. What happens: the caller dies after it took the first few.
    # What must hold: of what it did not take, at most 30 are in the queue; published again, they have the same ids.
    rows = statuses(200)
    with publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        settling = publisher.publish_each(rows, window=30)
        taken = set(next(settling).published) | set(next(settling).published)
        settling.close()
        left = [row for at, row in enumerate(rows) if at not in taken]
        assert places(list(publisher.publish_each(left, window=30))) == list(range(len(left)))
    messages = exchange.received()
    assert len(rows) <= len(messages) <= len(rows) + 30
    assert len({message.properties.message_id for message in messages}) == len(rows)


def test_a_message_too_large_is_refused_alone(rabbitmq: Broker, exchange: Exchange) -> None:
    # Given: a broker that takes 20,000 bytes a message, and records of many sizes, some over that.
    # What happens: they are published.
    # What must hold: those over it are refused with the broker's words, each other one is there once.
    rows = statuses(60)
    for at, size in ((9, 6_000), (20, 30_000), (21, 19_000), (22, 20_001), (40, 90_000), (59, 25_000)):
        rows[at] = large(60, size)[at]
    with message_limit(rabbitmq, 20_000), publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        settled = list(publisher.publish_each(rows, window=10))
    refused = {each.at: each for one in settled for each in one.refused}
    assert refused.keys() == {20, 22, 40, 59}
    assert all(each.for_itself for each in refused.values())
    assert refused[40].reason.startswith(f"RabbitMQ at 127.0.0.1:{rabbitmq.port}, virtual host '/' refuses it: ")
    assert refused[40].reason.endswith("is larger than configured max size 20000")
    assert decoded(exchange) == [row for at, row in enumerate(rows) if at not in refused]


@pytest.mark.slow
def test_many_messages_too_large_need_few_channels(rabbitmq: Broker, exchange: Exchange) -> None:
    # Given: a broker that allows 4 channels a connection, and more messages than that which are too large.
    # What happens: they are published; each of them costs a channel.
    # What must hold: it goes on to the end.
    rows = statuses(20)
    for at in range(0, 20, 2):
        rows[at] = large(20, 30_000)[at]
    with (
        channel_limit(rabbitmq, 4),
        message_limit(rabbitmq, 20_000),
        publisher_to(settings_for(rabbitmq), exchange.name) as publisher,
    ):
        settled = list(publisher.publish_each(rows, window=10))
    assert sorted(each.at for one in settled for each in one.refused) == list(range(0, 20, 2))
    assert places(settled) == list(range(1, 20, 2))


@pytest.mark.slow
def test_among_many_in_flight_the_guilty_is_found(
    rabbitmq: Broker, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: as above, but large messages do not go alone, as if the broker had another reason to refuse them.
    # What happens: the channel closes while ten are in flight.
    # What must hold: only the guilty are refused; each other one is there at least once.
    monkeypatch.setattr("janitor.publisher.sliding_window.SMALL_BYTES", 1_000_000)
    rows = statuses(40)
    for at in (5, 6, 33):
        rows[at] = large(40, 30_000)[at]
    with message_limit(rabbitmq, 20_000), publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        settled = list(publisher.publish_each(rows, window=10))
    assert {each.at for one in settled for each in one.refused} == {5, 6, 33}
    assert places(settled) == [at for at in range(40) if at not in (5, 6, 33)]
    found = decoded(exchange)
    assert {row["labware_barcode"] for row in found} == {rows[at]["labware_barcode"] for at in places(settled)}
    assert len(found) <= 37 + 9


@pytest.mark.slow
def test_a_limit_below_all_that_is_small_puts_one_window_in_doubt(rabbitmq: Broker, exchange: Exchange) -> None:
    # Given: a broker that takes less than what goes out together, and many records over its limit among the others.
    # What happens: the channel closes while ten are in flight, at the first of them.
    # What must hold: at the others it closes while they are alone, so that what is not refused comes once after that.
    guilty = range(5, 300, 7)
    rows = statuses(300)
    for at in guilty:
        rows[at] = large(300, 500)[at]
    with message_limit(rabbitmq, 400), publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        settled = list(publisher.publish_each(rows, window=10))
    assert {each.at for one in settled for each in one.refused} == set(guilty)
    again = len(exchange.received()) - len(places(settled))
    assert len(places(settled)) == 300 - len(guilty) and 0 <= again <= 9


def test_what_was_confirmed_just_before_a_close_is_not_sent_again(rabbitmq: Broker, exchange: Exchange) -> None:
    # Given: a broker that confirms the first of ten messages, and closes the channel in the same piece.
    # What happens: the other nine go again, one by one.
    # What must hold: each is told as published once, and the first is not sent a second time.
    behind, rows = ClosedBehindConfirm(), statuses(10)
    with Proxy(rabbitmq.host, rabbitmq.port, behind.answers, behind.requests) as proxy:
        settings = settings_for(rabbitmq, RABBITMQ_HOST="127.0.0.1", RABBITMQ_PORT=str(proxy.port))
        with publisher_to(settings, exchange.name) as publisher:
            settled = list(publisher.publish_each(rows, window=10))
    found = decoded(exchange)
    assert behind.is_done and places(settled) == list(range(10))
    assert found.count(rows[0]) == 1 and all(row in found for row in rows)


@pytest.mark.slow
def test_lines_that_are_too_many_go_in_halves(rabbitmq: Broker, exchange: Exchange) -> None:
    # Given: a broker that takes 20,000 bytes a message, and records that are over it only together, but for one.
    # What happens: they are published as JSON, all in one message if that could be.
    # What must hold: all but the one arrive, in few messages.
    rows = large(30, 2_000)
    rows[17] = large(30, 25_000)[17]
    with (
        message_limit(rabbitmq, 20_000),
        publisher_to(settings_for(rabbitmq), exchange.name, encoding="json") as publisher,
    ):
        settled = list(publisher.publish_each(rows, window=30))
    assert [each.at for one in settled for each in one.refused] == [17]
    messages = exchange.received()
    assert [row for message in messages for row in SCHEMA.decode_lines(message.body)] == rows[:17] + rows[18:]
    assert len(messages) <= 12


def test_a_full_queue_refuses_each_for_now(rabbitmq: Broker, exchange: Exchange) -> None:
    # Given: a queue with room for 5 beside a healthy one. What happens: 90 records are published, 8 under way at most.
    # What must hold: some are refused, with words and not for ever; after 20 in a row nothing more is sent.
    with full_queue(exchange, 5), publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        settled: list[Settled] = []
        with pytest.raises(Unavailable, match="^2[0-7] messages in a row were refused, so no more were sent: ex"):
            for one in publisher.publish_each(statuses(90), window=8):
                settled.append(one)
    refused = [each for one in settled for each in one.refused]
    assert len(places(settled)) >= 5 and 20 <= len(refused) <= 60
    assert not any(each.for_itself for each in refused)
    assert "a queue bound to it is full or broken" in refused[0].reason
    assert exchange.waiting() == len(places(settled)) + len(refused)


def test_records_that_do_not_fit_are_refused_one_by_one(rabbitmq: Broker, exchange: Exchange) -> None:
    rows: list[dict[str, Any]] = [
        {**row, "sample_supplier_id": None} if at % 3 == 0 else row for at, row in enumerate(statuses(50))
    ]
    with publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        settled = list(publisher.publish_each(rows, window=4))
    refused = {each.at: each.reason for one in settled for each in one.refused}
    assert refused == {at: "sample_supplier_id is missing" for at in range(0, 50, 3)}
    assert decoded(exchange) == [row for at, row in enumerate(rows) if at % 3]


def test_a_failure_comes_after_what_was_settled(rabbitmq: Broker, exchange: Exchange) -> None:
    # Given: an exchange that goes after the first answers.
    # What happens: the caller goes on asking. What must hold: no confirmed message is kept from it, then the error.
    with publisher_to(settings_for(rabbitmq), exchange.name) as publisher, rabbitmq.channel() as channel:
        with pytest.raises(Rejected, match="does not exist"):
            for _ in publisher.publish_each(statuses(300), window=10):
                channel.exchange_delete(exchange.name)


@pytest.mark.parametrize("reason", [Interrupted("the daemon stops"), DeadlineExceeded("over its timeout")])
def test_a_run_that_is_to_end_leaves_nothing_in_flight(
    rabbitmq: Broker, exchange: Exchange, reason: JanitorError
) -> None:
    # Given: a run that is asked to stop, or is over its timeout, while messages are in flight.
    # What happens: the caller goes on asking.
    # What must hold: it is told of each message that the broker took, so none is published again; then the error.
    run, told = Run(), set[int]()
    with running(run), publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        with pytest.raises(type(reason)):
            for one in publisher.publish_each(statuses(300), window=50):
                told.update(one.published)
                if isinstance(reason, Cancelled):
                    run.ask_to_stop(reason)
                else:
                    run.deadline = 0.0
    assert 0 < len(told) < 300 and exchange.waiting() == len(told)


def test_a_run_that_has_lost_its_lease_waits_for_nothing(rabbitmq: Broker, exchange: Exchange) -> None:
    # It may remember nothing any more, so it need not hear what becomes of the rest.
    run, told = Run(), set[int]()
    with running(run), publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        with pytest.raises(Fenced):
            for one in publisher.publish_each(statuses(300), window=50):
                told.update(one.published)
                run.ask_to_stop(Fenced("another daemon has taken over"))
    assert len(told) <= exchange.waiting() <= len(told) + 50


def test_no_queue_bound_ends_it_after_what_was_settled(rabbitmq: Broker, exchange: Exchange) -> None:
    with publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        told = set[int]()
        with pytest.raises(Rejected, match="^no queue is bound to exchange"):
            for one in publisher.publish_each(statuses(300), window=10):
                told.update(one.published)
                exchange.unbind()
    assert len(told) <= exchange.waiting() <= len(told) + 10
