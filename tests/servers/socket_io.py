"""Node's own socket.io for the tests: a server with its Redis adapter, and a client that prints what it is told."""

import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.command_line import ROOT
from tests.servers.lifetime import OwnServer
from tests.servers.process import Process, binary, free_port
from tests.servers.redis import Redis

HERE = Path(__file__).parent
STATED = ROOT / "examples" / "worker"
"""Where package.json and its lock lie."""
INSTALL_SECONDS = 150


class SocketServer(OwnServer):
    """A socket.io server of the suite's own; it listens at a Redis server under a key, for a namespace."""

    kind = "socket.io server"

    def __init__(self, redis: Redis, key: str = "socket.io", namespace: str = "/") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="janitor-socket-io-"))
        self.port, self.namespace = free_port(), namespace
        command = [_node(), str(HERE / "socket_io_server.js"), str(self.port), redis.url, key, namespace]
        self.process = _SocketProcess(command, self.port, self.folder / "log", _environment())

    def stop(self) -> None:
        """End it: it has nothing to keep."""
        self.kill()

    @contextmanager
    def client(self) -> Iterator["SocketClient"]:
        """A client that is connected, during the block."""
        command = [_node(), str(HERE / "socket_io_client.js"), f"http://127.0.0.1:{self.port}{self.namespace}"]
        with subprocess.Popen(
            command, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            client = SocketClient(process)
            try:
                client.wait_until_connected()
                yield client
            finally:
                process.kill()


@dataclass
class SocketClient:
    """A client, and what it was told."""

    process: "subprocess.Popen[str]"
    id: str = ""
    told: list[tuple[str, Any]] = field(default_factory=list)
    """Each event, with what came with it."""
    _connected: threading.Event = field(default_factory=threading.Event)

    def wait_until_connected(self) -> None:
        """Begin to read what it prints, and wait for its first line."""
        threading.Thread(target=self._read, daemon=True).start()
        assert self._connected.wait(30), "the client could not connect"

    def events(self) -> list[str]:
        """The names of what it was told, in order."""
        return [event for event, _ in self.told]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            if "connected" in said:
                self.id = said["connected"]
                self._connected.set()
            elif "event" in said:
                self.told.append((said["event"], *said["content"]))


class _SocketProcess(Process):
    def answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/socket.io/?EIO=4&transport=polling", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, socket.timeout):
            return False


def _node() -> str:
    return binary("node", "nodejs")


def _environment() -> dict[str, str]:
    return {**os.environ, "NODE_PATH": str(node_modules())}


@cache
def node_modules() -> Path:
    """The packages that examples/worker states, installed once in a cache; the test fails if that cannot be done."""
    lock = (STATED / "package-lock.json").read_bytes()
    cache_folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache_folder / "janitor" / f"node-{hashlib.sha256(lock).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not (folder / "whole").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(STATED / name, folder)
            command = [binary("npm", "npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
            if made.returncode:
                pytest.fail(f"npm ci failed: {made.stdout[-1000:]}{made.stderr[-1000:]}", pytrace=False)
            (folder / "whole").touch()
    return folder / "node_modules"
