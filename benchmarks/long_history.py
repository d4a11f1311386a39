"""A history of years: made by statements on the server, so that a million runs take seconds."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from janitor.jobs.schedules import describe, every
from janitor.runs import Outcome
from janitor.state import State, job_records

CHUNK = 50_000
"""So many rows are made by one statement: none takes so long that the limit of the state database cuts it."""
_DIGIT = " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10))
_OUTCOMES = (
    f"CASE WHEN {{0}} % 97 = 0 THEN '{Outcome.FAILED}' WHEN {{0}} % 193 = 0 THEN '{Outcome.MISSED}' "
    f"WHEN {{0}} % 389 = 0 THEN '{Outcome.TIMED_OUT}' ELSE '{Outcome.SUCCEEDED}' END"
)


def job_names(jobs: int) -> list[str]:
    """The ids of the jobs of such a history."""
    return [f"job_{number}" for number in range(jobs)]


def fill(
    state: State, runs: int, jobs: int, lines: int, until: datetime | None = None, rhythm_seconds: int = 60
) -> None:
    """Give an empty state database so many ended runs of so many jobs, with so many log lines each.

    The runs are slots of each job, `rhythm_seconds` apart, the last at `until`, which is now by default. One in a
    hundred failed, some slots were missed. They have the counts of a task that follows a feed.
    """
    last = (until or datetime.now(UTC)).replace(second=0, microsecond=0)
    first = last - timedelta(seconds=rhythm_seconds * (runs // jobs))
    with state.begin() as connection:
        schedules = {name: (describe(every(rhythm_seconds)), True) for name in job_names(jobs)}
        job_records.remember(connection, schedules, first)
        for done in range(0, runs, CHUNK):
            _fill_runs(connection, range(done, min(done + CHUNK, runs)), jobs, first, rhythm_seconds)
    for line in range(lines):
        with state.begin() as connection:
            fill_lines(connection, runs, line)


def _fill_runs(connection: Connection, runs: range, jobs: int, first: datetime, rhythm_seconds: int) -> None:
    number = f"(n.i + {runs.start})"
    of_server, of_sqlite = (f"({number} {divide} {jobs}) * {rhythm_seconds}" for divide in ("DIV", "/"))
    slot = _later(connection, first, of_server, of_sqlite)
    ended = _later(connection, first, f"{of_server} + 1", f"{of_sqlite} + 1")
    counts = '{"audits": 12, "labwares": 12, "inserted": 0, "updated": 3, "unchanged": 9}'
    columns: dict[str, Any] = {
        "id": f"{number} + 1",
        "job": _joined(connection, "'job_'", f"({number} % {jobs})"),
        "origin": "'schedule'",
        "slot_at": slot,
        "slot_until_at": slot,
        "slots": "1",
        "outcome": _OUTCOMES.format(number),
        "reason": f"CASE WHEN {number} % 97 = 0 THEN 'a table is missing at host/database' END",
        "started_at": slot,
        "ended_at": ended,
        "seconds": "0.5",
        "attempts": f"CASE WHEN {number} % 193 = 0 THEN 0 ELSE 1 END",
        "dry_run": "0",
        "counts": f"'{counts}'",
        "holder": "'worker-1:4242'",
    }
    names, values = ", ".join(columns), ", ".join(columns.values())
    # In the order of ids, as runs come.
    query = f"INSERT INTO runs ({names}) SELECT {values} FROM {_numbers(len(runs))} ORDER BY {number}"
    connection.execute(text(query.replace(":", r"\:")))


def fill_lines(connection: Connection, runs: int, line: int) -> None:
    """Give each of the first `runs` runs one more log line; `line` is its place among those of the run, from 0."""
    message = "'in quarantine\\: labware DN0000684E stands in no location that has a barcode'"
    query = (
        "INSERT INTO run_logs (run_id, at, level, logger, message, file, line) "
        f"SELECT id, started_at, CASE WHEN id % 10 = {line} THEN 'WARNING' ELSE 'INFO' END, "
        f"'janitor.tasks.labware_location.sync', {message}, 'janitor/tasks/labware_location/sync.py', {100 + line} "
        "FROM runs WHERE id > {} AND id <= {}"
    )
    for done in range(0, runs, CHUNK):
        connection.execute(text(query.format(done, min(done + CHUNK, runs))))


def _numbers(count: int) -> str:
    """A table `n` with the column `i`: 0, 1, 2 and so on, as many as wanted."""
    places = len(str(count - 1))
    sum_of = " + ".join(f"d{place}.d * {10**place}" for place in range(places))
    tables = " CROSS JOIN ".join(f"({_DIGIT}) AS d{place}" for place in range(places))
    return f"(SELECT {sum_of} AS i FROM {tables} WHERE {sum_of} < {count}) AS n"


def _later(connection: Connection, first: datetime, seconds_of_server: str, seconds_of_sqlite: str) -> str:
    begin = f"{first:%Y-%m-%d %H:%M:%S}"
    if connection.dialect.name == "sqlite":
        return f"strftime('%Y-%m-%d %H:%M:%S.000000', '{begin}', '+' || ({seconds_of_sqlite}) || ' seconds')"
    return f"DATE_ADD('{begin}', INTERVAL ({seconds_of_server}) SECOND)"


def _joined(connection: Connection, *parts: str) -> str:
    return " || ".join(parts) if connection.dialect.name == "sqlite" else f"CONCAT({', '.join(parts)})"
