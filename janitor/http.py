"""Requests to other people's servers: bounded in time, TLS verified, and no address in what is said of a failure."""

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

MAX_ANSWER = 300


class Failed(JanitorError):
    """Raised when a server did not say yes; `status` is what it said, 0 where it said nothing."""

    def __init__(self, reason: str, status: int = 0) -> None:
        self.status = status
        super().__init__(reason)


class Connections:
    """Kept connections, that are tried once and follow no redirect.

    They go through a proxy where HTTPS_PROXY or HTTP_PROXY names one, and NO_PROXY does not except the host.
    """

    def __init__(self, connect_seconds: float = 5.0, read_seconds: float = 15.0) -> None:
        """Nothing is opened before the first request."""
        self._how: dict[str, Any] = {"timeout": urllib3.Timeout(connect=connect_seconds, read=read_seconds)}
        self._how["retries"] = False
        self._pools: dict[str | None, urllib3.PoolManager] = {}

    def to(self, url: str) -> urllib3.PoolManager:
        """Those by which an address is reached."""
        parts = urlsplit(url)
        proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
        if proxy not in self._pools:
            made = urllib3.PoolManager(**self._how) if proxy is None else urllib3.ProxyManager(proxy, **self._how)
            self._pools[proxy] = made
        return self._pools[proxy]


def post(connections: Connections, url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Send a body with POST; anything of 200 to 299 is a yes.

    Raises:
        Failed: the server said something else, or nothing. The text names the server and never the whole address,
            which is a secret.
    """
    try:
        response = connections.to(url).request("POST", url, body=body, headers=dict(headers), preload_content=False)
        try:
            answer = response.read(MAX_ANSWER)
            status = response.status
        finally:
            response.close()
    except (HTTPError, UnicodeError, ValueError) as exc:
        raise Failed(_in_words(exc)) from None
    if not 200 <= status < 300:
        said = " ".join(answer.decode("utf-8", "replace").split())
        raise Failed(f"it answered {status}{f': {said}' if said else ''}", status)


def _in_words(exc: Exception) -> str:
    if isinstance(exc, MaxRetryError) and exc.reason is not None:
        return _in_words(exc.reason)
    if isinstance(exc, ProxyError):
        return f"the proxy is in the way: {_in_words(exc.original_error)}"
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
