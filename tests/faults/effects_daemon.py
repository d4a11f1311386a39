"""A daemon whose jobs leave a trace of each slot: `python -m tests.faults.effects_daemon`.

There are JOBS jobs, each due every second. When a task acts, it adds a line to the file EFFECTS; half of the jobs also
write into Janitor's ledger. The job `scribe` saves a cursor all the time and comes to no safe point. With STRICT there
is a job `strict` too: it does not catch up.
"""

import hashlib
import os
import sys
import threading

from janitor import memory
from janitor.errors import JanitorError
from janitor.runs import current_run
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import cursors

LEDGER, SCRIBE = "effects", "scribe"


def act(number: int) -> None:
    """Act for one slot: add a line, and for even numbers an entry in the ledger."""
    run = current_run()
    assert run.slot_at is not None
    slot = run.slot_at.isoformat()
    if number % 2 == 0:
        memory.enter(LEDGER, [digest(run.job, slot)])
    file = os.open(os.environ["EFFECTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{run.job} {slot} {run.id}\n".encode())
    os.close(file)


def scribe() -> None:
    """Save a cursor again and again."""
    run = current_run()
    while True:
        with run.state.begin(*run.fences.values()) as connection:
            cursors.save(connection, SCRIBE, str(os.getpid()), run.started_at, run.id)
        # With libfaketime, `time.sleep` fails now and then.
        threading.Event().wait(0.05)


def digest(job: str, slot: str) -> bytes:
    """Return what the ledger holds for a slot."""
    return hashlib.md5(f"{job} {slot}".encode()).digest()


def main() -> None:
    """Start the daemon and run it to its end."""
    settings = Settings.load(dotenv=None)
    scheduler = Scheduler(settings)
    for number in range(int(os.environ["JOBS"])):
        scheduler.add_job(act, "interval", args=[number], id=f"job{number}", seconds=1)
    scheduler.add_job(scribe, "interval", id=SCRIBE, seconds=1)
    if "STRICT" in os.environ:
        scheduler.add_job(act, "interval", args=[1], id="strict", seconds=1, catch_up="none", misfire_grace_time=0.5)
    try:
        scheduler.start()
    except JanitorError as exc:
        sys.exit(f"the daemon ended: {exc}")


if __name__ == "__main__":
    main()
