"""Read what is new in a table, by a growing id or by a time, and lose nothing that commits late."""

from janitor.feeds.feed import Feed, Page, Reading
from janitor.feeds.position import Position, Seen, describe, position_after
from janitor.feeds.time_feed import TimeFeed, TimePage, TimePosition, TimeReading

__all__ = [
    "Feed",
    "Page",
    "Position",
    "Reading",
    "Seen",
    "TimeFeed",
    "TimePage",
    "TimePosition",
    "TimeReading",
    "describe",
    "position_after",
]
