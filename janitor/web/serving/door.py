"""The door: it takes every connection, answers probes itself, and hands all others to the server.

    a connection ── asks for nothing ───────────────────> waits: 20 s at most, among 100 at most
                ├── GET /health/live, /health/ready ────> is answered, and closed
                └── anything else, or in several pieces ─> goes to the server

A probe waits for nothing that people or other programs have to wait for: no server that is loaded at the first visit,
no page, no open stream. Whoever kills what does not answer in time must not kill a daemon that is only busy.
"""

import json
import logging
import re
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus

from janitor.loops import Loops
from janitor.runs.forks import keep_from_children
from janitor.web.metrics.probes import Told
from janitor.web.serving.headers import HEADERS, NOT_KEPT

log = logging.getLogger(__name__)

MOST_WAITING = 100
"""How many connections may wait here that ask for nothing. The oldest gives way: a probe asks at once."""
REQUEST_SECONDS = 20.0
"""How long a connection may take to ask for something."""
HEAD_BYTES = 8192
"""How much of a request is looked at. A probe's is far shorter."""
MOST_AT_ONCE = 8
"""How many probes may wait for the state database at once."""
FULL_SECONDS = 1.0
"""How long nobody is let in if this process has no file descriptor left."""
BUSY: Told = (503, {"status": "too many ask at once"})

_PROBE = re.compile(rb"(?P<method>GET|HEAD) (?P<path>/health/\w+)(?:\?\S*)? HTTP/1\.[01]\r\n(?P<rest>.*)\Z", re.DOTALL)
_HOST = re.compile(rb"^host:[ \t]*(\S*)[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
_BODY = re.compile(rb"^(content-length|transfer-encoding|expect):", re.IGNORECASE | re.MULTILINE)


class Door:
    """Takes connections in a thread of its own, from `start` to `stop`."""

    def __init__(
        self,
        listener: socket.socket,
        loops: Loops,
        at_once: Mapping[str, Callable[[], Told]],
        later: Mapping[str, Callable[[], Told]],
        host_is_ours: Callable[[str], bool],
        hand_over: Callable[[socket.socket], None],
    ) -> None:
        """Nothing is taken before `start`.

        `at_once` and `later` tell what probes ask, by their address; `later` may wait, in a thread of its own.
        `hand_over` takes every other connection, from which nothing was read.
        """
        listener.setblocking(False)
        self._listener, self._hand_over, self._host_is_ours = listener, hand_over, host_is_ours
        self._at_once, self._later = at_once, later
        self._wake, self._waker = socket.socketpair()
        for own in (listener, self._wake, self._waker):
            keep(own)
        self._waiting: dict[socket.socket, float] = {}
        self._going_on = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._loop = loops.loop("the door", self._mind)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._loop.start()

    def stop(self, seconds: float) -> None:
        """Take no connection any more, close all that wait, and wait so long for the thread."""
        self._loop.ask_to_stop()
        self._waker.close()
        self._loop.wait(seconds)
        self._listener.close()
        self._wake.close()

    def _mind(self) -> float:
        # It needs no descriptor of its own, as `epoll` does: a child that a task forks has none of it.
        with selectors.PollSelector() as selector:
            for one in (self._listener, self._wake, *self._waiting):
                selector.register(one, selectors.EVENT_READ)
            while not self._loop.is_stopping:
                for key, _ in selector.select(self._patience()):
                    if key.fileobj is self._listener:
                        self._let_in(selector)
                    elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._waiting:
                        self._look(selector, key.fileobj)
                self._turn_away(selector, time.monotonic())
            self._turn_away(selector, float("inf"))
        return FULL_SECONDS

    def _patience(self) -> float | None:
        oldest = next(iter(self._waiting.values()), None)
        return None if oldest is None else max(0.0, oldest - time.monotonic())

    def _let_in(self, selector: selectors.BaseSelector) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError as exc:
            # Whoever asks for nothing gives way.
            if not self._turn_oldest_away(selector):
                log.warning("nobody can be let in: %s", exc.strerror)
                self._loop.sleep(FULL_SECONDS)
            return
        if len(self._waiting) >= MOST_WAITING:
            self._turn_oldest_away(selector)
        connection.setblocking(False)
        self._waiting[keep(connection)] = time.monotonic() + REQUEST_SECONDS
        selector.register(connection, selectors.EVENT_READ)

    def _turn_oldest_away(self, selector: selectors.BaseSelector) -> bool:
        oldest = next(iter(self._waiting), None)
        if oldest is not None:
            self._leave(selector, oldest)
            oldest.close()
        return oldest is not None

    def _turn_away(self, selector: selectors.BaseSelector, now: float) -> None:
        while self._waiting and next(iter(self._waiting.values())) <= now:
            self._turn_oldest_away(selector)

    def _leave(self, selector: selectors.BaseSelector, connection: socket.socket) -> None:
        selector.unregister(connection)
        del self._waiting[connection]

    def _look(self, selector: selectors.BaseSelector, connection: socket.socket) -> None:
        """See what a connection asks for; then it waits here no more."""
        head = b""
        with suppress(OSError):
            head = connection.recv(HEAD_BYTES, socket.MSG_PEEK)
        self._leave(selector, connection)
        probe = _PROBE.match(head)
        if not head:
            connection.close()
        elif probe is None or not self._is_whole(probe["rest"]):
            self._hand_over(connection)
        else:
            self._answer(connection, probe["path"].decode(), len(head), with_body=probe["method"] == b"GET")

    def _is_whole(self, rest: bytes) -> bool:
        """Whether the rest of a request is its headers, all of them, without a body, and it names this machine."""
        host = _HOST.search(rest)
        whole = (b"\r\n" + rest).endswith(b"\r\n\r\n") and rest.find(b"\r\n\r\n") in (-1, len(rest) - 4)
        return whole and not _BODY.search(rest) and self._host_is_ours(host[1].decode("latin-1") if host else "")

    def _answer(self, connection: socket.socket, path: str, size: int, with_body: bool) -> None:
        if path in self._at_once:
            _tell(connection, size, self._at_once[path](), with_body)
        elif path not in self._later:
            self._hand_over(connection)
        elif not self._going_on.acquire(blocking=False):
            _tell(connection, size, BUSY, with_body)
        else:
            args = (connection, path, size, with_body)
            try:
                threading.Thread(target=self._answer_later, args=args, name="probe", daemon=True).start()
            except RuntimeError:  # there is no thread to be had
                self._going_on.release()
                _tell(connection, size, BUSY, with_body)

    def _answer_later(self, connection: socket.socket, path: str, size: int, with_body: bool) -> None:
        try:
            _tell(connection, size, self._later[path](), with_body)
        finally:
            self._going_on.release()
            connection.close()


def keep(own: socket.socket) -> socket.socket:
    """Let no child that a task forks have a socket; gives the socket."""
    return keep_from_children(own, lambda one: [one.fileno()])


def _tell(connection: socket.socket, size: int, told: Told, with_body: bool) -> None:
    """Answer a request of so many bytes, which nobody has read yet, and close the connection."""
    status, found = told
    body = json.dumps(found, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **HEADERS,
        **dict([NOT_KEPT]),
        "Connection": "close",
    }
    lines = (f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {text}" for name, text in headers.items()))
    # What is not read when a connection is closed resets it, and the answer may be lost.
    with suppress(OSError), connection:
        connection.recv(size)
        connection.sendall("\r\n".join((*lines, "", "")).encode("latin-1") + (body if with_body else b""))
