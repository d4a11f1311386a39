"""Listening: rows as JSON, from an exchange and from a folder; no message is taken from anyone else."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from janitor.errors import Rejected
from janitor.publisher.listener import listen
from janitor.runs import Run, running
from janitor.settings import Settings
from tests.fixtures import Exchange
from tests.messages import SCHEMA, publisher_to, settings_for, statuses
from tests.servers import Broker

FIRST_ROW = {
    "change_date": "2026-07-01T12:00:00+00:00",
    "id_run": 48123,
    "sequencing_study": "Heron",
    "sample_supplier_id": "Ünit 0",
    "labware_barcode": "SQPD-0000",
    "run_status": 20,
    "irods_root_collection": "/seq/48123",
    "irods_data_relative_path": "a.cram;b.cram",
    "irods_secondary_data_relative_path": None,
}


@contextmanager
def heard(settings: Settings, exchange: Exchange, act: Callable[[], object], **bounds: Any) -> Iterator[list[Any]]:
    """What a listener hears of what `act` does, after it has begun to listen."""
    items: list[Any] = []
    listener = threading.Thread(target=lambda: items.extend(listen(settings, SCHEMA, exchange.name, **bounds)))
    listener.start()
    end = time.monotonic() + 20
    while bindings(exchange) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    act()
    listener.join(30)
    assert not listener.is_alive()
    yield items


def bindings(exchange: Exchange) -> int:
    listed = exchange.broker.ctl("list_bindings", "source_name")
    return listed.split().count(exchange.name)


@pytest.mark.parametrize("encoding", ["binary", "json"])
def test_published_rows_are_heard_as_json(
    rabbitmq: Broker, exchange: Exchange, encoding: Literal["binary", "json"]
) -> None:
    settings = settings_for(rabbitmq)

    def publish() -> None:
        with running(Run(id=731)), publisher_to(settings, exchange.name, encoding=encoding) as publisher:
            publisher.publish(statuses(300))

    with heard(settings, exchange, publish, limit=300) as items:
        assert [item["row"]["labware_barcode"] for item in items] == [f"SQPD-{number:04}" for number in range(300)]
        assert items[0]["row"] == FIRST_ROW
        assert items[0]["headers"]["encoder_type"] == encoding
        assert (items[0]["type"], items[0]["correlation_id"]) == ("sample_sequence_status", "731")
        assert items[0]["timestamp"].endswith("+00:00")
        assert json.loads(json.dumps(items)) == items
    assert [message.properties.message_id for message in exchange.received()][0] == items[0]["message_id"]


def test_message_that_is_no_avro_is_heard_as_a_problem(rabbitmq: Broker, exchange: Exchange) -> None:
    def publish() -> None:
        with rabbitmq.channel() as channel:
            channel.basic_publish(exchange.name, "", b"hello")

    with heard(settings_for(rabbitmq), exchange, publish, limit=1) as items:
        (item,) = items
    assert item["problem"].startswith("these bytes do not begin as a message of uk.ac.sanger.psd")
    assert "row" not in item


def test_the_queue_is_gone_when_listening_ends(rabbitmq: Broker, exchange: Exchange) -> None:
    assert list(listen(settings_for(rabbitmq), SCHEMA, exchange.name, idle_seconds=0.2)) == []
    end = time.monotonic() + 10
    while bindings(exchange) > 1 and time.monotonic() < end:
        time.sleep(0.1)
    assert bindings(exchange) == 1


def test_listening_to_a_missing_exchange_is_rejected(rabbitmq: Broker) -> None:
    with pytest.raises(Rejected, match="^the exchange 'nowhere' at .* does not exist"):
        next(listen(settings_for(rabbitmq), SCHEMA, "nowhere"))


def test_files_are_heard_in_the_order_of_arrival(tmp_path: Path) -> None:
    settings = Settings.load({"MESSAGES_DIR": str(tmp_path)}, None)
    items = listen(settings, SCHEMA, "x", limit=12)
    with publisher_to(settings, "x") as publisher:
        for number in range(5):
            publisher.publish(statuses(2, id_run=number))
        first = next(items)
        publisher.publish(statuses(2, id_run=9))
    rest = list(items)
    assert [item["row"]["id_run"] for item in [first, *rest]] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 9, 9]
    assert first["row"] == FIRST_ROW | {"id_run": 0, "irods_root_collection": "/seq/0"}
    assert first["headers"]["fingerprint"] == SCHEMA.fingerprint.hex()
    assert json.loads(json.dumps(rest)) == rest


def test_file_that_is_not_avro_is_heard_as_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.avro").write_bytes(b"hello")
    (tmp_path / "b.txt").write_bytes(b"hello")
    settings = Settings.load({"MESSAGES_DIR": str(tmp_path)}, None)
    items = list(listen(settings, SCHEMA, "x", idle_seconds=0.3))
    assert items == [{"problem": "a.avro: this is not a whole Avro object container file", "file": "a.avro"}]
