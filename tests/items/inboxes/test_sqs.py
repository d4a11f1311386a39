"""Queues of SQS at moto's server: nothing is deleted before its item is committed, and nothing is lost."""

import json
import logging
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from janitor.errors import BadSetting, Cancelled, Rejected, Unavailable
from janitor.items.ends import Message, Verdict
from janitor.items.inboxes import sqs
from janitor.items.inboxes.sqs import SqsInbox
from janitor.items.reading import Reading
from janitor.needs import ServiceNeed
from janitor.settings import Settings
from janitor.state import State
from tests.items.inboxes.receiving import Desk, Standing
from tests.servers import free_port
from tests.servers.aws import Aws, SqsQueue
from tests.small_engine import eventually


@pytest.fixture(params=["standard", "fifo"])
def queue(request: pytest.FixtureRequest, aws: Aws) -> Iterator[SqsQueue]:
    """An empty queue, of either kind."""
    made = aws.create_queue(fifo=request.param == "fifo")
    yield made
    made.delete()


@pytest.fixture
def settings(aws: Aws) -> Settings:
    """The settings with which the server is reached."""
    return settings_for(aws)


def settings_for(aws: Aws, **changes: str) -> Settings:
    return Settings.load({**aws.environment(), "CONNECT_TIMEOUT_SECONDS": "5", **changes}, dotenv=None)


def desk_for(state: State, settings: Settings, queue: SqsQueue, **options: Any) -> Desk:
    return Desk(state, settings, SqsInbox("queue", queue.name, **options))


def bodies(count: int) -> list[str]:
    return [json.dumps({"key": f"k{number}", "number": number}) for number in range(count)]


def test_each_message_becomes_one_item(state: State, settings: Settings, queue: SqsQueue) -> None:
    # Given: more messages than a request gives. What happens: they are received. What must hold: each is an item, many
    # were committed together, and the queue is empty.
    queue.send_all(bodies(80))
    desk = desk_for(state, settings, queue)
    assert desk.receive() == {"received": 80, "items": 80, "dead_letters": 0}
    assert sorted(desk.keys) == sorted(f"k{number}" for number in range(80))
    assert queue.counts() == (0, 0)
    assert len(desk.batches) < 6


@pytest.mark.slow
def test_a_queue_is_found_by_its_url(state: State, settings: Settings, queue: SqsQueue) -> None:
    queue.send(bodies(1)[0])
    desk = Desk(state, settings, SqsInbox("queue", queue.url))
    desk.receive()
    assert desk.keys == ["k0"]


@pytest.mark.slow
def test_what_a_message_says_of_itself_is_kept(state: State, settings: Settings, queue: SqsQueue) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    attributes = {
        "site": {"DataType": "String", "StringValue": "Hinxton"},
        "tries": {"DataType": "Number", "StringValue": "3"},
        "mark": {"DataType": "Binary", "BinaryValue": b"\xff\x00"},
    }
    own = {"MessageDeduplicationId": "d-1"} if queue.is_fifo else {}
    sent = queue.send('{"key": "a"}', group="g-7", MessageAttributes=attributes, **own)
    desk = desk_for(state, settings, queue)
    times: list[Any] = []
    desk.before = lambda messages: times.extend((message.times, message.order_at) for message in messages)
    desk.receive()
    fifo = {"group_id": "g-7", "deduplication_id": "d-1"} if queue.is_fifo else {}
    told = {"message_id": sent, "attributes": {"site": "Hinxton", "tries": "3", "mark": "ff00"}, **fifo}
    assert desk.items[0]["envelopes"] == [told]
    ((came, order_at),) = times
    assert came == 1 and began < order_at < datetime.now(UTC) + timedelta(seconds=1)


@pytest.mark.slow
def test_the_servers_id_may_be_the_key(state: State, settings: Settings, queue: SqsQueue) -> None:
    sent = queue.send('{"name": "x"}')
    desk = desk_for(state, settings, queue, reading=Reading(key_field=""))
    desk.receive()
    assert desk.keys == [sent]


def test_a_group_keeps_its_order(state: State, settings: Settings, aws: Aws) -> None:
    queue = aws.create_queue(fifo=True)
    for number in range(35):
        queue.send(json.dumps({"key": f"k{number}"}), group="one")
    desk = desk_for(state, settings, queue)
    assert desk.receive() == {"received": 35, "items": 35, "dead_letters": 0}
    assert desk.keys == [f"k{number}" for number in range(35)]
    queue.delete()


