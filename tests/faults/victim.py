"""The daemon with a knife at a numbered point: `python -m tests.faults.victim [VERB]`, else as `python run.py`.

VICTIM_POINT is `JOB:NUMBER:PASSAGE`: the process kills itself (SIGKILL) when a run of JOB comes to point NUMBER for the
PASSAGE-th time. Without it nothing is killed. Pages are small, so that there is a middle. Nothing else is changed. If a
seam is gone, the process ends at once and names it.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pika import spec
from pika.adapters.utils import io_services_utils
from sqlalchemy import URL, Connection

import run
from janitor import databases, memory
from janitor.engine import runner as engine_runner
from janitor.engine.runner import Runner
from janitor.publisher.confirming_channel import ConfirmingChannel
from janitor.runs import Run, current_run, running
from janitor.state import run_records
from janitor.table_sink import TableSink
from janitor.tasks.labware_location import rows
from janitor.tasks.sequencing_publisher import publish

PAGE_ROWS = 40
RUNS_AT_ONCE = 3
BATCH_CHANGES = 60

POINTS = {
    1: "before the run is recorded",
    2: "after the run was recorded",
    3: "before a page is read",
    4: "after a page was read",
    5: "before the sink is written",
    6: "after the sink was written",
    7: "before the cursor is saved",
    8: "after the cursor was saved",
    9: "before messages are sent",
    10: "after messages were sent, all of them gone out",
    11: "before confirms are received, the first being there",
    12: "after confirms were received",
    13: "before the ledger is saved",
    14: "after the ledger was saved",
    15: "before the run is closed",
    16: "after the run was closed",
}

NOWHERE = 0
"""No point: nothing is killed there."""

RUN, PAGE, SINK, CURSOR, GROUP, CLOSE = (1, 2), (3, 4), (5, 6), (7, 8), (9, 10, 11, 12, 13, 14), (15, 16)
OF_JOB = {
    "labware_location": RUN + PAGE + SINK + CURSOR + CLOSE,
    "labware_location_reconcile": RUN + PAGE + SINK + CLOSE,
    "sequencing_publisher": RUN + PAGE + CURSOR + GROUP + CLOSE,
    "sequencing_publisher_reconcile": RUN + PAGE + GROUP + CLOSE,
}
"""The points that the runs of each job pass."""

SOURCES = {
    "labware_location": ("LABWHERE_DATABASE_URL",),
    "labware_location_reconcile": ("LABWHERE_DATABASE_URL",),
    "sequencing_publisher": ("MLWH_DATABASE_URL", "MLWH_EVENTS_DATABASE_URL"),
    "sequencing_publisher_reconcile": ("MLWH_DATABASE_URL", "MLWH_EVENTS_DATABASE_URL"),
}
BASIC_PUBLISH = b"\x00\x3c\x00\x28"
"""Class 60, method 40: how every message to a broker begins."""


@dataclass
class Knife:
    """Counts how often the point was passed, and kills."""

    job: str = ""
    number: int = 0
    passage: int = 0
    passed: int = 0

    def __post_init__(self) -> None:
        self._counting = threading.Lock()

    def __call__(self, number: int, job: str | None = None) -> None:
        """Note that a run of `job`, or the current run, passes a point."""
        if number != self.number or (current_run().job if job is None else job) != self.job:
            return
        with self._counting:
            self.passed += 1
            if self.passed == self.passage:
                os.write(2, f"killed {POINTS[number]}, by {self.job}, the {self.passage}. time\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Set up the knife, then run the daemon."""
    job, number, passage = (os.environ.get("VICTIM_POINT") or ":0:0").split(":")
    knife = Knife(job, int(number), int(passage))
    make_pages_small()
    if knife.number:
        watch_runs(knife)
        watch_reads(knife)
        watch_calls(knife)
        watch_broker(knife)
    sys.argv[0] = "run.py"
    run.main()


def make_pages_small() -> None:
    """Make three hundred labwares many pages, and a hundred messages many batches."""
    seam(rows, "PAGE_ROWS", PAGE_ROWS)
    seam(publish, "RUNS_AT_ONCE", RUNS_AT_ONCE)
    seam(publish, "BATCH_CHANGES", BATCH_CHANGES)


