"""A compute worker over HTTP for the tests: it can be told to hang, to die, to answer slowly, wrongly or by half.

worker.next = [hang, answers(503)]     what it does with the next requests; then it answers well
worker.requests                        what it got, in order
worker.is_healthy.clear()              GET /health says 503
with worker.stopped(): ...             nobody listens, and every connection is cut
"""

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers.process import free_port

HEALTH = "/health"
SHORT_SECONDS = 0.02


@dataclass(frozen=True)
class Asked:
    """A request as the worker got it; `headers` have their names in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body, read as JSON."""
        return json.loads(self.body)


class Talk:
    """One connection, as a behaviour uses it."""

    def __init__(self, asked: Asked, handler: BaseHTTPRequestHandler, is_over: threading.Event) -> None:
        self.asked, self._handler, self.is_over = asked, handler, is_over

    def send(self, data: bytes) -> bool:
        """Send bytes as they are; whether the other side is still there."""
        try:
            self._handler.wfile.write(data)
        except OSError:
            return False
        return True

    def cut(self) -> None:
        """End the connection with a reset, as the end of a process does."""
        sock = self._handler.connection
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def answer(self, status: int, body: bytes, more: str = "", length: int | None = None) -> None:
        """Send an answer; `length` is what it says of its body's length, if that is not the truth."""
        size = len(body) if length is None else length
        self.send(f"HTTP/1.1 {status} So\r\nContent-Length: {size}\r\n{more}Connection: close\r\n\r\n".encode() + body)


Behaviour = Callable[[Talk], None]


def well(talk: Talk) -> None:
    """Answer with what was asked."""
    talk.answer(200, json.dumps({"computed": json.loads(talk.asked.body or b"null")}).encode())


def hang(talk: Talk) -> None:
    """Say nothing until the worker is closed."""
    talk.is_over.wait()


def die(talk: Talk) -> None:
    """Cut the connection once the request was read."""
    talk.cut()


def drip(talk: Talk) -> None:
    """Send an answer a byte at a time, for ever."""
    talk.send(b"HTTP/1.1 200 So\r\nContent-Length: 1000000\r\n\r\n")
    while not talk.is_over.wait(SHORT_SECONDS) and talk.send(b" "):
        pass


def drip_headers(talk: Talk) -> None:
    """Send headers a byte at a time, for ever."""
    talk.send(b"HTTP/1.1 200 So\r\nX-Long: ")
    while not talk.is_over.wait(SHORT_SECONDS) and talk.send(b"x"):
        pass


def piece_by_piece(count: int) -> Behaviour:
    """Answer with so many blanks, one at a time."""

    def behave(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 So\r\nContent-Length: %d\r\n\r\n" % count)
        for _ in range(count):
            talk.is_over.wait(SHORT_SECONDS)
            talk.send(b" ")

    return behave


def half(talk: Talk) -> None:
    """Send half of an answer."""
    talk.answer(200, b'{"computed": [1, 2', length=1000)


def half_in_chunks(talk: Talk) -> None:
    """Send half of an answer, in chunks."""
    talk.send(b'HTTP/1.1 200 So\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"computed": [1,\r\n')


def slowly(seconds: float) -> Behaviour:
    """Answer well after some seconds."""

    def behave(talk: Talk) -> None:
        talk.is_over.wait(seconds)
        well(talk)

    return behave


def answers(status: int, body: Any = None, more: str = "") -> Behaviour:
    """Answer with a status and a body: JSON, or bytes as they are."""

    def behave(talk: Talk) -> None:
        talk.answer(status, body if isinstance(body, bytes) else json.dumps(body).encode(), more)

    return behave


@dataclass
class ComputeWorker:
    """A compute worker on a port of its own, in a thread of this process."""

    port: int = field(default_factory=free_port)
    next: list[Behaviour] = field(default_factory=list)
    requests: list[Asked] = field(default_factory=list)
    is_healthy: threading.Event = field(default_factory=threading.Event)
    looks: int = 0
    """How often its health was asked for."""
    on_health: Callable[[int], object] = lambda looks: None
    """Called with that number each time."""
    tls: ssl.SSLContext | None = None
    _is_over: threading.Event = field(default_factory=threading.Event)
    _server: Any = None
    _open: set[socket.socket] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}" if self.tls is None else f"https://localhost:{self.port}"

    @contextmanager
    def open(self) -> Iterator["ComputeWorker"]:
        """Listen during the block."""
        self.is_healthy.set()
        self.start()
        try:
            yield self
        finally:
            self.stop()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Listen no more during the block, and cut every connection."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def start(self) -> None:
        """Begin to listen."""
        self._is_over.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self._server.daemon_threads = True
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(SHORT_SECONDS,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more, and cut every connection."""
        self._is_over.set()
        self._server.shutdown()
        self._server.server_close()
        for sock in list(self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        worker = self

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                worker._open.add(self.request)
                super().setup()

            def finish(self) -> None:
                worker._open.discard(self.request)
                with suppress(OSError, ValueError):
                    super().finish()

            def do_GET(self) -> None:
                self._do()

            def do_POST(self) -> None:
                self._do()

            def do_PUT(self) -> None:
                self._do()

            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, body)
                worker._behave(Talk(asked, self, worker._is_over))
                self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                """Log nothing."""

        return Handler

    def _behave(self, talk: Talk) -> None:
        if talk.asked.path == HEALTH:
            self.looks += 1
            self.on_health(self.looks)
            talk.answer(200 if self.is_healthy.is_set() else 503, b"")
            return
        self.requests.append(talk.asked)
        behave = self.next.pop(0) if self.next else well
        behave(talk)


def late_start(worker: ComputeWorker, seconds: float) -> threading.Thread:
    """Start a worker after some seconds, in a thread that is returned."""

    def act() -> None:
        time.sleep(seconds)
        worker.is_healthy.set()
        worker.start()

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread
