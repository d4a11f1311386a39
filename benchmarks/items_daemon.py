"""A daemon with pipelines whose steps do nothing: `python -m benchmarks.items_daemon WORK ARGUMENT...`.

    through RECORD NUMBER WORKERS        a task adds so many items, and one step does them, recorded as RECORD says
    begun HERE FIRST ELSEWHERE           how late items are begun that are added in this process, and in another
    chain NUMBER                         items go through ten steps, one after the other
    inbox KIND QUEUE NUMBER              so many messages wait in a queue, and become items
    waiting SECONDS                      a slow step is at work, while most of what is there waits
    add PIPELINE NUMBER                  no daemon: so many items are added to a daemon's pipeline, one now and then

The settings are in the environment. The last line is JSON. Whatever is measured has happened when it is told: the rows
are counted.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Protocol

from sqlalchemy import func, select

from benchmarks.clockwork import wait_for
from benchmarks.items_fill import add_pipelines
from benchmarks.measures import peak_mb
from benchmarks.processes import Failed
from janitor import items
from janitor.engine.allocator import bound_arenas, collect_seldom
from janitor.engine.daemon import Daemon
from janitor.engine.runner import Runner
from janitor.items import adding
from janitor.items.ends import Inbox
from janitor.logs import set_up
from janitor.logs.mask import mask_for
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import State, holders, item_counts
from janitor.state.item_counts import OF_ITEMS
from janitor.state.item_states import DONE, OPEN
from janitor.state.item_tables import item_attempts
from janitor.state.item_tables import items as item_table
from janitor.state.tables import runs

CHAIN = 10
"""So many steps an item goes through, one after the other."""
LONGEST_SECONDS = 900.0
PATIENCE_SECONDS = 30.0
SLOW_SECONDS = 0.05


class Work(Protocol):
    """What is measured."""

    def add_to(self, scheduler: Scheduler) -> None:
        """Add its pipelines and jobs."""

    def watch(self, state: State) -> Mapping[str, Any]:
        """Wait until it is done, beside the daemon; what was measured.

        Raises:
            Failed: it is not done in time, or something is missing.
        """


def nothing(item: items.Item) -> None:
    """Do nothing."""


class Through:
    """Items that a task adds and one step does."""

    def __init__(self, record: str, number: str, workers: str) -> None:
        self._record: Any = record
        self._number, self._workers = int(number), int(workers)
        self._began, self._tried = 0.0, list[None]()

    def add_to(self, scheduler: Scheduler) -> None:
        """Add the pipeline, and the task that fills it."""
        scheduler.add_pipeline(
            "through", [items.Step("nothing", self.count, record=self._record, workers=self._workers)]
        )
        scheduler.add_job(self.feed, "date", id="feed")

    def count(self, item: items.Item) -> None:
        """Do nothing but count: so nobody has to read the counts before all are done."""
        self._tried.append(None)  # several workers may count at once

    def feed(self) -> None:
        """Add the items."""
        news = [items.New(f"item {number}", {"number": number}) for number in range(self._number)]
        self._began = time.perf_counter()
        items.add_all("through", news)

    def watch(self, state: State) -> Mapping[str, Any]:
        """Seconds from the first item that is added to the last that is on record; and the peak memory in MB."""
        wait_for(lambda: len(self._tried) >= self._number, LONGEST_SECONDS, pause=0.02)
        wait_for(lambda: _counted(state, "through", DONE) >= self._number, LONGEST_SECONDS, pause=0.02)
        seconds = time.perf_counter() - self._began
        tried = _one(state, select(func.count()).select_from(item_attempts))
        if tried != self._number:
            raise Failed(f"{self._number:,} items were tried {tried:,} times")
        return {"seconds": seconds, "peak_mb": peak_mb()}


class Begun:
    """Items that are added one by one; each tells how late its step begins."""

    def __init__(self, here: str, firsts: str, elsewhere: str) -> None:
        self._here, self._firsts, self._elsewhere = int(here), int(firsts), int(elsewhere)
        self._late: dict[str, list[float]] = {"here": [], "first": [], "elsewhere": []}

    def add_to(self, scheduler: Scheduler) -> None:
        """Add one pipeline for many items, and one each for first items, whose run has to begin before."""
        for name in ("many", *(f"first_{number}" for number in range(self._firsts))):
            scheduler.add_pipeline(name, [items.Step("note", self.note)])
        scheduler.add_job(self.feed, "date", id="feed")

    def note(self, item: items.Item) -> None:
        """Note how late this is."""
        self._late[item.args["kind"]].append(time.time() - item.args["at"])

    def feed(self) -> None:
        """Add an item now and then: here, then here to pipelines of which no run goes on, then in another process."""
        for number in range(self._here):
            time.sleep(random.uniform(0.005, 0.03))
            items.add("many", f"here {number}", kind="here", at=time.time())
        for number in range(self._firsts):
            time.sleep(random.uniform(0.02, 0.1))
            items.add(f"first_{number}", "first", kind="first", at=time.time())
        command = [sys.executable, "-m", "benchmarks.items_daemon", "add", "many", str(self._elsewhere)]
        subprocess.run(command, check=True)

    def watch(self, state: State) -> Mapping[str, Any]:
        """How late each item was, in seconds, by how it came; smallest first."""
        wanted = {"here": self._here, "first": self._firsts, "elsewhere": self._elsewhere}
        wait_for(lambda: {kind: len(late) for kind, late in self._late.items()} == wanted, LONGEST_SECONDS)
        return {kind: sorted(late) for kind, late in self._late.items()}


def add_elsewhere(pipeline: str, number: int) -> None:
    """Add items to a pipeline that another process has, one now and then."""
    with closing(State(Settings.load(os.environ, dotenv=None).state_database_url)) as state:
        for one in range(number):
            time.sleep(random.uniform(0.2, 1.2))
            new = items.New(f"elsewhere {one}", {"kind": "elsewhere", "at": time.time()})
            adding.write(state, pipeline, [adding.new_item(new, state.clock.now())])


class Chain:
    """Items that go through ten steps, one item at a time."""

    def __init__(self, number: str) -> None:
        self._number = int(number)
        self._tried, self._done = threading.Semaphore(0), threading.Semaphore(0)

    def add_to(self, scheduler: Scheduler) -> None:
        """Add the pipeline, and the task that adds an item once the last is done."""
        needs: dict[int, list[str]] = {step: [f"step_{step - 1}"] for step in range(1, CHAIN)}
        funcs = {CHAIN - 1: self.note}
        steps = [
            items.Step(f"step_{step}", funcs.get(step, nothing), needs=needs.get(step, ())) for step in range(CHAIN)
        ]
        scheduler.add_pipeline("chain", steps)
        scheduler.add_job(self.feed, "date", id="feed")

    def note(self, item: items.Item) -> None:
        """Do nothing but tell that an item has come to its last step: nobody has to read before."""
        self._tried.release()

    def feed(self) -> None:
        """Add an item each time that the last is done."""
        for number in range(self._number):
            items.add("chain", f"item {number}", at=time.time())
            if not self._done.acquire(timeout=PATIENCE_SECONDS):
                raise Failed(f"item {number} was not done within {PATIENCE_SECONDS:g} s")

    def watch(self, state: State) -> Mapping[str, Any]:
        """Seconds from adding each item until its end is on record; the first lets all runs begin."""
        query = select(item_table.c.args).where(item_table.c.pipeline == "chain", item_table.c.state == DONE)
        taken: list[float] = []
        for number in range(self._number):
            args = query.where(item_table.c.key == f"item {number}")
            if not self._tried.acquire(timeout=PATIENCE_SECONDS):
                raise Failed(f"item {number} did not come to its last step within {PATIENCE_SECONDS:g} s")
            found = wait_for(lambda: _one(state, args), PATIENCE_SECONDS, pause=0.002)
            taken.append(time.time() - json.loads(found)["at"])
            self._done.release()
        return {"first": taken[0], "later": taken[1:]}


class Receiving:
    """Messages that wait in a queue, and become items; no step is at work beside that."""

    def __init__(self, kind: str, queue: str, number: str) -> None:
        self._inbox, self._number = inbox(kind, queue), int(number)

    def add_to(self, scheduler: Scheduler) -> None:
        """Add the pipeline."""
        scheduler.add_pipeline("received", [items.Step("nothing", nothing, enabled=False)], inboxes=[self._inbox])

    def watch(self, state: State) -> Mapping[str, Any]:
        """Seconds from the beginning of the inbox's run until the last item is committed."""
        wait_for(lambda: _counted(state, "received", OPEN) >= self._number, LONGEST_SECONDS, pause=0.02)
        ended_at = state.clock.now()
        began_at = _one(state, select(func.min(runs.c.started_at)).where(runs.c.job == f"received.{self._inbox.name}"))
        return {"seconds": (ended_at - began_at).total_seconds()}


