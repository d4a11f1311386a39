"""What a rule looks at, and what it finds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from janitor.notices.history import Ended, History, Running
from janitor.notices.item_facts import ItemFacts
from janitor.settings.notices import NoticeRules


@dataclass(frozen=True)
class Facts:
    """What the rules look at, for one job.

    `overdue_since` is None if the job is not overdue. `quarantined` counts the rows that came into quarantine within
    the last day and are still there. `enabled_at` is when the job was switched on, or first known: an earlier slot
    cannot have started in time. `alive_at` is the job's last sign of life apart from a success: it was resumed, or
    a run found nothing to do. `items` is what is known of the items of a pipeline's job. `works` is the run of an inbox
    that has gone on for a while: it may go on for an hour, and is as good as a success.
    """

    job: str
    history: History
    running: Running | None = None
    overdue_since: datetime | None = None
    quarantined: int = 0
    enabled_at: datetime | None = None
    alive_at: datetime | None = None
    items: ItemFacts = ItemFacts()
    works: Running | None = None

    def works_since(self, record: Ended) -> bool:
        """Whether an inbox has worked for a while after a record."""
        return self.works is not None and self.works.id > record.id


@dataclass(frozen=True)
class Condition:
    """Something that is not as it should be.

    `lasts` is True if it goes on by itself, as `overdue` does: it is told again after a while. Otherwise it happened
    once: it is told again only if it happens again. `item` is the key of the item that it is about, if there is one.
    """

    rule: str
    job: str
    text: str
    run_id: int | None = None
    lasts: bool = False
    item: str = ""


Rule = Callable[[Facts, NoticeRules, datetime | None], Condition | None]
"""A rule: facts, the job's limits and the moment -> the condition; None if it does not hold.

The moment is None if only ended runs count: see `janitor.notices.rules.conditions_after`.
"""
