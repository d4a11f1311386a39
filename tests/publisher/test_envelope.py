"""Where messages go: any type of exchange, a routing key and headers for all, or made from each record."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pika.adapters.blocking_connection import BlockingChannel

from janitor.errors import Rejected
from janitor.publisher import BadMessage, Publisher, Settled, open_publisher
from janitor.publisher.envelope import Envelope, Route
from janitor.settings import Settings
from tests.messages import SCHEMA, settings_for, statuses
from tests.random_inputs import inputs
from tests.servers import Broker

RUNS = [{**row, "id_run": 1 + at % 3, "run_status": at} for at, row in enumerate(statuses(30))]


def publish(to: Settings, exchange: str, **route: Any) -> tuple[list[Settled], dict[int, str]]:
    """Publish 30 records of runs 1, 2 and 3; what settled, and why each refused record was refused."""
    about = {"subject": "s", "message_type": "status", "encoding": "binary", "unroutable": "fail"} | route
    with open_publisher(to, SCHEMA, exchange=exchange, **about) as publisher:
        settled = list(publisher.publish_each(RUNS, window=7))
    return settled, {each.at: each.reason for one in settled for each in one.refused}


def bound(channel: BlockingChannel, exchange: str, key: str = "", **arguments: str) -> str:
    """A queue of the channel's own, bound to the exchange."""
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, exchange, key, arguments or None)
    return queue


def received(channel: BlockingChannel, queue: str) -> list[tuple[int, str, dict[str, Any]]]:
    """Each message in a queue: its run, its routing key, and its headers."""
    found = []
    while (message := channel.basic_get(queue, auto_ack=True))[0] is not None:
        method, properties, body = message
        found.append((SCHEMA.decode(body or b"")["id_run"], str(method.routing_key), dict(properties.headers or {})))
    return found


def test_a_topic_exchange_routes_by_the_key_of_each_record(rabbitmq: Broker) -> None:
    with rabbitmq.channel() as channel:
        channel.exchange_declare("by_topic", "topic", durable=True)
        all_of, second = bound(channel, "by_topic", "run.#"), bound(channel, "by_topic", "run.2.*")
        settled, refused = publish(
            settings_for(rabbitmq),
            "by_topic",
            exchange_type="topic",
            routing_key=lambda record: f"run.{record['id_run']}.{record['run_status']}",
        )
        assert not refused and sum(len(one.published) for one in settled) == 30
        assert [(run, key) for run, key, _ in received(channel, all_of)] == [
            (row["id_run"], f"run.{row['id_run']}.{row['run_status']}") for row in RUNS
        ]
        assert Counter(run for run, _, _ in received(channel, second)) == {2: 10}
        channel.exchange_delete("by_topic")


def test_what_no_queue_is_bound_for_is_refused_alone(rabbitmq: Broker) -> None:
    # Given: a direct exchange with a queue for runs 1 and 3. What happens: records of runs 1, 2 and 3 are published.
    # What must hold: those of run 2 are refused, with their routing key, and the others are in the queue.
    with rabbitmq.channel() as channel:
        channel.exchange_declare("directly", "direct", durable=True)
        queue = bound(channel, "directly", "1")
        channel.queue_bind(queue, "directly", "3")
        to, key = settings_for(rabbitmq), lambda record: str(record["id_run"])
        settled, refused = publish(to, "directly", exchange_type="direct", routing_key=key)
        assert refused.keys() == set(range(1, 30, 3))
        assert "no queue is bound to exchange 'directly' at" in refused[1] and "routing key '2'" in refused[1]
        assert not any(each.for_itself for one in settled for each in one.refused)
        assert [run for run, _, _ in received(channel, queue)] == [1, 3] * 10
        _, refused = publish(to, "directly", exchange_type="direct", routing_key=key, unroutable="drop")
        assert not refused
        channel.exchange_delete("directly")


