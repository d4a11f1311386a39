"""Publishing to a real RabbitMQ: what arrives, in which order, and on how many connections."""

import hashlib
import threading
import time
from contextlib import suppress

import pytest

from janitor.errors import Cancelled, JanitorError, Unavailable
from janitor.publisher import BadMessage
from janitor.runs import Run, running
from janitor.settings import Settings
from tests.fixtures import Exchange
from tests.messages import SCHEMA, publisher_to, settings_for, statuses
from tests.publisher.decoding import decoded
from tests.servers import Broker


def test_records_arrive_whole_and_in_order(rabbitmq: Broker, exchange: Exchange) -> None:
    rows = statuses(250)
    with publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        for start in range(0, 250, 100):
            publisher.publish(rows[start : start + 100])
            assert exchange.waiting() == min(start + 100, 250)
    assert decoded(exchange) == rows


def test_binary_message_has_all_its_properties(rabbitmq: Broker, exchange: Exchange) -> None:
    before = int(time.time())
    with running(Run(id=731)), publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        publisher.publish(statuses(1))
    (message,) = exchange.received()
    properties = message.properties
    assert message.routing_key == ""
    assert properties.content_type == "avro/binary"
    assert properties.delivery_mode == 2
    assert properties.message_id == hashlib.sha256(message.body).digest()[:16].hex()
    assert properties.message_id == SCHEMA.digest(statuses(1)[0]).hex()
    assert before <= (properties.timestamp or 0) <= time.time()
    assert (properties.type, properties.app_id) == ("sample_sequence_status", "janitor")
    assert properties.correlation_id == "731"
    assert properties.headers == {
        "subject": "sample-sequence-status",
        "version": "1",
        "encoder_type": "binary",
        "fingerprint": "2386c17bc37c3d38",
    }


def test_json_is_one_message_a_group(rabbitmq: Broker, exchange: Exchange) -> None:
    rows = statuses(120)
    with publisher_to(settings_for(rabbitmq), exchange.name, encoding="json") as publisher:
        publisher.publish(rows[:100])
        publisher.publish(rows[100:])
    messages = exchange.received()
    assert [SCHEMA.decode_lines(message.body) for message in messages] == [rows[:100], rows[100:]]
    assert messages[0].properties.content_type == "application/x-ndjson"
    assert messages[0].properties.message_id == hashlib.sha256(messages[0].body).digest()[:16].hex()
    assert (messages[0].properties.headers or {})["encoder_type"] == "json"


def test_same_records_have_the_same_message_ids(rabbitmq: Broker, exchange: Exchange) -> None:
    for _ in range(2):
        with publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
            publisher.publish(statuses(3))
    ids = [message.properties.message_id for message in exchange.received()]
    assert ids[:3] == ids[3:]
    assert len(set(ids)) == 3


def test_message_larger_than_a_frame_arrives_whole(rabbitmq: Broker, exchange: Exchange) -> None:
    rows = [{**row, "sequencing_study": "x" * 300_000} for row in statuses(3)]
    with publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        publisher.publish(rows)
    assert decoded(exchange) == rows


def test_no_records_make_no_connection() -> None:
    with publisher_to(Settings.load({}, None), "x") as publisher:
        publisher.publish([])


def test_record_that_does_not_fit_publishes_nothing(rabbitmq: Broker, exchange: Exchange) -> None:
    rows = statuses(5)
    rows[3]["sample_supplier_id"] = None
    with publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        with pytest.raises(BadMessage, match="^sample_supplier_id is missing$"):
            publisher.publish(rows)
        publisher.publish(rows[:3])
    assert decoded(exchange) == rows[:3]


@pytest.mark.slow
def test_connection_closed_by_the_broker_is_unavailable(rabbitmq: Broker, exchange: Exchange) -> None:
    """Given groups that are published without pause, the broker closes the connection in mid-work.

    Then the publisher raises, connects anew for the next group, and every confirmed group is there, whole.
    """
    confirmed: list[int] = []
    closer = threading.Timer(1.5, rabbitmq.ctl, ["close_all_connections", "maintenance"])
    with publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        closer.start()
        with pytest.raises(Unavailable, match="closed the connection .*CONNECTION_FORCED"):
            for number in range(100_000):
                publisher.publish(statuses(100, id_run=number))
                confirmed.append(number)
        publisher.publish(statuses(1, id_run=-1))
    closer.join()
    assert confirmed
    arrived = [(row["id_run"], row["sample_supplier_id"]) for row in decoded(exchange)]
    whole = [(number, row["sample_supplier_id"]) for number in confirmed for row in statuses(100)]
    assert arrived[: len(whole)] == whole
    assert arrived[-1] == (-1, "Ünit 0")


@pytest.mark.slow
def test_broker_that_dies_is_unavailable(rabbitmq: Broker, exchange: Exchange) -> None:
    with publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        publisher.publish(statuses(100))
        with rabbitmq.stopped():
            with pytest.raises(Unavailable, match="^(lost the connection to|RabbitMQ at .* closed the connection)"):
                publisher.publish(statuses(100, id_run=2))
            with pytest.raises(Unavailable, match="^cannot connect to"):
                publisher.publish(statuses(100, id_run=2))
        publisher.publish(statuses(100, id_run=2))
    assert {row["id_run"] for row in decoded(exchange)} == {48123, 2}


def test_stopped_run_publishes_no_further_group(rabbitmq: Broker, exchange: Exchange) -> None:
    run = Run()
    with running(run), publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        publisher.publish(statuses(3))
        run.ask_to_stop(Cancelled("by hand"))
        with pytest.raises(Cancelled):
            publisher.publish(statuses(3))
    assert decoded(exchange) == statuses(3)


@pytest.mark.slow
def test_idle_connection_is_made_anew(rabbitmq: Broker, exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janitor.publisher.to_rabbitmq.IDLE_SECONDS", 0.0)
    with publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        publisher.publish(statuses(3))
        rabbitmq.ctl("close_all_connections", "maintenance")
        publisher.publish(statuses(3))
    assert exchange.waiting() == 6


def test_no_connection_is_left_open(rabbitmq: Broker, exchange: Exchange) -> None:
    with publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        publisher.publish(statuses(3))
    with suppress(JanitorError), publisher_to(settings_for(rabbitmq), "nowhere") as publisher:
        publisher.publish(statuses(3))
    end = time.monotonic() + 10
    while rabbitmq.ctl("list_connections", "pid").split()[1:] and time.monotonic() < end:
        time.sleep(0.2)
    assert rabbitmq.ctl("list_connections", "pid").split()[1:] == []
