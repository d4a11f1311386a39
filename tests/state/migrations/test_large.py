"""Migrations of a large state database, on a server that cuts statements.

Given: the oldest schema with 5,000,000 log lines, 1,000,000 actions and 1,000,000 rows in quarantine. A server whose
limit is far below what an index takes (a limit of 12 s is common).
What happens: it is migrated by a process that is killed in each long step, and then by a process that is not.
What must hold: it comes to the newest schema, with all rows; no statement but that for an index takes long.

`MIGRATION_ROWS` makes it smaller. The rates are printed, for `ROWS_A_SECOND`.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

import pytest
from sqlalchemy import URL, Connection, Engine, create_engine, event, text

from janitor.databases.places import family
from janitor.errors import Unavailable
from janitor.operations import migrating
from janitor.state import State
from janitor.state.tables import SCHEMA_VERSION
from tests.small_engine import eventually
from tests.state.migrations.older import cutting, fill, older

LINES = int(os.environ.get("MIGRATION_ROWS", "5000000"))
OTHERS = LINES // 5
CUT_SECONDS = LINES / 5_000_000
"""So long a statement may take on the server."""
INDEX, NAMES = "CREATE INDEX logs_by_age", "INSERT INTO memories"


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """How long each statement takes at most, by its first words."""
    longest: dict[str, float] = {}
    began = [0.0]

    def begin(*rest: object) -> None:
        began[0] = time.monotonic()

    def end(connection: Connection, cursor: object, statement: str, *rest: object) -> None:
        words = " ".join(statement.split()[:3])
        longest[words] = max(longest.get(words, 0), time.monotonic() - began[0])

    listeners = (("before_cursor_execute", begin), ("after_cursor_execute", end))
    for name, listener in listeners:
        event.listen(Engine, name, listener)
    yield longest
    for name, listener in listeners:
        event.remove(Engine, name, listener)


@pytest.mark.slow
def test_a_large_state_database_is_migrated(database_url: URL, request: pytest.FixtureRequest) -> None:
    older(database_url, "0001").close()
    fill(database_url, LINES)
    is_file = family(database_url) == "sqlite"
    with nullcontext() if is_file else cutting(request.getfixturevalue("mariadb"), CUT_SECONDS):
        state = State(database_url)
        print(*migrating.plan(state)[1], sep="\n")
        for statement in (INDEX, NAMES):
            killed = multiprocessing.get_context("fork").Process(target=die_within, args=(database_url, statement))
            killed.start()
            killed.join(250)
            assert killed.exitcode == -signal.SIGKILL
        assert state.version() != SCHEMA_VERSION
        with timed() as longest:
            eventually(lambda: migrated(state), seconds=250)
        state.close()
    print({words: f"{seconds:.2f} s" for words, seconds in longest.items() if seconds > CUT_SECONDS / 20})
    for words in ("CREATE INDEX", "INSERT INTO"):
        assert any(found.startswith(words) for found in longest)
    index = max(seconds for words, seconds in longest.items() if words.startswith("CREATE INDEX"))
    assert max(seconds for words, seconds in longest.items() if not words.startswith("CREATE INDEX")) < index
    assert state.version() == SCHEMA_VERSION
    assert counts(database_url) == {"run_logs": LINES, "actions": OTHERS + 1, "quarantine": OTHERS + 1, "memories": 1}


def counts(url: URL) -> dict[str, int]:
    """How many rows there are."""
    engine, tables = create_engine(url), ("run_logs", "actions", "quarantine", "memories")
    with engine.connect() as connection:
        found = {table: int(connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()) for table in tables}
    engine.dispose()
    return found


def migrated(state: State) -> bool:
    """Whether the migration came to its end; the server may still be at work for the process that was killed."""
    with suppress(Unavailable):
        state.migrate()
        return True
    return False


def die_within(url: URL, statement: str) -> None:
    """Migrate, and be killed while a statement goes on."""

    def kill(connection: Connection, cursor: object, text: str, *rest: object) -> None:
        if text.startswith(statement):
            threading.Timer(CUT_SECONDS / 10, os.kill, (os.getpid(), signal.SIGKILL)).start()

    event.listen(Engine, "before_cursor_execute", kill)
    state = State(url)
    eventually(lambda: migrated(state), seconds=250)
