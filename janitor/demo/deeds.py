"""What a lab does: a deed, done now or kept for later."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias


@dataclass(frozen=True)
class Deed:
    """Something that the lab has done: the kind of thing, and words for it."""

    kind: str
    words: str


Act: TypeAlias = Callable[[datetime], Deed]
"""Does something at a moment (aware UTC), and tells what it did."""


@dataclass(frozen=True)
class Later:
    """Something that the lab will do, not before a moment."""

    due_at: datetime
    act: Act


class Agenda:
    """What the lab will do later, in the order in which it is due."""

    def __init__(self) -> None:
        """There is nothing to do yet."""
        self._later: list[Later] = []

    def add(self, seconds: float, now: datetime, act: Act) -> None:
        """Keep an act until so many seconds after `now`."""
        self._later.append(Later(now + timedelta(seconds=seconds), act))

    def take(self, now: datetime | None = None) -> Act | None:
        """Take the next act that is due at `now`, or simply the next act if that is None; None if there is no such."""
        following = min(self._later, key=lambda later: later.due_at, default=None)
        if following is None or (now is not None and following.due_at > now):
            return None
        self._later.remove(following)
        return following.act


def written(moment: datetime) -> str:
    """Write a moment as databases keep it: UTC, to the second."""
    return moment.replace(tzinfo=None).isoformat(" ", "seconds")
