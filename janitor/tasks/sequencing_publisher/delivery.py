"""Changes on their way to the exchange: each is published once, or held back, or waits in quarantine.

change   in the ledger with this digest?      --> safe
         refused before, its pause not over?  --> held back
         else publish it:   confirmed         --> the ledger, safe
                            refused           --> tried again by later runs, in quarantine after some of them
                            refused for itself (too large)  --> in quarantine
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from janitor import memory
from janitor.errors import Unavailable
from janitor.memory import NotTaken, Quarantined, Refusal, Refusals
from janitor.publisher import Publisher
from janitor.runs import current_run
from janitor.tasks.sequencing_publisher.changes import Change, StatusChanges

NAME = "sequencing_publisher"

SampleAndItem = tuple[str, str]
"""A sample and a status, as they are in quarantine."""


@dataclass
class Delivered:
    """What came of some changes: the keys of those that are safe, and the refusals of the others."""

    safe: set[bytes] = field(default_factory=set)
    refused: dict[SampleAndItem, Refusal] = field(default_factory=dict)

    def is_whole(self, status: StatusChanges) -> bool:
        """Whether all of a status is safe, or waits in quarantine."""
        return all(change.key in self.safe or self._is_in_quarantine(change) for change in status.changes)

    def in_quarantine(self, status: StatusChanges) -> list[Quarantined]:
        """The rows of a status that wait in quarantine since the broker refuses them."""
        known = {_sample_and_item(change) for change in status.changes if change.key not in self.safe}
        return [
            Quarantined(sample_uuid, f"sample {sample_uuid}: {self.refused[sample_uuid, item].reason}", item)
            for sample_uuid, item in sorted(known & self.refused.keys())
        ]

    def _is_in_quarantine(self, change: Change) -> bool:
        refusal = self.refused.get(_sample_and_item(change))
        return refusal is not None and memory.is_for_quarantine(refusal)


class Delivery:
    """Publishes the changes of one run, `window` at a time; it counts in `totals`."""

    def __init__(self, publisher: Publisher, window: int, totals: "Counter[str]") -> None:
        """Nothing is read yet."""
        self._publisher, self._window, self._totals = publisher, window, totals
        self._refusals = Refusals(NAME)
        self._to_try_again: dict[bytes, str] = {}

    def deliver(self, changes: Sequence[Change], delivered: Delivered) -> None:
        """Publish what the ledger does not hold, and note in `delivered` what came of each change.

        Raises:
            Unavailable, Rejected, DeadlineExceeded, Cancelled: as `Publisher.publish_each` does; `delivered` has what
                was settled until then.
        """
        by_key = {change.key: change for change in changes}
        delivered.safe.update(memory.published(NAME, {key: change.digest for key, change in by_key.items()}))
        self._totals["already_published"] += len(delivered.safe)
        missing = [change for key, change in by_key.items() if key not in delivered.safe]
        if not missing:
            return
        if current_run().dry_run:
            self._totals["published"] += len(missing)
            delivered.safe.update(change.key for change in missing)
            return
        before = self._refusals.of_items(change.item for change in missing)
        if not any(memory.is_due(before.get(_sample_and_item(change))) for change in missing):
            self._note_refusals(missing, (), before, {}, delivered)
            return
        # Follow and reconcile may both have a message: whoever comes second counts on from what the first has counted.
        with memory.exclusively(NAME):
            before = self._refusals.of_items(change.item for change in missing)
            due = [change for change in missing if memory.is_due(before.get(_sample_and_item(change)))]
            refused: dict[SampleAndItem, NotTaken] = {}
            try:
                self._publish(due, delivered.safe, refused)
            finally:
                self._note_refusals(missing, due, before, refused, delivered)

    def forget(self, items: Iterable[str]) -> None:
        """Forget what was refused of these statuses: they are gone, or need not be published any more."""
        self._refusals.settle(self._refusals.of_items(items), {})

    def finish(self) -> None:
        """Make sure that all was published, or waits in quarantine.

        Raises:
            Unavailable: later runs try some of it again.
        """
        if self._to_try_again:
            reason = next(iter(self._to_try_again.values()))
            raise Unavailable(f"{len(self._to_try_again)} messages were refused and wait for another try: {reason}")

    def _publish(self, due: Sequence[Change], safe: set[bytes], refused: dict[SampleAndItem, NotTaken]) -> None:
        # What another run has published meanwhile is in the ledger now.
        last = memory.last_published(NAME, [change.key for change in due])
        known = {change.key for change in due if change.key in last and last[change.key].digest == change.digest}
        safe.update(known)
        news = [change for change in due if change.key not in known]
        settling = self._publisher.publish_each(
            [change.record for change in news],
            window=self._window,
            identities=[_file_identity(change, last) for change in news],
        )
        with closing(settling):
            for settled in settling:
                done = {news[at].key: news[at].digest for at in settled.published}
                if done:
                    memory.enter(NAME, done)
                safe.update(done)
                self._totals["published"] += len(done)
                for one in settled.refused:
                    refused[_sample_and_item(news[one.at])] = NotTaken(one.reason, one.for_itself)

    def _note_refusals(
        self,
        missing: Sequence[Change],
        due: Sequence[Change],
        before: Mapping[SampleAndItem, Refusal],
        refused: Mapping[SampleAndItem, NotTaken],
        delivered: Delivered,
    ) -> None:
        """Count what was refused, forget what was delivered, and keep in mind what is to be tried again."""
        waiting = {_sample_and_item(change) for change in missing if change.key not in delivered.safe}
        over = {_sample_and_item(change) for change in due} - waiting
        tried = {one: refusal for one, refusal in before.items() if one in over or one in refused}
        delivered.refused = {one: before[one] for one in before.keys() & waiting}
        delivered.refused |= self._refusals.settle(tried, refused)
        for change in missing:
            refusal = delivered.refused.get(_sample_and_item(change))
            if change.key in delivered.safe or refusal is None or memory.is_for_quarantine(refusal):
                self._to_try_again.pop(change.key, None)
            else:
                self._to_try_again[change.key] = refusal.reason


def _sample_and_item(change: Change) -> SampleAndItem:
    return change.sample_uuid, change.item


def _file_identity(change: Change, last: Mapping[bytes, memory.Entry]) -> bytes:
    """The same when a change is published again after a crash; another when its content comes back later."""
    entry = last.get(change.key)
    return change.key + (b"" if entry is None else entry.published_at.isoformat().encode())
