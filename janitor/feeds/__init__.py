"""Read what is new in a growing column, and lose nothing that commits late."""

from janitor.feeds.feed import Feed, Page, Reading
from janitor.feeds.position import Position, Seen, describe, position_after

__all__ = [
    "Feed",
    "Page",
    "Position",
    "Reading",
    "Seen",
    "describe",
    "position_after",
]
