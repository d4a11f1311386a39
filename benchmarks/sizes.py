"""How large things are: the bytes that a run, a log line and an entry of a ledger take, on SQLite and on MariaDB.

What takes the bytes is the rows, their indexes, and the room that pages leave free. A server's files may be larger: it
takes room in advance, and keeps what deleted rows leave.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from sqlalchemy import URL, Connection

from benchmarks import clockwork
from benchmarks.house import House
from benchmarks.long_history import fill, fill_lines
from benchmarks.measures import Line
from janitor.state import State, ledger
from janitor.state.tables import metadata
from tests.servers import MariaDB, running

RUNS, JOBS, LINES, ENTRIES = 20_000, 20, 5, 50_000
ENTERED_AT_ONCE = 1_000
KINDS = ("a run", "a log line", "an entry of a ledger")


def measure(house: House, rivals: bool) -> list[Line]:
    """Measure both kinds of state databases."""
    del house, rivals  # the history is made up, and no rival has one
    with databases() as urls:
        return [
            Line(f"{kind}, {what}", size, "bytes") for kind, url in urls.items() for what, size in sizes(url).items()
        ]


@contextmanager
def databases() -> Iterator[dict[str, URL]]:
    """An empty database of each kind, by its name."""
    with ExitStack() as stack:
        folder = stack.enter_context(clockwork.empty_folder())
        server = stack.enter_context(running(MariaDB()))
        yield {"SQLite": URL.create("sqlite", database=str(folder / "state.db")), "MariaDB": server.create_database()}


def sizes(url: URL, runs: int = RUNS, entries: int = ENTRIES) -> dict[str, float]:
    """Fill an empty database; the bytes of each of `KINDS`.

    A run has the counts of a task that follows a feed. One in a hundred failed; none has a traceback.
    """
    state = State(url)
    state.migrate()
    empty = total_bytes(state)
    fill(state, runs, JOBS, lines=0)
    with_runs = total_bytes(state)
    for line in range(LINES):
        with state.begin() as connection:
            fill_lines(connection, runs, line)
    with_lines = total_bytes(state)
    for begin in range(0, entries, ENTERED_AT_ONCE):
        with state.begin() as connection:
            _enter(connection, range(begin, min(begin + ENTERED_AT_ONCE, entries)))
    with_entries = total_bytes(state)
    state.close()
    counted = (
        (with_runs - empty) / runs,
        (with_lines - with_runs) / (runs * LINES),
        (with_entries - with_lines) / entries,
    )
    return dict(zip(KINDS, counted, strict=True))


def total_bytes(state: State) -> int:
    """How many bytes the tables and indexes of a state database take."""
    with state.begin() as connection:
        if connection.dialect.name == "sqlite":
            pages, free, size = (
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("page_count", "freelist_count", "page_size")
            )
            return int((pages - free) * size)
        # The server counts its pages now and then, and when it is asked to.
        connection.exec_driver_sql(f"ANALYZE TABLE {', '.join(metadata.tables)}").all()
        query = "SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE table_schema = DATABASE()"
        return int(connection.exec_driver_sql(query).scalar_one())


def _enter(connection: Connection, numbers: range) -> None:
    """Enter messages, each under a key of 16 bytes, as keys come: in no order."""
    keys = {hashlib.sha256(str(number).encode()).digest()[:16] for number in numbers}
    ledger.enter(connection, "published", {key: key for key in keys}, datetime.now(UTC))
