"""uvicorn as the daemon hosts it: quiet, asleep until somebody asks, with a limit of connections."""

import logging

import uvicorn
from anyio import to_thread
from fastapi import FastAPI

from janitor.web.serving.uvicorn_private import Connection, SleepingServer

HANDLER_THREADS = 8
CLOSE_SECONDS = 1
"""How long requests may go on when the daemon stops."""


class Server(SleepingServer):
    """The server of one application."""

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

    def host(self) -> None:
        """Serve the connections that it takes, until `ask_to_stop`."""
        try:
            self.run(sockets=[])
        finally:
            self.turn_away()

    async def main_loop(self) -> None:
        """Wait for `ask_to_stop`; then close every stream."""
        to_thread.current_default_thread_limiter().total_tokens = HANDLER_THREADS
        await super().main_loop()
        self._app.state.hub.close()

    def ask_to_stop(self) -> None:
        """Let every stream end, and then the server; from any thread."""
        self.wake()
