"""What a task needs from outside. `check` looks at each need; a start is refused if its setting is missing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import URL

__all__ = [
    "Checked",
    "DatabaseNeed",
    "ExchangeNeed",
    "FeedNeed",
    "Need",
    "ServiceNeed",
]


class Checked(Protocol):
    """What a run uses, such as a `TableSink`, and `check` asks."""

    def check(self) -> Sequence[str]:
        """What is worth knowing, in sentences.

        Raises:
            Unavailable, Rejected: what is wrong, in one sentence.
        """


@dataclass(frozen=True)
class DatabaseNeed:
    """A database: the setting that holds its URL, and the tables that are read and written, each with its columns.

    `deletes` are the tables whose rows may be deleted, each with the true-or-false setting that allows it.
    `whole_numbers` are columns that the task takes for whole numbers. `uses` make what the run will use there, from the
    URL: `check` asks these very objects.
    """

    setting: str
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    writes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deletes: Mapping[str, str] = field(default_factory=dict)
    whole_numbers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    uses: tuple[Callable[[URL], Checked], ...] = ()


@dataclass(frozen=True)
class ExchangeNeed:
    """An exchange to publish to: the setting that holds its name, and its type.

    `schema` is the messages' Avro schema, as a package and a file in it; `listen` reads messages with it. It binds with
    `binding_key`: `#` gets all of a topic exchange.
    """

    setting: str
    schema: tuple[str, str] | None = None
    type: str = "fanout"
    binding_key: str = ""


@dataclass(frozen=True)
class FeedNeed:
    """A feed to follow: the setting that holds its database's URL, and the function that makes the feed of a URL."""

    setting: str
    feed: Callable[[Any], Any]


@dataclass(frozen=True)
class ServiceNeed:
    """Something else that is needed: a queue, a bucket, a folder, a server.

    `what` names it for people. `look` gets the settings, and returns what is worth knowing, in sentences; it raises
    Unavailable or Rejected if something is wrong, and takes nothing away. `settings` are the variables that must be
    given.
    """

    what: str
    look: Callable[[Any], Sequence[str]]
    settings: tuple[str, ...] = ()


Need = DatabaseNeed | ExchangeNeed | FeedNeed | ServiceNeed
