"""MariaDB and RabbitMQ for the tests: started on free loopback ports in folders of their own, or given by URL."""

import contextlib
import os
import random
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, Self, TypeVar

import pika
import pymysql
import pytest
from mirakuru import TCPExecutor
from mirakuru.exceptions import ExecutorError
from pika.adapters.blocking_connection import BlockingChannel
from pika.connection import Parameters
from pika.exceptions import AMQPError
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.pool import NullPool

START_SECONDS = 60


def free_port() -> int:
    """A loopback port on which nothing listens at this moment.

    It is none that the system gives to outgoing connections: one of those could take it while its server is down.
    """
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(15_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Server(TCPExecutor):
    """A server's process with its log in a file; it is ready once it answers, not only once it listens."""

    def __init__(self, command: Sequence[str], port: int, log: Path, environment: dict[str, str] | None = None) -> None:
        self._log = log
        self._log_file = log.open("ab")
        super().__init__(
            list(command),
            host="127.0.0.1",
            port=port,
            timeout=START_SECONDS,
            envvars=environment,
            stdout=self._log_file,
            stderr=subprocess.STDOUT,
        )

    def answers(self) -> bool:
        """Whether a client can log in."""
        return True

    def after_start_check(self) -> bool:
        """What mirakuru asks until it is so."""
        return super().after_start_check() and self.answers()

    def start(self) -> Self:
        """Start it and wait until it answers; the test fails with the end of the server's log where it does not."""
        if self.running():
            return self
        self.kill()
        try:
            return super().start()
        except ExecutorError as exc:
            self.kill()
            pytest.fail(f"{self.command_parts[0]} did not start: {exc}\n{self._log.read_text()[-3000:]}")

    def end(self) -> None:
        """End it at once and for good."""
        self.kill()
        self._log_file.close()


class SqlServer:
    """A MySQL or MariaDB server on which the suite may make databases and users."""

    def __init__(self, admin: URL) -> None:
        self.admin = admin
        self.disks = Path(tempfile.gettempdir())
        """Where it takes tables that are kept outside its own folder."""

    def url(self, database: str = "", user: str | None = None, password: str = "") -> URL:
        """The URL of a database; as the administrator unless another user is named."""
        url = self.admin.set(database=database or None)
        return url if user is None else url.set(username=user, password=password)

    def execute(self, *statements: str) -> list[Any]:
        """Run statements as the administrator, and return the rows of the last one."""
        engine = create_engine(self.admin, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        rows: list[Any] = []
        with engine.connect() as connection:
            for statement in statements:
                result = connection.exec_driver_sql(statement.replace("%", "%%"))
                rows = list(result) if result.returns_rows else []
        return rows

    def create_database(self, name: str | None = None) -> URL:
        """Make an empty database, by a name of its own where none is given, and return its URL."""
        name = name or f"test_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        return self.url(name)

    def drop_database(self, name: str | None) -> None:
        """Drop a database and all in it; one that is not there is no error."""
        self.execute(f"DROP DATABASE IF EXISTS `{name}`")

    def close(self) -> None:
        """Nothing: a server that was given is not ours to stop."""

    def start(self) -> None:
        """Nothing: a server that was given runs already."""

    def stop(self) -> None:
        """Skip the test."""
        _skip_fault("database server")

    kill = stop

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the server for the length of a block; it answers again after it."""
        self.stop()
        try:
            yield
        finally:
            self.start()


class MariaDB(SqlServer):
    """A MariaDB server of the suite's own; `options` are further options of mariadbd, such as `--ssl-cert=...`.

    What it has committed outlives kill(), as on any server; it does not wait for the disk, and might not outlive the
    machine.
    """

    def __init__(self, *options: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="janitor-mariadb-"))
        self.socket = self.folder / "socket"
        self.port = free_port()
        super().__init__(URL.create("mysql+pymysql", "root", "", "127.0.0.1", self.port))
        self.disks = self.folder / "disks"
        self.disks.mkdir()
        self._server = _MariaServer(self._command(options), self.port, self.folder / "log")

    def _command(self, options: Sequence[str]) -> list[str]:
        data, user = self.folder / "data", f"--user={_user_name()}"
        # A starting server deletes the temporary tables that it finds: those of its neighbours, in a shared folder.
        temporary = self.folder / "tmp"
        temporary.mkdir()
        shutil.chown(temporary, _user_name())
        common = [f"--datadir={data}", f"--tmpdir={temporary}", user]
        install = [_binary("mariadb-install-db", "mariadb-server"), "--no-defaults", *common]
        install += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        made = subprocess.run(install, capture_output=True, text=True)
        if made.returncode:
            pytest.fail(f"mariadb-install-db failed: {made.stdout[-1000:]}{made.stderr[-1000:]}")
        command = [_binary("mariadbd", "mariadb-server"), "--no-defaults", *common]
        command += [f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1"]
        command += ["--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync"]
        command += ["--innodb-log-file-size=64M", "--innodb-buffer-pool-size=256M", "--skip-name-resolve"]
        return [*command, *options]

    def start(self) -> None:
        """Start it, where it does not run already, and wait until it answers."""
        self._server.start()

    def stop(self) -> None:
        """Stop it in good order; everything committed is there again after start()."""
        self._server.stop()

    def kill(self) -> None:
        """End its process at once, as a crash does."""
        self._server.kill()

    def close(self) -> None:
        """End it and remove its folder."""
        self._server.end()
        shutil.rmtree(self.folder, ignore_errors=True)


class MySQL(MariaDB):
    """A MySQL server of the suite's own, from the Debian root that tests/get_mysql.sh made."""

    def __init__(self, root: Path, *options: str) -> None:
        self._root = root
        super().__init__(*options)

    def _command(self, options: Sequence[str]) -> list[str]:
        # Its libraries are newer than this machine's, so it is started by its own loader.
        libraries = self._root / "usr/lib/x86_64-linux-gnu"
        loader = [str(self._root / "lib64/ld-linux-x86-64.so.2"), "--library-path", f"{libraries}:{libraries}/private"]
        command = [*loader, str(self._root / "usr/sbin/mysqld"), "--no-defaults", f"--basedir={self._root}/usr"]
        command += [f"--datadir={self.folder / 'data'}", f"--user={_user_name()}", "--secure-file-priv="]
        made = subprocess.run([*command, "--initialize-insecure"], capture_output=True, text=True)
        if made.returncode:
            pytest.fail(f"mysqld --initialize-insecure failed: {made.stderr[-2000:]}")
        command += [f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1", "--mysqlx=OFF"]
        command += ["--innodb-flush-log-at-trx-commit=2", "--disable-log-bin", "--innodb-buffer-pool-size=256M"]
        return [*command, f"--innodb-directories={self.disks}", *options]


class _MariaServer(Server):
    def answers(self) -> bool:
        try:
            pymysql.connect(host=self.host, port=self.port, user="root").close()
        except pymysql.err.OperationalError:
            return False
        return True


class Broker:
    """A RabbitMQ server; `parameters` is how to log in to it."""

    def __init__(self, parameters: Parameters, username: str, password: str) -> None:
        self.parameters = parameters
        self.host, self.port, self.vhost = parameters.host, parameters.port, parameters.virtual_host
        self.username, self.password = username, password

    def environment(self) -> dict[str, str]:
        """The settings by which Janitor reaches it."""
        return {
            "RABBITMQ_HOST": self.host,
            "RABBITMQ_PORT": str(self.port),
            "RABBITMQ_VHOST": self.vhost,
            "RABBITMQ_USERNAME": self.username,
            "RABBITMQ_PASSWORD": self.password,
        }

    @contextmanager
    def channel(self) -> Iterator[BlockingChannel]:
        """A channel on a connection of its own, closed after the block."""
        connection = pika.BlockingConnection(self.parameters)
        try:
            yield connection.channel()
        finally:
            if connection.is_open:
                connection.close()

    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl on it (about a second) and return what it prints; skips where the server was given."""
        _skip_fault("RabbitMQ server")

    def close(self) -> None:
        """Nothing: a server that was given is not ours to stop."""

    def start(self) -> None:
        """Nothing: a server that was given runs already."""

    def stop(self) -> None:
        """Skip the test."""
        _skip_fault("RabbitMQ server")

    kill = stop

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the server for the length of a block; it answers again after it."""
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
            "HOME": folder,  # for the Erlang cookie; so it runs as whoever runs the tests, and knows no other node
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
        """Start it, where it does not run already, and wait until it answers (about five seconds)."""
        self._server.start()

    def stop(self) -> None:
        """Stop it in good order; durable queues and persistent messages are there again after start()."""
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


def sql_server() -> SqlServer:
    """The server that JANITOR_TEST_MYSQL_URL names (as its administrator), or a new one, not yet started.

    That is MySQL where JANITOR_TEST_MYSQL_ROOT names the folder that tests/get_mysql.sh made, else MariaDB.
    """
    given, root = os.environ.get("JANITOR_TEST_MYSQL_URL"), os.environ.get("JANITOR_TEST_MYSQL_ROOT")
    if given:
        return SqlServer(make_url(given))
    return MySQL(Path(root)) if root else MariaDB()


def broker() -> Broker:
    """The server that JANITOR_TEST_RABBITMQ_URL (amqp://...) names, or a new RabbitMQ, not yet started."""
    given = os.environ.get("JANITOR_TEST_RABBITMQ_URL")
    if not given:
        return RabbitMQ()
    parameters = pika.URLParameters(given)
    user = make_url(given)
    return Broker(parameters, user.username or "guest", user.password or "guest")


AnyServer = TypeVar("AnyServer", SqlServer, Broker)


@contextmanager
def running(server: AnyServer) -> Iterator[AnyServer]:
    """Start a server for the length of a block; it is gone after it, where it is the suite's own."""
    try:
        server.start()
        yield server
    finally:
        server.close()


def _binary(name: str, package: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.fail(f"{name} is not installed: the tests need Debian's package {package}.", pytrace=False)
    return found


def _rabbit_binary(name: str) -> str:
    """Debian's wrapper in the path insists on the user rabbitmq; what it wraps does not."""
    wrapped = Path("/usr/lib/rabbitmq/bin") / name
    return str(wrapped) if wrapped.exists() else _binary(name, "rabbitmq-server")


def _user_name() -> str:
    return subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()


def _skip_fault(what: str) -> NoReturn:
    pytest.skip(f"this test needs a {what} of the suite's own, and one was given by URL")
