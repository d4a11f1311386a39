"""A model of a feed's reading, over a set of ids instead of a table."""

from janitor.feeds import Position

LAG = 100.0


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def tick(place: Position, committed: set[int], now: float, unconfirmed: int) -> tuple[Position, list[int]]:
    """The position after a run as `Reading.pages` makes it, and the ids read.

    The last `unconfirmed` of the late ids stay unconfirmed.
    """
    low, top = place.mark, place.top
    late = sorted(id for first, last in place.gaps() for id in committed if first <= id <= last)
    assert late == sorted(id for id in committed if low < id <= top and id not in place.taken)
    confirmed = late[: len(late) - unconfirmed] if unconfirmed else late
    place = place.take(confirmed, now, LAG)
    if confirmed == late:
        place = place.settle(now, LAG)
    new = sorted(id for id in committed if id > place.top)
    return place.take(new, now, LAG), confirmed + new
