"""Items from a queue of Amazon SQS: a message is deleted after its item is committed.

receive      10 a request, several requests together: as many as the server gives, up to 500
hide         no other reader is given them for two minutes: SQS calls it the visibility timeout
commit       all in one transaction
delete       10 a request; what could not be deleted comes again, and is the same item then
"""

import json
import logging
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import chain
from typing import Any

from janitor.databases import make_ahead
from janitor.errors import BadSetting, JanitorError
from janitor.items.aws import asking, client
from janitor.items.ends import Message, Take
from janitor.items.inboxes.plain import plain
from janitor.items.inboxes.rounds import Rounds, until_asked_to_stop
from janitor.items.option_checks import check_whole
from janitor.items.reading import Reading, check_reading
from janitor.needs import Need, ServiceNeed
from janitor.settings.settings import Settings

log = logging.getLogger(__name__)

A_REQUEST = 10
"""SQS gives, and deletes, so many messages in a request at most."""
AT_ONCE = 4
"""So many requests are under way at the same time."""
TOGETHER = 500
GATHER_SECONDS = 0.25
"""For so long a batch is gathered, while the server has more."""
LONGEST_WAIT = 20
LONGEST_HIDDEN = 12 * 3600
GIVE_BACK_SECONDS = 5
"""What could not be committed is given out again after this."""


@dataclass(frozen=True)
class SqsInbox:
    """A queue of Amazon SQS, FIFO or standard; each of its messages becomes an item.

    - `name`: its name in the pipeline.
    - `queue`: the queue's name, or its URL. The server is that of AWS_REGION, or of AWS_ENDPOINT_URL.
    - `wait_seconds`: how long a request waits for a message if the queue is empty, 0 to 20. An inbox that is asked to
      stop ends when its request does. More seconds mean fewer requests of an idle queue, and a later end.
    - `most_receives`: a message that comes more often is a dead letter, and deleted: whoever took it may have died of
      it. Let the queue's own `maxReceiveCount` be larger, if it has one.
    - `hidden_seconds`: for how long a message that was received is given to nobody else. It must be enough to commit a
      batch. If the process dies, what it had received comes again after that.
    - `reading`: how a message is read. If its `key_field` is empty, the key is the id that SQS gave the message.

    The item's envelope has `message_id`, `attributes`, and of a FIFO queue `group_id` and `deduplication_id`. Items are
    taken in the order in which their messages were sent. It needs the extra `aws`.
    """

    name: str
    queue: str
    wait_seconds: int = 1
    most_receives: int = 10
    hidden_seconds: int = 120
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        """Refuse values that SQS does not take.

        Raises:
            BadSetting: which, and what would be right.
        """
        if not self.queue or self.queue.startswith("arn:"):
            raise BadSetting("queue", self.queue, "give the name of a queue, or its URL")
        check_reading(self.reading)
        check_whole("wait_seconds", self.wait_seconds, 0, LONGEST_WAIT)
        check_whole("most_receives", self.most_receives, 1, 1_000)
        check_whole("hidden_seconds", self.hidden_seconds, 10, LONGEST_HIDDEN)

    @property
    def requires(self) -> Sequence[Need]:
        """The queue: that it is there, and may be used."""
        return (ServiceNeed(f"the queue {self.queue}", self._look),)

    def receive(self, settings: Settings, take: Take) -> Mapping[str, int]:
        """Receive messages until the run is asked to stop, or its time is over; how many, and what became of them.

        Raises:
            BadSetting, Unavailable, Rejected: the server is away, the queue is not there, or may not be used.
            JanitorError: as `take` does; SQS gives out again what was not committed.
        """
        rounds, is_idle = Rounds(), False
        with until_asked_to_stop(), self._opened(settings) as queue:
            while rounds.go_on(is_idle):
                received = queue.receive(self.wait_seconds, self.hidden_seconds)
                if is_idle := not received:
                    continue
                with queue.given_back_if_it_fails(received):
                    verdicts = take([self._message(one) for one in received])
                queue.delete(received)
                rounds.add(verdicts)
        return rounds.counts

    @contextmanager
    def _opened(self, settings: Settings) -> Iterator["_Queue"]:
        with closing(client(settings, "sqs", f"the inbox {self.name}")) as sqs:
            where, url = f"the queue {self.queue}", self.queue
            if not url.startswith(("http://", "https://")):
                with asking(where):
                    url = sqs.get_queue_url(QueueName=self.queue)["QueueUrl"]
            yield _Queue(sqs, url, where)

    def _message(self, received: Mapping[str, Any]) -> Message:
        told = received.get("Attributes", {})
        times, sent = int(told.get("ApproximateReceiveCount", 1)), told.get("SentTimestamp")
        # Nothing that differs when a message comes again: who asks twice in the same words is told once.
        kept = {
            "message_id": received["MessageId"],
            "group_id": told.get("MessageGroupId"),
            "deduplication_id": told.get("MessageDeduplicationId"),
            "attributes": {name: _value(one) for name, one in received.get("MessageAttributes", {}).items()} or None,
        }
        facts: dict[str, Any] = {
            "body": received["Body"].encode("utf-8", "surrogatepass"),
            "envelope": {name: value for name, value in kept.items() if value is not None},
            "key": received["MessageId"] if not self.reading.key_field else None,
            "times": times,
            "order_at": None if sent is None else datetime.fromtimestamp(int(sent) / 1000, timezone.utc),
        }
        if times > self.most_receives:
            return Message(**facts, refused=f"it came {times} times, and {self.most_receives} times are taken at most")
        return Message(**facts)

    def _look(self, settings: Any) -> Sequence[str]:
        with self._opened(settings) as queue:
            told = queue.attributes()
        kind = "FIFO" if told.get("FifoQueue") == "true" else "standard"
        waiting, hidden = told.get("ApproximateNumberOfMessages"), told.get("ApproximateNumberOfMessagesNotVisible")
        found = [
            f"the queue {self.queue} ({kind}) has about {waiting} messages that wait, and {hidden} that were received"
        ]
        most = _most_receives_of(told.get("RedrivePolicy"))
        if most is not None and most <= self.most_receives:
            found.append(
                f"the queue {self.queue} gives a message to its own dead-letter queue after {most} receives, before "
                f"most_receives ({self.most_receives}) makes it a dead letter here: let one of the two be larger"
            )
        return found


