"""A pipeline on a state database: items are added, its steps are run by hand or by a daemon, and rows are read back.

do      one run of a step by hand, to its end: no daemon, nothing waits
go      a daemon in this thread, and meanwhile a script in another
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Row, func, select, update

from janitor.engine.daemon import Daemon
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.items import Item, New, Step
from janitor.items.adding import keep_new_plans, new_item, write
from janitor.items.pipeline import Pipeline
from janitor.jobs.result_texts import decode
from janitor.runs import Outcome
from janitor.scheduler import Scheduler
from janitor.state import State, item_counts, item_endings, item_plans, item_standing
from janitor.state.item_counts import Count
from janitor.state.item_replies import DUE
from janitor.state.item_states import OPEN
from janitor.state.item_tables import item_attempts, item_replies, item_steps, items
from janitor.state.run_records import BY_HAND, Ending
from tests.small_engine import eventually, rows_of, run_until, runner_for, settings_for
from tests.state.pieces import check_counts

NAME = "p"
KEYS = [str(number) for number in range(40)]


class House:
    """A pipeline with what its tests ask of it."""

    def __init__(self, runner: Runner, scheduler: Scheduler, pipeline: Pipeline) -> None:
        self.runner, self.scheduler, self.pipeline = runner, scheduler, pipeline
        self.daemon: Daemon | None = None

    @property
    def state(self) -> State:
        """The state database."""
        return self.runner.state

    def add(self, *keys: str, args: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Add items, all with the same arguments."""
        given = {name: more.pop(name) for name in ("envelope", "secrets", "on_duplicate") if name in more}
        now = self.state.clock.now()
        news = [new_item(New(key, args or {}, **more), now, **given) for key in keys]
        write(self.state, self.pipeline.name, news)

    def do(self, step: str, dry_run: bool = False) -> Ending:
        """Run a step by hand, to the end of the run."""
        job = self.scheduler.jobs[item_plans.lane_of(self.pipeline.name, step)]
        made = self.runner.execute(job, Slot(None, BY_HAND), dry_run)
        assert made is not None
        return made[1]

    def do_all(self) -> None:
        """Run all steps by hand, in their order."""
        for step in self.pipeline.in_order:
            self.do(step.name)

    def go(self, script: Callable[[], object]) -> None:
        """Let a daemon go in this thread until a script in another thread has ended; then it stops in order."""
        self.daemon = self.scheduler.daemon(self.runner)
        raised: list[BaseException] = []

        def play() -> bool:
            try:
                eventually(lambda: self.daemon is not None and self.daemon.leading)
                script()
            except BaseException as exc:
                raised.append(exc)
            return True

        run_until(self.daemon, play, seconds=150)
        if raised:
            raise raised[0]

    def go_until_ended(self, number: int) -> None:
        """Let a daemon go until so many items have ended."""
        self.go(lambda: self.wait_for_ended(number))

    def wait_for_ended(self, number: int) -> None:
        """Wait until so many items have ended."""
        eventually(lambda: self.count(items.c.state != OPEN) >= number, self.told)

    def count(self, *where: Any) -> int:
        """How many items are so."""
        query = select(func.count()).select_from(items).where(items.c.pipeline == self.pipeline.name, *where)
        with self.state.read() as connection:
            return int(connection.execute(query).scalar_one())

    def replies_due(self) -> int:
        """How many replies are still to be sent."""
        query = select(func.count()).select_from(item_replies).where(item_replies.c.state == DUE)
        with self.state.read() as connection:
            return int(connection.execute(query).scalar_one())

    def keys(self) -> list[str]:
        """The keys of all items, in the order in which they were added."""
        query = select(items.c.key).where(items.c.pipeline == self.pipeline.name).order_by(items.c.id)
        with self.state.read() as connection:
            return list(connection.execute(query).scalars())

    def counts(self) -> list[Count]:
        """The counts of the pipeline."""
        with self.state.read() as connection:
            return item_counts.read(connection, self.pipeline.name)

    def share(self, key: str) -> float:
        """How much of an item is done."""
        return item_standing.share_done([row.state for row in self.steps(key).values()])

    def is_blocked(self, key: str) -> bool:
        """Whether a step of an item can never be taken."""
        return item_standing.is_blocked([row.state for row in self.steps(key).values()])

    def told(self) -> str:
        """Where all items are, for a test that fails."""
        with self.state.read() as connection:
            rows = connection.execute(select(item_steps.c.item_id, item_steps.c.step, item_steps.c.status)).all()
        return f"{[tuple(row) for row in rows][:50]} {[(row.job, row.outcome, row.reason) for row in self.runs()]}"

    def item(self, key: str) -> Row[Any]:
        """An item's row."""
        query = select(items).where(items.c.pipeline == self.pipeline.name, items.c.key == key)
        with self.state.read() as connection:
            return connection.execute(query).one()

    def steps(self, key: str) -> dict[str, Row[Any]]:
        """The rows of an item's steps."""
        query = select(item_steps).where(item_steps.c.item_id == self.item(key).id)
        with self.state.read() as connection:
            return {row.step: row for row in connection.execute(query)}

    def statuses(self, key: str) -> dict[str, str]:
        """The status of each of an item's steps."""
        return {step: row.status for step, row in self.steps(key).items()}

    def status(self, key: str) -> str:
        """The status of an item's only step."""
        [status] = self.statuses(key).values()
        return status

    def status_of(self, key: str, step: str) -> str:
        """The status of one of an item's steps."""
        return self.statuses(key)[step]

    def results(self, key: str) -> dict[str, Any]:
        """What an item's steps have left."""
        with self.state.read() as connection:
            found = item_endings.results_of(connection, self.item(key).id)
        return {step: decode(text) for step, text in found.items()}

    def attempts(self, key: str, step: str | None = None) -> Sequence[Row[Any]]:
        """The attempts on an item, the oldest first."""
        query = select(item_attempts).where(item_attempts.c.item_id == self.item(key).id)
        query = query if step is None else query.where(item_attempts.c.step == step)
        with self.state.read() as connection:
            return connection.execute(query.order_by(item_attempts.c.id)).all()

    def runs(self, step: str | None = None) -> Sequence[Row[Any]]:
        """The records of a step's runs, or of all."""
        return rows_of(self.state, None if step is None else item_plans.lane_of(self.pipeline.name, step))

    def change_row(self, key: str, **values: Any) -> None:
        """Change an item's row by hand."""
        with self.state.begin() as connection:
            connection.execute(update(items).where(items.c.id == self.item(key).id).values(values))

    def check_counts(self) -> dict[tuple[str, int, str], int]:
        """Make sure that the counts are what the rows say; the counts."""
        return check_counts(self.state, self.pipeline.name)

    def now(self) -> datetime:
        """This moment, by the state database."""
        return self.state.clock.now()


