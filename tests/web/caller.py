"""Whoever calls the web server over HTTP, with or without a browser's cookies; and server-sent events as they come."""

import http.client
import json
import queue
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3

from tests.small_engine import PATIENCE_SECONDS

POOL = urllib3.PoolManager(maxsize=60, retries=False, timeout=PATIENCE_SECONDS)


@dataclass
class Caller:
    """Somebody with a cookie jar, who follows no redirects."""

    address: str
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def __call__(self, method: str, path: str, form: Mapping[str, str] | None = None, /, **headers: str) -> Any:
        """Ask; `form` is sent as a browser sends a form."""
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if form is not None:
            sent, body = sent | {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form)
        answer = POOL.request(method, self.address + path, headers=sent, body=body, redirect=False)
        for cookie in answer.headers.getlist("Set-Cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def sign_in(self, user: str, password: str, next: str = "/") -> Any:
        """Sign in as a browser does."""
        return self("POST", "/sign-in", {"user": user, "password": password, "next": next})

    @property
    def token(self) -> str:
        """The token that this session's forms show."""
        return str(self("GET", "/api/session").json()["csrf_token"])


@dataclass(frozen=True)
class Told:
    """One event."""

    name: str
    data: Any
    id: int | None = None


class Stream:
    """The events of a stream, taken in by a thread as they come."""

    def __init__(self, address: str, headers: Mapping[str, str] | None = None) -> None:
        self.events: queue.Queue[Told | None] = queue.Queue()
        place = urlsplit(address)
        self._connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=PATIENCE_SECONDS)
        self._connection.request("GET", f"{place.path}?{place.query}", headers=dict(headers or {}))
        self._socket = self._connection.sock
        self._answer = self._connection.getresponse()
        self.status = self._answer.status
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def next(self, name: str = "") -> Told:
        """The next event, or the next one of a name."""
        while True:
            told = self.events.get(timeout=PATIENCE_SECONDS)
            assert told is not None, f"the stream has ended, without {name or 'any more'}"
            if name in ("", told.name):
                return told

    def rest(self) -> list[Told]:
        """All events until the server ends the stream."""
        return list(iter(lambda: self.events.get(timeout=PATIENCE_SECONDS), None))

    def close(self) -> None:
        """Go away, as a closed tab does."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the server was first
        self._thread.join(PATIENCE_SECONDS)
        self._connection.close()
        self._socket.close()

    def _listen(self) -> None:
        try:
            for told in _events(self._answer):
                self.events.put(told)
        except (http.client.HTTPException, ValueError, OSError):
            pass  # it was closed on this side
        self.events.put(None)


def _events(answer: http.client.HTTPResponse) -> Iterator[Told]:
    fields: dict[str, str] = {}
    for line in (line.decode().rstrip("\n") for line in answer):
        if not line:
            if "event" in fields:
                yield Told(fields["event"], json.loads(fields["data"]), int(fields["id"]) if "id" in fields else None)
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


@contextmanager
def watching(address: str, count: int = 1, /, **headers: str) -> Iterator[list[Stream]]:
    """Some streams, closed with the block."""
    made = [Stream(address, {name.replace("_", "-"): value for name, value in headers.items()}) for _ in range(count)]
    try:
        yield made
    finally:
        for one in made:
            one.close()