def test_a_malformed_message_ends_nothing(state: State, settings: Settings, queue: SqsQueue) -> None:
    for number, body in enumerate(['{"key": "a"}', "no JSON", "[1]", '{"key": "b"}']):
        queue.send(body, group=f"g{number}")
    desk = desk_for(state, settings, queue)
    assert desk.receive() == {"received": 4, "items": 2, "dead_letters": 2}
    assert sorted(desk.keys) == ["a", "b"] and sorted(message for _, message in desk.letters) == ["[1]", "no JSON"]
    assert queue.counts() == (0, 0)


def test_nothing_is_deleted_before_it_is_committed(
    state: State, settings: Settings, queue: SqsQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: a database that refuses. What happens: the run fails. What must hold: nothing is lost; what was received is
    # given out again soon, not after two minutes, and the next run makes items of it.
    monkeypatch.setattr(sqs, "GIVE_BACK_SECONDS", 1)
    queue.send_all(bodies(14))
    desk = desk_for(state, settings, queue)

    def refuse(_: object) -> None:
        raise Unavailable("the state database is away")

    desk.before = refuse
    with pytest.raises(Unavailable, match="^the state database is away$"):
        desk.receive()
    assert desk.items == [] and sum(queue.counts()) == 14
    eventually(lambda: queue.counts() == (14, 0))
    times: list[int] = []
    desk.before = lambda messages: times.extend(message.times for message in messages)
    assert desk.receive() == {"received": 14, "items": 14, "dead_letters": 0}
    assert set(times) == {2} or set(times) == {1, 2}
    assert queue.counts() == (0, 0)


def test_what_comes_again_after_the_commit_is_the_same_item(
    state: State, settings: Settings, queue: SqsQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: a process that dies after the commit and before the deletion. What happens: the messages come again. What
    # must hold: no item is made twice, and nobody is told twice.
    monkeypatch.setattr(sqs, "GIVE_BACK_SECONDS", 0)
    queue.send_all(bodies(14))
    desk = desk_for(state, settings, queue)

    def die(_: Sequence[Verdict]) -> None:
        raise ConnectionResetError("as if the process had died")

    desk.after = die
    with pytest.raises(ConnectionResetError):
        desk.receive()
    desk.after = lambda _: None
    assert desk.receive()
    assert sorted(desk.keys) == sorted(f"k{number}" for number in range(14))
    assert all(len(item["envelopes"]) == 1 for item in desk.items)
    assert queue.counts() == (0, 0)


@pytest.mark.slow
def test_received_messages_are_hidden_from_others(state: State, settings: Settings, aws: Aws) -> None:
    # Given: a queue that hides what it gives for a second only. What happens: the commit takes longer. What must hold:
    # no other reader gets the messages meanwhile, and they are deleted in the end.
    queue = aws.create_queue(VisibilityTimeout="1")
    queue.send_all(bodies(3))
    desk = desk_for(state, settings, queue)
    seen: list[Any] = []

    def slowly(_: Sequence[Message]) -> None:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            seen.extend(queue.receive(WaitTimeSeconds=1))

    desk.before = slowly
    assert desk.receive() == {"received": 3, "items": 3, "dead_letters": 0}
    assert seen == [] and queue.counts() == (0, 0)
    queue.delete()


def test_a_message_that_comes_too_often_is_a_dead_letter(state: State, settings: Settings, queue: SqsQueue) -> None:
    # Given: a message that three readers have received and not deleted. What happens: it comes once more. What must
    # hold: with three receives at most it is a dead letter, and deleted; a message that came less often is an item.
    queue.send('{"key": "poison"}', group="a")
    for _ in range(3):
        assert len(queue.receive(VisibilityTimeout=0)) == 1
    queue.send('{"key": "good"}', group="b")
    desk = desk_for(state, settings, queue, most_receives=3)
    assert desk.receive() == {"received": 2, "items": 1, "dead_letters": 1}
    ((reason, message),) = desk.letters
    assert reason == "it came 4 times, and 3 times are taken at most" and json.loads(message) == {"key": "poison"}
    assert desk.keys == ["good"] and queue.counts() == (0, 0)


def test_an_idle_inbox_stops_when_it_is_asked(state: State, settings: Settings, queue: SqsQueue) -> None:
    desk = desk_for(state, settings, queue)
    with Standing(desk) as standing:
        queue.send('{"key": "a"}')
        eventually(lambda: desk.keys == ["a"])
        standing.stop()
    assert standing.error is None and standing.counts == {"received": 1, "items": 1, "dead_letters": 0}
    with Standing(desk) as standing:
        standing.stop(Cancelled("by Anna"))
    assert isinstance(standing.error, Cancelled)


def test_what_cannot_be_deleted_is_logged_and_comes_again(
    state: State, settings: Settings, aws: Aws, caplog: pytest.LogCaptureFixture
) -> None:
    # Given: a queue that is purged, and its message deleted by somebody else, before the inbox deletes it.
    queue = aws.create_queue(fifo=True)
    queue.send('{"key": "a"}')
    desk = desk_for(state, settings, queue)

    def meddle(_: Sequence[Verdict]) -> None:
        queue.delete()

    desk.after = meddle
    with pytest.raises(Rejected, match=f"^the queue {queue.name} does not exist"):
        desk.receive()
    assert desk.keys == ["a"]


def test_a_server_that_goes_away_fails_the_run(state: State, settings: Settings, aws: Aws) -> None:
    queue = aws.create_queue()
    desk = desk_for(state, settings, queue)
    with Standing(desk) as standing:
        queue.send('{"key": "a"}')
        eventually(lambda: desk.keys == ["a"])
        aws.kill()
        eventually(lambda: not standing.goes_on)
    assert isinstance(standing.error, Unavailable) and queue.name in str(standing.error)


def look(inbox: SqsInbox, settings: Settings) -> Sequence[str]:
    (need,) = inbox.requires
    assert isinstance(need, ServiceNeed)
    return need.look(settings)


def test_check_looks_at_the_queue_and_takes_nothing(settings: Settings, queue: SqsQueue) -> None:
    queue.send_all(bodies(12))
    kind = "FIFO" if queue.is_fifo else "standard"
    said = f"the queue {queue.name} ({kind}) has about 12 messages that wait, and 0 that were received"
    assert look(SqsInbox("queue", queue.name), settings) == [said]
    found = queue.receive(AttributeNames=["ApproximateReceiveCount"])
    assert {one["Attributes"]["ApproximateReceiveCount"] for one in found} == {"1"}


@pytest.mark.slow
def test_check_sees_that_the_queue_is_quicker_to_give_up(settings: Settings, aws: Aws) -> None:
    dead = aws.create_queue()
    names = ["QueueArn"]
    arn = dead.sqs.get_queue_attributes(QueueUrl=dead.url, AttributeNames=names)["Attributes"]["QueueArn"]
    queue = aws.create_queue(RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3}))
    assert len(look(SqsInbox("queue", queue.name, most_receives=2), settings)) == 1
    _, warning = look(SqsInbox("queue", queue.name, most_receives=3), settings)
    assert "its own dead-letter queue after 3 receives" in warning
    queue.delete()
    dead.delete()


