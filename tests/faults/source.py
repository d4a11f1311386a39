"""The writer's way into a warehouse: transactions; some stay open while others commit."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from tests.faults.ledger import Ledger

LOCK_SECONDS = 5


@dataclass(eq=False)
class Transaction:
    """The transaction of one change. The change counts only after `commit` has returned."""

    source: "Source"
    kind: str
    connection: Connection
    audits: set[int] = field(default_factory=set)
    statuses: set[int] = field(default_factory=set)
    after: list[Callable[[], None]] = field(default_factory=list)

    def do(self, statement: str, **values: Any) -> int:
        """Run a statement; return the id that it made, or 0."""
        return int(self.connection.execute(text(statement), values).lastrowid or 0)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Run a query."""
        return list(self.connection.execute(text(statement), values))

    def commit(self) -> None:
        """Commit, and then enter the change in the ledger.

        Raises:
            DBAPIError: the server refuses or is silent. Perhaps it is committed all the same; it does not count.
        """
        ledger = self.source.ledger
        try:
            self.connection.commit()
        except DBAPIError:
            self.drop()
            raise
        self.close()
        ledger.changes[self.kind] += 1
        ledger.audits |= self.audits
        ledger.statuses |= self.statuses

    def drop(self) -> None:
        """Give it up, if it has not ended. Nothing of it is there, unless only the answer to a commit was lost."""
        if not self.connection.closed:
            self.source.ledger.failed[self.kind] += 1
            self.connection.invalidate()
            self.close()

    def close(self) -> None:
        """Close its connection, and free what it was busy with."""
        self.connection.close()
        for each in self.after:
            each()


class Source:
    """One warehouse, written to as the lab's applications do: READ COMMITTED, some connections at once."""

    def __init__(self, url: URL, ledger: Ledger) -> None:
        self.ledger = ledger
        arguments = {"connect_timeout": 5, "read_timeout": 20, "write_timeout": 20}
        self._engine = create_engine(
            url,
            isolation_level="READ COMMITTED",
            connect_args=arguments,
            pool_size=10,
            max_overflow=30,
            pool_pre_ping=True,
        )

    def open(self, kind: str) -> Transaction:
        """Begin a transaction; it stays open until somebody commits it.

        Raises:
            DBAPIError: the server is away.
        """
        connection = self._engine.connect()
        try:
            connection.execute(text(f"SET innodb_lock_wait_timeout = {LOCK_SECONDS}"))
        except DBAPIError:
            connection.invalidate()
            connection.close()
            raise
        return Transaction(self, kind, connection)

    @contextmanager
    def change(self, kind: str) -> Iterator[Transaction]:
        """Give a change; it is committed when the block ends."""
        with self.changes(kind, 1) as opened:
            yield opened[0]

    @contextmanager
    def changes(self, kind: str, count: int) -> Iterator[list[Transaction]]:
        """Give `count` open changes. When the block ends they are committed, in the order in which it leaves them."""
        with ExitStack() as kept:
            opened = [kept.enter_context(self.left_open(kind)) for _ in range(count)]
            yield opened
        try:
            for change in opened:
                change.commit()
        finally:
            for change in opened:
                change.drop()

    @contextmanager
    def left_open(self, kind: str) -> Iterator[Transaction]:
        """Give a change that stays open after the block; if the block fails, it is given up."""
        transaction = self.open(kind)
        with ExitStack() as on_error:
            on_error.callback(transaction.drop)
            yield transaction
            on_error.pop_all()

    def read(self, query: str) -> list[Any]:
        """Read outside any transaction of a change."""
        with self._engine.connect() as connection:
            return list(connection.execute(text(query)))

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()
