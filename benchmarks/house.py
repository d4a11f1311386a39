"""Three filled warehouses of one size, what Janitor remembers of them, and ways to run its tasks on them."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, text

from benchmarks import processes
from benchmarks.fill import fill
from benchmarks.servers import Servers
from tests.fixtures import Exchange, Warehouses
from tests.recorded_runs import Daemon

BOUND = 100_000
"""A slow rival is measured on at most so many labwares."""


@dataclass(eq=False)
class House:
    """Warehouses with a number of labwares, and the folder of their state database."""

    labwares: int
    warehouses: Warehouses
    servers: Servers
    folder: Path
    exchange: Exchange
    smaller: "House | None" = None
    begun: set[str] = field(default_factory=set)

    @property
    def bounded(self) -> "House":
        """The largest house in which slow work does not take too long: this house or a smaller one."""
        return self if self.labwares <= BOUND or self.smaller is None else self.smaller.bounded

    def environment(self) -> dict[str, str]:
        """Return the settings of a daemon on these warehouses; its state is in the house's folder."""
        return {
            "STATE_DATABASE_URL": f"sqlite:///{self.folder / 'state.db'}",
            "SEQUENCING_PUBLISHER_EXCHANGE": self.exchange.name,
            "LOG_LEVEL": "WARNING",
            "WEB_PORT": "0",
            **self.warehouses.environment(),
            **self.servers.broker.environment(),
        }

    @contextmanager
    def daemon(self) -> "Iterator[Daemon]":
        """Give a daemon without a clock, after each task's first run: the usual state."""
        self.begin("labware_location")
        self.begin("sequencing_publisher")
        made = Daemon(self.environment(), self.folder)
        try:
            yield made
        finally:
            made.close()

    def begin(self, task: str) -> None:
        """Do the first run of a task in a process of its own, if it was not done yet."""
        if task not in self.begun:
            self.run_alone(f"{task}.follow")

    def run_alone(self, task: str, folder: Path | None = None, **more: str) -> dict[str, Any]:
        """Run a task once, recorded, in a new process; return what `once.main` prints.

        The state database is in `folder`, or in the house's folder if that is None. `more` are further settings.
        """
        environment = self.environment() | more
        if folder is None:
            self.begun.add(task.partition(".")[0])
        else:
            environment["STATE_DATABASE_URL"] = f"sqlite:///{folder / 'state.db'}"
        return processes.python("benchmarks.once", task, str(folder or self.folder), environment=environment)

    def begin_anew(self) -> None:
        """Empty the table of locations, and forget everything that Janitor remembers."""
        self.execute(self.warehouses.mlwh_url, "TRUNCATE TABLE labware_location")
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        self.begun.clear()

    def execute(self, url: URL, statement: str, **parameters: object) -> list[Any]:
        """Run a statement on a warehouse in a transaction, and return its rows, if any."""
        engines = (self.warehouses.labwhere, self.warehouses.mlwh, self.warehouses.events)
        engine = next(engine for engine in engines if engine.url == url)
        with engine.begin() as connection:
            result = connection.execute(text(statement), parameters)
            return list(result) if result.returns_rows else []

    def labwhere(self, statement: str, **parameters: object) -> list[Any]:
        """Run a statement on LabWhere."""
        return self.execute(self.warehouses.labwhere_url, statement, **parameters)

    def mlwh(self, statement: str, **parameters: object) -> list[Any]:
        """Run a statement on MLWH."""
        return self.execute(self.warehouses.mlwh_url, statement, **parameters)

    def names(self) -> dict[str, str]:
        """Return the databases' names, for statements on all three."""
        urls = (self.warehouses.labwhere_url, self.warehouses.mlwh_url, self.warehouses.events_url)
        return {name: str(url.database) for name, url in zip(("labwhere", "mlwh", "events"), urls, strict=True)}


@contextmanager
def built(servers: Servers, labwares: int, smaller: House | None = None) -> Iterator[House]:
    """Give warehouses with so many labwares; they are gone after the block."""
    folder = Path(tempfile.mkdtemp(prefix="janitor-benchmarks-"))
    try:
        with Warehouses.on_server(servers.sql) as warehouses:
            fill(warehouses.labwhere, warehouses.mlwh, warehouses.events, labwares)
            yield House(labwares, warehouses, servers, folder, Exchange(servers.broker), smaller)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