def test_check_says_what_is_wrong(aws: Aws, settings: Settings) -> None:
    with pytest.raises(Rejected, match="^the queue nowhere does not exist: make it, or correct its name or AWS_REGION"):
        look(SqsInbox("queue", "nowhere"), settings)
    away = settings_for(aws, AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match="^the queue nowhere cannot be reached"):
        look(SqsInbox("queue", "nowhere"), away)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"queue": ""}, "queue"),
        ({"queue": "arn:aws:sqs:eu-west-2:1:x"}, "queue"),
        ({"wait_seconds": 21}, "wait_seconds"),
        ({"wait_seconds": 0.5}, "wait_seconds"),
        ({"most_receives": 0}, "most_receives"),
        ({"hidden_seconds": 9}, "hidden_seconds"),
        ({"hidden_seconds": 43_201}, "hidden_seconds"),
    ],
)
def test_values_that_sqs_does_not_take_are_refused(options: dict[str, Any], name: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name} is "):
        SqsInbox(**{"name": "in", "queue": "q", **options})


@pytest.mark.slow
def test_bodies_stay_out_of_the_log(
    state: State, settings: Settings, queue: SqsQueue, caplog: pytest.LogCaptureFixture
) -> None:
    # The tests' own client logs what it sends.
    queue.send('{"key": "a", "token": "hush-hush"}')
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    desk_for(state, settings, queue).receive()
    assert "hush-hush" not in caplog.text
