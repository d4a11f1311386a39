"""A channel in memory, for the tests of what is told."""

import threading
import time
from dataclasses import dataclass, field

from janitor.notices.channel import Undelivered
from janitor.notices.content import Content


@dataclass
class Notebook:
    """A channel that keeps what it is told. It raises its `errors` first, one for each notice."""

    name: str = "notebook"
    where: str = "here"
    together: bool = False
    told: list[str] = field(default_factory=list)
    errors: list[Undelivered] = field(default_factory=list)
    hangs: threading.Event = field(default_factory=threading.Event)

    def send(self, content: Content) -> str:
        """Keep one notice."""
        while self.hangs.is_set():
            time.sleep(0.01)
        if self.errors:
            raise self.errors.pop(0)
        self.told += [f"{content.kind} {content.rule}"] if not content.parts else []
        self.told += [" + ".join(f"{one.kind} {one.job}" for one in content.parts)] if content.parts else []
        return ""
