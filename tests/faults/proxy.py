"""A TCP proxy before a server: a test can cut its connections, refuse new ones, hang it or slow it down."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Self

PIECE_BYTES = 65_536
CONTROL_SECONDS = 10.0
"""How long the proxy's own thread may take for one request."""

_RESET = struct.pack("ii", 1, 0)

Pieces = Callable[[asyncio.StreamReader], AsyncIterator[bytes]]
"""Reads what a side sends, in pieces, until that side is to count as done."""


async def as_they_come(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Each piece as it comes."""
    while piece := await reader.read(PIECE_BYTES):
        yield piece


class Proxy:
    """Forwards each connection made to `port` to a server, in a thread of its own.

    A method changes only new connections, if it does not say otherwise. `close`, or the end of a `with`, ends all.
    """

    def __init__(self, host: str, port: int, answers: Pieces = as_they_come, requests: Pieces = as_they_come) -> None:
        """Listen on a free loopback port, before the server at `host` and `port`. The server need not run yet.

        `answers` gives what is forwarded of the server's answers, `requests` what is forwarded to the server.
        """
        self._server, self._answers, self._requests = (host, port), answers, requests
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._going = asyncio.Event()
        self._going.set()
        self._delay_seconds, self._bytes_per_second = 0.0, float("inf")
        self._reserved: socket.socket | None = _bound(0)
        self._listener: asyncio.Server | None = None
        self.port: int = self._reserved.getsockname()[1]
        self.forwarded_bytes = 0
        self.accept()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def connections(self) -> int:
        """How many connections there are now."""
        return len(self._writers) // 2

    def cut(self) -> None:
        """Reset every connection on both sides; data on its way is lost."""
        self._do(self._cut())

    def refuse(self) -> None:
        """Refuse new connections, like a port where nothing listens; calling it twice is harmless."""
        self._do(self._refuse())

    def lead_to(self, host: str, port: int) -> None:
        """Forward new connections to another server, as a name does that has got a new address."""
        self._server = (host, port)

    def accept(self) -> None:
        """Take new connections again; calling it twice is harmless."""
        self._do(self._accept())

    def pause(self) -> None:
        """Forward nothing in either direction, like a network that drops every packet; nothing is closed."""
        self._do(self._hang())

    def resume(self) -> None:
        """Forward again, beginning with what came meanwhile."""
        self._do(self._go_on())

    def slow(self, delay_seconds: float, bytes_per_second: float = float("inf")) -> None:
        """Delay each piece (at most 64 KiB) in both directions; `slow(0)` is full speed."""
        self._delay_seconds, self._bytes_per_second = delay_seconds, bytes_per_second

    @contextmanager
    def away(self) -> Iterator[None]:
        """Cut and refuse during a block."""
        self.refuse()
        self.cut()
        try:
            yield
        finally:
            self.accept()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Forward nothing during a block."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def close(self) -> None:
        """End all connections and the thread; calling it twice is harmless."""
        if self._loop.is_closed():
            return
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CONTROL_SECONDS)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(CONTROL_SECONDS)

    async def _accept(self) -> None:
        if self._reserved is not None:
            self._listener = await asyncio.start_server(self._connected, sock=self._reserved, limit=PIECE_BYTES)
            self._reserved = None

    async def _refuse(self) -> None:
        if self._listener is not None:
            self._listener.close()
            # The port is bound but nothing listens: connections are refused, and nobody else gets the port.
            self._listener, self._reserved = None, _bound(self.port)

    async def _cut(self) -> None:
        for writer in list(self._writers):
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    async def _hang(self) -> None:
        self._going.clear()

    async def _go_on(self) -> None:
        self._going.set()

    async def _end(self) -> None:
        await self._refuse()
        if self._reserved is not None:
            self._reserved.close()
        await self._cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        others: set[asyncio.StreamWriter] = {writer}
        try:
            await self._going.wait()
            far_reader, far_writer = await asyncio.open_connection(*self._server, limit=PIECE_BYTES)
            others.add(far_writer)
            self._writers.add(far_writer)
            await asyncio.gather(
                self._pump(self._requests(reader), far_writer), self._pump(self._answers(far_reader), writer)
            )
        except (OSError, asyncio.CancelledError):
            pass  # a side is gone, and the connection with it; or the proxy ends
        finally:
            for other in others:
                other.transport.abort()
            self._writers -= others
            self._tasks.discard(task)

    async def _pump(self, pieces: AsyncIterator[bytes], writer: asyncio.StreamWriter) -> None:
        async for piece in pieces:
            await asyncio.sleep(self._delay_seconds + len(piece) / self._bytes_per_second)
            await self._going.wait()
            writer.write(piece)
            await writer.drain()
            self.forwarded_bytes += len(piece)
        await self._going.wait()
        if writer.can_write_eof():
            writer.write_eof()


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made
