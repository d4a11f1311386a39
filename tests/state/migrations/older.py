"""State databases as earlier releases have made them: their schemas are kept in `released/`, and never change.

`fill` makes them large, and `die_while_migrating` is a process that is killed as it migrates them.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

from janitor.databases.places import family
from janitor.state import State
from janitor.state.migrations.versions import VERSIONS
from janitor.state.tables import SCHEMA_VERSION
from tests.servers import SqlServer

RELEASED: Sequence[str] = [version for version in VERSIONS if version != SCHEMA_VERSION]
FOLDER = Path(__file__).parent / "released"
AT = "'2026-01-01 12:00:00'"
ROWS = {
    "runs": f"(1, 'follow', 'schedule', {AT}, {AT}, 1, 'succeeded', {AT}, {AT}, 1.5, 1, 0, 'someone')",
    "attempts": f"(1, 1, {AT}, {AT}, 'failed')",
    "run_logs": f"(1, 1, {AT}, 'INFO', 'tests', 'hello')",
    "cursors": f"('task', 'seven', {AT}, 1)",
    "quarantine": f"('task', 'a', '1', 'why', {AT}, {AT}, 1)",
    "actions": f"(1, {AT}, 'anna', 'paused', 'follow')",
    "jobs": f"('follow', 'every hour', 1, {AT})",
}
COLUMNS = {
    "runs": "id, job, origin, slot_at, slot_until_at, slots, outcome, started_at, ended_at, seconds, attempts, "
    "dry_run, holder",
    "attempts": "run_id, number, started_at, ended_at, outcome",
    "run_logs": "id, run_id, at, level, logger, message",
    "cursors": "name, position, updated_at, run_id",
    "quarantine": "name, `key`, item, reason, first_at, last_at, run_id",
    "actions": "id, at, actor, action, job",
    "jobs": "id, schedule, enabled, enabled_at",
}
CHUNK = 200_000
CHANGES = ("CREATE", "ALTER", "INSERT", "UPDATE")
"""How the statements of a migration begin that change something."""


def without_rows(url: URL, version: str) -> State:
    """A new state database of an earlier release; `url` is that of an empty database."""
    if family(url) == "sqlite":
        Path(str(url.database)).touch()
    state = State(url)
    kind = "sqlite" if family(url) == "sqlite" else "mariadb"
    made = (FOLDER / f"{version}.{kind}.sql").read_text(encoding="utf-8")
    with state.begin() as connection:
        for statement in made.strip().removesuffix(";").split(";\n\n"):
            connection.exec_driver_sql(statement)
    return state


def older(url: URL, version: str) -> State:
    """The state database of an earlier release, with rows in many tables; `url` is that of an empty database."""
    state = without_rows(url, version)
    with state.begin() as connection:
        for table, row in ROWS.items():
            connection.exec_driver_sql(f"INSERT INTO {table} ({COLUMNS[table]}) VALUES {row}")
    return state


def kept(connection: Connection) -> dict[str, object]:
    """The rows of each table, as far as the first release had its columns."""
    return {
        table: [tuple(map(str, row)) for row in connection.execute(text(f"SELECT {columns} FROM {table}"))]
        for table, columns in COLUMNS.items()
    }


def fill(url: URL, lines: int) -> None:
    """Let there be so many log lines, and a fifth as many actions and rows in quarantine."""
    engine = create_engine(url)
    more_lines = "INSERT INTO run_logs (run_id, at, level, logger, message) SELECT run_id, at, level, logger, message"
    of_others = (
        "INSERT INTO actions (at, actor, action, job) SELECT at, 'anna', 'paused', 'follow'",
        "INSERT INTO quarantine (name, `key`, item, reason, first_at, last_at, run_id) "
        "SELECT 'task', id, '2', 'no such user', at, at, 1",
    )
    with engine.connect() as connection:
        count = 1
        while count < lines:
            more = min(count, CHUNK, lines - count)
            connection.execute(text(f"{more_lines} FROM run_logs ORDER BY id LIMIT {more}"))
            connection.commit()
            count += more
        for query in of_others:
            for first in range(0, lines // 5, CHUNK):
                # Not by ids: a server leaves gaps between them.
                part = f"ORDER BY id LIMIT {min(CHUNK, lines // 5 - first)} OFFSET {first}"
                connection.execute(text(f"{query} FROM run_logs {part}"))
                connection.commit()
    engine.dispose()


@contextmanager
def cutting(server: SqlServer, seconds: float) -> Iterator[None]:
    """Let a server cut each statement after so long; MySQL cuts only those that read."""
    [(version,)] = server.execute("SELECT VERSION()")
    is_mariadb = "MariaDB" in version
    limit = "max_statement_time" if is_mariadb else "max_execution_time"
    server.execute(f"SET GLOBAL {limit} = {seconds if is_mariadb else round(seconds * 1000)}")
    try:
        yield
    finally:
        server.execute(f"SET GLOBAL {limit} = 0")


def migrate_and_be_killed(url: URL) -> None:
    """Migrate in processes that are killed: the first at its first change, the next at its second, until one is not.

    Each is killed twice so: before the change is sent, or the commit; and after it is done.
    """
    codes: list[int | None] = []
    while 0 not in codes:
        assert len(codes) < 200
        process = multiprocessing.get_context("fork").Process(
            target=die_while_migrating, args=(url, len(codes) // 2, len(codes) % 2 == 0)
        )
        process.start()
        process.join(60)
        codes.append(process.exitcode)
    assert set(codes) == {0, -signal.SIGKILL} and len(codes) > 10


def die_while_migrating(url: URL, after: int, before_it_is_sent: bool) -> None:
    """Migrate, and be killed with a change or a commit, after so many others."""
    left = [after]

    def count(connection: Connection, cursor: object = None, statement: str = "UPDATE", *rest: object) -> None:
        if statement.lstrip().startswith(CHANGES):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute" if before_it_is_sent else "after_cursor_execute", count)
    event.listen(Engine, "commit", lambda connection: count(connection))
    State(url).migrate()
    os._exit(0)
