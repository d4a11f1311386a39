"""A state database of years: so many rows in each table that a statement that reads them all would be seen."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert, text

from benchmarks.long_history import fill, job_names
from janitor.state import State
from janitor.state.tables import (
    actions,
    attempts,
    deliveries,
    ledger,
    ledger_entries,
    metadata,
    notices,
    quarantine,
    refusals,
    results,
    run_uses,
)

RUNS, JOBS, ROWS = 20_000, 200, 5_000
RHYTHM_SECONDS = 12 * 3600
"""The runs reach back 50 days: a day, or what is older than 49 days, is a small part of them."""
NAMES = job_names(JOBS)


def fill_all(state: State) -> None:
    """Fill every table that grows with time."""
    fill(state, RUNS, JOBS, 1, rhythm_seconds=RHYTHM_SECONDS)
    with state.begin() as connection:
        for table, rows in _rows(datetime.now(UTC).replace(microsecond=0)):
            connection.execute(insert(table), rows)
        _count(connection)


def _rows(now: datetime) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    minute, numbers = timedelta(minutes=1), range(ROWS)
    names = [NAMES[number % JOBS] for number in numbers]
    ats = [now - number * 10 * minute for number in numbers]
    yield attempts, [
        {"run_id": run, "number": 1, "started_at": now, "ended_at": now, "outcome": "failed"} for run in range(1, ROWS)
    ]
    yield results, [{"run_id": run, "content": "{}"} for run in range(1, ROWS)]
    yield run_uses, [{"run_id": run, "dependency": "job_0", "used_id": run} for run in range(1, ROWS)]
    yield actions, [{"at": at, "actor": "anna", "action": "paused", "job": name} for at, name in zip(ats, names)]
    told = {"rule": "failed", "text": "no space left"}
    yield notices, [
        told | {"id": number + 1, "job": name, "began_at": at, "told_at": at, "ended_at": at}
        for number, (at, name) in enumerate(zip(ats, names))
    ]
    sent = {"channel": "slack", "kind": "began", "content": "{}", "tries": 1, "outcome": "delivered"}
    yield deliveries, [
        sent | {"notice_id": number + 1, "added_at": at, "due_at": at, "ended_at": at} for number, at in enumerate(ats)
    ]
    digests = [number.to_bytes(16, "big") for number in numbers]
    of_ledger = [
        {"name": names[number % 9], "digest": digests[number], "published_at": ats[number]} for number in numbers
    ]
    yield ledger, of_ledger
    yield ledger_entries, [row | {"key": row["digest"]} for row in of_ledger]
    kept = {"reason": "no user", "run_id": 1}
    yield quarantine, [
        kept | {"name": names[number % 9], "key": f"DN{number}", "item": "1", "first_at": at, "last_at": at}
        for number, at in enumerate(ats)
    ]
    yield refusals, [
        {
            "name": names[number % 9],
            "key": f"DN{number}",
            "item": f"{number}",
            "reason": "x",
            "attempts": 1,
            "next_at": at,
        }
        for number, at in enumerate(ats)
    ]


def _count(connection: Connection) -> None:
    """Let the server know how many rows there are; it does so by itself, some seconds later."""
    if connection.dialect.name != "sqlite":
        for table in metadata.sorted_tables:
            connection.execute(text(f"ANALYZE TABLE `{table.name}`"))
