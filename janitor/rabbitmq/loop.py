"""pika's event loop, turned by hand: one turn at a time, in the calling thread."""

import os
import socket
from contextlib import suppress
from typing import Any

from pika.adapters.select_connection import IOLoop

from janitor.runs.forks import keep_from_children


class Loop(IOLoop):
    """An event loop that runs only inside `turn`, and that can cut the connections it watches."""

    def __init__(self) -> None:
        super().__init__()
        self._watched: set[int] = set()
        self.activate_poller()
        keep_from_children(self, lambda loop: tuple(loop._watched))

    def add_handler(self, fd: int, handler: Any, events: int) -> None:
        """As pika's, and remember the socket."""
        self._watched.add(fd)
        super().add_handler(fd, handler, events)

    def remove_handler(self, fd: int) -> None:
        """As pika's, and forget the socket."""
        self._watched.discard(fd)
        super().remove_handler(fd)

    def turn(self, seconds: float) -> None:
        """Let pika do what is due; wait for the network this long at most."""
        timer = self.call_later(seconds, _nothing)
        self.poll()
        self.process_timeouts()
        self.remove_timeout(timer)

    def cut(self) -> None:
        """End the connections without asking the other side; pika notices in the next turn."""
        for fd in self._watched:
            # A double of the socket, since the socket itself is pika's to close.
            with suppress(OSError), socket.socket(fileno=os.dup(fd)) as double:
                double.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Free what the loop holds; it cannot be used again."""
        self.deactivate_poller()
        super().close()


def _nothing() -> None:
    """For a timer that only ends a wait."""
