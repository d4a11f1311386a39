"""Rows that a test puts into the warehouses and reads back, whatever the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import Connection, Engine, column, delete, event, insert, select, table, text, update

from janitor.demo.warehouses import fill
from tests.fixtures import Warehouses


class Tables:
    """The tables of one warehouse; every change is a transaction of its own, unless `transaction` is entered."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        if engine.dialect.name == "sqlite" and not event.contains(engine, "connect", _hurry):
            engine.dispose()
            event.listen(engine, "connect", _hurry)
        self._open: Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All changes made inside are one transaction; entering it again inside changes nothing."""
        if self._open is not None:
            yield self._open
            return
        with self.engine.begin() as connection:
            self._open = connection
            try:
                yield connection
            finally:
                self._open = None

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        if self._open is not None:
            yield self._open
            return
        with self.engine.begin() as connection:
            yield connection

    def add(self, name: str, /, **values: Any) -> int:
        """Insert a row; its key."""
        with self._connection() as connection:
            result = connection.execute(insert(table(name, *map(column, values))).values(**_plain(values)))
            return int(getattr(result, "lastrowid", 0) or 0)

    def change(self, name: str, where: dict[str, Any], /, **values: Any) -> int:
        """Update the rows that have these values; how many there were."""
        names = dict.fromkeys([*where, *values])
        target = table(name, *map(column, names))
        query = update(target).values(**_plain(values))
        for key, value in where.items():
            query = query.where(target.c[key] == value)
        with self._connection() as connection:
            return connection.execute(query).rowcount

    def remove(self, name: str, /, **where: Any) -> None:
        """Delete the rows that have these values."""
        target = table(name, *map(column, where))
        query = delete(target)
        for key, value in where.items():
            query = query.where(target.c[key] == value)
        with self._connection() as connection:
            connection.execute(query)

    def all(self, name: str, *columns: str) -> list[dict[str, Any]]:
        """Every row of a table, as these columns."""
        with self._connection() as connection:
            found = connection.execute(select(table(name, *map(column, columns)))).mappings()
            return [dict(row) for row in found]

    def execute(self, statement: str) -> None:
        """Run a statement that returns nothing."""
        with self._connection() as connection:
            connection.execute(text(statement))


def fill_recently(warehouses: Warehouses, runs: int, products: int, labwares: int = 1) -> None:
    """Fill the warehouses with a lab whose days all lie in the last twelve, within reconcile's window."""
    engines = (warehouses.labwhere, warehouses.mlwh, warehouses.events)
    now = datetime.now(timezone.utc)
    fill(*engines, labwares=labwares, runs=runs, seed=1, now=now, products=products, days=12)


def _hurry(connection: Any, record: Any) -> None:
    # What a test writes need not survive a power cut.
    connection.execute("PRAGMA synchronous = OFF")


def moment(value: Any) -> datetime | None:
    """A naive datetime, whatever form the database gave it."""
    return value if value is None or isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    # A datetime as text means the same to every database here.
    return {name: str(value) if isinstance(value, datetime) else value for name, value in values.items()}
