"""Pages of rows, fetched as one JSON text: the server writes it, orjson reads it, and little is left to Python.

Measured on 100,000 labwares: 0.14 s of Python where the driver's own rows take 1.5 s.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import orjson
from sqlalchemy import URL, TextClause

from janitor.databases import engines
from janitor.databases.places import family, place
from janitor.databases.statements import around

log = logging.getLogger(__name__)

RowType = TypeVar("RowType", bound=NamedTuple)


def fetch(url: URL, query: TextClause, parameters: Mapping[str, Any], row: type[RowType]) -> list[RowType]:
    """The rows of a query whose columns are named as the fields of `row`; datetimes come as texts.

    Order holds only within a key that the caller sorts by. Where the text would be longer than the server sends in
    one packet, the rows are fetched one by one.

    Raises:
        Unavailable, Rejected, StatementTimeout, DeadlineExceeded, Cancelled: as `databases.read` does.
    """
    with engines.read(url) as connection:
        count, whole = connection.execute(_as_json(query, row._fields, family(url)), parameters).one()
        page = _parsed(whole)
        if len(page) == count:
            return [row._make(values[1:]) for values in page]
        log.info("a page is longer than one packet of %s: it is read row by row", place(url))
        found = connection.execute(_one_by_one(query, row._fields, family(url)), parameters)
        return [row._make(orjson.loads(values)[1:]) for values in found.scalars()]


def _parsed(whole: str | None) -> list[Any]:
    """The rows in the text; none where it was cut, or left out, at max_allowed_packet with no more than a warning."""
    try:
        rows: list[Any] = orjson.loads(whole or "[]")
        return rows
    except orjson.JSONDecodeError:
        return []


def _as_json(query: TextClause, names: Sequence[str], family: str) -> TextClause:
    aggregate = "json_group_array(json({}))" if family == "sqlite" else "JSON_ARRAYAGG({})"
    return around(query, f"COUNT(*), {aggregate.format(_array(names, family))}")


def _one_by_one(query: TextClause, names: Sequence[str], family: str) -> TextClause:
    return around(query, _array(names, family))


def _array(names: Sequence[str], family: str) -> str:
    # MariaDB gives the array the character set of its first text, and takes the bytes of latin1 columns for UTF-8.
    first = "''" if family == "sqlite" else "CONVERT('' USING utf8mb4)"
    return f"json_array({first}, {', '.join(f'page.{name}' for name in names)})"
