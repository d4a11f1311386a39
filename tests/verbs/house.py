"""The small house at the command line: its records, and its verbs in a terminal."""

import math
import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from typing import Any

import click

from janitor.verbs.assembly import Assembly
from tests.command_line import CommandLine
from tests.command_line import typed as as_typed

SECRET = "s3cret/word%&"
AGAIN_SECONDS = 20.0
LABWHERE = "mysql+pymysql://anna:s3cret%2Fword%25%26@127.0.0.1:1/labwhere"
"""The URL of a database that is not there, with SECRET as its password."""


def recorded(house: CommandLine, query: str) -> list[Any]:
    """Rows of the state database, as another program reads them; no rows if there is no such database yet."""
    try:
        connection = sqlite3.connect(f"file:{house.folder / 'var' / 'janitor.db'}?mode=ro", uri=True)
        return connection.execute(query).fetchall()
    except sqlite3.OperationalError:
        return []


def is_running(house: CommandLine, job: str) -> bool:
    query = f"SELECT id FROM runs WHERE job = '{job}' AND outcome IS NULL AND progress IS NOT NULL"
    return bool(recorded(house, query))


def in_terminal(house: CommandLine, *arguments: str, interrupt_after: str = "") -> tuple[str, int]:
    """What a verb writes to a terminal, and its exit code; Ctrl-C is typed once `interrupt_after` was seen."""
    ours, theirs = pty.openpty()
    environment = house.whole({"TERM": "xterm", "COLUMNS": "160", "LINES": "50"})
    command = [sys.executable, *house.program, *as_typed(arguments)]
    process = subprocess.Popen(
        command, cwd=house.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    text, typed_at = "", -math.inf
    while True:
        if select.select([ours], [], [], 1)[0]:
            try:
                text += os.read(ours, 65536).decode(errors="replace")
            except OSError:  # the other side is closed
                break
        # Once more if that did nothing: a signal that comes just before Python's readline waits does not wake it.
        if interrupt_after and interrupt_after in text and time.monotonic() - typed_at > AGAIN_SECONDS:
            process.send_signal(signal.SIGINT)
            typed_at = time.monotonic()
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text), process.wait(60)


def done(verb: click.Command, assembly: Assembly, *arguments: str) -> Any:
    """Do what a verb does, in this process; return its exit code, or None if it has none."""
    return verb.main(list(arguments), obj=assembly, standalone_mode=False)
