"""The faults of servers: killed, hung up on, read-only, locked, full. A list for each server."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.faults.consumer import Consumer
from tests.faults.fault import (
    A_SECOND,
    STATE_STATEMENT_SECONDS,
    STATEMENT_SECONDS,
    USER,
    Fault,
    Happens,
    Repeats,
    address,
    again_and_again,
)
from tests.faults.house import House
from tests.faults.refused_messages import FULL as NOT_TAKEN
from tests.faults.refused_messages import one_queue_full, try_until_taken
from tests.faults.small_disk import SmallDisk
from tests.servers import Broker, SqlServer

ALARM_SECONDS = 2.5 * STATEMENT_SECONDS
"""Long enough for a few runs: each sends its group into the alarm."""
CLOSE_ALL = """
    IsOpen = fun(One) -> (catch rabbit_networking:connection_info(One, [state])) =:= [{state, running}] end,
    Close = fun(One) -> catch rabbit_networking:close_connection(One, "closed by the test") end,
    CloseAll = fun() -> lists:foreach(Close, lists:filter(IsOpen, rabbit_networking:connections())) end,
    [begin CloseAll(), timer:sleep(5) end || _ <- lists:seq(1, 200)], ok.
"""
"""Erlang for the broker: for a second it closes each connection once its login is over, and waits for the others.

