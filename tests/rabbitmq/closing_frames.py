"""A broker's answers up to a chosen frame, with the connection's end right behind it, in the same piece."""

import asyncio
import struct
from collections.abc import AsyncIterator

from pika import frame, spec

from tests.faults.proxy import Pieces

CLOSE = frame.Method(0, spec.Connection.Close(320, "CONNECTION_FORCED - closed by the test", 0, 0)).marshal()
HEAD = struct.Struct(">BHL")
"""A frame's type, its channel, and the size of its payload; an end of one byte follows the payload."""


def closing_behind(last: int) -> Pieces:
    """The broker's frames one by one; frame number `last` is the last that a connection gets."""

    async def frames(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        for number in range(1, last + 1):
            try:
                head = await reader.readexactly(HEAD.size)
                whole = head + await reader.readexactly(HEAD.unpack(head)[2] + 1)
            except asyncio.IncompleteReadError:
                return
            yield whole + CLOSE if number == last else whole

    return frames