class _Queue:
    """A queue at a server; `where` names it in errors."""

    def __init__(self, sqs: Any, url: str, where: str) -> None:
        self._sqs, self._url, self._where = sqs, url, where
        self._is_fifo = url.endswith(".fifo")

    def receive(self, wait_seconds: int, hidden_seconds: int) -> list[Mapping[str, Any]]:
        """Wait for messages, and take what else the server has at once."""
        received = self._request(wait_seconds, hidden_seconds)
        until, has_more = time.monotonic() + GATHER_SECONDS, len(received) == A_REQUEST
        while has_more and len(received) < TOGETHER and time.monotonic() < until:
            # All of them are awaited: what a request has taken is hidden from everybody else.
            more = list(make_ahead(lambda _: self._request(0, hidden_seconds), range(AT_ONCE), AT_ONCE))
            received += chain.from_iterable(more)
            has_more = any(len(some) == A_REQUEST for some in more)
        return received

    def _request(self, wait_seconds: int, hidden_seconds: int) -> list[Mapping[str, Any]]:
        # A request whose answer was lost is sent again, and a FIFO queue gives the same messages.
        attempt = {"ReceiveRequestAttemptId": uuid.uuid4().hex} if self._is_fifo else {}
        with asking(self._where):
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=A_REQUEST,
                WaitTimeSeconds=wait_seconds,
                VisibilityTimeout=hidden_seconds,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
                **attempt,
            )
        return list(answer.get("Messages", []))

    def delete(self, received: Sequence[Mapping[str, Any]]) -> None:
        """Delete messages; what cannot be deleted is logged, and comes again."""
        failed = chain.from_iterable(make_ahead(self._delete, _by_ten(received), AT_ONCE))
        if reasons := sorted({str(one.get("Message") or one.get("Code")) for one in failed}):
            log.warning("%s does not delete some messages, so they come again: %s", self._where, "; ".join(reasons))

    def _delete(self, received: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        entries = [{"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]} for at, one in enumerate(received)]
        with asking(self._where):
            answer = self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
        return list(answer.get("Failed", []))

    @contextmanager
    def given_back_if_it_fails(self, received: Sequence[Mapping[str, Any]]) -> Iterator[None]:
        """Let other readers have messages soon if the block fails, as far as the server still answers."""
        is_done = False
        try:
            yield
            is_done = True
        finally:
            if not is_done:
                self._give_back(received)

    def _give_back(self, received: Sequence[Mapping[str, Any]]) -> None:
        try:
            for some in _by_ten(received):
                entries = [
                    {"Id": str(at), "ReceiptHandle": one["ReceiptHandle"], "VisibilityTimeout": GIVE_BACK_SECONDS}
                    for at, one in enumerate(some)
                ]
                with asking(self._where):
                    self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
        except JanitorError as exc:
            log.info("what was received comes again when its time is over: %s", exc)

    def attributes(self) -> Mapping[str, str]:
        """What the server tells of the queue."""
        with asking(self._where):
            found: Mapping[str, str] = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["All"])[
                "Attributes"
            ]
        return found


def _by_ten(received: Sequence[Mapping[str, Any]]) -> list[Sequence[Mapping[str, Any]]]:
    return [received[at : at + A_REQUEST] for at in range(0, len(received), A_REQUEST)]


def _value(attribute: Mapping[str, Any]) -> Any:
    return attribute["StringValue"] if "StringValue" in attribute else plain(attribute.get("BinaryValue"))


def _most_receives_of(policy: str | None) -> int | None:
    try:
        return int(json.loads(policy or "{}")["maxReceiveCount"])
    except (ValueError, KeyError, TypeError):
        return None
