"""The columns of a table on MySQL or MariaDB, as the server describes them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from janitor.table_sink.charsets import known_charset
from janitor.table_sink.column import INTEGER_BITS, Column, integer_range

_COLUMNS = text(
    "SELECT column_name AS name, data_type AS type, column_type AS declared, is_nullable AS nullable, "
    "character_maximum_length AS characters, character_octet_length AS octets, character_set_name AS charset, "
    "collation_name AS collation, datetime_precision AS digits "
    "FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = :table"
)
_UNIQUE = text(
    "SELECT index_name AS name, MAX(column_name) AS only_column FROM information_schema.statistics "
    "WHERE table_schema = DATABASE() AND table_name = :table AND non_unique = 0 "
    "GROUP BY index_name HAVING COUNT(*) = 1 AND MAX(sub_part) IS NULL"
)
_INSTANTS = {
    "datetime": (datetime(1000, 1, 1), datetime.max),
    "timestamp": (datetime(1970, 1, 1, 0, 0, 1), datetime(2038, 1, 19, 3, 14, 7, 999999)),
}


def _as_text(value: Any) -> str:
    # MySQL's information_schema gives some values as bytes.
    return value.decode() if isinstance(value, bytes) else str(value)


def mysql_columns(connection: Connection, table: str) -> dict[str, Column]:
    """All columns of a table, by name."""
    rows = connection.execute(_COLUMNS, {"table": table}).mappings()
    return {row["name"]: _column(row) for row in rows}


def mysql_unique(connection: Connection, table: str) -> dict[str, str]:
    """Each column with a unique index of its own, and the name of that index; the primary key is `PRIMARY`."""
    rows = connection.execute(_UNIQUE, {"table": table}).mappings()
    return {row["only_column"]: row["name"] for row in sorted(rows, key=lambda row: str(row["name"]) == "PRIMARY")}


def _column(row: Mapping[Any, Any]) -> Column:
    kind, declared = str(row["type"]).lower(), _as_text(row["declared"])
    common: dict[str, Any] = {"name": row["name"], "nullable": row["nullable"] == "YES", "declared": declared}
    if kind in INTEGER_BITS:
        low, high = integer_range(INTEGER_BITS[kind], "unsigned" in declared)
        return Column(kind="integer", low=low, high=high, **common)
    if kind in _INSTANTS:
        first, last = _INSTANTS[kind]
        return Column(kind="datetime", low=first, high=last, digits=int(row["digits"] or 0), **common)
    if kind == "date":
        return Column(kind="date", low=date(1000, 1, 1), high=date.max, **common)
    if kind in ("char", "varchar", "tinytext", "text", "mediumtext", "longtext") and known_charset(row["charset"]):
        return Column(
            kind="text",
            characters=int(row["characters"]),
            octets=int(row["octets"]) if kind.endswith("text") else None,
            charset=row["charset"],
            collation=row["collation"],
            padded=kind == "char",
            **common,
        )
    return Column(kind="unsupported", **common)
