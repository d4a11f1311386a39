"""Messages that the broker refuses: the rest goes out, and what was confirmed is not sent again.

The broker refuses a message for itself (it is too large), or for its queue (it is full). Either concerns one message.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from janitor.operations import actions
from janitor.state import State, leases, refusals
from janitor.tasks.sequencing_publisher import follow, reconcile
from janitor.tasks.sequencing_publisher.delivery import NAME
from tests.brokers import full_queue, message_limit
from tests.fixtures import Exchange, Warehouses
from tests.recorded_runs import Daemon
from tests.servers import Broker
from tests.small_engine import eventually
from tests.tasks.labware_location.test_failures import failed
from tests.tasks.sequencing_publisher.consumer import counted
from tests.tasks.sequencing_publisher.oracle import derived
from tests.tasks.sequencing_publisher.remembered import ledger_size, reasons
from tests.tasks.sequencing_publisher.warehouse import RUN, Warehouse, small_run

LIMIT = 20_000


@pytest.fixture
def warehouse(sqlite_warehouses: Warehouses) -> Warehouse:
    """A warehouse in files."""
    return Warehouse(sqlite_warehouses, (datetime.now(UTC) - timedelta(days=2)).replace(tzinfo=None, microsecond=0))


@pytest.fixture
def daemon(sqlite_warehouses: Warehouses, exchange: Exchange, state_folder: Path) -> Iterator[Daemon]:
    """A daemon that publishes every status there is to the exchange, in groups of ten."""
    settings = {
        **exchange.broker.environment(),
        "SEQUENCING_PUBLISHER_EXCHANGE": exchange.name,
        "SEQUENCING_PUBLISHER_SINCE": "2000-01-01",
        "SEQUENCING_PUBLISHER_GROUP_SIZE": "10",
    }
    made = Daemon(sqlite_warehouses.environment() | settings, state_folder)
    yield made
    made.close()


def pauses_are_over(daemon: Daemon) -> None:
    """The time passes that refused messages are held back for."""
    with daemon.state.begin() as connection:
        refusals.try_now(connection, NAME)


def large_product(warehouse: Warehouse, run: int = RUN) -> None:
    """A product of a run with so many places in iRODS that its message is over the limit."""
    paths = "x" * (LIMIT // 20)
    sample, study = warehouse.sample("large"), warehouse.study()
    for number in range(25):
        warehouse.irods(warehouse.product(run, sample, study), "/root", f"{number}{paths}")


@pytest.mark.slow
def test_a_message_too_large_waits_and_the_rest_goes_out(
    warehouse: Warehouse, sqlite_warehouses: Warehouses, daemon: Daemon, exchange: Exchange, rabbitmq: Broker
) -> None:
    # Given: a broker that takes no message over 20,000 bytes, and one such message among 31.
    # What happens: follow and reconcile run, again and again.
    # What must hold: the others come once, the large one waits with the broker's words, the cursor moves on.
    small_run(warehouse, samples=15)
    large_product(warehouse)
    small_run(warehouse, samples=15)
    warehouse.status(RUN)
    with message_limit(rabbitmq, LIMIT):
        counts = daemon.counts(follow)
        assert (counts["published"], counts["quarantined"]) == (30, 1)
        (reason,) = reasons(daemon).values()
        assert "is larger than configured max size 20000" in reason
        for task in (follow, reconcile, reconcile):
            counts = daemon.counts(task)
            assert (counts["published"], counts["quarantined"]) == (0, 1)
        assert daemon.counts(follow)["statuses"] == 0
        large = {record for record in derived(sqlite_warehouses).messages.values() if record[3] == "large"}
        assert counted(exchange.received()) == Counter(derived(sqlite_warehouses).messages.values()) - Counter(large)


def test_a_full_queue_sends_the_healthy_one_nothing_for_ever(
    warehouse: Warehouse, sqlite_warehouses: Warehouses, daemon: Daemon, exchange: Exchange
) -> None:
    # Given: an exchange with a healthy queue, and a queue that is full and rejects.
    # What happens: follow runs twenty times.
    # What must hold: the runs fail and say so, then the messages wait in quarantine; the healthy queue has few copies.
    small_run(warehouse, samples=4)
    warehouse.status(RUN)
    with full_queue(exchange):
        for _ in range(4):
            failed(daemon.run(follow), "4 messages were refused", "a queue bound to it is full or broken")
            assert not reasons(daemon)
            pauses_are_over(daemon)
        counts = daemon.counts(follow)
        assert (counts["published"], counts["quarantined"]) == (0, 4)
        assert all("is full or broken" in reason for reason in reasons(daemon).values())
        for task in (follow, reconcile) * 5:
            assert daemon.counts(task)["quarantined"] == 4
        first = counted(exchange.received())
        assert ledger_size(daemon) == 0 and set(first.values()) == {5}
    assert set(first) == set(derived(sqlite_warehouses).messages.values())
    pauses_are_over(daemon)
    counts = daemon.counts(reconcile)
    assert (counts["published"], counts["quarantined"]) == (4, 0)
    assert counted(exchange.received()) == Counter(first.keys())


def test_between_tries_a_message_is_held_back(warehouse: Warehouse, daemon: Daemon, exchange: Exchange) -> None:
    # Given: a message that was refused twice.
    # What happens: follow and reconcile run within its pause, and a status comes meanwhile.
    # What must hold: they fail and say that it waits, they do not send it, and what is new goes out.
    small_run(warehouse, samples=2)
    warehouse.status(RUN)
    with full_queue(exchange):
        for _ in range(2):
            failed(daemon.run(follow), "2 messages were refused and wait for another try")
    assert len(exchange.received()) == 4
    warehouse.status(RUN, 21)
    for task in (follow, reconcile):
        failed(daemon.run(task), "2 messages were refused and wait for another try")
    assert len(exchange.received()) == 2 == ledger_size(daemon)
    pauses_are_over(daemon)
    assert daemon.counts(follow)["published"] == 2
    assert daemon.counts(reconcile)["published"] == 0


def test_what_two_runs_try_at_once_is_counted_twice(warehouse: Warehouse, daemon: Daemon, exchange: Exchange) -> None:
    # Given: a queue that is full and rejects, and a follow and a reconcile that wait to publish the same messages.
    # What happens: one of them may publish, and then the other.
    # What must hold: the second counts on from what the first has counted, so that the pauses grow.
    daemon.counts(follow)
    small_run(warehouse, samples=4)
    warehouse.status(RUN)
    with full_queue(exchange), ThreadPoolExecutor(2) as pool:
        with both_waiting(daemon.state):
            runs = [pool.submit(daemon.run, task, task.__name__) for task in (follow, reconcile)]
        for run in runs:
            failed(run.result(), "4 messages were refused")
        with daemon.state.read() as connection:
            tries = {refusal.attempts for refusal in refusals.of_items(connection, NAME, ["1"]).values()}
    assert tries == {2} == set(counted(exchange.received()).values())


def test_what_two_runs_have_at_once_is_published_once(warehouse: Warehouse, daemon: Daemon, exchange: Exchange) -> None:
    # Given: a follow and a reconcile that wait to publish the same messages. What happens: one may, and then the other.
    # What must hold: each message is published once.
    daemon.counts(follow)
    small_run(warehouse, samples=4)
    warehouse.status(RUN)
    with ThreadPoolExecutor(2) as pool:
        with both_waiting(daemon.state):
            runs = [pool.submit(daemon.run, task, task.__name__) for task in (follow, reconcile)]
        published = sorted((run.result().counts or {})["published"] for run in runs)
    assert published == [0, 4] and set(counted(exchange.received()).values()) == {1}


@contextmanager
def both_waiting(state: State) -> Iterator[None]:
    """Hold the lease to publish until two runs have asked for it."""
    asking = set[int]()

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any) -> None:
        if "leases" in statement and NAME in parameters:
            asking.add(threading.get_ident())

    with state.begin() as connection:
        fence = leases.acquire(connection, NAME, "somebody", datetime.now(UTC), 60)
    assert fence is not None
    event.listen(state.engine, "before_cursor_execute", note)
    yield
    eventually(lambda: len(asking) == 2, "both runs wait")
    event.remove(state.engine, "before_cursor_execute", note)
    with state.begin() as connection:
        leases.release(connection, fence)


def test_what_a_person_gave_up_is_not_tried_again(warehouse: Warehouse, daemon: Daemon, exchange: Exchange) -> None:
    # Given: a message in quarantine, since its queue refused it in five runs.
    # What happens: a person gives it up; later a person lets it be retried.
    # What must hold: no run sends it before that, and the next one sends it then.
    small_run(warehouse, samples=1)
    warehouse.status(RUN)
    with full_queue(exchange):
        for _ in range(5):
            daemon.run(follow)
            pauses_are_over(daemon)
    (key,) = reasons(daemon)
    now = datetime.now(UTC)
    assert actions.drop(daemon.state, NAME, key, "nobody needs it", "ann", now) == 1
    exchange.received()
    for task in (follow, reconcile):
        counts = daemon.counts(task)
        assert (counts["published"], counts["quarantined"]) == (0, 0)
    assert not exchange.received()
    actions.retry(daemon.state, NAME, key, "ann", now)
    assert daemon.counts(reconcile)["published"] == 1
    assert len(exchange.received()) == 1


def test_what_was_confirmed_is_not_sent_again(
    warehouse: Warehouse, sqlite_warehouses: Warehouses, daemon: Daemon, exchange: Exchange
) -> None:
    # Given: an exchange with a healthy queue, and a queue that has room for 8 of 21 messages.
    # What happens: follow runs, the queue gets room, follow runs again.
    # What must hold: each message that was confirmed came to the healthy queue once, each other one twice.
    small_run(warehouse, samples=7)
    for status in (1, 2, 3):
        warehouse.status(RUN, status)
    with full_queue(exchange, 8) as full:
        failed(daemon.run(follow), "full")
        confirmed = ledger_size(daemon)
        assert 8 <= confirmed < 21
        with exchange.broker.channel() as channel:
            channel.queue_purge(full)
            channel.queue_unbind(full, exchange.name, "")
        assert daemon.counts(follow)["published"] == 21 - confirmed
    total = counted(exchange.received())
    assert set(total) == set(derived(sqlite_warehouses).messages.values())
    assert sorted(total.values()).count(1) >= confirmed and max(total.values()) == 2
