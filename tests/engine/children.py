"""What child processes do in tests: they say which process they are, and go on until somebody ends them."""

import logging
import os
import subprocess
from pathlib import Path

from janitor.runs import current_run

log = logging.getLogger("some.library")


def sleep(pid_file: str) -> None:
    Path(pid_file).write_text(str(os.getpid()), encoding="ascii")
    subprocess.run(["sleep", "60"], check=False)


def until_asked(pid_file: str) -> None:
    try:
        Path(pid_file).write_text(str(os.getpid()), encoding="ascii")
        current_run().sleep(60)
    finally:
        log.info("came to a safe point")


def alive(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
