"""RabbitMQ for the tests: started in a folder of its own, or given by URL."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.connection import Parameters
from pika.exceptions import AMQPError

from tests.servers.lifetime import OwnServer, Server
from tests.servers.process import Process, binary, free_port


class Broker(Server):
    """A RabbitMQ server; `parameters` say how to log in."""

    kind = "RabbitMQ server"

    def __init__(self, parameters: Parameters, username: str, password: str) -> None:
        self.parameters = parameters
        self.host, self.port, self.vhost = parameters.host, parameters.port, parameters.virtual_host
        self.username, self.password = username, password

    def environment(self) -> dict[str, str]:
        """Return the settings with which Janitor reaches it."""
        return {
            "RABBITMQ_HOST": self.host,
            "RABBITMQ_PORT": str(self.port),
            "RABBITMQ_VHOST": self.vhost,
            "RABBITMQ_USERNAME": self.username,
            "RABBITMQ_PASSWORD": self.password,
        }

    @contextmanager
    def channel(self) -> Iterator[BlockingChannel]:
        """Give a channel on a connection of its own; it is closed after the block."""
        connection = pika.BlockingConnection(self.parameters)
        try:
            yield connection.channel()
        finally:
            if connection.is_open:
                connection.close()

    def waiting(self, queue: str) -> int:
        """Count the messages in a queue."""
        with self.channel() as channel:
            count: int = channel.queue_declare(queue, passive=True).method.message_count
            return count

    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl on it and return what it prints; skip the test if the server was given."""
        self.skip()


IDLE_SCHEDULERS = "+sbwt none +sbwtdcpu none +sbwtdio none"
"""Erlang's threads do not spin while they wait. Else rabbitmqctl takes 30 s in place of 5 on a busy machine."""


class RabbitMQ(OwnServer, Broker):
    """A RabbitMQ server of the suite's own; `configuration` is the text of its rabbitmq.conf, for TLS or limits."""

    def __init__(self, configuration: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="janitor-rabbitmq-"))
        parameters = pika.ConnectionParameters("127.0.0.1", free_port(), socket_timeout=5)
        super().__init__(parameters, "guest", "guest")
        (self.folder / "plugins").write_text("[].\n")
        (self.folder / "rabbitmq.conf").write_text(configuration)
        self._environment = self._settings()
        command = _rabbit_binary("rabbitmq-server")
        self.process = _RabbitProcess([command], self.port, self.folder / "log", self._environment)

    def _settings(self) -> dict[str, str]:
        folder = str(self.folder)
        return {
            "HOME": folder,  # has the Erlang cookie: so it runs as the user of the tests, and knows no other node
            "ERL_EPMD_PORT": str(free_port()),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"janitor{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-kernel inet_dist_use_interface {{127,0,0,1}} {IDLE_SCHEDULERS}",
            "RABBITMQ_CTL_ERL_ARGS": IDLE_SCHEDULERS,
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/logs",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/none",
        }

    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl on it (about a second) and return what it prints."""
        command = [_rabbit_binary("rabbitmqctl"), "--quiet", *arguments]
        ended = subprocess.run(command, env=os.environ | self._environment, capture_output=True, text=True)
        if ended.returncode:
            pytest.fail(f"rabbitmqctl {' '.join(arguments)} failed: {ended.stdout}{ended.stderr}")
        return ended.stdout


class _RabbitProcess(Process):
    def answers(self) -> bool:
        try:
            pika.BlockingConnection(pika.ConnectionParameters(self.host, self.port, socket_timeout=2)).close()
        except (AMQPError, OSError):
            return False
        return True


def _rabbit_binary(name: str) -> str:
    """Find a program of RabbitMQ, behind the wrapper of Debian: that insists on the user rabbitmq."""
    wrapped = Path("/usr/lib/rabbitmq/bin") / name
    return str(wrapped) if wrapped.exists() else binary(name, "rabbitmq-server")
