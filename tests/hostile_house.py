"""A house of hostile tasks: `python -m tests.hostile_house VERB`, with the jobs that JOBS names."""

import atexit
import gc
import json
import logging
import logging.config
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import StringIO
from pathlib import Path

from janitor import cli
from janitor.scheduler import Scheduler
from janitor.settings import Settings

log = logging.getLogger(__name__)

LEFT: list[object] = []


def leave_pool() -> dict[str, int]:
    """End, and leave a thread of a pool at work."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="left")
    pool.submit(time.sleep, 120)
    LEFT.append(pool)
    return {"left": 1}


def leave_pool_and_fail() -> None:
    """Fail, and leave a thread of a pool at work."""
    leave_pool()
    raise ValueError("after all")


def leave_thread() -> None:
    """End, and leave a thread at work for which Python waits."""
    threading.Thread(target=time.sleep, args=(120,), name="left", daemon=False).start()


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


def stay_with_program() -> None:
    """Start a program, and wait with it."""
    program = subprocess.Popen(["sleep", "120"])
    log.info("at work: %d %d", os.getpid(), program.pid)
    program.wait()


def leave_exit() -> None:
    """Let something that takes long happen at the end of the process."""
    atexit.register(time.sleep, 120)
    threading._register_atexit(time.sleep, 120)  # type: ignore[attr-defined]


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
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    }
    text = json.dumps({"sockets": list(_sockets_of_networks()), **handled})
    file.with_suffix(".part").write_text(text, encoding="utf-8")
    file.with_suffix(".part").rename(file)


def _sockets_of_networks() -> Iterator[str]:
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as double:
            if double.family != socket.AF_UNIX:
                yield f"{name}: {double}"


def take_logging() -> None:
    """Take the process's logging for itself."""
    logging.config.dictConfig({"version": 1, "root": {"level": "ERROR", "handlers": []}})
    log.info("lost: its logger is disabled")


def force_logging() -> None:
    """Set up logging anew, and log a secret."""
    logging.basicConfig(force=True, level=logging.DEBUG)
    log.warning("it is %s", os.environ["RABBITMQ_PASSWORD"])


def disable_logging() -> None:
    """Let nobody log, in every way there is."""
    logging.disable(logging.CRITICAL)
    for handler in logging.getLogger().handlers:
        handler.setLevel(logging.CRITICAL + 1)
        handler.setFormatter(None)
    logging.getLogger().handlers = []
    logging.shutdown()


def hold_handler() -> None:
    """Take the lock of a log handler of Janitor's, and keep it."""
    logging.getLogger().handlers[0].acquire()


def wait_in_handler() -> None:
    """Log through a handler that waits for a server without an end."""

    class Waiting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            time.sleep(120)

    logging.getLogger().addHandler(Waiting())
    log.info("it waits")


def take_stdout() -> None:
    """Close stdout, and put another stream in its place."""
    sys.stdout.close()
    os.close(1)
    sys.stdout = StringIO()


def print_all() -> None:
    """Print in every way, and a secret too."""
    print("printed", 1, os.environ["RABBITMQ_PASSWORD"])
    print("to stderr", file=sys.stderr)
    print("10 %\r20 %\r100 %")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(print, "from a thread").result()
    print("without an end", end="")


def change_all() -> None:
    """Change what all threads of a process share."""
    os.umask(0)
    socket.setdefaulttimeout(0.001)
    gc.disable()
    sys.setrecursionlimit(150)
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    time.sleep(0.1)


def fail_in_words() -> None:
    """Fail with words that ASCII has not."""
    raise ValueError("die Tür ist zu \u2013 \U0001f9ec")


def print_much() -> None:
    """Print more than a pipe holds."""
    for number in range(20_000):
        print("line", number)


def tell() -> None:
    """Log and print, as any task does."""
    log.info("logged")
    print("said")


TASKS: dict[str, Callable[[], object]] = {
    task.__name__: task
    for task in (
        leave_pool,
        leave_pool_and_fail,
        leave_thread,
        leave_child,
        leave_exit,
        stay_with_program,
        stay_in_pool,
        fork_and_look,
        take_logging,
        force_logging,
        disable_logging,
        hold_handler,
        wait_in_handler,
        take_stdout,
        print_all,
        change_all,
        fail_in_words,
        print_much,
        tell,
    )
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
