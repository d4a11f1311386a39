"""What a sink needs from a dialect: one method for each kind of statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from janitor.table_sink.column import Row
from janitor.table_sink.plan import Change
from janitor.table_sink.row_texts import TextPage


class Table(Protocol):
    """The statements of one dialect on one target. None of them commits."""

    def suspects(self, connection: Connection, rows: list[Row]) -> tuple[list[Row], int]:
        """The rows that may not be stored exactly like this, and how many rows with these keys are stored."""

    def stored(self, connection: Connection, keys: Sequence[Any], lock: bool) -> list[Row]:
        """The stored rows with these keys; with `lock`, locked until the transaction ends."""

    def homes(self, connection: Connection, keys: Sequence[Any]) -> list[tuple[int, Any]]:
        """For each key: its group, and the stored key that is the same to the table, or None.

        Keys that are the same to the table share a group, which is a number.
        """

    def insert(self, connection: Connection, rows: list[Row], now: datetime) -> None:
        """Add rows whose keys are new."""

    def update(self, connection: Connection, changes: list[Change], now: datetime) -> None:
        """Overwrite rows. Each is found by the key as it is stored."""

    def texts(
        self, connection: Connection, after: tuple[Any, ...] | None, limit: int, owner: Mapping[str, Any]
    ) -> tuple[TextPage, tuple[Any, ...] | None]:
        """The owner's rows among the next `limit` rows after `after`, and where the page after that begins.

        A page without texts has the keys of its rows. The second value is None after the last page.
        """

    def delete(self, connection: Connection, keys: Sequence[Any], owner: Mapping[str, Any]) -> int:
        """Delete the owner's rows with these keys; how many rows were deleted."""
