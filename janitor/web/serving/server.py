"""The web server beside the clock. The door listens from the start; the server is made for the first visitor.

    door      takes every connection, and answers probes          a thread of its own
    visitors  wait until the server is made
    server    serves them                                         a thread of its own, from the first visitor on

Until then the daemon does without the memory that it takes. If somebody visited lately, the server is made ahead, once
the daemon leads or stands by, and what the first page needs is warmed: that page comes at once, and the daemon's start
waits for neither. A server that breaks is made anew for the next visitor.
"""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING

from janitor.engine.allocator import set_aside
from janitor.errors import BadSetting
from janitor.settings.settings import Settings
from janitor.web.access.hosts import host_is_ours, is_open
from janitor.web.desk import Desk
from janitor.web.metrics import counters, probes
from janitor.web.serving.door import Door
from janitor.web.serving.visits import Visits

if TYPE_CHECKING:
    from janitor.web.serving.hosting import Server

log = logging.getLogger(__name__)

MOST_VISITORS = 100
"""How many visitors wait while the server is made; further ones are turned away."""
LOOK_SECONDS = 0.25
"""How often a server that is made ahead looks whether the daemon leads or stands by."""
STOP_SECONDS = 2.0
"""How long the server may take to end with the daemon. What still goes on then ends with the process."""


class Host:
    """Makes a server for the first visitor, or ahead of that visitor, and serves."""

    def __init__(self, desk: Desk, listener: socket.socket) -> None:
        """Nothing is started yet. Its threads are daemon threads, and so are its handlers': none holds up the exit."""
        loops = desk.runner.loops
        # Counted from the start on: the counts must not depend on when somebody first asks.
        self._desk, self._counted = desk, counters.watch(desk)
        at_once = {"/health/live": partial(probes.live, desk)}
        later = {"/health/ready": partial(probes.ready, desk, self._counted.vitals)}
        is_ours = partial(host_is_ours, desk.settings)
        self._door = Door(listener, loops, at_once, later, is_ours, hand_over=self._take)
        self._visits = Visits(desk.settings.heartbeat_file)
        self._ahead, self._visited = self._visits.are_recent, False
        self._loop = loops.loop("web", self._serve, first=0.0 if self._ahead else None)
        self._warming = loops.duty("warming the dashboard", self._warm)
        self._visitors: list[socket.socket] = []
        self._server: Server | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Serve until `stop`, in threads of its own."""
        self._door.start()
        self._loop.start()

    def stop(self) -> None:
        """Let it end, and wait up to 2 seconds for that."""
        self._loop.ask_to_stop()
        with self._lock:
            if self._server is not None:
                self._server.ask_to_stop()
        self._door.stop(STOP_SECONDS / 3)
        self._loop.wait(STOP_SECONDS * 2 / 3)
        self._turn_away()
        if self._visited:
            self._visits.note()

    def _take(self, connection: socket.socket) -> None:
        """Serve a visitor, or let it wait until the server is made."""
        self._visited = True
        with self._lock:
            if self._server is not None:
                self._server.take(connection)
            elif len(self._visitors) < MOST_VISITORS:
                self._visitors.append(connection)
            else:
                connection.close()
        self._loop.wake()

    def _serve(self) -> float | None:
        """Make a server for the visitors that wait, or ahead of the first, and serve until it ends."""
        if not self._visitors:
            if not self._ahead:
                return None
            if not self._desk.daemon.keeper.begun:
                return LOOK_SECONDS
        else:
            self._visits.note()
        ahead, self._ahead = self._ahead, False
        with ExitStack() as at_the_end:
            at_the_end.callback(self._turn_away)
            server = self._made()
            if ahead:
                # Beside the server: whoever comes meanwhile is served.
                threading.Thread(target=self._warming.do, name=self._warming.name, daemon=True).start()
            server.host()
        return None

    def _made(self) -> "Server":
        from janitor.web.serving.app import make_app
        from janitor.web.serving.hosting import Server

        server = Server(make_app(self._desk, self._counted))
        with self._lock:
            self._server = server
            for visitor in self._visitors:
                server.take(visitor)
            self._visitors.clear()
            if self._loop.is_stopping:
                server.ask_to_stop()
        return server

    def _warm(self) -> None:
        """Do what the first page would have to do."""
        from janitor.web.serving import warming

        for _ in warming.steps(self._desk):
            if self._loop.is_stopping:
                return
        set_aside()
        log.info("the dashboard is loaded")

    def _turn_away(self) -> None:
        """Close the connections that nobody will answer."""
        with self._lock:
            if self._server is not None:
                self._server.turn_away()
            self._server = None
            for visitor in self._visitors:
                visitor.close()
            self._visitors.clear()


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
    if is_open(settings) and not ip_address(address.partition("%")[0]).is_loopback:
        raise BadSetting(
            "WEB_HOST",
            settings.web_host,
            "beyond this machine the dashboard needs WEB_USERS, WEB_OPERATOR_TOKEN or WEB_VIEWER_TOKEN; "
            "the verb `password` makes the hash of a password",
        )
