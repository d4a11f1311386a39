"""sequencing_publisher on the wire: what a consumer receives, and what happens when a group is not confirmed."""

import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from janitor.state.run_records import Ending
from janitor.tasks.sequencing_publisher import follow, reconcile
from tests.fixtures import Exchange, Received, Warehouses
from tests.recorded_runs import Daemon
from tests.servers import RabbitMQ
from tests.tasks.labware_location.test_failures import failed
from tests.tasks.sequencing_publisher.conftest import MakeDaemon
from tests.tasks.sequencing_publisher.consumer import FINGERPRINT, counted, records_of
from tests.tasks.sequencing_publisher.oracle import derived
from tests.tasks.sequencing_publisher.remembered import ledger_size, position
from tests.tasks.sequencing_publisher.warehouse import RUN, Warehouse, small_run


def expected(warehouses: Warehouses) -> Counter[tuple[object, ...]]:
    """The messages of every status there is."""
    return Counter(derived(warehouses).messages.values())


def check_envelope(message: Received, encoding: str, began: int) -> None:
    """All that a message carries besides its body."""
    properties = message.properties
    assert message.routing_key == ""
    assert (properties.delivery_mode, properties.app_id, properties.type) == (2, "janitor", "sample_sequence_status")
    assert began <= (properties.timestamp or 0) <= time.time()
    assert properties.correlation_id == "1"
    headers = properties.headers or {}
    assert (headers["encoder_type"], headers["fingerprint"]) == (encoding, FINGERPRINT)
    assert headers["subject"] and headers["version"]


@pytest.mark.parametrize("encoding", ["binary", "json"])
def test_each_message_as_a_consumer_gets_it(
    encoding: str, warehouse: Warehouse, warehouses: Warehouses, to_exchange: MakeDaemon, exchange: Exchange
) -> None:
    small_run(warehouse, samples=7)
    first = warehouse.mlwh.all("iseq_product_metrics", "id_iseq_product")[0]["id_iseq_product"]
    warehouse.irods(first, "/root", "a.cram")
    for status in (1, 2, 3):
        warehouse.status(RUN, status)
    began = int(time.time())
    daemon = to_exchange(SEQUENCING_PUBLISHER_ENCODING=encoding, SEQUENCING_PUBLISHER_GROUP_SIZE="10")
    assert daemon.counts(follow)["published"] == 21
    received = exchange.received()
    assert [len(records_of(message)) for message in received] == ([1] * 21 if encoding == "binary" else [10, 10, 1])
    for message in received:
        check_envelope(message, encoding, began)
    assert counted(received) == expected(warehouses)
    assert len({message.properties.message_id for message in received}) == len(received)
    assert daemon.counts(follow)["statuses"] == daemon.counts(reconcile)["published"] == 0
    assert not exchange.received()


def test_equal_content_has_one_message_id(
    warehouse: Warehouse, warehouses: Warehouses, to_exchange: MakeDaemon, exchange: Exchange
) -> None:
    study = warehouse.study()
    for _ in range(2):
        warehouse.product(RUN, warehouse.sample("the same name", ("DN1",)), study)
    warehouse.product(RUN, warehouse.sample("another", ("DN1",)), study)
    at = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    warehouse.status(RUN, 1, at)
    daemon = to_exchange()
    assert daemon.counts(follow)["published"] == 3
    received = exchange.received()
    by_content = {message.body: message.properties.message_id for message in received}
    assert len(received) == 3 and len(by_content) == len(set(by_content.values())) == 2
    warehouse.status(RUN, 1, at)  # another status with the same content
    assert daemon.counts(follow)["published"] == 3
    assert {message.body: message.properties.message_id for message in exchange.received()} == by_content


@pytest.mark.parametrize("task", [follow, reconcile])
def test_a_full_queue_keeps_what_was_confirmed(
    task: object, sqlite_warehouses: Warehouses, exchange: Exchange, state_folder: Path
) -> None:
    warehouse = Warehouse(sqlite_warehouses, datetime.now(UTC).replace(tzinfo=None, microsecond=0))
    for run in range(9):
        small_run(warehouse, RUN + run, 5)
        warehouse.status(RUN + run)
    limited = f"{exchange.name}_limited"
    with exchange.broker.channel() as channel:
        full = {"x-max-length": 25, "x-overflow": "reject-publish"}
        channel.queue_declare(limited, durable=True, arguments=full)
        channel.queue_bind(limited, exchange.name, "")
        channel.queue_delete(exchange.queue)
    settings = {
        **exchange.broker.environment(),
        "SEQUENCING_PUBLISHER_EXCHANGE": exchange.name,
        "SEQUENCING_PUBLISHER_SINCE": "2000-01-01",
        "SEQUENCING_PUBLISHER_GROUP_SIZE": "10",
    }
    daemon = Daemon(sqlite_warehouses.environment() | settings, state_folder)
    assert callable(task)
    failed(daemon.run(task), "refused", "a queue bound to it is full or broken")
    assert ledger_size(daemon) == 25
    if task is follow:
        assert set(position(daemon).taken) == {1, 2, 3, 4, 5} and position(daemon).mark == 0
    exchange.queue = limited
    first = exchange.received()
    assert len(first) == 25
    assert daemon.counts(task)["published"] == 20
    second = exchange.received()
    assert len(second) == 20 and ledger_size(daemon) == 45
    assert counted(first) + counted(second) == expected(sqlite_warehouses)
    assert daemon.counts(task)["published"] == 0
    daemon.close()


