"""A queue of a real RabbitMQ: nothing is taken off it before its item is committed, and nothing is lost."""

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pika
import pytest

from janitor.errors import BadSetting, Cancelled, Rejected, Unavailable
from janitor.items.ends import Message
from janitor.items.inboxes.rabbitmq import RabbitInbox
from janitor.items.reading import Reading
from janitor.needs import ServiceNeed
from janitor.settings import Settings
from janitor.state import State
from tests.items.inboxes.receiving import Desk, Standing
from tests.messages import settings_for
from tests.servers import Broker
from tests.small_engine import eventually

KINDS: dict[str, dict[str, Any]] = {"classic": {}, "quorum": {"x-queue-type": "quorum"}}


class Queue:
    """A durable queue of this test's own."""

    def __init__(self, broker: Broker, **arguments: Any) -> None:
        self.broker, self.name = broker, f"test_{uuid.uuid4().hex[:12]}"
        with broker.channel() as channel:
            channel.queue_declare(self.name, durable=True, arguments=arguments)

    def put(self, *bodies: object, **properties: Any) -> None:
        """Put messages in, confirmed; what is no text is made JSON."""
        with self.broker.channel() as channel:
            channel.confirm_delivery()
            for body in bodies:
                text = body if isinstance(body, str) else json.dumps(body)
                channel.basic_publish("", self.name, text.encode(), pika.BasicProperties(delivery_mode=2, **properties))

    def put_many(self, count: int) -> None:
        """Put many messages in, as fast as they go."""
        with self.broker.channel() as channel:
            for number in range(count):
                body = json.dumps({"key": f"k{number}", "number": number}).encode()
                channel.basic_publish("", self.name, body, pika.BasicProperties(delivery_mode=2))
        eventually(lambda: self.waiting == count)

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return self.broker.waiting(self.name)

    def taken(self) -> list[str]:
        """Take all messages out; their bodies."""
        found = []
        with self.broker.channel() as channel:
            while (got := channel.basic_get(self.name, auto_ack=True))[0] is not None:
                found.append((got[2] or b"").decode())
        return found

    def delete(self) -> None:
        """Remove it."""
        with self.broker.channel() as channel:
            channel.queue_delete(self.name)


@pytest.fixture(params=KINDS)
def queue(request: pytest.FixtureRequest, rabbitmq: Broker) -> Iterator[Queue]:
    """An empty queue, of either kind."""
    made = Queue(rabbitmq, **KINDS[request.param])
    yield made
    rabbitmq.start()
    made.delete()


@pytest.fixture
def settings(rabbitmq: Broker) -> Settings:
    """The settings with which the broker is reached."""
    return settings_for(rabbitmq)


def desk_for(state: State, settings: Settings, queue: Queue, **options: Any) -> Desk:
    return Desk(state, settings, RabbitInbox("queue", queue.name, **options))


def test_each_message_becomes_one_item(state: State, settings: Settings, queue: Queue) -> None:
    # Given: more messages than a batch has. What happens: they are received. What must hold: all are items, in order.
    queue.put_many(1_234)
    desk = desk_for(state, settings, queue)
    assert desk.receive() == {"received": 1_234, "items": 1_234, "dead_letters": 0}
    assert desk.keys == [f"k{number}" for number in range(1_234)]
    assert desk.items[77]["args"] == {"key": "k77", "number": 77}
    assert max(desk.batches) <= 500 and len(desk.batches) < 20
    assert queue.waiting == 0


def test_whom_to_answer_is_kept(state: State, settings: Settings, queue: Queue) -> None:
    at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    headers = {"site": "Hinxton", "tries": 3, "at": at, "parts": [1, {"a": None}]}
    queue.put({"key": "a"}, reply_to="answers", correlation_id="c-1", message_id="m-1", headers=headers)
    queue.put({"key": "b"})
    desk = desk_for(state, settings, queue)
    desk.receive()
    first, second = desk.items
    assert first["envelopes"] == [
        {
            "reply_to": "answers",
            "correlation_id": "c-1",
            "message_id": "m-1",
            "headers": {
                "site": "Hinxton",
                "tries": 3,
                "at": first["envelopes"][0]["headers"]["at"],
                "parts": [1, {"a": None}],
            },
        }
    ]
    assert first["envelopes"][0]["headers"]["at"].startswith("2026-07-01T12:00:00")
    assert second["envelopes"] in ([], [{}])


