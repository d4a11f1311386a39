"""A house of hostile tasks: `python -m tests.hostile_house VERB`, with the jobs that JOBS names."""

import atexit
import json
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Thread

from janitor import cli
from janitor.scheduler import Scheduler
from janitor.settings import Settings

LEFT: list[object] = []


def leave_pool() -> dict[str, int]:
    """End, and leave a thread of a pool at work."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="left")
    pool.submit(time.sleep, 120)
    LEFT.append(pool)
    return {"left": 1}


def leave_thread() -> None:
    """End, and leave a thread at work for which Python waits."""
    Thread(target=time.sleep, args=(120,), name="left", daemon=False).start()


def stay_in_pool() -> None:
    """Wait for a thread of a pool, deaf to every wish."""
    with ThreadPoolExecutor(1, thread_name_prefix="left") as pool:
        pool.submit(time.sleep, 120)


def leave_child() -> dict[str, int]:
    """End, and leave a child process for which Python waits."""
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(120,))
    child.start()
    assert child.pid is not None
    return {"pid": child.pid}


def leave_exit() -> None:
    """Let something that takes long happen at the end of the process."""
    atexit.register(time.sleep, 120)


def fork_and_look() -> dict[str, int]:
    """Once there was a visitor, fork a child that tells what it has, and end it."""
    while not Path(os.environ["VISITED"]).exists():
        time.sleep(0.05)
    pid = os.fork()
    if pid == 0:
        _tell_what_is_there(Path(os.environ["FOUND"]))
        time.sleep(60)
    while not Path(os.environ["FOUND"]).exists():
        time.sleep(0.05)
    os.kill(pid, signal.SIGTERM)
    return {"told": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}


def _tell_what_is_there(file: Path) -> None:
    usual = (signal.SIG_DFL, signal.default_int_handler)
    handled = {
        number.name: "default" if signal.getsignal(number) in usual else "handled"
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    text = json.dumps({"sockets": list(_sockets_of_networks()), **handled})
    file.with_suffix(".part").write_text(text, encoding="utf-8")
    file.with_suffix(".part").rename(file)


def _sockets_of_networks() -> Iterator[str]:
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as double:
            if double.family != socket.AF_UNIX:
                yield f"{name}: {double}"


def touch() -> None:
    """Tell that the house works."""
    Path("touched").touch()


TASKS: dict[str, Callable[[], object]] = {
    task.__name__: task
    for task in (leave_pool, leave_thread, leave_child, leave_exit, stay_in_pool, fork_and_look, touch)
}


def build(settings: Settings) -> Scheduler:
    """Make the jobs that JOBS names; `NAME/process` isolates a job."""
    scheduler = Scheduler(settings)
    for word in os.environ["JOBS"].split():
        name, _, process = word.partition("/")
        scheduler.add_job(TASKS[name], "interval", hours=1, id=name, isolation="process" if process else "thread")
    return scheduler


if __name__ == "__main__":
    sys.exit(cli.main(build))
