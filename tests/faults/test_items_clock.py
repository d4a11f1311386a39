"""Items, while the clock of the machine is set: what has expired is not begun, and no retry waits for the old time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from janitor.items import New
from janitor.items.adding import new_item, write
from janitor.items.pipeline import Pipeline
from janitor.state import State, item_plans
from janitor.state.item_states import FAILED, OPEN
from janitor.state.item_tables import item_attempts, item_steps, items
from tests.daemons import Daemon, daemons
from tests.faults.machine import HOUR, needs_faketime, set_offset, with_offset
from tests.items.item_daemon import STEPS
from tests.small_engine import eventually, lite_state

PATIENCE_SECONDS = 60.0


@dataclass
class Clocked:
    """A daemon of items whose time of day the test sets."""

    state: State
    offset: Path
    daemon: Daemon

    def set_clock(self, seconds: float) -> None:
        """Set its clock so many seconds after the true time."""
        set_offset(self.offset, seconds)

    def add(self, key: str, hours: float | None = None) -> None:
        """Add an item that expires so many true hours from now."""
        now = datetime.now(UTC)
        expires_at = None if hours is None else now + timedelta(hours=hours)
        write(self.state, "p", [new_item(New(key, {}, expires_at=expires_at), now)])

    def statuses(self, key: str) -> set[str]:
        """The statuses of an item's steps."""
        query = select(item_steps.c.status).join(items, items.c.id == item_steps.c.item_id).where(items.c.key == key)
        with self.state.read() as connection:
            return set(connection.execute(query).scalars())

    def attempts(self, key: str) -> list[str]:
        """How each try of an item ended, in order."""
        query = select(item_attempts.c.status).join(items, items.c.id == item_attempts.c.item_id)
        with self.state.read() as connection:
            return list(connection.execute(query.where(items.c.key == key).order_by(item_attempts.c.id)).scalars())

    def becomes(self, key: str, status: str) -> None:
        """Wait until all steps of an item have a status."""
        eventually(
            lambda: self.statuses(key) == {status}, lambda: f"{self.statuses(key)} {self.daemon.text[-2000:]}", 60
        )

    def expires(self, key: str) -> None:
        """Wait until an item has ended since its time was over; nothing was done for it."""
        ended = select(items.c.state == FAILED).where(items.c.key == key)

        def is_over() -> bool:
            with self.state.read() as connection:
                return bool(connection.execute(ended).scalar_one()) and "expired" in self.statuses(key)

        eventually(is_over, lambda: f"{self.statuses(key)} {self.daemon.text[-2000:]}", PATIENCE_SECONDS)
        assert set(self.attempts(key)) <= {"expired"}

    def fails_first(self, key: str) -> None:
        """Wait until the first try of an item has failed."""
        eventually(lambda: self.attempts(key)[:1] == ["failed"], lambda: self.daemon.text[-2000:], 60)


@contextmanager
def clocked(folder: Path) -> Iterator[Clocked]:
    """A daemon on a state database in a file; all is gone after the block."""
    url, offset = lite_state(folder / "state.db"), folder / "offset"
    set_offset(offset, 0)
    state = State(url)
    with state.begin() as connection:
        item_plans.save(connection, Pipeline("p", STEPS).plan)
    try:
        with daemons(
            "tests.items.item_daemon",
            folder,
            LEDGER=str(folder / "ledger"),
            DONE=str(folder / "done"),
            **with_offset(offset),
        ) as start:
            daemon = start(url)
            daemon.says("leading with", seconds=PATIENCE_SECONDS)
            yield Clocked(state, offset, daemon)
    finally:
        state.close()


@needs_faketime
@pytest.mark.whole_form
@pytest.mark.timeout(300)
def test_items_go_on_whatever_their_clock_says(tmp_path: Path) -> None:
    """Given: a daemon, items with an expiry, and an item whose first try fails.

    Happens: its clock is set ahead by two hours, back, behind by two hours, and right again; each time while a retry
    waits for its moment.
    Must hold: an item is expired by the daemon's clock as it is; no retry waits for the time that the clock had.
    """
    with clocked(tmp_path) as made:
        made.add("in time", hours=1)
        made.becomes("in time", "processed")
        made.set_clock(2 * HOUR)
        made.add("too late", hours=1)
        made.expires("too late")
        made.add("flaky ahead")
        made.fails_first("flaky ahead")
        made.set_clock(0)
        made.becomes("flaky ahead", "processed")
        made.add("in time again", hours=1)
        made.becomes("in time again", "processed")
        made.add("flaky now")
        made.fails_first("flaky now")
        made.set_clock(-2 * HOUR)
        made.becomes("flaky now", "processed")
        made.add("in time behind", hours=-1)
        made.becomes("in time behind", "processed")
        made.set_clock(0)
        made.add("flaky last")
        made.becomes("flaky last", "processed")
        with made.state.read() as connection:
            assert connection.execute(select(items.c.key).where(items.c.state == OPEN)).all() == []
        assert made.daemon.end() == 0