def test_the_senders_id_may_be_the_key(state: State, settings: Settings, queue: Queue) -> None:
    desk = desk_for(state, settings, queue, reading=Reading(key_field=""))
    queue.put({"name": "x"}, message_id="m-17")
    queue.put({"name": "y"})
    assert desk.receive() == {"received": 2, "items": 1, "dead_letters": 1}
    assert desk.keys == ["m-17"]


@pytest.mark.parametrize("malformed", ["letters", "reject"])
def test_a_malformed_message_ends_nothing(state: State, settings: Settings, rabbitmq: Broker, malformed: str) -> None:
    # Given: a queue with a dead-letter exchange. What happens: bad messages come among good messages. What must hold:
    # the good are items, the bad are dead letters; and by setting they are in the queue's own dead-letter queue.
    dead = Queue(rabbitmq)
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead.name}
    queue = Queue(rabbitmq, **arguments)
    queue.put({"key": "a"}, "no JSON", {"key": "b"}, [1], {"no": "key"}, {"key": "c"})
    desk = desk_for(state, settings, queue, malformed=malformed)
    assert desk.receive() == {"received": 6, "items": 3, "dead_letters": 3}
    assert desk.keys == ["a", "b", "c"]
    assert [message for _, message in desk.letters] == ["no JSON", "[1]", '{"no": "key"}']
    expected = ["no JSON", "[1]", '{"no": "key"}'] if malformed == "reject" else []
    eventually(lambda: dead.waiting == len(expected))
    assert queue.waiting == 0 and dead.taken() == expected
    queue.delete()
    dead.delete()


def test_nothing_is_acknowledged_before_it_is_committed(state: State, settings: Settings, queue: Queue) -> None:
    # Given: a database that refuses. What happens: the run fails. What must hold: all messages are in the queue again,
    # the next run makes items of them, and tells how often each came.
    queue.put(*({"key": f"k{number}"} for number in range(30)))
    desk = desk_for(state, settings, queue)

    def refuse(_: object) -> None:
        raise Unavailable("the state database is away")

    desk.before = refuse
    with pytest.raises(Unavailable, match="^the state database is away$"):
        desk.receive()
    assert desk.items == []
    eventually(lambda: queue.waiting == 30)
    times: list[int] = []
    desk.before = lambda messages: times.extend(message.times for message in messages)
    assert desk.receive() == {"received": 30, "items": 30, "dead_letters": 0}
    assert times == [2] * 30 and queue.waiting == 0


def test_what_comes_again_after_the_commit_is_the_same_item(state: State, settings: Settings, queue: Queue) -> None:
    # Given: a process that dies after the commit and before the acknowledgement. What happens: the messages come again.
    # What must hold: no item is made twice, and nobody is told twice.
    queue.put(*({"key": f"k{number}"} for number in range(30)), reply_to="answers", correlation_id="c")
    desk = desk_for(state, settings, queue)

    def die(_: object) -> None:
        raise ConnectionResetError("as if the process had died")

    desk.after = die
    with pytest.raises(ConnectionResetError):
        desk.receive()
    before = desk.items
    assert len(before) == 30
    desk.after = lambda _: None
    eventually(lambda: queue.waiting == 30)
    assert desk.receive() == {"received": 30, "items": 30, "dead_letters": 0}
    assert desk.items == before and queue.waiting == 0


def test_a_quorum_queue_tells_how_often_a_message_came(state: State, settings: Settings, rabbitmq: Broker) -> None:
    queue = Queue(rabbitmq, **KINDS["quorum"])
    queue.put({"key": "a"}, headers={"own": "x"})
    desk = desk_for(state, settings, queue)
    times: list[int] = []

    def refuse(messages: Sequence[Message]) -> None:
        times.extend(message.times for message in messages)
        raise Unavailable("away")

    desk.before = refuse
    for _ in range(3):
        with pytest.raises(Unavailable):
            desk.receive()
        eventually(lambda: queue.waiting == 1)
    assert times == [1, 2, 3]
    desk.before = lambda _: None
    desk.receive()
    # The count differs each time, so it is no part of what is kept.
    assert desk.items[0]["envelopes"] == [{"headers": {"own": "x"}}]
    queue.delete()


def test_an_idle_inbox_stops_when_it_is_asked(state: State, settings: Settings, queue: Queue) -> None:
    desk = desk_for(state, settings, queue)
    with Standing(desk) as standing:
        queue.put({"key": "a"})
        eventually(lambda: desk.keys == ["a"])
        standing.stop()
    assert standing.error is None and standing.counts == {"received": 1, "items": 1, "dead_letters": 0}
    with Standing(desk) as standing:
        queue.put({"key": "b"})
        eventually(lambda: desk.keys == ["a", "b"])
        standing.stop(Cancelled("by Anna"))
    assert isinstance(standing.error, Cancelled) and queue.waiting == 0