def test_headers_are_for_all_or_made_from_each_record(rabbitmq: Broker) -> None:
    with rabbitmq.channel() as channel:
        channel.exchange_declare("by_headers", "headers", durable=True)
        queue = bound(channel, "by_headers", **{"x-match": "all", "run": "3"})
        to = settings_for(rabbitmq, RABBITMQ_VHOST="/")
        _, refused = publish(
            to, "by_headers", exchange_type="headers", headers=lambda record: {"run": str(record["id_run"]), "n": 7}
        )
        assert len(refused) == 20 and "for its headers" in refused[0]
        found = received(channel, queue)
        assert [(run, headers["run"], headers["n"]) for run, _, headers in found] == [(3, "3", 7)] * 10
        assert all(headers["fingerprint"] == SCHEMA.fingerprint.hex() for _, _, headers in found)
        _, refused = publish(to, "by_headers", exchange_type="headers", headers={"run": "3"})
        assert not refused and len(received(channel, queue)) == 30
        channel.exchange_delete("by_headers")


def test_the_default_exchange_routes_to_a_queue_by_its_name(rabbitmq: Broker) -> None:
    with rabbitmq.channel() as channel:
        queue = channel.queue_declare("", exclusive=True).method.queue
        _, refused = publish(settings_for(rabbitmq), "", exchange_type="direct", routing_key=queue)
        assert not refused and len(received(channel, queue)) == 30


def test_an_exchange_of_another_type_is_rejected(rabbitmq: Broker) -> None:
    with pytest.raises(Rejected, match="'amq.topic' .* received 'direct' but current is 'topic'"):
        publish(settings_for(rabbitmq), "amq.topic", exchange_type="direct")


@pytest.mark.parametrize(
    ("route", "words"),
    [
        ({"routing_key": lambda record: "k" * 256}, "the routing key is 'kkk.*at most 255 bytes"),
        ({"routing_key": lambda record: 7}, "the routing key is 7: it must be a text"),
        ({"routing_key": "\udc80"}, "the routing key is .*: it must be a text"),
        ({"headers": {"weight": 1.5}}, "the header 'weight' is 1.5: it must be a text or a whole number"),
        ({"headers": {"long": "x" * 60_000}}, "the headers have 60,004 bytes: they must have at most 50,000"),
        ({"headers": lambda record: None}, "the headers are None: they must be names and values"),
        ({"headers": lambda record: {"run": record["no"]}}, "its headers cannot be made: KeyError: 'no'"),
        ({"routing_key": lambda record: 1 / 0}, "its routing key cannot be made: ZeroDivisionError: division by zero"),
        ({"headers": lambda record: {"big": 2**63}}, "the header 'big' is 9223372036854775808: it must be"),
    ],
)
def test_a_route_that_cannot_be_sent_is_refused(tmp_path: Path, route: Any, words: str) -> None:
    def opened() -> Any:
        to = Settings.load({"MESSAGES_DIR": str(tmp_path)}, None)
        about: Any = {"subject": "s", "message_type": "status", "encoding": "binary", "unroutable": "fail"}
        return open_publisher(to, SCHEMA, exchange="x", **about, **route)

    publisher: Publisher
    with opened() as publisher, pytest.raises(BadMessage, match=words):
        publisher.publish(RUNS)
    with opened() as publisher:
        (settled,) = publisher.publish_each(RUNS[:1])
    assert settled.refused[0].for_itself and not list(tmp_path.iterdir())


TEXTS = st.text(max_size=300)


@settings(max_examples=inputs(60), suppress_health_check=[HealthCheck.too_slow])
@given(key=TEXTS, headers=st.dictionaries(TEXTS, TEXTS | st.integers(-(2**63), 2**63 - 1), max_size=4))
def test_a_route_is_taken_as_it_is_or_refused(key: str, headers: dict[str, str | int]) -> None:
    envelope = Envelope("x", "s", "t", "binary", "topic", lambda record: key, lambda record: headers)
    fits = all(len(name.encode()) <= 255 for name in (key, *headers))
    if fits:
        assert envelope.route_of({}) == Route(key, tuple(sorted(headers.items())))
    else:
        with pytest.raises(BadMessage):
            envelope.route_of({})
