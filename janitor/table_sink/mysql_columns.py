"""The columns of a table on MySQL or MariaDB, as the server describes them."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Context, Decimal
from sys import float_info
from typing import Any

from sqlalchemy import Connection, text

from janitor.databases.places import told
from janitor.table_sink.charsets import known_charset
from janitor.table_sink.column import INTEGER_BITS, Column, integer_range
from janitor.table_sink.exact import TIMES
from janitor.table_sink.indexes import UniqueIndex, unique_indexes

_COLUMNS = text(
    "SELECT column_name AS name, data_type AS type, column_type AS declared, is_nullable AS nullable, "
    "character_maximum_length AS characters, character_octet_length AS octets, character_set_name AS charset, "
    "collation_name AS collation, datetime_precision AS digits, numeric_precision AS digits_in_all, "
    "numeric_scale AS decimals "
    "FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = :table"
)
_UNIQUE = text(
    "SELECT index_name AS name, column_name AS part, sub_part IS NULL AS whole FROM information_schema.statistics "
    "WHERE table_schema = DATABASE() AND table_name = :table AND non_unique = 0 ORDER BY index_name, seq_in_index"
)
_MEMBER = re.compile(r"'((?:[^']|'')*)'")
_WIDE = Context(prec=100)
_INSTANTS = {
    "datetime": (datetime(1000, 1, 1), datetime.max),
    "timestamp": (datetime(1970, 1, 1, 0, 0, 1), datetime(2038, 1, 19, 3, 14, 7, 999999)),
}


def mysql_columns(connection: Connection, table: str) -> dict[str, Column]:
    """All columns of a table, by name."""
    rows = connection.execute(_COLUMNS, {"table": table}).mappings()
    return {row["name"]: _column(row) for row in rows}


def mysql_indexes(connection: Connection, table: str) -> list[UniqueIndex]:
    """The unique indexes of a table."""
    rows = connection.execute(_UNIQUE, {"table": table}).mappings()
    return unique_indexes((told(row["name"]), row["part"], bool(row["whole"])) for row in rows)


def _column(row: Mapping[Any, Any]) -> Column:
    kind, declared = str(row["type"]).lower(), told(row["declared"])
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
    return _exact_column(kind, declared, row, common)


def _exact_column(kind: str, declared: str, row: Mapping[Any, Any], common: dict[str, Any]) -> Column:
    """A column whose values need care to be compared exactly; `unsupported` if they cannot be."""
    unsigned = "unsigned" in declared
    if kind == "decimal":
        high = Decimal(10 ** row["digits_in_all"] - 1).scaleb(-row["decimals"], _WIDE)
        low = Decimal(0) if unsigned else high.copy_negate()
        return Column(kind="decimal", low=low, high=high, digits=int(row["decimals"]), **common)
    if declared.startswith("double") and "(" not in declared:
        return Column(kind="double", low=0.0 if unsigned else -float_info.max, high=float_info.max, **common)
    if kind in ("enum", "set"):
        found = tuple(member.replace("''", "'") for member in _MEMBER.findall(declared))
        return Column(kind="enum" if kind == "enum" else "set", members=found, **common)
    if kind in ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"):
        return Column(kind="binary", octets=int(row["octets"]), padded=kind == "binary", **common)
    if kind == "bit":
        return Column(kind="bit", low=0, high=2 ** int(row["digits_in_all"]) - 1, **common)
    if kind == "time":
        return Column(kind="time", low=TIMES[0], high=TIMES[1], digits=int(row["digits"] or 0), **common)
    if kind == "year":
        return Column(kind="year", low=1901, high=2155, **common)
    return Column(kind="uuid" if kind == "uuid" else "unsupported", **common)
