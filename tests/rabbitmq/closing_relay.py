"""A relay to a broker that closes the connection right behind a chosen frame of the broker's, in the same piece."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pika import frame, spec

CLOSE = frame.Method(0, spec.Connection.Close(320, "CONNECTION_FORCED - closed by the test", 0, 0)).marshal()
HEAD = struct.Struct(">BHL")


@contextmanager
def closing_relay(host: str, port: int, after: int) -> Iterator[int]:
    """A port that leads to the broker; its frame number `after` is the last that a connection gets of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_serve, args=(server, host, port, after), daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            # `accept` of another thread goes on after `close` alone.
            server.shutdown(socket.SHUT_RDWR)


def _serve(server: socket.socket, host: str, port: int, after: int) -> None:
    with suppress(OSError):
        while True:
            caller, _ = server.accept()
            broker = socket.create_connection((host, port))
            threading.Thread(target=_pass_on, args=(caller, broker), daemon=True).start()
            threading.Thread(target=_pass_back, args=(broker, caller, after), daemon=True).start()


def _pass_on(caller: socket.socket, broker: socket.socket) -> None:
    with suppress(OSError), caller, broker:
        while data := caller.recv(65536):
            broker.sendall(data)


def _pass_back(broker: socket.socket, caller: socket.socket, after: int) -> None:
    with suppress(OSError), broker, caller, broker.makefile("rb") as answers:
        for number in range(1, after + 1):
            head = answers.read(HEAD.size)
            if len(head) < HEAD.size:
                return
            whole = head + answers.read(HEAD.unpack(head)[2] + 1)
            caller.sendall(whole + CLOSE if number == after else whole)
        caller.shutdown(socket.SHUT_WR)
