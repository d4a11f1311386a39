"""A broker that closes the connection, or a channel, right behind one of its answers, in the same piece."""

import asyncio
import struct
from collections.abc import AsyncIterator
from typing import NamedTuple

from pika import frame, spec

from tests.faults.proxy import Pieces

CLOSE = frame.Method(0, spec.Connection.Close(320, "CONNECTION_FORCED - closed by the test", 0, 0)).marshal()
HEAD = struct.Struct(">BHL")
"""A frame's type, its channel, and the size of its payload; an end of one byte follows the payload."""
METHOD = struct.Struct(">HH")
"""How the payload of a method begins: with its class and its number, which are pika's INDEX."""
PROTOCOL_BYTES = 8
"""A client names the protocol before its first frame."""


class Frame(NamedTuple):
    """A frame of AMQP, whole; `method` is pika's INDEX of a method, 0 for other frames."""

    channel: int
    method: int
    whole: bytes


async def frames(reader: asyncio.StreamReader) -> AsyncIterator[Frame]:
    """The frames that a side sends, one by one."""
    while True:
        try:
            head = await reader.readexactly(HEAD.size)
            kind, channel, size = HEAD.unpack(head)
            rest = await reader.readexactly(size + 1)
        except asyncio.IncompleteReadError:
            return
        major, minor = METHOD.unpack_from(rest) if kind == spec.FRAME_METHOD else (0, 0)
        yield Frame(channel, major << 16 | minor, head + rest)


def closing_behind(last: int) -> Pieces:
    """The broker's frames one by one; frame number `last` is the last that a connection gets."""

    async def answers(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        number = 0
        async for one in frames(reader):
            number += 1
            yield one.whole + CLOSE if number == last else one.whole
            if number == last:
                return

    return answers


class ClosedBehindConfirm:
    """Between a client and a broker: the broker seems to confirm the first message alone, and to close the channel.

    The broker itself hears of a close by the client, so that both sides agree from then on. It happens once.
    """

    def __init__(self) -> None:
        """Nothing is closed yet."""
        self._closing: int | None = None
        self._agreed = asyncio.Event()
        self.is_done = False

    async def answers(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """What the client gets."""
        async for one in frames(reader):
            if one.channel == self._closing:
                if one.method == spec.Channel.CloseOk.INDEX:
                    self._closing = None
                    self._agreed.set()
            elif one.method == spec.Basic.Ack.INDEX and not self.is_done:
                self._closing, self.is_done = one.channel, True
                close = spec.Channel.Close(406, "PRECONDITION_FAILED - closed by the test", 0, 0)
                both = (spec.Basic.Ack(1, False), close)
                yield b"".join(frame.Method(one.channel, method).marshal() for method in both)
            else:
                yield one.whole

    async def requests(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """What the broker gets."""
        yield await reader.readexactly(PROTOCOL_BYTES)
        async for one in frames(reader):
            if one.channel == self._closing and one.method == spec.Channel.CloseOk.INDEX:
                yield frame.Method(one.channel, spec.Channel.Close(200, "", 0, 0)).marshal()
                # Until then the broker takes the channel's number for none that is free.
                await self._agreed.wait()
            else:
                yield one.whole
