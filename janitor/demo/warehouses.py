"""The three warehouses: their real tables on MySQL, MariaDB or SQLite, filled with a lab's rows."""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from importlib.resources import files
from itertools import islice

import orjson
from sqlalchemy import Connection, Engine

from janitor.demo.lab_rows import Lab, Maker, Row
from janitor.demo.sequencing_rows import EVENTS, MLWH
from janitor.demo.storage_rows import LABWHERE

NAMES = ("labwhere", "mlwh", "mlwh_events")
CHUNK = 2_000

# The order matters: the key is recognized after its type is translated.
_SQLITE_WORDS = (
    (r"\b(?:tiny|small|big)?int(?:\(\d+\))?(?: unsigned)?(?!\w)", "INTEGER"),
    (r"\bINTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT"),
    (r"\bbinary\(\d+\)", "BLOB"),
    (r"\bdatetime\(\d\)", "datetime"),
    (r"\benum\([^)]*\)", "varchar(255)"),
    (r" ON UPDATE CURRENT_TIMESTAMP", ""),
)


def create_tables(engine: Engine, name: str) -> None:
    """Make the tables of the warehouse `name` ("labwhere", "mlwh" or "mlwh_events") in an empty database.

    MySQL and MariaDB run the shipped file as it is. SQLite runs a translation with the same columns, keys and
    indexes, but without lengths, fractions of a second and ON UPDATE.
    """
    with engine.begin() as connection:
        for statement in table_statements(name, engine.dialect.name):
            connection.exec_driver_sql(statement)


def table_statements(name: str, dialect: str) -> list[str]:
    """Return the statements that make the tables of a warehouse for the dialect "mysql", "mariadb" or "sqlite"."""
    text = (files("janitor.demo") / "schemas" / f"{name}.sql").read_text(encoding="utf-8")
    text = re.sub(r"^--.*\n", "", text, flags=re.MULTILINE)
    statements = [statement.strip() for statement in text.split(";\n") if statement.strip()]
    if dialect != "sqlite":
        return statements
    return [made for statement in statements for made in _for_sqlite(statement)]


def _for_sqlite(statement: str) -> list[str]:
    head, *lines, _ = statement.splitlines()
    table = head.split()[2]
    columns, indexes = [], []
    for line in lines:
        line = line.strip().rstrip(",")
        index = re.fullmatch(r"(UNIQUE )?KEY (\w+)? ?\((.+)\)", line)
        if index:
            names = re.sub(r"\W+", "_", index[3]).strip("_")
            name = index[2] or f"index_{table}_on_{names}"
            indexes.append(f"CREATE {index[1] or ''}INDEX {name} ON {table} ({index[3]})")
            continue
        for pattern, replacement in _SQLITE_WORDS:
            line = re.sub(pattern, replacement, line)
        columns.append(line)
    return [f"{head}{', '.join(columns)})", *indexes]


def load(engine: Engine, table: str, columns: str, rows: Iterable[Row]) -> int:
    """Insert rows in chunks, in one transaction, and return how many; `columns` are names with spaces between.

    A value is None, a number, bytes, or a text of up to 1,000 characters (a date is `YYYY-MM-DD HH:MM:SS`).
    """
    done = 0
    with engine.begin() as connection:
        for chunk in _chunks(rows):
            _insert(connection, table, columns.split(), chunk)
            done += len(chunk)
    return done


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        yield chunk


def _insert(connection: Connection, table: str, columns: list[str], rows: list[Row]) -> None:
    names = ", ".join(f"`{column}`" for column in columns)
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)
        return
    # One JSON parameter costs the client a tenth of a statement with all the values.
    typed = ", ".join(f"c{n} varchar(1000) PATH '$[{n}]'" for n in range(len(columns)))
    binary = [isinstance(value, bytes) for value in rows[0]]
    values = ", ".join(f"UNHEX(c{n})" if is_binary else f"c{n}" for n, is_binary in enumerate(binary))
    text = orjson.dumps(rows, default=bytes.hex).decode()
    connection.exec_driver_sql(
        f"INSERT INTO {table} ({names}) SELECT {values} FROM JSON_TABLE(%s, '$[*]' COLUMNS ({typed})) AS given",
        (text,),
    )


def fill(
    labwhere: Engine,
    mlwh: Engine,
    events: Engine,
    *,
    labwares: int,
    runs: int,
    seed: int,
    now: datetime,
    products: int = 96,
    days: float = 30.0,
) -> dict[str, int]:
    """Fill three warehouses of empty tables with a lab's rows, and return how many each table has.

    The lab has `labwares`, and `runs` with `products` each, and a history of `days` days before `now` (aware UTC).
    The same arguments make the same rows. Some rows are awkward, as in every lab: see lab_rows.py.
    """
    lab = Lab(labwares=labwares, runs=runs, seed=seed, now=now, products=products, days=days)
    work = ((labwhere, LABWHERE), (mlwh, MLWH), (events, EVENTS))
    # One warehouse's rows are made while the server stores another's.
    with ThreadPoolExecutor(len(work)) as pool:
        parts = pool.map(lambda part: _fill_one(part[0], part[1], lab), work)
        return {table: count for counts in parts for table, count in counts.items()}


def _fill_one(engine: Engine, tables: dict[str, tuple[str, Maker]], lab: Lab) -> dict[str, int]:
    return {table: load(engine, table, columns, make(lab)) for table, (columns, make) in tables.items()}