def watch_runs(knife: Knife) -> None:
    """Watch points 1, 2, 15 and 16. Another thread may write the run's record."""
    jobs: dict[int, str] = {}
    start, finish, carry_out = there(run_records, "start"), there(run_records, "finish"), there(Runner, "carry_out")

    def knife_at_start(connection: Connection, job: str, *rest: Any, **more: Any) -> Any:
        knife(1, job)
        return start(connection, job, *rest, **more)

    def knife_at_finish(connection: Connection, run_id: int, *rest: Any, **more: Any) -> Any:
        knife(15, jobs.get(run_id, ""))
        return finish(connection, run_id, *rest, **more)

    @contextmanager
    def knife_while_running(begun: Run) -> Iterator[Run]:
        jobs[begun.id] = begun.job
        knife(2, begun.job)
        with running(begun) as same:
            yield same

    def knife_after_all(runner: Runner, entered: Any) -> Any:
        finished = carry_out(runner, entered)
        if finished is not None:
            knife(16, entered.job.id)
        return finished

    seam(run_records, "start", knife_at_start)
    seam(run_records, "finish", knife_at_finish)
    seam(engine_runner, "running", knife_while_running)
    seam(Runner, "carry_out", knife_after_all)


def watch_reads(knife: Knife) -> None:
    """Watch points 3 and 4: each read of a source, not of the target."""
    read = there(databases, "read")

    @contextmanager
    def knife_at_read(url: URL) -> Iterator[Connection]:
        names = SOURCES.get(current_run().job, ())
        is_source = url.render_as_string(hide_password=False) in {os.environ[name] for name in names}
        if is_source:
            knife(3)
        with read(url) as connection:
            yield connection
        if is_source:
            knife(4)

    seam(databases, "read", knife_at_read)


def watch_calls(knife: Knife) -> None:
    """Watch points 5 to 9 and 12 to 14: calls that return after the commit, or after the confirms."""
    around(knife, TableSink, "write", 5, 6)
    around(knife, memory, "save_cursor", 7, 8)
    around(knife, ConfirmingChannel, "send", 9, NOWHERE)
    around(knife, ConfirmingChannel, "wait", NOWHERE, 12)
    around(knife, memory, "enter", 13, 14)


def watch_broker(knife: Knife) -> None:
    """Watch points 10 and 11 on the wire: all frames have left; the first confirm has come."""
    transport = there(io_services_utils, "_AsyncPlaintextTransport")
    write, writable = there(transport, "write"), there(transport, "_on_socket_writable")
    decode = there(spec.Basic.Ack, "decode")

    def knife_while_writing(self: Any, data: bytes) -> None:
        self.carries_messages = getattr(self, "carries_messages", False) or BASIC_PUBLISH in data
        write(self, data)

    def knife_when_written(self: Any) -> None:
        writable(self)
        if getattr(self, "carries_messages", False) and not self.get_write_buffer_size():
            self.carries_messages = False
            knife(10)

    def knife_at_confirm(self: Any, *arguments: Any, **more: Any) -> Any:
        knife(11)
        return decode(self, *arguments, **more)

    seam(transport, "write", knife_while_writing)
    seam(transport, "_on_socket_writable", knife_when_written)
    seam(spec.Basic.Ack, "decode", knife_at_confirm)


def around(knife: Knife, owner: Any, name: str, before: int, after: int) -> None:
    """Pass one point before each call, and another after each call that returns."""
    plainly: Callable[..., Any] = there(owner, name)

    def called(*arguments: Any, **more: Any) -> Any:
        knife(before)
        returned = plainly(*arguments, **more)
        knife(after)
        return returned

    seam(owner, name, called)


def seam(owner: Any, name: str, value: Any) -> None:
    """Replace something that is there."""
    there(owner, name)
    setattr(owner, name, value)


def there(owner: Any, name: str) -> Any:
    """Return what is there. If it is gone, end: the code has changed, and the point would never be passed."""
    if not hasattr(owner, name):
        sys.exit(f"tests.faults.victim: {owner} has no {name} any more; find the seam that took its place")
    return getattr(owner, name)


if __name__ == "__main__":
    main()
