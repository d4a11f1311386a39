"""What a task needs from outside, stated beside it: `check` looks at each, and a start without one of its settings is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DatabaseNeed:
    """A database, by the setting that holds its URL; the tables read and written there, each with its columns."""

    setting: str
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    writes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class ExchangeNeed:
    """An exchange to publish to, by the setting that holds its name."""

    setting: str


Need = DatabaseNeed | ExchangeNeed
