"""Rivals of items: queues that a person may pick instead, in an environment of their own.

Celery          on RabbitMQ, with confirms, and acknowledged after a task is done
huey            on SQLite
procrastinate   needs PostgreSQL, and is quoted: the figure is its own
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from benchmarks import processes
from benchmarks.clockwork import empty_folder
from benchmarks.measures import Rival
from tests.servers import Broker

INSTALL_SECONDS, RUN_SECONDS = 300, 900
CELERY, CELERY_TAKING, HUEY = "Celery on RabbitMQ", "Celery, tasks that were published before", "huey on SQLite"
WHAT = {
    CELERY: "published with confirms beside a worker of two processes, late acks; no record of what was done",
    CELERY_TAKING: "the worker alone",
    HUEY: "added, then done by one thread; no record of what was done",
}
PROCRASTINATE = Rival(
    "procrastinate on PostgreSQL",
    None,
    "not measured here. Its own benchmark of 2025-09-27: 1,000 tasks added one by one and done in 1.9 to 4.1 s, added "
    "together in 1.3 to 3.1 s, so 240 to 740 a second; dev/bench/data.js of procrastinate-org/procrastinate on GitHub, "
    "commit 49e02f2",
)


@dataclass(frozen=True)
class Queues:
    """An environment with the rivals; `python` is its interpreter, `why_not` says why there is none."""

    python: str
    why_not: str
    broker: Broker

    def celery(self, number: int) -> Mapping[str, float]:
        """Tasks a second: by `CELERY` those that are published and done, by `CELERY_TAKING` those that are done alone.

        Raises:
            Failed: it does not work here.
        """
        own = self.broker
        user, vhost = f"{quote(own.username)}:{quote(own.password)}", quote(own.vhost, safe="")
        found = self._run("celery", number, RIVAL_BROKER=f"amqp://{user}@{own.host}:{own.port}/{vhost}")
        return {CELERY: number / found["seconds"], CELERY_TAKING: number / found["consumed"]}

    def huey(self, number: int) -> Mapping[str, float]:
        """Tasks a second, by `HUEY`.

        Raises:
            Failed: it does not work here.
        """
        return {HUEY: number / self._run("huey", number)["seconds"]}

    def _run(self, name: str, number: int, **environment: str) -> Mapping[str, float]:
        if self.why_not:
            raise processes.Failed(self.why_not)
        script = Path(__file__).with_name(f"rival_{name}_tasks.py")
        with empty_folder() as folder:
            variables = {"RIVAL_FOLDER": str(folder), **environment}
            return processes.result_of([self.python, str(script), str(number)], variables, RUN_SECONDS, name)


@contextmanager
def installed(broker: Broker) -> Iterator[Queues]:
    """Give the rivals; their environment is gone after the block."""
    with empty_folder() as folder:
        try:
            made = Queues(_installed(folder / "venv"), "", broker)
        except (processes.Failed, subprocess.SubprocessError, OSError) as exc:
            made = Queues("", f"not measured: {' '.join(str(exc).split())[-300:]}", broker)
        yield made


def _installed(folder: Path) -> str:
    """Return an interpreter whose environment has the packages of rival_queues.txt."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, timeout=INSTALL_SECONDS)
    python = str(folder / "bin" / "python")
    wanted = Path(__file__).with_name("rival_queues.txt")
    command = [python, "-m", "pip", "install", "--quiet", "--requirement", str(wanted)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    if ended.returncode:
        reason = next((line for line in ended.stderr.splitlines() if line.startswith("ERROR")), "pip says no")
        raise processes.Failed(f"they could not be installed: {reason}")
    return python
