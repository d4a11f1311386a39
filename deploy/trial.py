"""Tries a built image: what it holds, and whether its daemon gets healthy, works and stops."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from deploy.dockerfile import ReplayError
from deploy.image import Image, chrooted, in_root, say

EMBEDDED = {
    "WEB_PORT": "0",
    "LABWHERE_DATABASE_URL": "sqlite:///var/labwhere.db",
    "MLWH_DATABASE_URL": "sqlite:///var/mlwh.db",
    "MLWH_EVENTS_DATABASE_URL": "sqlite:///var/mlwh_events.db",
    "MESSAGES_DIR": "var/messages",
    "LABWARE_LOCATION_SCHEDULE": "every 2s",
    "SEQUENCING_PUBLISHER_SCHEDULE": "every 2s",
    "SEQUENCING_PUBLISHER_SINCE": "2000-01-01",
}
JOBS = ("labware_location", "sequencing_publisher")
ANYBODY = "1000670000:0"
"""A user as OpenShift chooses one: a number without a name, in group 0."""
FILL = """
from datetime import datetime, timezone
from sqlalchemy import create_engine
from janitor.demo import warehouses

engines = [create_engine(f"sqlite:///var/{name}.db") for name in warehouses.NAMES]
for engine, name in zip(engines, warehouses.NAMES, strict=True):
    warehouses.create_tables(engine, name)
warehouses.fill(*engines, labwares=500, runs=4, seed=1, now=datetime.now(timezone.utc), products=8)
"""
ORPHANED = """
import os, sys, time

# A child that leaves a grandchild behind, and tells its number.
read, write = os.pipe()
if os.fork() == 0:
    if (left := os.fork()) == 0:
        os._exit(0)
    os.write(write, str(left).encode())
    os._exit(0)
os.wait()
orphan = f"/proc/{os.read(read, 20).decode()}"
for _ in range(100):
    if not os.path.exists(orphan):
        sys.exit(0)
    time.sleep(0.05)