def test_an_inbox_ends_when_its_time_is_over(state: State, settings: Settings, queue: Queue) -> None:
    queue.put({"key": "a"})
    desk = desk_for(state, settings, queue)
    run = desk.run(deadline=time.monotonic() + 1.5, timeout_seconds=1.5)
    assert desk.receive_in(run) == {"received": 1, "items": 1, "dead_letters": 0}
    assert time.monotonic() >= run.deadline


def test_two_readers_share_a_queue(state: State, settings: Settings, queue: Queue) -> None:
    desk = desk_for(state, settings, queue, prefetch=20)
    with Standing(desk) as one, Standing(desk) as other:
        queue.put_many(0)
        queue.put(*({"key": f"k{number}"} for number in range(200)))
        eventually(lambda: len(desk.keys) == 200)
        eventually(lambda: queue.waiting == 0)
    assert sorted(desk.keys) == sorted(f"k{number}" for number in range(200))
    assert one.counts is not None and other.counts is not None
    assert one.counts["received"] + other.counts["received"] == 200


def test_a_lost_connection_fails_the_run_and_loses_nothing(
    state: State, settings: Settings, queue: Queue, rabbitmq: Broker
) -> None:
    desk = desk_for(state, settings, queue)
    with Standing(desk) as standing:
        queue.put({"key": "a"})
        eventually(lambda: desk.keys == ["a"])
        rabbitmq.ctl("close_all_connections", "for a test")
        eventually(lambda: not standing.goes_on)
    assert isinstance(standing.error, Unavailable) and "for a test" in str(standing.error)
    queue.put({"key": "b"})
    desk.receive()
    assert desk.keys == ["a", "b"]


@pytest.mark.slow
def test_a_queue_that_is_deleted_fails_the_run(state: State, settings: Settings, rabbitmq: Broker) -> None:
    queue = Queue(rabbitmq)
    with Standing(desk_for(state, settings, queue)) as standing:
        eventually(lambda: "1" in rabbitmq.ctl("list_queues", "consumers", "name").split(queue.name)[0].split()[-1])
        queue.delete()
        eventually(lambda: not standing.goes_on)
    assert isinstance(standing.error, Unavailable) and f"the queue '{queue.name}'" in str(standing.error)


def look(inbox: RabbitInbox, settings: Settings) -> Sequence[str]:
    (need,) = inbox.requires
    assert isinstance(need, ServiceNeed) and need.settings == ("RABBITMQ_HOST",)
    return need.look(settings)


def test_check_looks_at_the_queue_and_takes_nothing(state: State, settings: Settings, queue: Queue) -> None:
    queue.put(*({"key": f"k{number}"} for number in range(12)))
    inbox = RabbitInbox("queue", queue.name)
    assert look(inbox, settings) == [f"the queue {queue.name} has 12 messages that wait"]
    times: list[int] = []
    desk = desk_for(state, settings, queue)
    desk.before = lambda messages: times.extend(message.times for message in messages)
    desk.receive()
    assert times == [1] * 12


@pytest.mark.slow
def test_check_says_what_is_wrong(settings: Settings, queue: Queue, rabbitmq: Broker) -> None:
    with pytest.raises(Rejected, match="^the queue 'nowhere' at .* does not exist: declare it"):
        look(RabbitInbox("queue", "nowhere"), settings)
    rabbitmq.ctl("add_user", "inbox_guest", "secret")
    try:
        rabbitmq.ctl("set_permissions", "inbox_guest", "", ".*", "")
        low = settings_for(rabbitmq, RABBITMQ_USERNAME="inbox_guest", RABBITMQ_PASSWORD="secret")
        with pytest.raises(Rejected, match=f"^the user 'inbox_guest' may not read the queue '{queue.name}'"):
            look(RabbitInbox("queue", queue.name), low)
        rabbitmq.ctl("set_permissions", "inbox_guest", "", "", queue.name)
        assert look(RabbitInbox("queue", queue.name), low)
    finally:
        rabbitmq.ctl("delete_user", "inbox_guest")


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"queue": ""}, "queue"),
        ({"queue": "x" * 256}, "queue"),
        ({"malformed": "drop"}, "malformed"),
        ({"prefetch": 0}, "prefetch"),
        ({"prefetch": 65_536}, "prefetch"),
        ({"prefetch": True}, "prefetch"),
    ],
)
def test_values_that_no_broker_takes_are_refused(options: dict[str, Any], name: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name} is "):
        RabbitInbox(**{"name": "in", "queue": "q", **options})