@contextmanager
def house(url: URL, folder: Path, *steps: Step, leads: bool = True, **more: Any) -> Iterator[House]:
    """A pipeline of some steps; `leads` is for steps that are run by hand, without it a daemon may lead.

    Names in capitals are variables, all others are options of the pipeline.
    """
    settings = settings_for(url, folder, **{name: more.pop(name) for name in list(more) if name.isupper()})
    with runner_for(settings, leads) as runner:
        scheduler = Scheduler(settings)
        pipeline = scheduler.add_pipeline(more.pop("name", NAME), steps, **more)
        keep_new_plans(runner.state, [pipeline])
        yield House(runner, scheduler, pipeline)


def envelopes(row: Row[Any]) -> list[Any]:
    """Who asked for an item."""
    found: list[Any] = json.loads(row.envelope or "[]")
    return found


class Gate:
    """Lets steps wait until a test lets them go; from any thread."""

    def __init__(self) -> None:
        self.at: list[str] = []
        """The keys of the items that came to it, in their order."""
        self._open = threading.Event()

    def pass_through(self, key: str, check: Callable[[], None] = lambda: None) -> None:
        """Come to the gate, and wait until it is open; `check` is called meanwhile."""
        self.at.append(key)
        while not self._open.wait(0.02):
            check()

    def open(self) -> None:
        """Let all go on."""
        self._open.set()

    def wait_for(self, number: int) -> list[str]:
        """Wait until so many have come; their keys."""
        eventually(lambda: len(self.at) >= number, lambda: f"{self.at} came")
        return list(self.at)


def succeeded(ending: Ending) -> Mapping[str, Any]:
    """The counts of a run that must have succeeded."""
    assert ending.outcome is Outcome.SUCCEEDED, ending
    return dict(ending.counts or {})


class Seen:
    """The keys of the items that came, in their order; items may be told what to do."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.do: Callable[[Item], Any] = lambda item: None

    def __call__(self, item: Item) -> Any:
        self.keys.append(item.key)
        return self.do(item)


def in_a_thread(do: Callable[[], object]) -> Callable[[], None]:
    """Begin something in a thread; what is given waits for its end, and raises what it raised."""
    raised: list[BaseException] = []

    def work() -> None:
        try:
            do()
        except BaseException as exc:
            raised.append(exc)

    thread = threading.Thread(target=work)
    thread.start()

    def wait() -> None:
        thread.join(60)
        assert not thread.is_alive()
        if raised:
            raise raised[0]

    return wait


def live_run(made: House) -> Any:
    """The run that goes on."""
    return eventually(lambda: next(iter(list(made.runner.live.values())), None)).run


def come(made: House, key: str) -> None:
    """Let the moment have come for another try of an item."""
    with made.state.begin() as connection:
        past = made.now() - timedelta(seconds=1)
        connection.execute(update(item_steps).where(item_steps.c.item_id == made.item(key).id).values(sort_at=past))
