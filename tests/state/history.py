"""Runs at noon of a day, for tests of what is kept of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from janitor.state import State, expired, retention, run_records

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def begin(state: State, job: str = "a", slot: datetime | None = None, holder: str = "me") -> int:
    with state.begin() as connection:
        return run_records.start(connection, job, "schedule", slot, NOW, False, holder)


def prune(state: State, before: datetime, keep: int, most: int = 4, **more: Any) -> list[int]:
    """How many runs went with each step that deleted any."""
    gone = []
    for walk in map(retention.OldRuns, expired.walks(expired.Bounds(before, keep, **more))):
        step: int | None = 0
        while step is not None:
            gone.append(step)
            with state.begin() as connection:
                step = walk.step(connection, most)
    return [step for step in gone if step]
