"""Positions: how far a feed is read, as a value. `feed.py` draws the idea.

    mark     every id up to it is settled: no row below it can come any more
    taken    ids above the mark whose rows are delivered; the top is the highest of them
    gaps     ids between mark and top that are not taken: their rows may still commit
    seen     moments: at each, every row up to a top that had committed by then was known
    origin   rows that were there before the first read; they are not news

The last rows that were taken are kept as witnesses: see `witnesses.py`.

Bitmaps keep `taken` small, however many ids it holds: see `ids.py`. A position is saved as JSON.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from janitor.errors import BadSetting, Rejected
from janitor.feeds.ids import HIGHEST, Ids
from janitor.state.clocks import boot_clock, era

AnyPosition = TypeVar("AnyPosition")
LOOK_BACK = 10_000
"""A first look remembers the ids of so many rows below the end, to find rows that commit late among them."""
MOST_RANGES = 1_000
"""So many gaps are asked for singly. The rest, up to the top, is read again as one gap."""
MOST_PAGES = 20
"""While a row is not confirmed nothing settles. A run that fills its cursor meanwhile stops after so many pages."""
MOMENTS_A_LAG = 32
"""Of moments that lie nearer together than this part of the lag, the newest is kept."""
MOST_SEEN = 64
"""So many moments are kept at most; of more, each second is dropped, and never the oldest: by it ids settle."""


@dataclass(frozen=True)
class Seen:
    """At `at`, on the boot clock, every row up to `top` that had committed was known."""

    at: float
    top: int


class Witness(NamedTuple):
    """A row that was read: its id, and a digest of its fixed columns."""

    id: int
    digest: str


@dataclass(frozen=True)
class Origin:
    """The ids that were there when reading began at the end: they are never news."""

    mark: int = 0
    ids: Ids = Ids()

    def __contains__(self, id: int) -> bool:
        return id <= self.mark or id in self.ids


@dataclass(frozen=True)
class Position:
    """How far a feed is read: ids up to `mark` are settled, and `taken` above it are delivered.

    `snapshot_after` is the last key that a snapshot has read; None if no snapshot goes on.
    """

    mark: int = 0
    taken: Ids = Ids()
    seen: tuple[Seen, ...] = ()
    origin: Origin = field(default_factory=Origin)
    snapshot_after: int | None = None
    witnesses: tuple[Witness, ...] = ()

    @property
    def top(self) -> int:
        """The highest id that was taken."""
        highest = self.taken.highest
        return self.mark if highest is None else highest

    def take(self, ids: Iterable[int], at: float, lag_seconds: float = 0.0) -> "Position":
        """The position after these ids were delivered; all had been read by the moment `at`, on the boot clock.

        The greater the lag after which `settle` is to count them as settled, the fewer moments are kept.
        """
        after = replace(self, taken=self.taken.plus(ids))
        if after.top == self.top:
            return after
        return replace(after, seen=_thinned(self.seen, Seen(at, after.top), lag_seconds / MOMENTS_A_LAG))

    def settle(self, began_at: float, lag_seconds: float) -> "Position":
        """The position after every row in the gaps was delivered; reading them began at `began_at`.

        A row may commit up to `lag_seconds` late. What was seen longer ago than that is settled.
        """
        old = [seen for seen in self.seen if seen.at + lag_seconds < began_at]
        if not old:
            return self
        mark = max(self.mark, *(seen.top for seen in old))
        seen = tuple(seen for seen in self.seen if seen not in old)
        return replace(self, mark=mark, taken=self.taken.above(mark), seen=seen)

    def bounded(self) -> "Position":
        """The position with a bounded size: if it holds too many ids, the lower half settles before its time."""
        if not self.taken.is_large:
            return self
        mark = self.taken.middle
        seen = tuple(seen for seen in self.seen if seen.top > mark)
        return replace(self, mark=mark, taken=self.taken.above(mark), seen=seen).bounded()

    def gaps(self) -> list[tuple[int, int]]:
        """The gaps below the top, each as its first and its last id; what is above the most ranges is one gap."""
        found = list(islice(self.taken.gaps_above(self.mark), MOST_RANGES + 1))
        return found if len(found) <= MOST_RANGES else [*found[:MOST_RANGES], (found[MOST_RANGES][0], self.top)]

    def dump(self) -> str:
        """The position as JSON, for `load`."""
        return json.dumps(
            {
                "mark": self.mark,
                "taken": self.taken.dump(),
                "era": era(),
                "seen": [[seen.at, seen.top] for seen in self.seen],
                "snapshot_after": self.snapshot_after,
                "witnesses": self.witnesses,
                "origin": [self.origin.mark, self.origin.ids.dump()],
            }
        )

    @classmethod
    def load(cls, text: str, clock: Callable[[], float] = boot_clock) -> "Position":
        """A saved position. If the machine was started again since, the newest of its ids counts as seen only now.

        Raises:
            ValueError, LookupError, TypeError: it is that of a feed of another kind.
        """
        fields = json.loads(text)
        origin_mark, origin_ids = fields["origin"]
        position = cls(
            mark=fields["mark"],
            taken=Ids.load(fields["taken"]),
            seen=tuple(Seen(at, top) for at, top in fields["seen"]),
            origin=Origin(origin_mark, Ids.load(origin_ids)),
            snapshot_after=fields["snapshot_after"],
            witnesses=tuple(Witness(*witness) for witness in fields.get("witnesses", ())),
        )
        if position.seen and fields["era"] != era():
            # The boot clock began again at 0: how long ago the newest moment was, nobody knows. The others were before.
            later = clock() - max(seen.at for seen in position.seen)
            return replace(position, seen=tuple(Seen(seen.at + later, seen.top) for seen in position.seen))
        return position


def loaded(load: Callable[[str], AnyPosition], saved: str, name: str) -> AnyPosition:
    """The position of a feed, from the cursor `name`.

    Raises:
        Rejected: the cursor is that of a feed of another kind.
    """
    try:
        return load(saved)
    except (ValueError, LookupError, TypeError) as exc:
        raise Rejected(
            f"the cursor {name} is not that of such a feed: the job followed another kind of feed before. Nothing was "
            f"taken. Begin anew (`cursor {name} --set start`)"
        ) from exc


def position_after(id: str, name: str = "VALUE") -> str:
    """The saved form of a position that goes on after an id. `name` stands in the error.

    Raises:
        BadSetting: the id is not a whole number from 0 to 2**64 - 1.
    """
    if not id.isdecimal() or len(id) > 20 or int(id) > HIGHEST:
        raise BadSetting(name, id, f"give the id to go on after, a whole number from 0 to {HIGHEST}")
    return Position(mark=int(id)).dump()


def describe(text: str) -> dict[str, Any]:
    """A saved position for people.

    `top` is the highest id taken, `settled` the mark, `taken_above` how many ids above the mark are taken, `gaps` how
    many are not. `snapshot_after` is there while a snapshot goes on.
    """
    position = Position.load(text)
    snapshot = {} if position.snapshot_after is None else {"snapshot_after": position.snapshot_after}
    return {
        "top": position.top,
        "settled": position.mark,
        "taken_above": len(position.taken),
        "gaps": sum(last - first + 1 for first, last in position.gaps()),
        **snapshot,
    }


def _thinned(seen: tuple[Seen, ...], last: Seen, apart: float) -> tuple[Seen, ...]:
    """Moments with another one: what was seen is true of each, so that any may be dropped but the oldest."""
    if len(seen) > 1 and last.at - seen[-2].at < apart:
        seen = seen[:-1]
    seen = (*seen, last)
    return seen if len(seen) <= MOST_SEEN else (*seen[:-1:2], last)
