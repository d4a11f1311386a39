"""RabbitMQ for the tests: started in a folder of its own, or given by URL."""

import os
import shutil
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

from tests.servers.process import Server, binary, free_port, skip_fault


class Broker:
    """A RabbitMQ server; `parameters` say how to log in."""

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

    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl on it and return what it prints; skip the test if the server was given."""
        skip_fault("RabbitMQ server")

    def close(self) -> None:
        """Do nothing: a given server is not ours to stop."""

    def start(self) -> None:
        """Do nothing: a given server runs already."""

    def stop(self) -> None:
        """Skip the test."""
        skip_fault("RabbitMQ server")

    kill = stop

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the server during a block; after the block it answers again."""
        self.stop()
        try:
            yield
        finally:
            self.start()


class RabbitMQ(Broker):
    """A RabbitMQ server of the suite's own; `configuration` is the text of its rabbitmq.conf, for TLS or limits."""

    def __init__(self, configuration: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="janitor-rabbitmq-"))
        parameters = pika.ConnectionParameters("127.0.0.1", free_port(), socket_timeout=5)
        super().__init__(parameters, "guest", "guest")
        (self.folder / "plugins").write_text("[].\n")
        (self.folder / "rabbitmq.conf").write_text(configuration)
        self._environment = self._settings()
        command = _rabbit_binary("rabbitmq-server")
        self._server = _RabbitServer([command], self.port, self.folder / "log", self._environment)

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
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
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

    def start(self) -> None:
        """Start it if it does not run, and wait until it answers (about five seconds)."""
        self._server.start()

    def stop(self) -> None:
        """Stop it in good order; after start() durable queues and persistent messages are there again."""
        self._server.stop(expected_returncode=0)

    def kill(self) -> None:
        """End its processes at once, as a crash does."""
        self._server.kill()

    def close(self) -> None:
        """End it and remove its folder."""
        self._server.end()
        shutil.rmtree(self.folder, ignore_errors=True)


class _RabbitServer(Server):
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
