"""Requests to other people's servers: bounded in time, TLS verified, no redirect followed, each tried once.

urllib3 is the one HTTP client of the house. It is maintained and has releases. It has timeouts, retries, TLS and
proxies, and needs no other package. sentry-sdk needs it anyway, and so does boto3. httpx has had no release since
December 2024.

`Client.post` sends and wants a yes; `Client.ask` brings a server's whole answer. A server can hold up each read of a
socket by a byte now and then. So `ask` bounds all of them together:

    the socket of each connection is a `_BoundedSocket`, which does what a socket does
    before each read it waits until there is something to read, a fifth of a second at a time
    meanwhile it looks: is the time over? does the caller want to go on?
"""

import io
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    LocationParseError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import parse_url, wait_for_read

from janitor.errors import JanitorError

__all__ = ["Bounds", "Client", "RequestFailed", "Response", "Server", "server_of"]

MOST_BYTES_TOLD = 300
"""How much of a server's answer stands in an error."""
LOOK_SECONDS = 0.2
"""How often a caller is asked whether to go on, while an answer is awaited."""
PIECE_BYTES = 65_536
LEAST_SECONDS, MOST_SECONDS = 0.001, 1e6
"""What a socket takes as a limit."""
PORTS = {"http": 80, "https": 443}


class RequestFailed(JanitorError):
    """Raised when a server refused a request, or did not answer; `status` is its answer's, 0 without an answer.

    `is_unsent` says that no connection came about, so the server knows nothing of the request.
    """

    def __init__(self, reason: str, status: int = 0, is_unsent: bool = False) -> None:
        self.status, self.is_unsent = status, is_unsent
        super().__init__(reason)


