"""Servers that die, hang up, say no or fill up, while a daemon and a writer go on: nothing is lost."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from janitor import memory
from janitor.runs import Outcome
from tests.faults.conftest import MakeHouse
from tests.faults.fault import (
    A_SECOND,
    STATE_STATEMENT_SECONDS,
    USER,
    Fault,
    Happens,
    Repeats,
    address,
    again_and_again,
    begin,
    choose,
    go_through,
    prepare,
)
from tests.faults.house import House
from tests.faults.small_disk import SmallDisk, small_disk
from tests.servers import Broker, SqlServer, running, sql_server
from tests.small_engine import migrated, run_by_hand, runner_for, settings_for

ALARM_SECONDS = 7.0
"""Long enough for a few runs, each of which sends its group into the alarm."""
CLOSE_ALL = """
    Close = fun(One) -> rabbit_networking:close_connection(One, "closed by the test") end,
    [begin lists:foreach(Close, rabbit_networking:connections()), timer:sleep(20) end || _ <- lists:seq(1, 50)], ok.
"""
"""Erlang for the broker: for a second each connection is closed as it is made, where rabbitmqctl comes by seldom."""
NO_SUCH_THREAD = 1094
ENDED = ("was ended by an administrator", "was stopped by an administrator", "was lost", "is shutting down")
GONE = ("cannot be reached", *ENDED)
LOCKED = ("waited too long for a lock", "ran over its time limit")
FULL = ("the disk or table is full", "the disk is full")
READ_ONLY = ("does not take writes",)


@pytest.fixture(scope="module")
def state_server() -> Iterator[SqlServer]:
    """A second database server, for the state database alone."""
    with running(sql_server()) as server:
        yield server


@contextmanager
def killed(server: SqlServer | Broker) -> Iterator[None]:
    """Kill -9 a server for the length of a block."""
    server.kill()
    try:
        yield
    finally:
        server.start()


@contextmanager
def connections_killed(server: SqlServer) -> Iterator[None]:
    """Let an administrator end each of Janitor's connections, again and again."""
    engine = create_engine(server.admin, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection, again_and_again(lambda: kill_connections(connection)):
        yield


def kill_connections(connection: Connection) -> None:
    """End each of Janitor's connections; one that has just ended by itself is no error."""
    for id in connection.scalars(text(f"SELECT id FROM information_schema.processlist WHERE user = '{USER}'")).all():
        try:
            connection.exec_driver_sql(f"KILL {id}")
        except OperationalError as exc:
            if exc.orig is None or exc.orig.args[0] != NO_SUCH_THREAD:
                raise


@contextmanager
def read_only(server: SqlServer) -> Iterator[None]:
    """Let a server take no writes but those of an administrator."""
    server.execute("SET GLOBAL read_only = 1")
    try:
        yield
    finally:
        server.execute("SET GLOBAL read_only = 0")


@contextmanager
def held(server: SqlServer, *statements: str) -> Iterator[None]:
    """Let a session hold the locks that these statements take."""
    engine = create_engine(server.admin, poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
        yield


@contextmanager
def started_on(house: House, disk: SmallDisk) -> Iterator[None]:
    """Start the daemon on a disk that is too small, and the writer; the disk grows in the end."""
    house.start()
    house.writer.start(a_second=A_SECOND)
    yield
    disk.grow("50m")


def faults_of_sources(house: House, server: SqlServer) -> list[Fault]:
    """What may befall the server of the source warehouses and the target."""
    labwhere, mlwh = house.warehouses.labwhere_url.database, house.warehouses.mlwh_url.database
    rows, table = f"SELECT * FROM `{mlwh}`.labware_location FOR UPDATE", f"LOCK TABLES `{labwhere}`.users WRITE"

    def fault(name: str, happens: Happens, words: tuple[str, ...]) -> Fault:
        return Fault(f"MariaDB {name}", happens, (address(server.admin),), words)

    return [
        fault("killed and restarted", lambda: killed(server), GONE),
        fault("connections killed", lambda: connections_killed(server), ENDED),
        fault("made read-only", lambda: read_only(server), READ_ONLY),
        fault("rows of the target locked", lambda: held(server, rows), LOCKED),
        fault("table of a source locked", lambda: held(server, table), LOCKED),
    ]


def faults_of_state(server: SqlServer, database: str | None) -> list[Fault]:
    """What may befall the server of the state database."""
    culprits = (address(server.admin), "the leases in the state database")
    rows = (f"SELECT * FROM `{database}`.leases FOR UPDATE", f"SELECT * FROM `{database}`.runs FOR UPDATE")
    long = STATE_STATEMENT_SECONDS + 3.0
    return [
        Fault("state killed and restarted", lambda: killed(server), culprits, GONE, "no group", 4, True),
        Fault("state's connections killed", lambda: connections_killed(server), culprits, ENDED, "no group", 3, True),
        Fault("state made read-only", lambda: read_only(server), culprits, READ_ONLY, "one group", 3, True),
        Fault("state's rows locked", lambda: held(server, *rows), culprits, LOCKED, "no group", long, True, True),
    ]


def faults_of_broker(house: House, broker: Broker) -> list[Fault]:
    """What may befall the broker, the exchange and its queue."""
    where, exchange = f"{broker.host}:{broker.port}", house.consumer.exchange

    @contextmanager
    def alarm() -> Iterator[None]:
        broker.ctl("set_vm_memory_high_watermark", "absolute", "1")
        try:
            yield
        finally:
            broker.ctl("set_vm_memory_high_watermark", "0.4")

    @contextmanager
    def unbound() -> Iterator[None]:
        house.consumer.unbind()
        yield
        house.consumer.declare()

    @contextmanager
    def deleted() -> Iterator[None]:
        with broker.channel() as channel:
            channel.exchange_delete(exchange)
        yield
        house.consumer.declare()

    @contextmanager
    def nacking() -> Iterator[None]:
        with broker.channel() as channel:
            full = {"x-max-length": 0, "x-overflow": "reject-publish"}
            channel.queue_declare(f"{exchange}.full", durable=True, arguments=full)
            channel.queue_bind(f"{exchange}.full", exchange, "")
        yield
        with broker.channel() as channel:
            channel.queue_delete(f"{exchange}.full")

    def fault(name: str, happens: Happens, words: str, repeats: Repeats = "one group", seconds: float = 0.0) -> Fault:
        return Fault(f"RabbitMQ {name}", happens, (where,), (words,), repeats, seconds)

    closing = functools.partial(broker.ctl, "eval", CLOSE_ALL)
    return [
        fault("killed and restarted", lambda: killed(broker), "cannot connect to"),
        fault("closes all connections", lambda: again_and_again(closing), "(CONNECTION_FORCED", "a group a run"),
        fault("out of memory", alarm, "it has blocked its publishers: low on memory", "a group a run", ALARM_SECONDS),
        fault("without a queue", unbound, "no queue is bound to exchange"),
        fault("without the exchange", deleted, "does not exist"),
        fault("refuses messages", nacking, "a queue bound to it is full or broken", "a group a run"),
    ]


@pytest.mark.short_form
def test_a_few_faults_of_servers_lose_nothing(
    make_house: MakeHouse, mariadb: SqlServer, rabbitmq: Broker, state_server: SqlServer, faults_seed: int
) -> None:
    house = make_house(state=state_server)
    begin(house, mariadb, state_server, follows_alone=True)
    faults = choose(faults_of_sources(house, mariadb), 2, faults_seed)
    faults += choose(faults_of_state(state_server, house.state_url.database), 1, faults_seed)
    faults += choose(faults_of_broker(house, rabbitmq), 1, faults_seed)
    go_through(house, faults, "servers")


@pytest.mark.whole_form
def test_a_full_disk_under_the_target_loses_nothing(make_house: MakeHouse, mariadb: SqlServer) -> None:
    house = make_house(labwares=1_500)
    migrated(house.state_url).close()
    with small_disk(mariadb.disks, "300k") as disk:
        disk.take(mariadb, house.warehouses.mlwh_url, "labware_location")
        prepare(house, mariadb)
        full = Fault("disk full", lambda: started_on(house, disk), (address(mariadb.admin),), FULL)
        go_through(house, [full], "target")


@pytest.mark.whole_form
def test_a_full_disk_under_the_ledger_loses_nothing(
    make_house: MakeHouse, mariadb: SqlServer, state_server: SqlServer
) -> None:
    house = make_house(state=state_server)
    house.settings["SEQUENCING_PUBLISHER_GROUP_SIZE"] = "50"
    migrated(house.state_url).close()
    with small_disk(state_server.disks, "130k") as disk:
        disk.take(state_server, house.state_url, "ledger")
        prepare(house, mariadb, state_server)
        full = Fault(
            "disk full", lambda: started_on(house, disk), (address(state_server.admin),), FULL, "a group a run"
        )
        go_through(house, [full], "state database")


@pytest.mark.whole_form
@pytest.mark.timeout(900)
@pytest.mark.parametrize("follows_alone", [True, False])
def test_faults_of_the_sources_lose_nothing(
    follows_alone: bool, make_house: MakeHouse, mariadb: SqlServer, state_server: SqlServer
) -> None:
    house = make_house(state=state_server)
    begin(house, mariadb, state_server, follows_alone=follows_alone)
    go_through(house, faults_of_sources(house, mariadb), "sources and target")


@pytest.mark.whole_form
@pytest.mark.timeout(900)
def test_faults_of_the_state_database_lose_nothing(
    make_house: MakeHouse, mariadb: SqlServer, state_server: SqlServer
) -> None:
    house = make_house(state=state_server)
    begin(house, mariadb, state_server)
    go_through(house, faults_of_state(state_server, house.state_url.database), "state database")


@pytest.mark.whole_form
@pytest.mark.timeout(900)
@pytest.mark.parametrize("follows_alone", [True, False])
def test_faults_of_the_broker_lose_nothing(
    follows_alone: bool, make_house: MakeHouse, mariadb: SqlServer, rabbitmq: Broker
) -> None:
    house = make_house()
    begin(house, mariadb, follows_alone=follows_alone)
    go_through(house, faults_of_broker(house, rabbitmq), "broker")


def test_a_lease_is_free_once_the_state_database_is_back(state_server: SqlServer, tmp_path: Path) -> None:
    url = state_server.create_database()

    def publish_into_the_fault() -> None:
        with memory.exclusively("publisher"):
            state_server.kill()

    def publish() -> None:
        with memory.exclusively("publisher"):
            pass

    try:
        with runner_for(settings_for(url, tmp_path), leads=False) as runner:
            assert run_by_hand(runner, publish_into_the_fault, id="first")[1].outcome is Outcome.SUCCEEDED
            state_server.start()
            runner.flush()
            assert run_by_hand(runner, publish, id="second", timeout=5.0)[1].outcome is Outcome.SUCCEEDED
    finally:
        state_server.start()
        state_server.drop_database(url.database)
