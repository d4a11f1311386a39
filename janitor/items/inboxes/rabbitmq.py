"""Items from a queue of RabbitMQ: a message is acknowledged after its item is committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from janitor.errors import BadSetting
from janitor.items.ends import Message, Take
from janitor.items.inboxes.plain import plain
from janitor.items.inboxes.rounds import Rounds, until_asked_to_stop
from janitor.items.option_checks import check_whole
from janitor.items.reading import Reading, check_reading
from janitor.needs import Need, ServiceNeed
from janitor.settings.settings import Settings

if TYPE_CHECKING:
    from janitor.rabbitmq.existing_queue import Taken

TOGETHER = 500
"""So many messages are committed together at most."""
GATHER_SECONDS = 0.05
"""For so long a batch waits for more messages."""
IDLE_SECONDS = 1.0
MOST_PREFETCH = 65_535
COUNT = "x-delivery-count"
"""The header in which a quorum queue counts how often it has given a message before."""


@dataclass(frozen=True)
class RabbitInbox:
    """A queue of RabbitMQ that exists, classic or quorum; each of its messages becomes an item.

    - `name`: its name in the pipeline.
    - `queue`: the queue's name. The broker is that of RABBITMQ_HOST.
    - `prefetch`: how many messages the broker sends ahead of those acknowledged, 1 to 65,535.
    - `malformed`: what becomes of a message that can be no item. It is a dead letter of the pipeline in any case. Then
      `"letters"` acknowledges it, and `"reject"` gives it to the dead-letter exchange of the queue itself.
    - `reading`: how a message is read. If its `key_field` is empty, the key is the id that the sender gave the message.

    Up to 500 messages are committed together, or those of 50 ms. What was received and not committed, the broker gives
    out again. The item's envelope has `reply_to`, `correlation_id`, `message_id` and `headers` of its message.
    """

    name: str
    queue: str
    prefetch: int = 500
    malformed: Literal["letters", "reject"] = "letters"
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        """Refuse values that no broker takes.

        Raises:
            BadSetting: which, and what would be right.
        """
        if not self.queue or len(self.queue.encode()) > 255:
            raise BadSetting("queue", self.queue, "give the name of a queue, up to 255 bytes")
        if self.malformed not in ("letters", "reject"):
            raise BadSetting("malformed", self.malformed, "give letters or reject")
        check_reading(self.reading)
        check_whole("prefetch", self.prefetch, 1, MOST_PREFETCH)

    @property
    def requires(self) -> Sequence[Need]:
        """The queue: that it is there, and may be read."""
        return (ServiceNeed(f"the queue {self.queue}", self._look, ("RABBITMQ_HOST",)),)

    def receive(self, settings: Settings, take: Take) -> Mapping[str, int]:
        """Receive messages until the run is asked to stop, or its time is over; how many, and what became of them.

        Raises:
            BadSetting, Unavailable, Rejected: the broker is away, or the queue cannot be read.
            JanitorError: as `take` does; the broker gives out again what was not committed.
        """
        # Pika takes a sixth of a second to import.
        from janitor.rabbitmq.existing_queue import reading_queue

        rounds, is_idle = Rounds(), False
        with until_asked_to_stop(), reading_queue(settings, self.queue, self.prefetch) as queue:
            while rounds.go_on(is_idle):
                taken = queue.next(TOGETHER, GATHER_SECONDS, IDLE_SECONDS)
                if is_idle := not taken:
                    continue
                verdicts = take([self._message(one) for one in taken])
                bad = {verdict.message.mark for verdict in verdicts if not verdict.is_item}
                queue.settle(taken, bad if self.malformed == "reject" else ())
                rounds.add(verdicts)
        return rounds.counts

    def _message(self, taken: "Taken") -> Message:
        properties = taken.properties
        headers = dict(properties.headers or {})
        before = headers.pop(COUNT, None)
        # Nothing that differs when a message comes again: who asks twice in the same words is told once.
        kept = {
            "reply_to": properties.reply_to,
            "correlation_id": properties.correlation_id,
            "message_id": properties.message_id,
            "headers": plain(headers) or None,
        }
        return Message(
            taken.body,
            {name: value for name, value in kept.items() if value is not None},
            key=properties.message_id if not self.reading.key_field else None,
            times=1 + (before if isinstance(before, int) else taken.redelivered),
            mark=taken.tag,
        )

    def _look(self, settings: Any) -> Sequence[str]:
        from janitor.rabbitmq.existing_queue import inspect_queue

        waiting, readers = inspect_queue(settings, self.queue)
        also = f", and {readers} read it now" if readers else ""
        return [f"the queue {self.queue} has {waiting:,} messages that wait{also}"]
