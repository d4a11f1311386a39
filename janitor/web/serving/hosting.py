"""uvicorn as the daemon hosts it: quiet, asleep while nobody asks, with no more connections than it can do with."""

import asyncio
import logging
import socket

import uvicorn
from anyio import to_thread
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

HANDLER_THREADS = 8
MOST_CONNECTIONS = 250
"""Each takes a file descriptor, of which the tasks need some too; whoever comes then is turned away."""
REQUEST_SECONDS = 20.0
"""How long a new connection may take to ask for something."""
CLOSE_SECONDS = 1
"""How long requests may go on when the daemon stops."""


class Connection(H11Protocol):
    """A connection that is closed at once where there are too many, and soon where it asks for nothing."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a new connection."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None:
            self.transport.abort()


class Server(uvicorn.Server):
    """A uvicorn that sleeps until it is asked to stop, where uvicorn itself looks ten times a second."""

    def __init__(self, app: FastAPI) -> None:
        """Prepare; nothing listens yet."""
        self._app = app
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            forwarded_allow_ips="127.0.0.1,::1",
            timeout_graceful_shutdown=CLOSE_SECONDS,
        )
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    def host(self, listener: socket.socket) -> None:
        """Serve on a socket that listens, until `ask_to_stop`."""
        self.run(sockets=[listener])

    async def main_loop(self) -> None:
        """Wait for `ask_to_stop`."""
        self._loop = asyncio.get_running_loop()
        to_thread.current_default_thread_limiter().total_tokens = HANDLER_THREADS
        if not self.should_exit:
            await self._stop.wait()

    def ask_to_stop(self) -> None:
        """Let the server end, and every stream before it; from any thread."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._app.state.hub.close()
        self._stop.set()
