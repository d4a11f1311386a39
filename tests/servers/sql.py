"""MariaDB and MySQL for the tests: started in a folder of their own, or given by URL."""

import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pymysql
import pytest
from sqlalchemy import URL, create_engine
from sqlalchemy.pool import NullPool

from tests.servers.lifetime import OwnServer, Server
from tests.servers.process import Process, binary, free_port, user_name


class SqlServer(Server):
    """A MySQL or MariaDB server on which the suite may make databases and users."""

    kind = "database server"

    def __init__(self, admin: URL) -> None:
        self.admin = admin
        self.disks = Path(tempfile.gettempdir())
        """The folder for tables that are kept outside its own folder."""

    def url(self, database: str = "", user: str | None = None, password: str = "") -> URL:
        """Return the URL of a database, for the administrator or for another user."""
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
        """Make an empty database and return its URL. Without a name it gets a new name."""
        name = name or f"test_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        return self.url(name)

    def drop_database(self, name: str | None) -> None:
        """Drop a database, if it is there."""
        self.execute(f"DROP DATABASE IF EXISTS `{name}`")


class MariaDB(OwnServer, SqlServer):
    """A MariaDB server of the suite's own; `options` are further options of mariadbd, such as `--ssl-cert=...`.

    What it has committed survives kill(), as on any server. It does not wait for the disk: a crash of the machine
    may lose it.
    """

    def __init__(self, *options: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="janitor-mariadb-"))
        self.socket = self.folder / "socket"
        self.port = free_port()
        super().__init__(URL.create("mysql+pymysql", "root", "", "127.0.0.1", self.port))
        self.disks = self.folder / "disks"
        self.disks.mkdir()
        self.process = _MariaProcess(self._command(options), self.port, self.folder / "log")

    def _command(self, options: Sequence[str]) -> list[str]:
        data, user = self.folder / "data", f"--user={user_name()}"
        # A starting server deletes all temporary tables that it finds. In a shared folder they are its neighbours'.
        temporary = self.folder / "tmp"
        temporary.mkdir()
        shutil.chown(temporary, user_name())
        common = [f"--datadir={data}", f"--tmpdir={temporary}", user]
        install = [
            binary("mariadb-install-db", "mariadb-server"),
            "--no-defaults",
            *common,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]
        made = subprocess.run(install, capture_output=True, text=True)
        if made.returncode:
            pytest.fail(f"mariadb-install-db failed: {made.stdout[-1000:]}{made.stderr[-1000:]}")
        return [
            binary("mariadbd", "mariadb-server"),
            "--no-defaults",
            *common,
            f"--socket={self.socket}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-flush-method=nosync",
            "--innodb-log-file-size=64M",
            "--innodb-buffer-pool-size=256M",
            "--skip-name-resolve",
            *options,
        ]


class MySQL(MariaDB):
    """A MySQL server of the suite's own, from the Debian root that tests/get_mysql.sh made."""

    def __init__(self, root: Path, *options: str) -> None:
        self._root = root
        super().__init__(*options)

    def _command(self, options: Sequence[str]) -> list[str]:
        # Its libraries are newer than this machine's: so its own loader starts it.
        libraries = self._root / "usr/lib/x86_64-linux-gnu"
        loader = [str(self._root / "lib64/ld-linux-x86-64.so.2"), "--library-path", f"{libraries}:{libraries}/private"]
        command = [
            *loader,
            str(self._root / "usr/sbin/mysqld"),
            "--no-defaults",
            f"--basedir={self._root}/usr",
            f"--datadir={self.folder / 'data'}",
            f"--user={user_name()}",
            "--secure-file-priv=",
        ]
        made = subprocess.run([*command, "--initialize-insecure"], capture_output=True, text=True)
        if made.returncode:
            pytest.fail(f"mysqld --initialize-insecure failed: {made.stderr[-2000:]}")
        return [
            *command,
            f"--socket={self.socket}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--mysqlx=OFF",
            "--innodb-flush-log-at-trx-commit=2",
            "--disable-log-bin",
            "--innodb-buffer-pool-size=256M",
            f"--innodb-directories={self.disks}",
            *options,
        ]


class _MariaProcess(Process):
    def answers(self) -> bool:
        try:
            pymysql.connect(host=self.host, port=self.port, user="root").close()
        except pymysql.err.OperationalError:
            return False
        return True
