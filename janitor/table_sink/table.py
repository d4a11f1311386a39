"""What the sink asks of a dialect's table."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from janitor.table_sink.columns import Row
from janitor.table_sink.row_texts import TextPage


class Table(Protocol):
    """The statements of one dialect on one target; none commits."""

    def suspects(self, connection: Connection, rows: list[Row]) -> tuple[list[Row], int]:
        """The rows that are not certainly stored exactly so, and how many rows with these keys are stored."""

    def stored(self, connection: Connection, keys: Sequence[Any], lock: bool) -> list[Row]:
        """The stored rows with these keys, locked until the transaction's end where `lock`."""

    def homes(self, connection: Connection, keys: Sequence[Any]) -> list[tuple[int, Any]]:
        """For each key: a number that keys share when they are one to the table, and the stored key it is (or None)."""

    def insert(self, connection: Connection, rows: list[Row], now: datetime) -> None:
        """Add rows whose keys are new."""

    def update(self, connection: Connection, rows: list[tuple[Any, Row]], now: datetime) -> None:
        """Overwrite rows, each given with the key that is stored."""

    def texts(
        self, connection: Connection, after: Any, limit: int, owner: Mapping[str, Any]
    ) -> tuple[TextPage, Any | None]:
        """The owner's rows among the next `limit`, by key where they have no text, and after what the rest begins."""

    def delete(self, connection: Connection, keys: Sequence[Any], owner: Mapping[str, Any]) -> int:
        """Delete the owner's rows with these keys; how many there were."""
