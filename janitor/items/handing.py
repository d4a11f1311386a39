"""Handing on: what is made ready goes straight to the run that waits for it.

    a run of a step          waits, and has found its lane empty
    an end, or an addition   makes items ready for that step, in the same process
    its transaction          takes them for that run, which need not look, nor commit that it takes them

So an item that goes through ten steps costs ten transactions, and not twenty. If others wait in the lane, or the run
has no room, all go through the lane.
"""

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from janitor.items.step import Step
from janitor.runs import Fence, Run
from janitor.state import State, item_claims
from janitor.state.item_changes import First
from janitor.state.item_claims import Claimed
from janitor.state.item_counts import Changes
from janitor.state.item_plans import Plan, lane_of

CLOSE_SECONDS = 1.0
"""For so long a run that ends waits for what it has promised to take."""


class Receiver:
    """A run of a step that can be handed items; any thread may promise in its name."""

    def __init__(
        self, state: State, pipeline: str, step: Step, run: Run, room: Callable[[int], int], told: Callable[[], None]
    ) -> None:
        """`room` tells how many items fit besides so many that are promised; `told` is called as items have come."""
        self.pipeline, self.step, self.run = pipeline, step, run
        self._url, self._room, self._told, self._process = state.url, room, told, os.getpid()
        self._change = threading.Condition()
        self._handed: list[Claimed] = []
        self._promised, self._is_open = 0, True
        self.is_in_doubt = False
        """Whether the run may hold items that it does not know: a transaction had no answer."""

    def open(self) -> None:
        """Be found by those who have something to hand on."""
        _receivers.append(self)

    def fits(self, state: State, pipeline: str, after: str | None) -> bool:
        """Whether this is a run of a step that comes after another one; or of a first step, if that is None."""
        if self.pipeline != pipeline or self._process != os.getpid() or self._url != state.url:
            return False
        return after in self.step.needs if after is not None else not self.step.needs

    def promise(self, count: int) -> bool:
        """Promise that so many items will be taken, if there is room for all; then `keep` has to be called."""
        with self._change:
            if not self._is_open or count > self._room(self._promised + len(self._handed)):
                return False
            self._promised += count
        return True

    def expect(self, count: int) -> bool:
        """Expect so many that the run itself has taken, unless it ends; then `keep` has to be called."""
        with self._change:
            self._promised += count if self._is_open else 0
            return self._is_open

    def keep(self, promised: int, claimed: Sequence[Claimed]) -> None:
        """Hand over what was taken of what was promised."""
        with self._change:
            self._promised -= promised
            self._handed += claimed
            self._change.notify_all()
        if claimed or self.is_in_doubt:
            self._told()

    @property
    def is_expecting(self) -> bool:
        """Whether something was promised, or has come, that the run does not have yet."""
        return bool(self._promised or self._handed)

    def handed(self) -> Sequence[Claimed]:
        """What has come since the last call; for the run's thread."""
        if not self._handed:
            return ()
        with self._change:
            found, self._handed = self._handed, []
        return found

    def close(self) -> Sequence[Claimed]:
        """Promise nothing more, and wait a moment for what is promised; what has come. The run's thread calls it.

        What comes later is held by a run that has ended: the next run gives it back.
        """
        if self in _receivers:
            _receivers.remove(self)
        with self._change:
            self._is_open = False
            self._change.wait_for(lambda: not self._promised, CLOSE_SECONDS)
        return self.handed()


_receivers: list[Receiver] = []


class Handing:
    """What one transaction can hand on: until the block ends, runs have promised to take it."""

    def __init__(self, receivers: Iterable[Receiver], most: int) -> None:
        """To those of some runs that promise to take up to so many items each."""
        self._most = most
        self._receivers = {one.step.name: one for one in receivers if one.promise(most)} if most else {}
        self._taken: dict[str, list[Claimed]] = {}
        self._is_done = False

    @classmethod
    def after(cls, state: State, pipeline: str, step: str | None, most: int) -> Self:
        """To the runs of the steps after one, or of the first steps if that is None."""
        return cls((one for one in list(_receivers) if one.fits(state, pipeline, step)), most)

    @classmethod
    def of_added(cls, state: State, pipeline: str, count: int) -> Self:
        """To the runs of the first steps, if a single item is added: of several nobody knows the ids."""
        return cls.after(state, pipeline, None, count if count == 1 else 0)

    @property
    def fences(self) -> tuple[Fence, ...]:
        """The leases of those runs: the transaction has to hold them, too."""
        return tuple(fence for one in self._receivers.values() for fence in one.run.fences.values())

    def take(
        self, connection: Connection, plan: Plan, now: datetime, ready: Mapping[str, Sequence[int]], changes: Changes
    ) -> None:
        """Take what was just made ready for the runs that have promised to; `ready` has the items by step."""
        for step, ids in ready.items():
            receiver = self._receivers.get(step)
            if receiver is not None and len(ids) <= self._most:
                taken = item_claims.take(connection, plan, step, receiver.run.id, ids, now, changes)
                self._taken[step] = sorted(taken, key=lambda one: (-one.priority, one.order_at, one.id))

    def left(self, firsts: Sequence[First]) -> list[First]:
        """What others are to be told of: what was not handed on."""
        taken = {lane_of(one.pipeline, step) for step, one in self._receivers.items() if step in self._taken}
        return [first for first in firsts if first.lane not in taken]

    def give_up(self, is_in_doubt: bool = False) -> None:
        """Hand nothing on, as the transaction has failed; if it may be committed all the same, the runs end."""
        for step, receiver in self._receivers.items():
            receiver.is_in_doubt |= is_in_doubt and bool(self._taken.get(step))
            receiver.keep(self._most, ())
        self._receivers, self._taken = {}, {}

    def done(self) -> None:
        """The transaction is committed: the runs have what was taken for them."""
        for step, receiver in self._receivers.items():
            receiver.keep(self._most, self._taken.get(step, ()))
        self._is_done = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        if not self._is_done:
            self.give_up(is_in_doubt=True)


NOTHING = Handing((), 0)
"""Hands nothing on."""
