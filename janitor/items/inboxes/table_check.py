"""Whether the status of a table's rows may be changed, and has room for the four statuses; nothing is written."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import URL, Connection, text

from janitor import databases
from janitor.databases.places import told
from janitor.errors import JanitorError, Rejected
from janitor.items.inboxes.table_rows import Layout

DENIED = ((1142,), (1143,))
"""The numbers with which MySQL and MariaDB refuse a user."""
_COLUMN = (
    "SELECT data_type, character_maximum_length, column_type FROM information_schema.columns "
    "WHERE table_schema = DATABASE() AND table_name = :table AND column_name = :column"
)
_INDEX = (
    "SELECT COUNT(*) FROM information_schema.statistics "
    "WHERE table_schema = DATABASE() AND table_name = :table AND column_name = :column AND seq_in_index = 1"
)
_LITE_INDEX = (
    "SELECT COUNT(*) FROM pragma_index_list(:table) AS i, pragma_index_info(i.name) AS c "
    "WHERE c.seqno = 0 AND c.name = :column"
)


def look(layout: Layout, settings: Any) -> Sequence[str]:
    """Look at the column with the status: that it may be changed, has room, and is indexed.

    Raises:
        Unavailable, Rejected: the database is away, the user may not change it, or a status does not fit.
    """
    url = settings.needed(layout.setting)
    try:
        with databases.begin(url) as connection:
            connection.execute(text(_explained(connection, layout)))
    except JanitorError as exc:
        raise type(exc)(f"{exc}{_grant(exc, url, layout)}") from exc
    with databases.read(url) as connection:
        if databases.family(url) == "mysql":
            _refuse_small(connection, url, layout)
        count = _INDEX if databases.family(url) == "mysql" else _LITE_INDEX
        given = {"table": layout.table, "column": layout.status_column}
        is_indexed = bool(connection.execute(text(count), given).scalar_one())
    where = f"{layout.table} at {databases.place(url)}"
    if not is_indexed:
        return [f"{where} has no index that begins with {layout.status_column}: each look reads the whole table"]
    return [f"the user may change {layout.status_column} of {where}"]


def _explained(connection: Connection, layout: Layout) -> str:
    """A statement that the server checks like the claim itself, and does not execute."""
    quote = connection.dialect.identifier_preparer.quote
    target, own, status = quote(layout.table), quote(layout.id_column), quote(layout.status_column)
    return f"EXPLAIN UPDATE {target} SET {status} = {status} WHERE {own} = {own} AND {status} = {status}"


def _refuse_small(connection: Connection, url: URL, layout: Layout) -> None:
    row = connection.execute(text(_COLUMN), {"table": layout.table, "column": layout.status_column}).one_or_none()
    if row is None:
        return
    kind, length, words = told(row[0]).lower(), row[1], told(row[2])
    for status in (layout.ready, layout.started, layout.success, layout.failure):
        where = f"{layout.status_column} of {layout.table} at {databases.place(url)}"
        if kind == "enum":
            fits = f"'{status}'".casefold() in words.casefold()
        else:
            fits = length is None or len(str(status)) <= length
        if not fits:
            raise Rejected(
                f"{where} is {words}, and has no room for {status!r}: let it take that, or give another word"
            )


def _grant(error: JanitorError, url: URL, layout: Layout) -> str:
    """What an administrator can run, if a grant is missing; else nothing."""
    cause = error.__cause__
    if cause is None or cause.args[:1] not in DENIED:
        return ""
    return f": GRANT UPDATE ({layout.status_column}) ON `{url.database}`.`{layout.table}` TO {url.username!r}"
