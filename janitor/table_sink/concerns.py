"""What `check` tells of a target beyond its columns: what may refuse or change rows there."""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection, text

from janitor.databases.places import told
from janitor.table_sink.layout import Layout

_MYSQL = {
    "engine": "SELECT t.engine FROM information_schema.tables AS t JOIN information_schema.engines AS e "
    "ON e.engine = t.engine WHERE t.table_schema = DATABASE() AND t.table_name = :table AND e.transactions <> 'YES'",
    "triggers": "SELECT trigger_name FROM information_schema.triggers "
    "WHERE event_object_schema = DATABASE() AND event_object_table = :table ORDER BY trigger_name",
    "constraints": "SELECT constraint_name FROM information_schema.table_constraints "
    "WHERE table_schema = DATABASE() AND table_name = :table AND constraint_type IN ('FOREIGN KEY', 'CHECK') "
    "ORDER BY constraint_name",
    "needed": "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() "
    "AND table_name = :table AND is_nullable = 'NO' AND column_default IS NULL AND extra NOT LIKE '%auto_increment%' "
    "AND COALESCE(generation_expression, '') = '' ORDER BY ordinal_position",
    "generated": "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() "
    "AND table_name = :table AND generation_expression <> '' ORDER BY ordinal_position",
}
_SQLITE = {
    "triggers": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table ORDER BY name",
    "constraints": "SELECT DISTINCT 'a foreign key to ' || \"table\" FROM pragma_foreign_key_list(:table)",
    "needed": 'SELECT name FROM pragma_table_xinfo(:table) WHERE "notnull" AND dflt_value IS NULL AND NOT pk '
    "AND NOT hidden",
    "generated": "SELECT name FROM pragma_table_xinfo(:table) WHERE hidden IN (2, 3)",
}


def wrongs(connection: Connection, layout: Layout, written: Collection[str]) -> Iterator[str]:
    """What makes the target refuse every new row, or every row; `written` are the columns that get values."""
    names = {name.lower() for name in written}
    if needed := [name for name in _found(connection, "needed", layout.table) if name.lower() not in names]:
        yield f"every new row would be refused, as {' and '.join(needed)} must have a value and this task gives none"
    if made := [name for name in _found(connection, "generated", layout.table) if name.lower() in names]:
        yield f"every row would be refused, as the server itself makes {' and '.join(made)}"


def notes(connection: Connection, layout: Layout) -> Iterator[str]:
    """What may refuse or change some rows."""
    if engine := _found(connection, "engine", layout.table):
        yield f"{engine[0]} has no transactions, so a run that is cut off leaves a part of its rows"
    if triggers := _found(connection, "triggers", layout.table):
        yield f"rows that a trigger refuses or changes go to quarantine ({', '.join(triggers)})"
    choosy = [*_found(connection, "constraints", layout.table), *(_unique(columns) for columns in layout.unique)]
    if choosy:
        yield f"rows that a constraint refuses go to quarantine ({', '.join(choosy)})"
    narrow: dict[str, list[str]] = {}
    for column in layout.own:
        if column.kind == "text" and column.charset != "utf8mb4":
            narrow.setdefault(column.charset, []).append(column.name)
    for charset, columns in narrow.items():
        yield f"rows with characters that {charset} cannot hold go to quarantine ({', '.join(columns)})"


def _unique(columns: Any) -> str:
    return f"unique {' and '.join(column.name for column in columns)}"


def _found(connection: Connection, what: str, table: str) -> list[str]:
    queries = _SQLITE if connection.dialect.name == "sqlite" else _MYSQL
    if what not in queries:
        return []
    rows = connection.execute(text(queries[what]), {"table": table}).scalars()
    return list(map(told, rows))
