"""How far a feed is read: the ids taken, and those that may still commit late."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from pyroaring import BitMap64

from janitor.errors import BadSetting
from janitor.state.clocks import boot_clock, era

LOOK_BACK = 10_000
"""How many ids below a feed's end a first look remembers, so that what commits late among them is found."""
MOST_RANGES = 1_000
"""How many gaps are asked for one by one; beyond that, all from there to the end are read again."""
MOST_SEEN = 64


@dataclass(frozen=True)
class Seen:
    """At `at`, on the boot clock, every id up to `top` that had committed was known."""

    at: float
    top: int


@dataclass(frozen=True)
class Origin:
    """What was there when a feed was first looked at from its end: not news, then or ever."""

    mark: int = 0
    ids: BitMap64 = field(default_factory=BitMap64)

    def __contains__(self, id: int) -> bool:
        return id <= self.mark or id in self.ids


@dataclass(frozen=True)
class Position:
    """How far a feed is read: all up to `mark` is settled; above it, `taken` are done with.

    `snapshot_after` is the last key of a snapshot that goes on, None where there is none (any more).
    """

    mark: int = 0
    taken: BitMap64 = field(default_factory=BitMap64)
    seen: tuple[Seen, ...] = ()
    origin: Origin = field(default_factory=Origin)
    snapshot_after: int | None = None

    @property
    def top(self) -> int:
        """The highest id that was ever taken."""
        return int(self.taken.max()) if self.taken else self.mark

    def take(self, ids: Iterable[int], at: float) -> "Position":
        """The position after these ids have been delivered, all read before the moment `at`."""
        taken = self.taken | BitMap64(ids)
        seen = self.seen
        if taken and int(taken.max()) > self.top:
            seen = _thinned((*seen, Seen(at, int(taken.max()))))
        return replace(self, taken=taken, seen=seen)

    def settle(self, began_at: float, lag_seconds: float) -> "Position":
        """The position after a read of every gap, begun at `began_at`, has been delivered."""
        old = [seen for seen in self.seen if seen.at + lag_seconds < began_at]
        if not old:
            return self
        mark = max(self.mark, *(seen.top for seen in old))
        above = BitMap64(self.taken)
        above.remove_range(0, mark + 1)
        return replace(self, mark=mark, taken=above, seen=tuple(seen for seen in self.seen if seen not in old))

    def gaps(self) -> list[tuple[int, int]]:
        """The stretches of ids, first and last included, that are neither settled nor taken and lie below the top."""
        found: list[tuple[int, int]] = []
        start, top = self.mark + 1, self.top
        missing = self.taken.flip(start, top + 1) if top >= start else BitMap64()
        while (first := _next(missing, start)) is not None and first <= top:
            if len(found) == MOST_RANGES:
                return [*found, (first, top)]
            after = _next(self.taken, first)
            last = top if after is None else after - 1
            found.append((first, last))
            start = last + 1
        return found

    def dump(self) -> str:
        """The position as JSON, as `load` reads it; its bitmaps are compressed."""
        fields: dict[str, Any] = {"mark": self.mark, "taken": _packed(self.taken), "era": era()}
        fields |= {"seen": [[seen.at, seen.top] for seen in self.seen], "snapshot_after": self.snapshot_after}
        return json.dumps(fields | {"origin": [self.origin.mark, _packed(self.origin.ids)]})

    @classmethod
    def load(cls, text: str) -> "Position":
        """A saved position; what was seen before the machine was started again counts as seen only now."""
        fields = json.loads(text)
        seen = tuple(Seen(at, top) for at, top in fields["seen"])
        position = cls(fields["mark"], _unpacked(fields["taken"]), seen)
        if seen and fields["era"] != era():
            position = replace(position, seen=(Seen(boot_clock(), position.top),))
        origin = Origin(fields["origin"][0], _unpacked(fields["origin"][1]))
        return replace(position, origin=origin, snapshot_after=fields["snapshot_after"])


def position_after(id: str, name: str = "VALUE") -> str:
    """The saved form of a position that goes on after an id.

    Raises:
        BadSetting: it is not a whole number from 0 up.
    """
    if not id.isdecimal():
        raise BadSetting(name, id, "give the id to go on after, a whole number from 0 up")
    return Position(mark=int(id)).dump()


def describe(text: str) -> dict[str, Any]:
    """A saved position in words: all up to `settled` is done with, and `taken_above` ids above it, up to `top`."""
    position = Position.load(text)
    facts = {"top": position.top, "settled": position.mark, "taken_above": len(position.taken)}
    facts |= {"gaps": sum(last - first + 1 for first, last in position.gaps())}
    return facts | ({} if position.snapshot_after is None else {"snapshot_after": position.snapshot_after})


def _next(bitmap: BitMap64, start: int) -> int | None:
    try:
        return int(bitmap.next_set_bit(start))
    except ValueError:
        return None


def _thinned(seen: tuple[Seen, ...]) -> tuple[Seen, ...]:
    """Fewer of them: where two become one the later time stays, so that nothing settles too early."""
    return seen if len(seen) <= MOST_SEEN else (*seen[1:-1:2], seen[-1])


def _packed(bitmap: BitMap64) -> str:
    copy = BitMap64(bitmap)
    copy.run_optimize()
    return base64.b64encode(copy.serialize()).decode()


def _unpacked(text: str) -> BitMap64:
    return BitMap64.deserialize(base64.b64decode(text))
