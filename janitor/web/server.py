"""The web server: uvicorn in a thread of its own, beside the clock and never in its way."""

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import uvicorn
from anyio import to_thread
from fastapi import FastAPI

from janitor.errors import BadSetting
from janitor.settings import Settings
from janitor.web.app import make_app
from janitor.web.desk import Desk

log = logging.getLogger(__name__)

HANDLER_THREADS = 8
STOP_SECONDS = 3.0
"""How long requests may take to end when the daemon stops; what goes on after that ends with the process."""


class Server(uvicorn.Server):
    """A uvicorn that sleeps until it is asked to stop, where uvicorn itself looks ten times a second."""

    def __init__(self, app: FastAPI) -> None:
        """Prepare; nothing listens yet."""
        self._app = app
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                forwarded_allow_ips="127.0.0.1,::1",
                timeout_graceful_shutdown=1,
            )
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    async def main_loop(self) -> None:
        """Wait for `ask_to_stop`."""
        self._loop = asyncio.get_running_loop()
        to_thread.current_default_thread_limiter().total_tokens = HANDLER_THREADS
        if not self.should_exit:
            await self._stop.wait()

    def ask_to_stop(self) -> None:
        """Let the server end; from any thread."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._app.state.hub.close()
        self._stop.set()


def bind(settings: Settings) -> socket.socket:
    """The socket on which the dashboard listens.

    Raises:
        BadSetting: the address cannot be had, or is reached from elsewhere and nobody has to sign in.
    """
    host, port = settings.web_host, settings.web_port
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as exc:
        raise BadSetting("WEB_HOST", host, f"give an address of this machine ({exc.strerror})") from exc
    guarded = settings.web_users or settings.web_operator_token or settings.web_viewer_token
    if not guarded and not ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise BadSetting(
            "WEB_HOST",
            host,
            "beyond this machine the dashboard needs WEB_USERS, WEB_OPERATOR_TOKEN or WEB_VIEWER_TOKEN; "
            "`password` makes the hash of a password",
        )
    try:
        listener = socket.create_server(address[:2], family=family, backlog=128)
    except PermissionError as exc:
        raise BadSetting("WEB_PORT", port, "give a port above 1023, which every user may listen on") from exc
    except OSError as exc:
        help_text = f"{host} cannot be listened on there ({exc.strerror}); give another port, or WEB_ENABLED=false"
        raise BadSetting("WEB_PORT", port, help_text) from exc
    # Connections inherit it. Without it each answer but a connection's first waits 40 ms for the browser's packet that
    # confirms its head; asyncio sets it only on sockets that name their protocol, which those of this kind do not.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket) -> str:
    """The URL at which a browser on this machine finds it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def serving(desk: Desk) -> Iterator[str]:
    """Serve the dashboard for the length of a block; its address. Whatever becomes of it, the block goes on.

    Raises:
        BadSetting: as `bind` does.
    """
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    listener = bind(desk.settings)
    address = desk.settings.web_url or address_of(listener)
    server = Server(make_app(desk))
    # A thread that daemons: its handlers' threads are so too, and none of them keeps the process from its end.
    thread = threading.Thread(target=server.run, args=([listener],), name="web", daemon=True)
    thread.start()
    log.info("the dashboard is at %s", address)
    try:
        yield address
    finally:
        server.ask_to_stop()
        thread.join(STOP_SECONDS)
        listener.close()
