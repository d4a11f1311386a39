"""Redis for the tests: started in a folder of its own."""

import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tests.servers.lifetime import OwnServer
from tests.servers.process import Process, binary, free_port

PASSWORD = "open sesame/1"


class Redis(OwnServer):
    """A Redis server of the suite's own, with a password; `options` are further options of redis-server."""

    kind = "Redis server"

    def __init__(self, *options: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="janitor-redis-"))
        self.port = free_port()
        command = [
            *(binary("redis-server", "redis-server"), "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--dir", str(self.folder), "--save", "", "--appendonly", "no", "--requirepass", PASSWORD),
            *options,
        ]
        self.process = _RedisProcess(command, self.port, self.folder / "log")

    @property
    def url(self) -> str:
        """Its URL, with the password in it."""
        return f"redis://:{PASSWORD.replace(' ', '%20').replace('/', '%2F')}@127.0.0.1:{self.port}/0"

    def tell(self, *words: str) -> str:
        """Send a command as the administrator, and return the first line of the answer."""
        return _tell(self.port, ("AUTH", PASSWORD), words)

    @contextmanager
    def administrator(self) -> Iterator[Callable[..., str]]:
        """Give what sends a command, on a connection that stays open during the block."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            with connection.makefile("rb") as answers:
                yield lambda *words: _say(connection, answers, words)


class _RedisProcess(Process):
    def answers(self) -> bool:
        try:
            return _tell(self.port, ("PING",)) != ""
        except OSError:
            return False


def _tell(port: int, *commands: tuple[str, ...]) -> str:
    with socket.create_connection(("127.0.0.1", port), 5) as connection, connection.makefile("rb") as answers:
        return [_say(connection, answers, words) for words in commands][-1]


def _say(connection: socket.socket, answers: BinaryIO, words: Sequence[str]) -> str:
    parts = [word.encode() for word in words]
    sent = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
    connection.sendall(b"*%d\r\n" % len(parts) + sent)
    return answers.readline().decode().strip()
