"""The parts of uvicorn that it does not promise to keep, and what Janitor does with them.

`Connection` extends uvicorn's protocol, because no setting limits connections that ask for nothing: `limit_concurrency`
lets them in and answers 503 when they ask. Each would hold a file descriptor, and tasks need descriptors too.
Paid for by `test_whoever_only_connects_takes_no_place_from_tasks`.

`SleepingServer` replaces uvicorn's `main_loop`, which wakes ten times a second to look whether it should exit.
Paid for by the benchmark `idle daemon, share of a core`: an idle daemon must take 0.5 % of a core or less.

It also takes connections that the door has let in, and makes their protocols as uvicorn's `startup` does: uvicorn would
listen itself. Paid for by `test_probes_need_no_server`.

`tests/web/serving/test_uvicorn_private.py` fails if uvicorn changes any of this.
"""

import asyncio
import collections
import functools
import socket
from contextlib import suppress
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from janitor.runs.forks import keep_from_children

MOST_CONNECTIONS = 250
"""How many connections may be open; a further one is closed at once."""
REQUEST_SECONDS = 20.0
"""How long a new connection may take to ask for something."""


class Connection(H11Protocol):
    """A connection that is closed at once if there are too many, and soon if it asks for nothing."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a new connection."""
        super().connection_made(transport)
        keep_from_children(self, _sockets_of)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None:
            self.transport.abort()


def _sockets_of(connection: Connection) -> list[int]:
    return [connection.transport.get_extra_info("socket").fileno()]


class SleepingServer(uvicorn.Server):
    """A uvicorn that sleeps until `wake`."""

    def __init__(self, config: uvicorn.Config) -> None:
        """Prepare; nothing listens yet."""
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._taken: collections.deque[socket.socket] = collections.deque()
        self._connecting: set[asyncio.Task[None]] = set()

    def take(self, connection: socket.socket) -> None:
        """Serve a connection from which nothing was read; from any thread, before it serves too."""
        self._taken.append(connection)
        with suppress(RuntimeError):  # the loop has ended
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._welcome)

    def turn_away(self) -> None:
        """Close the connections that it has taken and will not serve any more."""
        with suppress(IndexError):
            while True:
                self._taken.popleft().close()

    async def main_loop(self) -> None:
        """Wait until the server is to exit."""
        self._loop = asyncio.get_running_loop()
        self._welcome()
        if not self.should_exit:
            await self._stop.wait()

    def _welcome(self) -> None:
        with suppress(IndexError):
            while self._loop is not None:
                task = self._loop.create_task(self._connect(self._loop, self._taken.popleft()))
                self._connecting.add(task)
                task.add_done_callback(self._connecting.discard)

    async def _connect(self, loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
        made: Any = self.config.http_protocol_class
        protocol = functools.partial(
            made, config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        try:
            await loop.connect_accepted_socket(protocol, connection)
        except OSError:
            connection.close()

    def wake(self) -> None:
        """Let the server exit; from any thread."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
