"""Publishers that do nothing else: pika alone, ready bytes, to an exchange with a durable queue."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import pika
from pika.connection import Parameters

PERSISTENT = pika.BasicProperties(delivery_mode=2)


def blocking(parameters: Parameters, exchange: str, bodies: Sequence[bytes]) -> float:
    """Publish one by one, with a confirm for each; return the seconds."""
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.confirm_delivery()
    began = time.perf_counter()
    for body in bodies:
        channel.basic_publish(exchange, "", body, PERSISTENT, mandatory=True)
    taken = time.perf_counter() - began
    connection.close()
    return taken


def unconfirmed(parameters: Parameters, exchange: str, bodies: Sequence[bytes]) -> float:
    """Publish without confirms; return the seconds until the connection is closed after the last message."""
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    began = time.perf_counter()
    for body in bodies:
        channel.basic_publish(exchange, "", body, PERSISTENT, mandatory=True)
    connection.close()
    return time.perf_counter() - began


def windowed(parameters: Parameters, exchange: str, bodies: Sequence[bytes], window: int) -> float:
    """Publish with up to `window` messages under way, each confirmed; return the seconds from first to last confirm."""
    return _Windowed(exchange, bodies, window).run(parameters)


class _Windowed:
    """A SelectConnection that keeps its window full."""

    def __init__(self, exchange: str, bodies: Sequence[bytes], window: int) -> None:
        self.exchange, self.bodies, self.window = exchange, bodies, window
        self.sent = 0
        self.pending: set[int] = set()
        self.began = self.ended = 0.0
        self.channel: Any = None
        self.connection: Any = None

    def run(self, parameters: Parameters) -> float:
        """Connect, publish all, close."""
        self.connection = pika.SelectConnection(
            parameters, on_open_callback=self._opened, on_close_callback=self._closed
        )
        self.connection.ioloop.start()
        return self.ended - self.began

    def _opened(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Any) -> None:
        self.channel = channel
        channel.confirm_delivery(self._confirmed, self._begin)

    def _begin(self, _: Any) -> None:
        self.began = time.perf_counter()
        self._fill_window()

    def _fill_window(self) -> None:
        publish: Callable[..., None] = self.channel.basic_publish
        while self.sent < len(self.bodies) and len(self.pending) < self.window:
            publish(self.exchange, "", self.bodies[self.sent], PERSISTENT, mandatory=True)
            self.sent += 1
            self.pending.add(self.sent)
        if not self.pending and not self.ended:
            self.ended = time.perf_counter()
            self.connection.close()

    def _confirmed(self, frame: Any) -> None:
        tag = frame.method.delivery_tag
        if frame.method.multiple:
            self.pending = {one for one in self.pending if one > tag}
        else:
            self.pending.discard(tag)
        self._fill_window()

    def _closed(self, *_: Any) -> None:
        self.connection.ioloop.stop()
