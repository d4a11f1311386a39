"""The layout of a target: its columns, in the order of a row, and its key."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from janitor.table_sink.column import Column
from janitor.table_sink.row_texts import BETWEEN_VALUES


@dataclass(frozen=True)
class Layout:
    """What a sink knows of its target.

    `columns` are compared, in the order of a row: first the sink's own, then the `owner`'s. The whole table is walked
    in the order of the column `walk`. The columns `created` and `updated` receive the moment of writing.
    """

    table: str
    key: str
    columns: tuple[Column, ...]
    owner: tuple[str, ...]
    walk: str
    created: Column | None
    updated: Column | None

    @cached_property
    def key_at(self) -> int:
        """The position of the key in a row."""
        return [column.name for column in self.columns].index(self.key)

    @property
    def own(self) -> tuple[Column, ...]:
        """The columns without the owner's."""
        return self.columns[: len(self.columns) - len(self.owner)]

    def key_in(self, row: str) -> Any:
        """The key in the text of a row."""
        key = row.split(BETWEEN_VALUES, self.key_at + 1)[self.key_at]
        return int(key) if self.key_column.kind == "integer" else key

    @property
    def key_column(self) -> Column:
        """The key's column."""
        return self.columns[self.key_at]
