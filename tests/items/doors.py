"""Both ends of a pipeline in a test: an inbox on a queue in memory, and a way of replying that keeps what is sent."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from janitor.errors import Unavailable
from janitor.items import Reading
from janitor.items.ends import Answer, Message, Take
from janitor.needs import Need
from janitor.runs import current_run
from janitor.settings import Settings


class Queue:
    """An inbox: a message comes again until it is taken off, after it was committed."""

    name = "queue"
    requires: Sequence[Need] = ()
    reading = Reading(secret_fields=("token",), timeout_field="timeout", most_bytes=1_000)

    def __init__(self, *bodies: Any) -> None:
        self.left = [
            Message(body if isinstance(body, bytes) else json.dumps(body).encode(), {"to": f"asker {number}"})
            for number, body in enumerate(bodies)
        ]
        self.falls: list[str] = []
        """What befalls it between the commit and the moment in which messages are taken off."""

    def receive(self, settings: Settings, take: Take) -> Mapping[str, int] | None:
        while True:
            batch = self.left[:3]
            take(batch)
            if self.falls:
                raise Unavailable(self.falls.pop())
            del self.left[: len(batch)]
            current_run().sleep(0.02)


class Way:
    """A way of replying: what is sent is kept, unless it is told to raise."""

    name, beat_seconds = "mail", 0.0
    requires: Sequence[Need] = ()

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.opened = self.closed = 0
        self.do: Callable[[Answer], object] = lambda answer: None

    def open(self, settings: Settings) -> "Way":
        self.opened += 1
        return self

    def send(self, answer: Answer) -> None:
        self.do(answer)
        self.answers.append(answer)

    def beat(self, answer: Any) -> None:
        raise AssertionError("nothing beats here")

    def close(self) -> None:
        self.closed += 1

    @property
    def keys(self) -> list[str]:
        """Whom was answered, in order."""
        return [answer.key for answer in self.answers]
