"""A small disk for one table, so that it fills up: a tmpfs, if the user of the tests may mount one."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.servers import SqlServer


class SmallDisk:
    """A mounted tmpfs; `grow` makes it larger and loses nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken: list[tuple[SqlServer, str]] = []

    def grow(self, size: str) -> None:
        """Set its size: bytes, or a number with k or m."""
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self.folder)], check=True)

    def take(self, server: SqlServer, database: URL, table: str) -> None:
        """Move a table of a server on this machine to this disk, until the disk goes.

        Skips the test if the server does not take the folder.
        """
        name, before = f"`{database.database}`.`{table}`", f"`{database.database}`.`{table}_before`"
        [(_, made)] = server.execute(f"SHOW CREATE TABLE {name}")
        made = re.sub(r"^CREATE TABLE `\w+`", f"CREATE TABLE {name}", made)
        server.execute(f"RENAME TABLE {name} TO {before}", f"{made} DATA DIRECTORY='{self.folder}'")
        self.taken.append((server, name))
        server.execute(f"INSERT INTO {name} SELECT * FROM {before}", f"DROP TABLE {before}")
        if not list(self.folder.rglob(f"{table}.ibd")):
            pytest.skip("this server keeps no table in another folder than its own")


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[SmallDisk]:
    """Give an empty disk of a size, mounted in `folder`; skip the test if that is not allowed."""
    folder = Path(tempfile.mkdtemp(prefix="disk-", dir=folder))
    folder.chmod(0o777)
    program = shutil.which("mount")
    if program is None:
        pytest.skip("there is no program that mounts a small disk")
    made = subprocess.run([program, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True)
    if made.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {made.stderr.decode().strip()}")
    disk = SmallDisk(folder)
    try:
        yield disk
    finally:
        for server, name in disk.taken:
            server.execute(f"DROP TABLE IF EXISTS {name}")
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()