@dataclass(frozen=True)
class Response:
    """A server's whole answer; `headers` have their names in small letters."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Server(NamedTuple):
    """What an address says of the server: `http` or `https`, the host in small letters, and the port."""

    scheme: str
    host: str
    port: int


def server_of(url: str) -> Server:
    """The server to which this client would send a request for an address.

    Raises:
        ValueError: it is no address of a web server, or it holds a user.
    """
    try:
        parts = parse_url(url)
    except LocationParseError as exc:
        raise ValueError("it is no address") from exc
    if parts.scheme not in PORTS or not parts.host or parts.auth is not None:
        raise ValueError("it is no address such as https://host/path, without a user")
    return Server(parts.scheme, parts.host.rstrip("."), parts.port or PORTS[parts.scheme])


def _nothing() -> None:
    """For a caller that waits until the end."""


class Bounds(NamedTuple):
    """Until when a request may take, as a reading of `time.monotonic()`, and whom to ask meanwhile.

    `go_on` is called at least every 0.2 s while an answer is awaited; what it raises passes on.
    """

    ends_at: float
    go_on: Callable[[], None] = _nothing

    def left(self) -> float:
        """Seconds that are left.

        Raises:
            TimeoutError: none.
        """
        left = min(self.ends_at - time.monotonic(), MOST_SECONDS)
        if left <= 0:
            raise TimeoutError
        return left


class Client:
    """A client that keeps its connections open; any thread may use it.

    It goes through a proxy if HTTPS_PROXY or HTTP_PROXY names a proxy, unless NO_PROXY names the host.
    """

    def __init__(self, *, connect_seconds: float = 5.0, read_seconds: float = 15.0) -> None:
        """Nothing is opened before the first request; `read_seconds` is for each piece of an answer."""
        self._connect_seconds = connect_seconds
        self._timeout = urllib3.Timeout(connect=connect_seconds, read=read_seconds)
        self._pools: dict[tuple[int, str | None], urllib3.PoolManager] = {}

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, bounds: "Bounds | None" = None) -> None:
        """Send a body with POST; every status from 200 to 299 is a yes.

        `bounds` are for everything together; without them each piece is bounded by itself. Sending twice may act twice:
        the server decides.

        Raises:
            RequestFailed: the server said no, or nothing. The text never holds the address, which may be a secret.
        """
        with _bounded(bounds):
            self._send("POST", url, body, headers)

    def ask(
        self,
        method: str,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        bounds: "Bounds",
        most_bytes: int,
    ) -> Response:
        """Send a request on a connection of its own, and return the whole answer, whatever its status is.

        `bounds` are for everything together, from connecting to the last byte, however slowly it comes. An answer of
        more than `most_bytes` is broken off. Sending twice may act twice: the server decides.

        Raises:
            RequestFailed: no whole answer came. The text never holds the address, which may be a secret.
        """
        connect_seconds = min(self._connect_seconds, max(bounds.ends_at - time.monotonic(), LEAST_SECONDS))
        timeout = urllib3.Timeout(connect=connect_seconds, read=None)
        # A connection that was kept open may be closed by the server in the very moment in which it is used again.
        own = {**headers, "Connection": "close"}
        response: urllib3.BaseHTTPResponse | None = None
        with _bounded(bounds):
            try:
                response = self._pool(url).request(
                    method, url, body=body or None, headers=own, preload_content=False, timeout=timeout
                )
                answer = _whole(response, most_bytes)
            except (HTTPError, UnicodeError, ValueError) as exc:
                said = _why(exc) if response is None else _why_half(exc)
                if time.monotonic() >= bounds.ends_at:
                    said = f"its {'whole ' if response else ''}answer did not come in time"
                # The cause holds the address.
                raise RequestFailed(said, 0, _is_unsent(exc)) from None
            finally:
                if response is not None:
                    response.close()
        return Response(response.status, answer, {name.lower(): value for name, value in response.headers.items()})

    def _send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        try:
            response = self._pool(url).request(method, url, body=body, headers=dict(headers), preload_content=False)
            try:
                status, answer = response.status, response.read(MOST_BYTES_TOLD)
            finally:
                response.close()
        except (HTTPError, UnicodeError, ValueError) as exc:
            # The cause holds the address.
            raise RequestFailed(_why(exc)) from None
        if not 200 <= status < 300:
            said = " ".join(answer.decode("utf-8", "replace").split())
            raise RequestFailed(f"it answered {status}{f': {said}' if said else ''}", status)

    def _pool(self, url: str) -> urllib3.PoolManager:
        """The connections by which an address is reached: those to its server, or those to a proxy."""
        parts = urlsplit(url)
        proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
        # A forked child must not go on with connections of its parent.
        wanted = os.getpid(), proxy
        if wanted not in self._pools:
            how: dict[str, Any] = {"timeout": self._timeout, "retries": False}
            made = urllib3.PoolManager(**how) if proxy is None else urllib3.ProxyManager(proxy, **how)
            made.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
            self._pools[wanted] = made
        return self._pools[wanted]


def _whole(response: urllib3.BaseHTTPResponse, most: int) -> bytes:
    pieces, size = list[bytes](), 0
    for piece in response.stream(PIECE_BYTES, decode_content=True):
        size += len(piece)
        if size > most:
            raise RequestFailed(f"its answer has more than {most:,} bytes")
        pieces.append(piece)
    return b"".join(pieces)


def _why(exc: Exception) -> str:
    """Why no answer came; the subject is the server."""
    if isinstance(exc, MaxRetryError) and exc.reason is not None:
        return _why(exc.reason)
    if isinstance(exc, ProxyError):
        return f"the proxy is in the way: {_why(exc.original_error)}"
    if isinstance(exc, NameResolutionError):
        return "its host name is not known"
    if isinstance(exc, ReadTimeoutError):
        return "it did not answer in time"
    if isinstance(exc, NewConnectionError):
        return "it cannot be reached: nothing listens there, or no way leads there"
    if isinstance(exc, ConnectTimeoutError):
        return "it could not be reached in time"
    if isinstance(exc, SSLError):
        return f"no TLS with it: {exc}"
    return f"it broke off ({type(exc).__name__})"


def _why_half(exc: Exception) -> str:
    """Why an answer that had begun did not come whole."""
    if isinstance(exc, DecodeError):
        return "its answer cannot be unpacked"
    return f"its answer broke off in the middle ({type(exc).__name__})"


def _is_unsent(exc: Exception) -> bool:
    reason = exc.reason if isinstance(exc, MaxRetryError) else exc
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError))


_BOUNDS: ContextVar[Bounds | None] = ContextVar("janitor_http_bounds", default=None)


@contextmanager
def _bounded(bounds: Bounds | None) -> Iterator[None]:
    token = _BOUNDS.set(bounds)
    try:
        yield
    finally:
        _BOUNDS.reset(token)


class _BoundedSocket:
    """A socket, plain or TLS; whatever is sent or read by it keeps to the bounds of the request."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, data: Any) -> None:
        """Send all of it."""
        if (bounds := _BOUNDS.get()) is not None:
            self._sock.settimeout(bounds.left())
        self._sock.sendall(data)

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """What is read."""
        return io.BufferedReader(_BoundedReading(self._sock))


class _BoundedReading(io.RawIOBase):
    """Reads a socket within the bounds of the request."""

    def __init__(self, sock: Any) -> None:
        self._sock, self._raw = sock, sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what has come; wait for it if nothing has."""
        if (bounds := _BOUNDS.get()) is not None:
            self._wait(bounds)
        found: int | None = self._raw.readinto(buffer)
        return found

    def _wait(self, bounds: Bounds) -> None:
        held = getattr(self._sock, "pending", None)  # what a TLS socket has unpacked already
        while not (held is not None and held()) and not wait_for_read(self._sock, min(bounds.left(), LOOK_SECONDS)):
            bounds.go_on()
        bounds.go_on()
        self._sock.settimeout(bounds.left())

    def close(self) -> None:
        """Read no more."""
        self._raw.close()
        super().close()


class _HTTPConnection(HTTPConnection):
    def connect(self) -> None:
        """As urllib3's; the socket is bounded."""
        super().connect()
        self.sock: Any = _BoundedSocket(self.sock)


class _HTTPSConnection(HTTPSConnection):
    def connect(self) -> None:
        """As urllib3's; the socket is bounded."""
        super().connect()
        self.sock: Any = _BoundedSocket(self.sock)


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection
