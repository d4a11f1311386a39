"""What came of the demo: what ought to be there beside what is there, and the last page."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from janitor.demo.truth import Message
from janitor.demo.watch import Watch


@dataclass(frozen=True)
class Gap:
    """The difference between what is there and what ought to be there."""

    locations: int
    wrong_locations: int
    messages: int
    missing_messages: int
    repeated_messages: int

    @property
    def is_closed(self) -> bool:
        """Whether nothing is wrong, nothing missing and nothing there twice."""
        return not (self.wrong_locations or self.missing_messages or self.repeated_messages)

    @classmethod
    def between(
        cls,
        locations: Mapping[str, tuple[Any, ...]],
        table: Mapping[str, tuple[Any, ...]],
        messages: set[Message],
        published: Counter[Message],
    ) -> "Gap":
        """Compare the warehouses with the table and the messages.

        A labware without a valid location keeps its last known row in the table; that is right.
        """
        return cls(
            locations=len(locations),
            wrong_locations=sum(table.get(barcode) != row for barcode, row in locations.items()),
            messages=len(messages),
            missing_messages=len(messages - published.keys()),
            repeated_messages=published.total() - len(published),
        )


def summary(done: Counter[str], watch: Watch, gap: Gap) -> Table:
    """Make the demo's last page, as a table of two columns."""
    page = Table("", "", title="\nWhat came of it", title_justify="left", show_header=False, box=None, padding=(0, 2))
    page.add_row("The lab did", _listed(done))
    page.add_row("Rows synced", f"{watch.written:,} written, of {len(watch.rows):,} labwares")
    right = gap.locations - gap.wrong_locations
    page.add_row("", f"{right:,} of {gap.locations:,} with a known location are in the table exactly as in LabWhere")
    published, files = watch.messages.total(), len(watch.files)
    page.add_row("Messages published", f"{published:,} in {files:,} Avro files, {gap.repeated_messages} of them twice")
    there = gap.messages - gap.missing_messages
    page.add_row("", f"{there:,} of the {gap.messages:,} that the warehouses call for now are among them")
    reasons = Counter((name, _general(reason)) for (name, _), reason in watch.quarantined.items())
    page.add_row("Rows in quarantine", str(len(watch.quarantined)))
    for (name, reason), count in reasons.most_common():
        page.add_row("", f"{count} in {name}: {reason}")
    for number, (job, outcomes) in enumerate(watch.outcomes().items()):
        page.add_row("" if number else "Runs", f"{job}: {_listed(outcomes)}")
    return page


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "nothing"


def _general(reason: str) -> str:
    """Cut from a reason whatever names a single row: texts in quotes, numbers in brackets, uuids."""
    return re.sub(r" '[^']*'| \(\d+\)| [0-9a-f]{8}-[0-9a-f-]{27}", "", reason)
