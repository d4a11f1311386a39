"""The web server beside the clock, in a thread of its own. It listens from the start; it is made at the first visit.

Until then the daemon's start does not wait for it, and the daemon does without the memory that it takes. A server that
breaks is made anew.
"""

import logging
import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING

from janitor.errors import BadSetting
from janitor.runs.forks import keep_from_children
from janitor.settings.settings import Settings
from janitor.web.desk import Desk
from janitor.web.metrics import counters

if TYPE_CHECKING:
    from janitor.web.serving.hosting import Server

log = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0
"""How soon a server that ended by itself is made anew."""
STOP_SECONDS = 3.0
"""How long the server may take to end with the daemon. What still goes on then ends with the process."""


class Host:
    """Waits for the first visitor, then serves."""

    def __init__(self, desk: Desk, listener: socket.socket) -> None:
        """Nothing is started yet. It is a daemon thread, and so are its handlers' threads: none holds up the exit."""
        self._loop = desk.runner.loops.loop("web", self._serve)
        self._desk, self._listener = desk, listener
        self._wake, self._waker = socket.socketpair()
        for own in (listener, self._wake, self._waker):
            _keep(own)
        self._server: Server | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        # Counted from the start on: the counts must not depend on when somebody first asks.
        self._counted = counters.watch(desk)

    def start(self) -> None:
        """Serve until `stop`, in a thread of its own."""
        self._loop.start()

    def _serve(self) -> float:
        select.select([self._listener, self._wake], [], [])
        with ExitStack() as if_it_breaks:
            if_it_breaks.callback(self._turn_away)
            if server := self._made():
                # A server closes its socket when it ends, and the next server needs a socket too.
                server.host(_keep(self._listener.dup()))
            if_it_breaks.pop_all()
        return AGAIN_SECONDS

    def _turn_away(self) -> None:
        """Close the connections that nobody will answer."""
        while select.select([self._listener], [], [], 0)[0]:
            self._listener.accept()[0].close()

    def stop(self) -> None:
        """Let it end, and wait up to 3 seconds for that."""
        with self._lock:
            self._stopped.set()
            server = self._server
        if server is not None:
            server.ask_to_stop()
        self._loop.ask_to_stop()
        self._waker.close()
        self._loop.wait(STOP_SECONDS)
        self._listener.close()
        self._wake.close()

    def _made(self) -> "Server | None":
        if self._stopped.is_set():
            return None
        from janitor.web.serving.app import make_app
        from janitor.web.serving.hosting import Server

        server = Server(make_app(self._desk, self._counted))
        with self._lock:
            self._server = server
            return None if self._stopped.is_set() else server


def _keep(own: socket.socket) -> socket.socket:
    """Let no child that a task forks have a socket."""
    return keep_from_children(own, lambda one: [one.fileno()])


def bind(settings: Settings) -> socket.socket:
    """The socket on which the dashboard listens.

    Raises:
        BadSetting: nobody can listen at this address; or other machines reach it, and nobody has to sign in.
    """
    host, port = settings.web_host, settings.web_port
    family, address = guarded_address(settings)
    try:
        listener = socket.create_server(address, family=family, backlog=128)
    except OSError as exc:
        why = os.strerror(exc.errno).lower() if exc.errno else str(exc)
        help_text = f"nobody can listen there on {host} ({why}); give another port, 0 for any, or WEB_ENABLED=false"
        raise BadSetting("WEB_PORT", port, help_text) from exc
    # Connections inherit it. Without it each answer but a connection's first waits 40 ms for the browser's packet that
    # confirms its head. asyncio sets it only on sockets that name their protocol; these do not.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def guarded_address(settings: Settings) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """Where the dashboard is to listen; nothing is opened.

    Raises:
        BadSetting: this is no address; or other machines reach it, and nobody has to sign in.
    """
    family, address = _address(settings.web_host, settings.web_port)
    _must_be_guarded(settings, address[0])
    return family, address


def address_of(listener: socket.socket) -> str:
    """The URL at which a browser on this machine finds it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def serving(desk: Desk) -> Iterator[str]:
    """Serve the dashboard for the length of a block, and give its address. If the server breaks, the block goes on.

    Raises:
        BadSetting: as `bind` does.
    """
    listener = bind(desk.settings)
    address = desk.settings.web_url or address_of(listener)
    host = Host(desk, listener)
    host.start()
    log.info("the dashboard is at %s", address)
    try:
        yield address
    finally:
        host.stop()


def _address(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError) as exc:
        raise BadSetting("WEB_HOST", host, "give an address of this machine, such as 127.0.0.1 or 0.0.0.0") from exc
    return family, (str(address[0]), int(address[1]))


def _must_be_guarded(settings: Settings, address: str) -> None:
    guarded = settings.web_users or settings.web_operator_token or settings.web_viewer_token
    if not guarded and not ip_address(address.partition("%")[0]).is_loopback:
        raise BadSetting(
            "WEB_HOST",
            settings.web_host,
            "beyond this machine the dashboard needs WEB_USERS, WEB_OPERATOR_TOKEN or WEB_VIEWER_TOKEN; "
            "the verb `password` makes the hash of a password",
        )
