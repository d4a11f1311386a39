"""Runs at noon of a day, for tests of what is kept of them."""

from datetime import UTC, datetime, timedelta

from janitor.state import State, run_records

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def begin(state: State, job: str = "a", slot: datetime | None = None, holder: str = "me") -> int:
    with state.begin() as connection:
        return run_records.start(connection, job, "schedule", slot, NOW, False, holder)
