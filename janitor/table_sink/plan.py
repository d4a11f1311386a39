"""The plan: what becomes of each row of a chunk. Pure decisions, without a database.

Each row has a home: the stored key that is the same to the table. Rows whose key is new share a home if their keys are
the same. Of the rows of one home the newest wins; of equally new rows the stored row, else the last. The others are
refused.

    the winner                            what becomes of it
    nothing is stored at its home         add
    the stored row is another owner's     refuse
    it equals the stored row              unchanged
    the stored row is not newer           overwrite
    the stored row is newer               older: leave the stored row; refuse, if the key is written differently

"The same to the table": its collation may take `dn1` and `DN1 ` for the same key.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from janitor.table_sink.column import Column, Row
from janitor.table_sink.layout import Layout

Age = tuple[bool, Any]


class Refused(NamedTuple):
    """A row that is not written: its key, and the reason in words."""

    key: Any
    reason: str


class Change(NamedTuple):
    """A stored row, and the row that is to replace it."""

    kept: Row
    row: Row


@dataclass
class Plan:
    """What to do: rows to add, rows to overwrite, rows to refuse; counts of the others."""

    missing: list[Row] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    unchanged: int = 0
    older: int = 0
    refused: list[Refused] = field(default_factory=list)

    def without(self, refused: Sequence[Refused], key_of: Callable[[Row], Any]) -> "Plan":
        """The plan with these rows refused, and neither added nor overwritten."""
        if not refused:
            return self
        keys = {one.key for one in refused}
        return Plan(
            [row for row in self.missing if key_of(row) not in keys],
            [change for change in self.changed if key_of(change.row) not in keys],
            self.unchanged,
            self.older,
            [*self.refused, *refused],
        )


@dataclass(frozen=True)
class Rules:
    """What decisions go by: the layout, and the columns that tell which row is newer, if there are such columns.

    `twins_by` is asked between rows whose keys are written differently, and are the same to the table.
    """

    layout: Layout
    newer: Column | None
    twins_by: Column | None

    @cached_property
    def _places(self) -> dict[str, int]:
        return {column.name: at for at, column in enumerate(self.layout.columns)}

    def plan(
        self, rows: Sequence[Row], homes: Sequence[Hashable], stored: Mapping[Any, Row], settled: set[Row]
    ) -> Plan:
        """Decide over `rows`, given the home of each and the stored rows by key.

        `settled` are the other rows of the chunk; they are known to be stored exactly so.
        """
        if not stored and not settled and len(set(homes)) == len(rows):
            return Plan(missing=list(rows))
        plan = Plan()
        kept = {key: row for key, row in stored.items() if row in settled} if settled else {}
        winners: dict[Hashable, Row] = dict(kept)
        for row, home in zip(rows, homes):
            rival = winners.setdefault(home, row)
            if rival is row:
                continue
            if row == rival:
                plan.unchanged += 1
            elif self._is_older(row, rival) or (home in kept and not self._is_older(rival, row)):
                plan.refused.append(self._twin(row, rival))
            else:
                winners[home] = row
                if rival is not kept.get(home):
                    plan.refused.append(self._twin(rival, row))
        for home, row in winners.items():
            if row is not kept.get(home):
                self._decide(plan, row, stored.get(home))
        return plan

    def _decide(self, plan: Plan, row: Row, kept: Row | None) -> None:
        owned_from = len(self.layout.own)
        if kept is None:
            plan.missing.append(row)
        elif kept[owned_from:] != row[owned_from:]:
            plan.refused.append(self._foreign(row, kept))
        elif kept == row:
            plan.unchanged += 1
        elif not self._is_older(row, kept):
            plan.changed.append(Change(kept, row))
        elif self.layout.key_of(kept) == self.layout.key_of(row):
            plan.older += 1
        else:
            plan.refused.append(self._twin(row, kept))

    def _is_older(self, row: Row, other: Row) -> bool:
        by = self.newer if self.layout.key_of(row) == self.layout.key_of(other) else self.twins_by
        return by is not None and self._age(by, row) < self._age(by, other)

    def _age(self, by: Column, row: Row) -> Age:
        value = by.comparable(row[self._places[by.name]])
        return (value is not None, value)

    def _foreign(self, row: Row, kept: Row) -> Refused:
        names = [column.name for column in self.layout.columns]
        whose = " and ".join(f"{name} {kept[names.index(name)]!r}" for name in self.layout.owner)
        key = self.layout.key_of(row)
        return Refused(key, f"{self.layout.words(key)} has a row of {whose}, which stays as it is")

    def _twin(self, row: Row, winner: Row) -> Refused:
        key, other = self.layout.key_of(row), self.layout.key_of(winner)
        words = self.layout.words(key)
        if key == other:
            return Refused(key, f"{words} came more than once, and the newest was kept")
        return Refused(key, f"{words} is the same key as {other!r} to the table, and the newest was kept")
