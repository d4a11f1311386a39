"""Requests to other people's servers: bounded in time, TLS verified, no redirect followed, each tried once.

urllib3 is the one HTTP client of the house. It is maintained and has releases. It has timeouts, retries, TLS and
proxies, and needs no other package. sentry-sdk needs it anyway, and so does boto3. httpx has had no release since
December 2024.

A method to come stands beside `Client.post`, and goes through `_send` too.
"""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from janitor.errors import JanitorError

__all__ = ["Client", "RequestFailed"]

MOST_BYTES_TOLD = 300
"""How much of a server's answer stands in an error."""


class RequestFailed(JanitorError):
    """Raised when a server refused a request, or did not answer; `status` is its answer's, 0 without an answer."""

    def __init__(self, reason: str, status: int = 0) -> None:
        self.status = status
        super().__init__(reason)


class Client:
    """A client that keeps its connections open; any thread may use it.

    It goes through a proxy if HTTPS_PROXY or HTTP_PROXY names a proxy, unless NO_PROXY names the host.
    """

    def __init__(self, *, connect_seconds: float = 5.0, read_seconds: float = 15.0) -> None:
        """Nothing is opened before the first request; `read_seconds` is for each piece of an answer."""
        self._timeout = urllib3.Timeout(connect=connect_seconds, read=read_seconds)
        self._pools: dict[tuple[int, str | None], urllib3.PoolManager] = {}

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a body with POST; every status from 200 to 299 is a yes.

        Sending twice may act twice: the server decides.

        Raises:
            RequestFailed: the server said no, or nothing. The text never holds the address, which may be a secret.
        """
        self._send("POST", url, body, headers)

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
            self._pools[wanted] = urllib3.PoolManager(**how) if proxy is None else urllib3.ProxyManager(proxy, **how)
        return self._pools[wanted]


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
