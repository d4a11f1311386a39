"""What befalls a server behind a proxy for the length of a block: it is slow, cut off, or another one answers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.fault import again_and_again
from tests.faults.proxy import Proxy
from tests.servers.compute import Behaviour, ComputeWorker

MANY = 10_000


@contextmanager
def slow(proxy: Proxy, seconds: float) -> Iterator[None]:
    """Delay whatever goes either way by so many seconds."""
    proxy.slow(seconds)
    try:
        yield
    finally:
        proxy.slow(0)


@contextmanager
def cut(proxy: Proxy, every_seconds: float) -> Iterator[None]:
    """Cut all connections, again and again."""

    def act() -> None:
        proxy.cut()
        time.sleep(every_seconds)

    with again_and_again(act):
        yield


@contextmanager
def instead(proxy: Proxy, port: int, behave: Behaviour | None = None) -> Iterator[None]:
    """Let a web server answer in place of the server at a port; it answers well if it is not told how to behave."""
    with ComputeWorker().open() as other:
        other.next = [] if behave is None else [behave] * MANY
        proxy.lead_to("127.0.0.1", other.port)
        proxy.cut()
        try:
            yield
        finally:
            proxy.lead_to("127.0.0.1", port)
            proxy.cut()