sys.exit("a process that was left behind is never reaped")
"""
"""Ends with 0 if an orphan is reaped."""
STOPPED_AT_ONCE_SECONDS = 10
HEALTHY_WITHIN_SECONDS = 60
WORKED_WITHIN_SECONDS = 60
STOPPED_WITHIN_SECONDS = 60


def try_files(image: Image, context: Path) -> None:
    """Check the image: it has the stated version, only the lock's default packages, and may write only `var`.

    Raises:
        ReplayError: something of this is not so.
    """
    version = (context / ".release-version").read_text().strip()
    found = inside(image, "import janitor; print(janitor.__version__)")
    if found != version:
        raise ReplayError(f".release-version says {version}, and the image's janitor {found}")
    lock = json.loads((context / "Pipfile.lock").read_text())
    listed = inside(
        image, "from importlib import metadata as m; print(*(d.metadata['Name'] for d in m.distributions()))"
    )
    names = {re.sub(r"[-_.]+", "-", name).lower() for name in listed.split()}
    if more := names - set(lock["default"]) - {"pip", "setuptools", "wheel"}:
        raise ReplayError(f"the image holds packages that Janitor does not run on: {', '.join(sorted(more))}")
    try_writing(image)
    say(f"janitor {version}, {len(names)} packages, user {image.user} or any of group 0, writes var alone")


def try_writing(image: Image) -> None:
    """Check that the image's user may write `var` alone, and so may any user of group 0.

    Raises:
        ReplayError: one of them may write more, or less.
    """
    asked = "import os; print(*(p for p in ('.', 'janitor', 'run.py', 'var') if os.access(p, os.W_OK)))"
    for user in (image.user, ANYBODY):
        writable = inside(replace(image, user=user), asked)
        if writable != "var":
            raise ReplayError(f"the user {user} may write {writable or 'nowhere'}, and ought to write var alone")


def inside(image: Image, code: str) -> str:
    """Run a line of Python in the image, as its user, and return what it prints.

    Raises:
        ReplayError: it fails.
    """
    command = in_root(image, ["python", "-c", code], {})
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ReplayError(f"in the image: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()


def try_init(image: Image) -> None:
    """See that process 1 of the image reaps orphans, and passes SIGTERM on before the daemon is there.

    Raises:
        ReplayError: it does not.
    """
    init = image.entrypoint[: image.entrypoint.index("--") + 1] if "--" in image.entrypoint else ()
    command = in_root(image, [*init, "python", "-c", ORPHANED], {})
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ReplayError(f"process 1 does not reap orphans: {(done.stdout + done.stderr).strip()[-500:]}")
    slow = subprocess.Popen(in_root(image, [*init, "sleep", "60"], {}), stdin=subprocess.DEVNULL)
    try:
        os.kill(first_process(slow), image.stop_signal)
        slow.wait(STOPPED_AT_ONCE_SECONDS)
    except subprocess.TimeoutExpired as exc:
        raise ReplayError("process 1 keeps SIGTERM from a program that does not handle it") from exc
    finally:
        slow.kill()
        slow.wait()
    say("process 1 reaps orphans, and passes SIGTERM on at once")


def try_anybody(image: Image) -> None:
    """Let a user whom OpenShift would choose do what the image's user has done, with a new `var`.

    Raises:
        ReplayError: as `try_daemon` does.
    """
    for left in image.path("var").iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    say(f"as {ANYBODY}, with an empty var")
    try_daemon(replace(image, user=ANYBODY))


def try_daemon(image: Image) -> None:
    """Start the image's command with embedded parts, wait until it is healthy and has worked, and stop it.

    Raises:
        ReplayError: it does not get healthy, does not work, or does not stop with exit code 0.
    """
    inside(image, FILL)
    say(shlex.join([*image.entrypoint, *image.cmd]))
    name = signal.Signals(image.stop_signal).name
    daemon = subprocess.Popen(in_root(image, [*image.entrypoint, *image.cmd], EMBEDDED), stdin=subprocess.DEVNULL)
    try:
        await_health(image, daemon)
        await_work(image, daemon)
        os.kill(first_process(daemon), image.stop_signal)
        code = daemon.wait(STOPPED_WITHIN_SECONDS)
    except subprocess.TimeoutExpired as exc:
        raise ReplayError(f"still running {STOPPED_WITHIN_SECONDS} s after {name}") from exc
    finally:
        daemon.kill()
        daemon.wait()
    if code != 0:
        raise ReplayError(f"the daemon ended with exit code {code} after {name}")
    say(f"{name}: stopped with exit code 0")


def first_process(daemon: subprocess.Popen[bytes]) -> int:
    """Return this machine's process id of PID 1 in the image.

    Raises:
        ReplayError: the daemon has ended.
    """
    if daemon.poll() is not None:
        raise ReplayError(f"the daemon ended by itself, with exit code {daemon.returncode}")
    children = Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children")
    while not (found := children.read_text().split()):
        time.sleep(0.1)
    return int(found[0])


def beside(image: Image, daemon: subprocess.Popen[bytes], argv: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command beside the daemon, as `docker exec` and health checks do."""
    enter = ["nsenter", f"--target={first_process(daemon)}", "--mount", "--pid"]
    command = [*enter, *chrooted(image, argv, EMBEDDED)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def await_health(image: Image, daemon: subprocess.Popen[bytes]) -> None:
    """Wait until the image's health check passes.

    Raises:
        ReplayError: that takes too long.
    """
    began = time.monotonic()
    said = ""
    while time.monotonic() - began < HEALTHY_WITHIN_SECONDS:
        time.sleep(0.5)
        asked = beside(image, daemon, list(image.healthcheck))
        if asked.returncode == 0:
            say(f"healthy after {time.monotonic() - began:.1f} s: {asked.stdout.strip()}")
            return
        said = (asked.stdout + asked.stderr).strip()
    raise ReplayError(f"not healthy within {HEALTHY_WITHIN_SECONDS} s; its health check says: {said[-500:]}")


def await_work(image: Image, daemon: subprocess.Popen[bytes]) -> None:
    """Wait until a run of each job in JOBS has succeeded.

    Raises:
        ReplayError: that takes too long; the error has the history.
    """
    outcomes: dict[str, str] = {}
    for _ in range(WORKED_WITHIN_SECONDS):
        time.sleep(1)
        asked = beside(image, daemon, [*image.entrypoint, "history", "--json"])
        runs = json.loads(asked.stdout) if asked.returncode == 0 else []
        outcomes |= {
            run["job"]: f"{run['outcome']} {run['counts']}" for run in runs if run.get("outcome") == "succeeded"
        }
        if outcomes.keys() >= set(JOBS):
            say("; ".join(f"{job} {outcomes[job]}" for job in JOBS))
            return
    raise ReplayError(f"no run of each job succeeded within {WORKED_WITHIN_SECONDS} s; history: {asked.stdout[:2000]}")
