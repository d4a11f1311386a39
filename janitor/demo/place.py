"""The demo's folder: its databases, its messages, and the settings of the daemon that works there."""

import os
import random
import shutil
import socket
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from sqlalchemy import URL, create_engine

from janitor.demo import warehouses
from janitor.errors import JanitorError
from janitor.settings.settings import Settings
from janitor.state import State

LABWARES, RUNS, PRODUCTS, DAYS = 3_000, 36, 24, 20.0
SINCE_DAYS = 4
DASHBOARD_PORT = 8080
LAB = ("LABWHERE_", "MLWH_", "LABWARE_LOCATION_", "SEQUENCING_", "LOAD_LIMIT_")
ENDINGS = ("_ENABLED", "_SCHEDULE")
LOCK = ".lock"


@dataclass(frozen=True)
class Place:
    """The demo's folder, what is in it, and the addresses around it. `since` is the day from which on it publishes."""

    folder: Path
    since: date
    port: int
    inbox: str

    def url(self, name: str) -> URL:
        """Return the URL of the database `name`: a SQLite file."""
        return URL.create("sqlite", database=str(self.folder / f"{name}.db"))

    @property
    def messages(self) -> Path:
        """The folder of the published messages."""
        return self.folder / "messages"

    @property
    def log(self) -> Path:
        """The file that the daemon prints to."""
        return self.folder / "daemon.log"

    @property
    def dashboard(self) -> str:
        """The dashboard's address."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """Return the daemon's environment: this process's, with every setting replaced."""
        kept = {name: value for name, value in os.environ.items() if not _is_setting(name)}
        return kept | {
            "LABWHERE_DATABASE_URL": str(self.url("labwhere")),
            "MLWH_DATABASE_URL": str(self.url("mlwh")),
            "MLWH_EVENTS_DATABASE_URL": str(self.url("mlwh_events")),
            "STATE_DATABASE_URL": str(self.url("state")),
            "MESSAGES_DIR": str(self.messages),
            "HEARTBEAT_FILE": str(self.folder / "heartbeat"),
            "SEQUENCING_PUBLISHER_SINCE": self.since.isoformat(),
            "WEB_PORT": str(self.port),
            "WEB_URL": self.dashboard,
            "WEBHOOK_URL": self.inbox,
            "NOTICE_CHECK_SECONDS": "0.5",
            "LABWARE_LOCATION_SCHEDULE": "every 3s",
            "SEQUENCING_PUBLISHER_SCHEDULE": "every 3s",
            "LABWARE_LOCATION_RECONCILE_SCHEDULE": "every 10s",
            "SEQUENCING_PUBLISHER_RECONCILE_SCHEDULE": "every 10s",
        }


def prepare(folder: Path, inbox: str) -> tuple[Place, str]:
    """Empty the folder and fill three warehouses in it; return the place, and two lines that tell of it."""
    _empty(folder)
    began, now = time.monotonic(), datetime.now(timezone.utc)
    place = Place(folder, (now - timedelta(days=SINCE_DAYS)).date(), _free_port(), inbox)
    counts = _fill(place, now)
    _make_state(place)
    seconds = time.monotonic() - began
    return place, (
        f"[bold]Made a lab[/] of {sum(counts.values()):,} rows in three SQLite warehouses in {seconds:.1f} s:\n"
        f"{LABWARES:,} labwares, {counts['audits']:,} audits, {RUNS} sequencing runs, {counts['sample']} samples"
    )


def _make_state(place: Place) -> None:
    # Else the daemon would make it, and tell that as its first notice.
    state = State(place.url("state"))
    state.migrate()
    state.close()


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def _fill(place: Place, now: datetime) -> dict[str, int]:
    """Make the tables and the rows; return how many rows each table has."""
    engines = [create_engine(place.url(name)) for name in warehouses.NAMES]
    for engine, name in zip(engines, warehouses.NAMES, strict=True):
        with engine.connect() as connection:
            # Readers of a file do not wait for its writer then, nor the writer for them.
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        warehouses.create_tables(engine, name)
    labwhere, mlwh, events = engines
    counts = warehouses.fill(
        labwhere,
        mlwh,
        events,
        labwares=LABWARES,
        runs=RUNS,
        products=PRODUCTS,
        days=DAYS,
        seed=random.randrange(1000),
        now=now,
    )
    for engine in engines:
        engine.dispose()
    return counts


def _is_setting(name: str) -> bool:
    plain = name.removesuffix("_FILE")
    return plain in Settings.variables() or plain.startswith(LAB) or plain.endswith(ENDINGS)


def _free_port() -> int:
    """Return the dashboard's usual port if it is free, else any free port."""
    for port in (DASHBOARD_PORT, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as listener:
                found: int = listener.getsockname()[1]
                return found
        except OSError:
            continue
    raise JanitorError("no port is free on this machine for the dashboard")
