"""A lab at work: each step scans labware, moves a box or sets a run's status; some steps are late, some broken."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import URL

from janitor.demo.deeds import Act, Agenda, Deed
from janitor.demo.sequencing_deeds import SequencingDeeds
from janitor.demo.storage_deeds import StorageDeeds


class SimulatedLab:
    """Works on filled warehouses; nobody else writes in their source tables. Each step commits by itself.

    The lab gives the ids itself: an id taken early can be committed late, as a long transaction would do it.
    """

    def __init__(self, labwhere: URL, mlwh: URL, events: URL, seed: int) -> None:
        """Look at what the warehouses hold; nothing is written yet."""
        self.chance = random.Random(seed)
        self.done: Counter[str] = Counter()
        self._agenda = Agenda()
        self.storage = StorageDeeds(labwhere, self.chance, self._agenda)
        self.sequencing = SequencingDeeds(mlwh, events, self.chance, self._agenda)
        self._deck: list[Act] = []

    def step(self, now: datetime) -> Deed:
        """Do one thing at `now` (aware UTC): something that is due, or else something new."""
        act = self._agenda.take(now) or self._draw()
        return self._do(act, now)

    def finish(self, now: datetime) -> Iterator[Deed]:
        """End everything that was begun: late commits, missing parts, broken rows."""
        while (act := self._agenda.take()) is not None:
            yield self._do(act, now)

    def _do(self, act: Act, now: datetime) -> Deed:
        deed = act(now)
        self.done[deed.kind] += 1
        return deed

    def _draw(self) -> Act:
        """Draw from a deck that has every kind of thing; a used-up deck is shuffled anew."""
        if not self._deck:
            storage, sequencing = self.storage, self.sequencing
            self._deck = [
                *[storage.scan] * 4,
                *[sequencing.set_status] * 3,
                storage.move_box,
                storage.scan_out,
                storage.scan_late,
                sequencing.set_status_late,
                storage.scan_by_nobody,
                storage.register,
                storage.delete,
            ]
            self.chance.shuffle(self._deck)
            self._deck.append(sequencing.start_run)
        return self._deck.pop()
