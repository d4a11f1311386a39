"""How many messages the ledgers hold: counted hour by hour, and again only where something may have changed."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from janitor.state import ledger

HOUR = timedelta(hours=1)


class LedgerSizes:
    """Counts that remember: entries are made at the newest end and pruned at the oldest, so nothing changes between.

    All entries are read once, in short statements; after that, those of the first and the last hours.
    """

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self._hours: dict[str, dict[datetime, int]] = {}

    def count(self, connection: Connection) -> dict[str, int]:
        """The size of each ledger that holds anything."""
        found = {name: self._count(connection, name) for name in list(ledger.names(connection))}
        return {name: size for name, size in found.items() if size}

    def _count(self, connection: Connection, name: str) -> int:
        span = ledger.span(connection, name)
        if span is None:
            return 0
        first, last = map(_hour_of, span)
        known, hours = self._hours.get(name, {}), dict[datetime, int]()
        newest = max(known, default=first)
        hour: datetime | None = first
        while hour is not None and hour <= last:
            # What was the newest hour the last time may have grown since.
            settled = hour in known and first < hour < newest
            hours[hour] = known[hour] if settled else ledger.entered(connection, name, hour, hour + HOUR)
            hour = hour + HOUR if hours[hour] else _next_hour(connection, name, hour + HOUR)
        self._hours[name] = hours
        return sum(hours.values())


def _next_hour(connection: Connection, name: str, since: datetime) -> datetime | None:
    """The next hour with entries: a clock that was once wrong may have left years without any."""
    at = ledger.next_entry_at(connection, name, since)
    return None if at is None else _hour_of(at)


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
