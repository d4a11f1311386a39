"""What a task needs from outside: `check` looks at each, and a start without one of its settings is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DatabaseNeed:
    """A database, by the setting that holds its URL; the tables read and written there, each with its columns.

    `deletes` names the tables that rows are deleted from, each with the true-or-false setting that allows it.
    """

    setting: str
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    writes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deletes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ExchangeNeed:
    """An exchange to publish to, by the setting that holds its name.

    `schema` is the package and the file in it of the messages' Avro schema, by which `listen` reads them.
    """

    setting: str
    schema: tuple[str, str] | None = None


Need = DatabaseNeed | ExchangeNeed