Calls of rabbitmqctl are too slow.
"""
NO_SUCH_THREAD = 1094
ENDED = ("was ended by an administrator", "was stopped by an administrator", "was lost", "is shutting down")
GONE = ("cannot be reached", *ENDED)
LOCKED = ("waited too long for a lock", "ran over its time limit")
FULL = ("the disk or table is full", "the disk is full")
READ_ONLY = ("does not take writes",)


@contextmanager
def connections_killed(server: SqlServer) -> Iterator[None]:
    """End each of Janitor's connections as an administrator, again and again during the block."""
    engine = create_engine(server.admin, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection, again_and_again(lambda: kill_connections(connection)):
        yield


def kill_connections(connection: Connection) -> None:
    """End each of Janitor's connections. A connection may just have ended by itself: that is no error."""
    for id in connection.scalars(text(f"SELECT id FROM information_schema.processlist WHERE user = '{USER}'")).all():
        try:
            connection.exec_driver_sql(f"KILL {id}")
        except OperationalError as exc:
            if exc.orig is None or exc.orig.args[0] != NO_SUCH_THREAD:
                raise


@contextmanager
def read_only(server: SqlServer) -> Iterator[None]:
    """Let a server take writes only from an administrator during the block."""
    server.execute("SET GLOBAL read_only = 1")
    try:
        yield
    finally:
        server.execute("SET GLOBAL read_only = 0")


@contextmanager
def held(server: SqlServer, *statements: str) -> Iterator[None]:
    """Let another session hold the locks of these statements during the block."""
    engine = create_engine(server.admin, poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
        yield


@contextmanager
def started_on(house: House, disk: SmallDisk) -> Iterator[None]:
    """Start the daemon and the writer on a disk that is too small; the disk grows after the block."""
    house.start()
    house.writer.start(a_second=A_SECOND)
    yield
    disk.grow("50m")


@contextmanager
def alarm(broker: Broker) -> Iterator[None]:
    """Let the broker be low on memory during the block: it blocks its publishers."""
    broker.ctl("set_vm_memory_high_watermark", "absolute", "1")
    try:
        yield
    finally:
        broker.ctl("set_vm_memory_high_watermark", "0.4")


@contextmanager
def unbound(consumer: Consumer) -> Iterator[None]:
    """Leave the exchange without a queue during the block."""
    consumer.unbind()
    yield
    consumer.declare()


@contextmanager
def deleted(consumer: Consumer) -> Iterator[None]:
    """Delete the exchange; after the block it is there again."""
    with consumer.broker.channel() as channel:
        channel.exchange_delete(consumer.exchange)
    yield
    consumer.declare()


@contextmanager
def taking_little(house: House, broker: Broker) -> Iterator[None]:
    """Let the broker take no message over 100 bytes during the block; then a person lets them be tried again."""
    limit = "application:set_env(rabbit, max_message_size, {})."
    broker.ctl("eval", limit.format(100))
    try:
        yield
    finally:
        broker.ctl("eval", limit.format(134_217_728))
    try_until_taken(house)


def faults_of_sources(house: House, server: SqlServer) -> list[Fault]:
    """List the faults of the server of the sources and the target."""
    labwhere, mlwh = house.warehouses.labwhere_url.database, house.warehouses.mlwh_url.database
    rows, table = f"SELECT * FROM `{mlwh}`.labware_location FOR UPDATE", f"LOCK TABLES `{labwhere}`.users WRITE"

    def fault(name: str, happens: Happens, words: tuple[str, ...]) -> Fault:
        return Fault(f"MariaDB {name}", happens, (address(server.admin),), words)

    return [
        fault("killed and restarted", server.killed, GONE),
        fault("connections killed", lambda: connections_killed(server), ENDED),
        fault("made read-only", lambda: read_only(server), READ_ONLY),
        fault("rows of the target locked", lambda: held(server, rows), LOCKED),
        fault("table of a source locked", lambda: held(server, table), LOCKED),
    ]


def faults_of_state(server: SqlServer, database: str | None) -> list[Fault]:
    """List the faults of the server of the state database."""
    culprits = (address(server.admin), "the leases in the state database")
    rows = (f"SELECT * FROM `{database}`.leases FOR UPDATE", f"SELECT * FROM `{database}`.runs FOR UPDATE")
    long = STATE_STATEMENT_SECONDS + 3.0
    # What is confirmed waits for the ledger for 20 s: two statements that wait for a lock as long as they may.
    return [
        Fault("state killed and restarted", server.killed, culprits, GONE, "no group", 4, True),
        Fault("state's connections killed", lambda: connections_killed(server), culprits, ENDED, "no group", 3, True),
        Fault("state made read-only", lambda: read_only(server), culprits, READ_ONLY, "one group", 3, True),
        Fault("state's rows locked", lambda: held(server, *rows), culprits, LOCKED, "one group", long, True, True),
    ]


def faults_of_broker(house: House, broker: Broker) -> list[Fault]:
    """List the faults of the broker, the exchange and its queue.

    What a broker refuses for itself waits in quarantine, where only a reconcile finds it. Without it that fault is left
    out. A broker that takes less than any other puts a window of each run in doubt, also of one that then succeeds.
    """
    where, consumer = f"{broker.host}:{broker.port}", house.consumer

    def fault(
        name: str, happens: Happens, words: str | tuple[str, ...], repeats: Repeats = "one group", seconds: float = 0.0
    ) -> Fault:
        says = (words,) if isinstance(words, str) else words
        return Fault(f"RabbitMQ {name}", happens, (where,), says, repeats, seconds)

    closing = functools.partial(broker.ctl, "eval", CLOSE_ALL)
    too_large = "is larger than configured max size"
    little = fault("takes little", lambda: taking_little(house, broker), too_large, "a group a run")
    return [
        *([little] if "sequencing_publisher_reconcile" in house.seconds else []),
        fault("killed and restarted", broker.killed, "cannot connect to"),
        fault("closes all connections", lambda: again_and_again(closing), "(CONNECTION_FORCED", "a group a failed run"),
        fault(
            "out of memory",
            lambda: alarm(broker),
            "it has blocked its publishers: low on memory",
            "a group a failed run",
            ALARM_SECONDS,
        ),
        fault("without a queue", lambda: unbound(consumer), "no queue is bound to exchange"),
        fault("without the exchange", lambda: deleted(consumer), "does not exist"),
        fault("refuses all messages", lambda: one_queue_full(house, room=0), NOT_TAKEN, "no group"),
    ]
