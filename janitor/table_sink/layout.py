"""The layout of a target: its columns, in the order of a row, its key, and its other unique indexes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

from janitor.table_sink.column import Column, Row
from janitor.table_sink.row_texts import BETWEEN_VALUES


@dataclass(frozen=True)
class Layout:
    """What a sink knows of its target.

    `columns` are compared, in the order of a row: first the sink's own, then the `owner`'s. The columns `keys` tell
    one row from another. The whole table is walked in the order of the columns `walk`. The columns `created` and
    `updated` receive the moment of writing. `unique` are the own columns of each unique index but the key's. `packet`
    is the length in bytes of the longest statement that the server takes; 0 is no limit.
    """

    table: str
    keys: tuple[str, ...]
    columns: tuple[Column, ...]
    owner: tuple[str, ...]
    walk: tuple[str, ...]
    created: Column | None
    updated: Column | None
    unique: tuple[tuple[Column, ...], ...] = ()
    packet: int = 0

    @cached_property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns of the key."""
        return tuple(self.columns[at] for at in self._key_positions)

    @cached_property
    def _key_positions(self) -> tuple[int, ...]:
        names = [column.name for column in self.columns]
        return tuple(map(names.index, self.keys))

    @cached_property
    def key_of(self) -> Callable[[Row], Any]:
        """Gives the key of a row: the value of a single column, or the values of several."""
        return itemgetter(*self._key_positions)

    def values(self, key: Any) -> tuple[Any, ...]:
        """The values of a key, one for each of its columns."""
        return (key,) if len(self.keys) == 1 else tuple(key)

    def words(self, key: Any) -> str:
        """A key in words, with the names of its columns."""
        return " and ".join(f"{name} {value!r}" for name, value in zip(self.keys, self.values(key)))

    @property
    def own(self) -> tuple[Column, ...]:
        """The columns without the owner's."""
        return self.columns[: len(self.columns) - len(self.owner)]

    def key_in(self, row: str) -> Any:
        """The key in the text of a row."""
        texts = row.split(BETWEEN_VALUES)
        found = [column.parsed(texts[at]) for at, column in zip(self._key_positions, self.key_columns)]
        return tuple(found) if len(found) > 1 else found[0]
