"""The rival that a careful engineer writes first: one query for all that is newer than a timestamp, and `executemany`.

`python -m benchmarks.rival_engineer LABWHERE_URL MLWH_URL` does a first full load in a process of its own.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymysql
from pymysql.cursors import SSCursor
from sqlalchemy import URL, make_url

from benchmarks.measures import peak_mb

TABLE = "labware_location_rival"
COLUMNS = (
    "labware_barcode",
    "location_barcode",
    "full_location_address",
    "location_name",
    "coordinate_position",
    "coordinate_row",
    "coordinate_column",
    "stored_by",
    "stored_at",
)
ROWS_A_STATEMENT = 2_000
BEGINNING = datetime(1970, 1, 1)


def connect(url: URL) -> "pymysql.Connection[pymysql.cursors.Cursor]":
    """Give a bare PyMySQL connection with autocommit."""
    given: dict[str, Any] = {"host": url.host, "port": url.port, "user": url.username, "database": url.database}
    return pymysql.connect(**given, autocommit=True, local_infile=True)


def make_table(mlwh: URL) -> None:
    """Make an empty table like Janitor's target, beside it."""
    with connect(mlwh) as connection:
        cursor = connection.cursor()
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        cursor.execute(f"CREATE TABLE {TABLE} LIKE labware_location")


def drop_table(mlwh: URL) -> None:
    """Drop the table again."""
    with connect(mlwh) as connection:
        connection.cursor().execute(f"DROP TABLE IF EXISTS {TABLE}")


def sync(labwhere: URL, mlwh: URL, since: datetime) -> int:
    """Do one tick: read what is newer than `since`, keep the newest of each labware, upsert; return how many rows."""
    query = Path(__file__).with_name("rival_labwares.sql").read_text(encoding="utf-8")
    with connect(labwhere) as source, connect(mlwh) as target:
        # Unbuffered: the driver's own list of three million rows would be twice the memory.
        cursor = source.cursor(SSCursor)
        cursor.execute(query, (since,))
        rows: dict[str, Sequence[Any]] = {row[0]: row for row in cursor}
        _upsert(target, list(rows.values()))
    return len(rows)


def _upsert(connection: "pymysql.Connection[pymysql.cursors.Cursor]", rows: list[Sequence[Any]]) -> None:
    names = [*COLUMNS, "lims_id", "created_at", "updated_at"]
    changes = ", ".join(f"{name} = VALUES({name})" for name in [*COLUMNS[1:], "updated_at"])
    statement = f"INSERT INTO {TABLE} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})"
    statement += f" ON DUPLICATE KEY UPDATE {changes}"
    now = datetime.now(UTC).replace(tzinfo=None)
    values = [(*row, "LabWhere", now, now) for row in rows]
    cursor = connection.cursor()
    for start in range(0, len(values), ROWS_A_STATEMENT):
        cursor.executemany(statement, values[start : start + ROWS_A_STATEMENT])


def main(labwhere: str, mlwh: str) -> Mapping[str, float]:
    """Do a first full load, and print what it took."""
    began = time.perf_counter()
    rows = sync(make_url(labwhere), make_url(mlwh), BEGINNING)
    return {"rows": rows, "seconds": time.perf_counter() - began, "peak_mb": peak_mb()}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:3])))
