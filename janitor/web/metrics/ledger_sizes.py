"""How many messages the ledgers hold: counted hour by hour, and again only for hours that may have changed.

Entries are made at the newest end of a ledger and pruned at its oldest. Little changes between:

    hours       12   13   14   15   16   17
    pruned      --^                      ^-- added
    counted again                  first and last hour, and every hour after the one that was last before

What is published again moves to the newest end. So each day all hours are counted anew.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from janitor.state import ledger

HOUR = timedelta(hours=1)


class LedgerSizes:
    """Counts that remember each hour. All entries are read once, in short statements; later, those of a few hours."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self._hours: dict[str, dict[datetime, int]] = {}

    def count(self, connection: Connection) -> dict[str, int]:
        """The size of each ledger that is not empty."""
        found = {name: self._count(connection, name) for name in list(ledger.names(connection))}
        return {name: size for name, size in found.items() if size}

    def _count(self, connection: Connection, name: str) -> int:
        span = ledger.span(connection, name)
        if span is None:
            return 0
        first, last = map(_hour_of, span)
        known, hours = self._hours.get(name, {}), dict[datetime, int]()
        newest = max(known, default=first)
        if newest.date() < last.date():
            known = {}
        hour: datetime | None = first
        while hour is not None and hour <= last:
            # The newest hour of the last count may have grown since.
            settled = hour in known and first < hour < newest
            hours[hour] = known[hour] if settled else ledger.entered(connection, name, hour, hour + HOUR)
            hour = hour + HOUR if hours[hour] else _next_hour(connection, name, hour + HOUR)
        self._hours[name] = hours
        return sum(hours.values())


def _next_hour(connection: Connection, name: str, since: datetime) -> datetime | None:
    """The next hour with entries; a clock that was once wrong may have left years without entries."""
    at = ledger.next_entry_at(connection, name, since)
    return None if at is None else _hour_of(at)


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
