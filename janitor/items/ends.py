"""The ends of a pipeline: where items come from, who is told, and where results are kept; each by its protocol.

Inbox    `receive` runs for as long as its run may, and hands over batches of messages
Reply    `send` tells one who asked what came of an item
Store    `put` keeps a result under an item's key, `find` tells whether one is there
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from janitor.needs import Need
from janitor.settings.settings import Settings


@dataclass(frozen=True)
class Message:
    """A message as an inbox got it, before it is looked at.

    `body` is what came. `envelope` says whom to answer, and what else is to be kept of how it came. `key` is the
    item's key if the inbox knows it; else it is looked for in the body. `times` is how often it came. `refused` is the
    reason if the inbox knows that it can be no item: it came too often, for example.
    """

    body: bytes
    envelope: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    times: int = 1
    order_at: datetime | None = None
    mark: Any = None
    refused: str = ""


@dataclass(frozen=True)
class Verdict:
    """What became of a message: an item, or a dead letter with its reason."""

    message: Message
    reason: str | None = None

    @property
    def is_item(self) -> bool:
        """Whether it is an item now."""
        return self.reason is None


Take = Callable[[Sequence[Message]], Sequence[Verdict]]
"""Makes items of messages, committed when it returns; what is no item is a dead letter then, committed too."""


class Inbox(Protocol):
    """Where items come from."""

    @property
    def name(self) -> str:
        """Its name in its pipeline."""

    @property
    def requires(self) -> Sequence[Need]:
        """What it needs from outside; `check` looks at it."""

    def receive(self, settings: Settings, take: Take) -> Mapping[str, int] | None:
        """Receive messages in the current run until it is asked to stop, or its time is over; its counts.

        A message may be taken off its queue only after `take` has returned.

        Raises:
            JanitorError: the other side is away, or says no; the run fails, and the next goes on.
        """


@dataclass(frozen=True)
class Answer:
    """What is told of an item that has ended, or of a message that became none.

    `status` is the worst of its steps; `kind` that status's. `results` are JSON values by step. `is_late` says that it
    was over its time. `id` is the same each time that this reply is sent. `content` is the result that lies in the
    store: where it is, and its bytes if they are few.
    """

    id: str
    pipeline: str
    key: str
    status: str
    kind: str
    reason: str | None
    code: str | None
    is_late: bool
    args: Mapping[str, Any]
    results: Mapping[str, Any]
    envelope: Mapping[str, Any]
    ended_at: datetime
    content: "Place | None" = None


class Place(Protocol):
    """A result that lies in a store."""

    @property
    def address(self) -> str:
        """Where it lies, for people and programs."""

    def read(self, most: int) -> bytes | None:
        """Its bytes; None if it has more than `most`."""


class Sender(Protocol):
    """A connection by which replies are sent, for the length of one run."""

    def send(self, answer: Answer) -> None:
        """Send one reply, and return once the other side has it.

        Raises:
            Skip: nobody is to be told by this way; the reason is kept.
            Unavailable: it may go another time.
            Rejected: it can never go: it is given up.
        """

    def beat(self, answer: Mapping[str, Any]) -> None:
        """Tell that an item is at a stage, if the other side listens; nothing is kept, and nothing fails."""

    def close(self) -> None:
        """End the connection."""


class Reply(Protocol):
    """Who is told what came of an item."""

    @property
    def name(self) -> str:
        """Its name in its pipeline."""

    @property
    def requires(self) -> Sequence[Need]:
        """What it needs from outside; `check` looks at it."""

    @property
    def beat_seconds(self) -> float:
        """How often it is told of an item that is computed; 0 for never."""

    def open(self, settings: Settings) -> Sender:
        """Connect."""


class Store(Protocol):
    """Where results are kept, under the keys of items."""

    @property
    def requires(self) -> Sequence[Need]:
        """What it needs from outside; `check` looks at it."""

    def find(self, settings: Settings, pipeline: str, key: str) -> Place | None:
        """The result of a key, if one is there that is not empty."""

    def put(self, settings: Settings, pipeline: str, key: str, content: bytes, tags: Mapping[str, str]) -> Place:
        """Keep a result; it is there as a whole, or not at all. Doing it twice is harmless.

        Raises:
            Unavailable, Rejected: it cannot be kept.
        """
