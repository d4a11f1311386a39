"""A table of orders in a database of others, for the tests of the inbox that reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, text

from janitor.databases.sqlite_sessions import make_file
from janitor.items.inboxes.table import TableInbox
from janitor.settings import Settings
from janitor.state import State
from tests.items.inboxes.receiving import Desk
from tests.small_engine import text_of

SETTING = "LAB_DATABASE_URL"
TABLE = """
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, status VARCHAR(10) NOT NULL, study VARCHAR(40), amount DECIMAL(10, 2), due DATETIME,
    options TEXT
)
"""


class Orders:
    """The table; each call opens a connection of its own, as another program would."""

    def __init__(self, url: URL, table: str = TABLE) -> None:
        self.url = url
        if url.get_backend_name() == "sqlite":
            make_file(Path(str(url.database)))
        self.engine: Engine = create_engine(url)
        self.execute(table)
        self.execute("CREATE INDEX orders_by_status ON orders (status)")

    def execute(self, statement: str, **values: Any) -> None:
        """Run a statement, committed when it returns."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def add(self, *ids: int, status: str = "Ready", **values: Any) -> None:
        """Add rows."""
        names = ("id", "status", *values)
        statement = f"INSERT INTO orders ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
        with self.engine.begin() as connection:
            connection.execute(text(statement), [{"id": one, "status": status, **values} for one in ids])

    def set(self, one: int, status: str) -> None:
        """Give a row another status, as a person would."""
        self.execute("UPDATE orders SET status = :status WHERE id = :id", id=one, status=status)

    @property
    def statuses(self) -> dict[int, str]:
        """The status of each row."""
        with self.engine.connect() as connection:
            return {row.id: row.status for row in connection.execute(text("SELECT id, status FROM orders ORDER BY id"))}

    def settings(self, url: URL | None = None) -> Settings:
        """The settings with which Janitor reaches it."""
        return Settings.load({SETTING: text_of(url or self.url)}, dotenv=None)

    def desk(self, state: State, **options: Any) -> Desk:
        """A pipeline with an inbox that reads it, and that writes the statuses back."""
        given = {"columns": ("study", "amount"), "poll_seconds": 0.05, **options}
        return Desk(state, self.settings(), TableInbox("orders", SETTING, "orders", **given))


@contextmanager
def orders_at(url: URL, table: str = TABLE) -> Iterator[Orders]:
    """The table in an empty database, for a block."""
    made = Orders(url, table)
    try:
        yield made
    finally:
        made.engine.dispose()