def inbox(kind: str, queue: str) -> Inbox:
    """The inbox of a queue: `rabbitmq` or `sqs`."""
    return items.RabbitInbox("queue", queue) if kind == "rabbitmq" else items.SqsInbox("queue", queue)


class Waiting:
    """A slow step on a state database that is filled: nearly all of it waits."""

    def __init__(self, seconds: str) -> None:
        self._seconds, self._done = float(seconds), 0

    def add_to(self, scheduler: Scheduler) -> None:
        """Add the pipelines of which the state database is full."""
        add_pipelines(scheduler, self.slow)

    def slow(self, item: items.Item) -> None:
        """Take a little while."""
        time.sleep(SLOW_SECONDS)
        self._done += 1

    def watch(self, state: State) -> Mapping[str, Any]:
        """The most memory that the process has had: MB; and how many items it has done meanwhile."""
        wait_for(lambda: self._done, PATIENCE_SECONDS)
        time.sleep(self._seconds)
        return {"peak_mb": peak_mb(), "done": self._done}


WORKS: Mapping[str, Callable[..., Work]] = {
    "through": Through,
    "begun": Begun,
    "chain": Chain,
    "inbox": Receiving,
    "waiting": Waiting,
}


def run(work: Work) -> Mapping[str, Any]:
    """Run a daemon until the work is done; what it measured.

    Raises:
        Failed: it is not done in time, or something is missing.
    """
    settings = Settings.load(os.environ, dotenv=None)
    # As `start` does.
    bound_arenas()
    collect_seldom()
    mask = mask_for(settings)
    run_log = set_up.set_up(settings, mask)
    with closing(State(settings.state_database_url)) as state:
        state.migrate()
        scheduler = Scheduler(settings)
        work.add_to(scheduler)
        daemon = scheduler.daemon(Runner(state, settings, holders.new_holder(), mask, run_log))
        return _watched(work, state, daemon)


def _watched(work: Work, state: State, daemon: Daemon) -> Mapping[str, Any]:
    found: list[Mapping[str, Any]] = []
    failures: list[Failed] = []

    def watch() -> None:
        try:
            found.append(work.watch(state))
        except Failed as exc:
            failures.append(exc)
        finally:
            daemon.ask_to_stop()

    watching = threading.Thread(target=watch)
    watching.start()
    daemon.run()
    watching.join()
    if failures or not found:
        raise failures[0] if failures else Failed("the daemon ended before all was measured")
    return found[0]


def _counted(state: State, pipeline: str, item_state: int) -> int:
    """How many items of a pipeline are in a state, as the counts say that are kept."""
    with state.read() as connection:
        counts = item_counts.read(connection, pipeline)
    return item_counts.by_state(counts, OF_ITEMS).get(item_state, 0)


def _one(state: State, query: Any) -> Any:
    with state.read() as connection:
        return connection.execute(query).scalar()


def main(work: str, *arguments: str) -> None:
    """Do one of the works, and print what was measured."""
    if work == "add":
        add_elsewhere(arguments[0], int(arguments[1]))
    else:
        print(json.dumps(run(WORKS[work](*arguments))))


if __name__ == "__main__":
    main(*sys.argv[1:])