@pytest.mark.slow
def test_a_broker_that_dies_between_groups(
    sqlite_warehouses: Warehouses, exchange: Exchange, rabbitmq: RabbitMQ, state_folder: Path
) -> None:
    warehouse = Warehouse(sqlite_warehouses, datetime.now(UTC).replace(tzinfo=None, microsecond=0))
    small_run(warehouse, RUN, 5)
    with warehouse.mlwh.transaction():
        for number in range(1, 201):
            warehouse.status(RUN, number, id=number)
    settings = {
        **exchange.broker.environment(),
        "SEQUENCING_PUBLISHER_EXCHANGE": exchange.name,
        "SEQUENCING_PUBLISHER_SINCE": "2000-01-01",
        "SEQUENCING_PUBLISHER_GROUP_SIZE": "2",
    }
    daemon = Daemon(sqlite_warehouses.environment() | settings, state_folder)
    endings: list[Ending] = []
    run = threading.Thread(target=lambda: endings.append(daemon.run(follow)))
    run.start()
    deadline = time.monotonic() + 30
    while ledger_size(daemon) < 50:
        assert time.monotonic() < deadline and run.is_alive()
        time.sleep(0.01)
    rabbitmq.kill()
    run.join()
    failed(endings[0], "RabbitMQ at 127.0.0.1")
    failed(daemon.run(follow), "cannot connect to RabbitMQ")
    kept = ledger_size(daemon)
    assert 50 <= kept < 1000
    assert position(daemon).mark == 0
    rabbitmq.start()
    assert daemon.counts(follow)["published"] == 1000 - kept
    total = counted(exchange.received())
    assert set(total) == set(expected(sqlite_warehouses))
    assert 1000 <= sum(total.values()) <= 1002  # at most one group twice
    assert daemon.counts(follow)["statuses"] == daemon.counts(reconcile)["published"] == 0
    daemon.close()


def test_no_queue_bound_fails_the_run_in_words(
    warehouse: Warehouse, warehouses: Warehouses, to_exchange: MakeDaemon, exchange: Exchange
) -> None:
    small_run(warehouse)
    warehouse.status(RUN)
    exchange.unbind()
    daemon = to_exchange()
    for _ in range(2):
        failed(daemon.run(follow), f"no queue is bound to exchange '{exchange.name}'")
        failed(daemon.run(reconcile), "bind one, or set SEQUENCING_PUBLISHER_UNROUTABLE=drop")
    assert ledger_size(daemon) == 0
    exchange.bind()
    assert daemon.counts(follow)["published"] == 3
    assert counted(exchange.received()) == expected(warehouses)


def test_unroutable_drop_accepts_it(
    warehouse: Warehouse, to_exchange: MakeDaemon, exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    small_run(warehouse)
    warehouse.status(RUN)
    exchange.unbind()
    daemon = to_exchange(SEQUENCING_PUBLISHER_UNROUTABLE="drop")
    assert daemon.counts(follow)["published"] == 3
    assert any("3 messages reached no queue" in record.getMessage() for record in caplog.records)
    exchange.bind()
    assert daemon.counts(follow)["published"] == daemon.counts(reconcile)["published"] == 0
    assert not exchange.received()


def test_what_the_broker_says_no_to_is_in_words(
    warehouse: Warehouse, warehouses: Warehouses, to_exchange: MakeDaemon, exchange: Exchange
) -> None:
    small_run(warehouse)
    warehouse.status(RUN)
    direct = Exchange(exchange.broker, "direct")
    fault = {
        "missing": ({"SEQUENCING_PUBLISHER_EXCHANGE": "nowhere"}, ("'nowhere'", "does not exist")),
        "type": ({"SEQUENCING_PUBLISHER_EXCHANGE": direct.name}, (direct.name, "'type'", "not as it must be")),
        "password": ({"RABBITMQ_PASSWORD": "S3cret-Pass"}, ("refuses the user", "RABBITMQ_PASSWORD")),
        "vhost": ({"RABBITMQ_VHOST": "elsewhere"}, ("elsewhere", "RABBITMQ_VHOST")),
        "port": ({"RABBITMQ_PORT": "1"}, ("cannot connect to RabbitMQ at 127.0.0.1:1",)),
    }
    for settings, words in fault.values():
        daemon = to_exchange(**settings)
        failed(daemon.run(follow), *words)
        assert ledger_size(daemon) == 0
    direct.delete()
    assert to_exchange().counts(follow)["published"] == 3
    assert counted(exchange.received()) == expected(warehouses)
