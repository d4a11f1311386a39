"""State databases as earlier releases have made them: their schemas are kept in `released/`, and never change."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL, Connection, text

from janitor.databases.places import family
from janitor.state import State
from janitor.state.migrations.versions import VERSIONS
from janitor.state.tables import SCHEMA_VERSION

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


def older(url: URL, version: str) -> State:
    """The state database of an earlier release, with rows in many tables; `url` is that of an empty database."""
    if family(url) == "sqlite":
        Path(str(url.database)).touch()
    state = State(url)
    kind = "sqlite" if family(url) == "sqlite" else "mariadb"
    made = (FOLDER / f"{version}.{kind}.sql").read_text(encoding="utf-8")
    with state.begin() as connection:
        for statement in made.strip().removesuffix(";").split(";\n\n"):
            connection.exec_driver_sql(statement)
        for table, row in ROWS.items():
            connection.exec_driver_sql(f"INSERT INTO {table} ({COLUMNS[table]}) VALUES {row}")
    return state


def kept(connection: Connection) -> dict[str, object]:
    """The rows of each table, as far as the first release had its columns."""
    return {
        table: [tuple(map(str, row)) for row in connection.execute(text(f"SELECT {columns} FROM {table}"))]
        for table, columns in COLUMNS.items()
    }
