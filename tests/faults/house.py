"""A house for faults: three warehouses, an exchange, a state database, and daemons as real processes.

    with open_house(mariadb, rabbitmq, tmp_path) as house:
        house.start()                       # python run.py, with fast schedules
        house.writer.start(a_second=30)
        ...                                 # whatever is to go wrong
        report = house.finish("what went wrong", crashes=1)

`finish` lets the writer come to its end, and leaves a daemon alone until each job has run twice more. Then it stops the
daemon, compares everything (checker.py), asserts that nothing is lost, and notes the line for the end of the session.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, create_engine
from sqlalchemy.pool import NullPool

from janitor.demo import warehouses as demo
from tests.daemons import Daemon
from tests.faults import checker
from tests.faults.checker import Report
from tests.faults.consumer import Consumer
from tests.faults.writer import Writer
from tests.fixtures import Warehouses
from tests.servers import Broker, SqlServer
from tests.small_engine import eventually

PATIENCE_SECONDS = 60.0
GROUP_SIZE = 10
SECONDS = {
    "labware_location": 0.5,
    "labware_location_reconcile": 1.0,
    "sequencing_publisher": 0.5,
    "sequencing_publisher_reconcile": 1.0,
}
"""How often each job is due. A test may change `House.seconds` before the first daemon starts."""
URLS = {
    "labwhere": "LABWHERE_DATABASE_URL",
    "mlwh": "MLWH_DATABASE_URL",
    "events": "MLWH_EVENTS_DATABASE_URL",
    "state": "STATE_DATABASE_URL",
}


class House:
    """All that a test of faults needs; `open_house` makes it.

    `settings` go to every daemon that starts from then on. `reach` leads a daemon's connections through a proxy. The
    writer, the consumer and the checker use the servers themselves. `note` receives the line of each report.
    """

    def __init__(
        self, warehouses: Warehouses, state: URL, broker: Broker, folder: Path, seed: int, consumer: Consumer
    ) -> None:
        self.warehouses, self.state_url, self.broker = warehouses, state, broker
        self.folder, self.seed, self.consumer = folder, seed, consumer
        self.daemons: list[Daemon] = []
        self.seconds = dict(SECONDS)
        self.note: Callable[[str], None] = print
        self.started_at: datetime | None = None
        self.module = "tests.faults.victim"
        """The program of its daemons."""
        self.refused: set[str] = set()
        """The ids of messages that a full queue refused: they may come again, as often as they were tried."""
        self.settings = self._settings()
        self.writer = Writer(warehouses, seed)
        self.base = checker.Base.of(warehouses)

    def _settings(self) -> dict[str, str]:
        return {
            **self.broker.environment(),
            **self.warehouses.environment(),
            "STATE_DATABASE_URL": self.state_url.render_as_string(hide_password=False),
            "SEQUENCING_PUBLISHER_EXCHANGE": self.consumer.exchange,
            "SEQUENCING_PUBLISHER_SINCE": "2000-01-01",
            "SEQUENCING_PUBLISHER_GROUP_SIZE": str(GROUP_SIZE),
            "HEARTBEAT_FILE": str(self.folder / "heartbeat"),
            "LEASE_SECONDS": "3",
            "GRACE_SECONDS": "5",
            "WEB_ENABLED": "false",
            "CONNECT_TIMEOUT_SECONDS": "5",
            "STATEMENT_TIMEOUT_SECONDS": "10",
        }

    def reach(self, name: str, port: int, host: str = "127.0.0.1") -> None:
        """Let new daemons reach "labwhere", "mlwh", "events", "state" or "rabbitmq" at this address."""
        if name == "rabbitmq":
            self.settings |= {"RABBITMQ_HOST": host, "RABBITMQ_PORT": str(port)}
            return
        urls = {
            "labwhere": self.warehouses.labwhere_url,
            "mlwh": self.warehouses.mlwh_url,
            "events": self.warehouses.events_url,
            "state": self.state_url,
        }
        self.settings[URLS[name]] = urls[name].set(host=host, port=port).render_as_string(hide_password=False)

    def only(self, *jobs: str) -> None:
        """Switch all other jobs off, before the first daemon starts.

        Without the reconciles nothing mends what a follow loses. Set `writer.announced_only` too: then a follow can
        find every change.
        """
        for job in self.seconds.keys() - set(jobs):
            self.settings[f"{job.upper()}_ENABLED"] = "false"
            del self.seconds[job]

    def environment(self, **more: str) -> dict[str, str]:
        """Return the settings of a daemon."""
        schedules = {f"{job.upper()}_SCHEDULE": f"every {seconds:g}s" for job, seconds in self.seconds.items()}
        return schedules | self.settings | more

    def start(self, name: str = "daemon", point: str = "", **more: str) -> Daemon:
        """Start a daemon with the shipped jobs. With a `point` (see victim.py) it kills itself there.

        Every daemon reads in small pages, so that there is a middle. Its log goes to `name`.log in the folder.
        """
        if self.started_at is None:
            self.started_at = datetime.now(UTC)
        environment = self.environment(VICTIM_POINT=point, **more)
        self.daemons.append(Daemon(self.module, self.folder, name, environment))
        return self.daemons[-1]

    @property
    def alive(self) -> list[Daemon]:
        """The daemons that run."""
        return [daemon for daemon in self.daemons if daemon.alive]

    def in_state(self, statement: str) -> list[Any]:
        """Run a statement on the state database without Janitor; return the rows of a query."""
        engine = create_engine(self.state_url, poolclass=NullPool)
        with engine.begin() as connection:
            result = connection.exec_driver_sql(statement)
            return list(result) if result.returns_rows else []

    @property
    def databases(self) -> list[str]:
        """The names of its databases on a server."""
        warehouses = self.warehouses
        urls = (warehouses.labwhere_url, warehouses.mlwh_url, warehouses.events_url, self.state_url)
        return [str(url.database) for url in urls if url.get_backend_name() != "sqlite"]

    def hang_up(self) -> None:
        """Close the connections of the writer, which must not be writing, and of the checker: they may be old."""
        self.writer.close()
        for engine in (self.warehouses.labwhere, self.warehouses.mlwh, self.warehouses.events):
            engine.dispose()

    def settle(self, rounds: int = 2, seconds: float = PATIENCE_SECONDS * 2) -> None:
        """Wait until each job has succeeded `rounds` times, one after another, from now on."""
        for _ in range(rounds):
            after = datetime.now(UTC)
            eventually(
                lambda: not self.alive or checker.succeeded_since(self.state_url, after) >= self.seconds.keys(),
                lambda: f"each job succeeds again; now: {checker.last_outcomes(self.state_url)}",
                seconds,
            )
            assert self.alive, f"no daemon is alive any more:\n{self.daemons[-1].text[-3000:]}"

    def finish(self, title: str, crashes: int = 0, settle_seconds: float = PATIENCE_SECONDS * 2) -> Report:
        """Come to the end: finish writing, settle, stop, compare, and assert that all is whole. It may be called again.

        `crashes` is how many groups may have come twice, at most, over the whole life of the house.
        """
        ledger = self.writer.finish()
        if not self.alive:
            self.start()
        self.settle(seconds=settle_seconds)
        asked_at = datetime.now(UTC)
        for daemon in self.alive:
            code = daemon.end(seconds=PATIENCE_SECONDS)
            assert code == 0, f"a daemon ended with {code} after SIGTERM:\n{daemon.text[-3000:]}"
        report = checker.check(self, ledger, title, crashes, asked_at)
        self.note(report.line)
        report.demand()
        return report

    def close(self) -> None:
        """End everything that still runs."""
        for daemon in self.daemons:
            daemon.close()
        self.writer.close()


@contextmanager
def open_house(
    server: SqlServer,
    broker: Broker,
    folder: Path,
    *,
    seed: int = 1,
    state: Literal["sqlite"] | SqlServer = "sqlite",
    labwares: int = 300,
    runs: int = 12,
    products: int = 8,
) -> Iterator[House]:
    """Give a house: warehouses with a small lab's rows on `server`, an exchange with a consumer, and a state database.

    The state is a SQLite file in the folder, or a database on a server. No daemon runs yet. The servers must run when
    the block ends.
    """
    with _state_database(folder, state) as own_state, Warehouses.on_server(server) as warehouses:
        engines = (warehouses.labwhere, warehouses.mlwh, warehouses.events)
        demo.fill(*engines, labwares=labwares, runs=runs, seed=seed, now=datetime.now(UTC), products=products)
        consumer = Consumer(broker, f"faults_{uuid.uuid4().hex[:12]}")
        house = House(warehouses, own_state, broker, folder, seed, consumer)
        try:
            yield house
        finally:
            house.close()
            consumer.close()


@contextmanager
def _state_database(folder: Path, state: Literal["sqlite"] | SqlServer) -> Iterator[URL]:
    if state == "sqlite":
        yield URL.create("sqlite", database=str(folder / "state.db"))
        return
    url = state.create_database()
    try:
        yield url
    finally:
        state.drop_database(url.database)
