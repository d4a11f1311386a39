"""What a million items cost, beside ten thousand: looks without work, claims, pages, memory.

Two state databases of either kind are filled, a large one and a small one; both are asked in turns. How they are filled
stands in `items_fill.py`.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from benchmarks import processes
from benchmarks.items_fill import STEPS, add_pipelines, fill
from benchmarks.items_pages import slowest
from benchmarks.measures import Line, Rival, seconds_of
from benchmarks.report import shown
from janitor.items import Pipeline
from janitor.items.batches import WHOLE_LOOK_SECONDS, WHOLE_LOOK_SHARE
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import State, holders, item_claims, item_due, leases
from janitor.state.item_claims import Position
from janitor.state.item_counts import Changes
from janitor.state.item_plans import Plan
from janitor.state.item_states import READY

CLAIMED = 100
WHOLE_LOOKS = f"at most {100 / WHOLE_LOOK_SHARE:g} % of the time goes into these"
LEASE_SECONDS = 600.0
MORE_MB = 2.0
"""So much the memory of two equal processes differs."""


@dataclass(frozen=True)
class Filled:
    """A state database with so many items of each pipeline, and the settings of a daemon on it."""

    number: int
    environment: Mapping[str, str]
    pipelines: Sequence[Pipeline]

    def state(self) -> State:
        """Open it; close it before another process works on it alone."""
        return State(Settings.load(self.environment, dotenv=None).state_database_url)


def filled(environment: Mapping[str, str], number: int) -> Filled:
    """Fill an empty state database."""
    pipelines = add_pipelines(Scheduler(Settings.load(environment, dotenv=None)))
    made = Filled(number, environment, pipelines)
    with closing(made.state()) as state:
        state.migrate()
        fill(state, pipelines, number)
    return made


def looks(kind: str, large: Filled, small: Filled, turns: int) -> list[Line]:
    """Measure a look at ten steps that have no work: medians, in turns."""
    plan = large.pipelines[0].plan
    lanes = [plan.lane(step.name) for step in plan.steps]
    with closing(large.state()) as many, closing(small.state()) as few:
        taken = [[seconds_of(lambda: _look(state, lanes)) * 1000 for state in (many, few)] for _ in range(turns)]
    mine, other = (statistics.median(milliseconds) for milliseconds in zip(*taken, strict=True))
    name = f"a look without work, {STEPS} steps, {large.number:,} items, {kind}"
    return [
        Line(name, mine, "ms", "<= 1 ms", mine <= 1),
        _ratio(f"{name}, over {small.number:,} items", mine, other, 1.2),
    ]


def _look(state: State, lanes: Sequence[str]) -> None:
    """Look as a daemon does, once a second."""
    with state.read() as connection:
        if item_due.steps(connection, lanes, state.clock.now()):
            raise processes.Failed("there was work, and there was to be none")


def claims(kind: str, large: Filled, small: Filled, rounds: int, before: int) -> list[Line]:
    """Measure claims of a hundred items, in turns; then again beside a snapshot that was opened `before` claims ago."""
    name = f"claiming {CLAIMED} items among {large.number:,} that wait, {kind}"
    plan = large.pipelines[1].plan
    with closing(large.state()) as here, closing(small.state()) as there:
        many, few = Claimer(here, plan), Claimer(there, plan)
        mine, other = (seconds * 1000 for seconds in _in_turns(many, few, rounds))
        with snapshot(here):
            for _ in range(before):
                many.claim()
            beside, alone = (seconds * 1000 for seconds in _in_turns(many, few, rounds))
            whole = Rival("a look from the beginning", many.whole_look() * 1000, WHOLE_LOOKS)
    name_beside = f"{name}, beside a snapshot that was opened {before * CLAIMED:,} claimed items ago"
    return [
        Line(name, mine, "ms"),
        _ratio(f"{name}, over {small.number:,} that wait", mine, other, 1.5),
        Line(name_beside, beside, "ms", rivals=[whole]),
        _ratio(f"{name_beside}, over {small.number:,} that wait without one", beside, alone, 1.5),
    ]


def _in_turns(many: "Claimer", few: "Claimer", rounds: int) -> tuple[float, float]:
    taken = [(many.claim(), few.claim()) for _ in range(rounds)]
    mine, other = (statistics.median(seconds) for seconds in zip(*taken, strict=True))
    return mine, other


class Claimer:
    """Claims as a run of a step does: from the place to which it has come, and from the beginning now and then."""

    def __init__(self, state: State, plan: Plan) -> None:
        """Take the lease of the step's job: everything is claimed under it."""
        self._state, self._plan, self._lane = state, plan, plan.lane("take")
        self._after: Position | None = None
        self._whole_at, self._whole_seconds = 0.0, 0.0
        with state.begin() as connection:
            name, holder = leases.job_lease(self._lane), holders.new_holder(LEASE_SECONDS)
            fence = leases.acquire(connection, name, holder, state.clock.now(), LEASE_SECONDS)
        assert fence is not None, "nobody else has it"
        self._fence = fence

    def claim(self) -> float:
        """Claim a hundred items; return the seconds.

        Raises:
            Failed: fewer were claimed.
        """
        began = time.perf_counter()
        pause = max(WHOLE_LOOK_SECONDS, WHOLE_LOOK_SHARE * self._whole_seconds)
        if time.monotonic() - self._whole_at >= pause:
            self._after = None
        ids = self._look()
        changes, now = Changes(self._plan.pipeline), self._state.clock.now()
        with self._state.begin(self._fence) as connection:
            taken = item_claims.take(connection, self._plan, "take", 1, ids, now, changes)
            changes.write(connection)
        if len(taken) != CLAIMED:
            raise processes.Failed(f"{len(taken)} items were claimed, not {CLAIMED}")
        return time.perf_counter() - began

    def whole_look(self) -> float:
        """Look from the beginning, and take nothing; return the seconds."""
        self._after = None
        seconds = seconds_of(self._look)
        self._after = None
        return seconds

    def _look(self) -> Sequence[int]:
        began, is_whole = time.monotonic(), self._after is None
        with self._state.read() as connection:
            found = item_claims.look(connection, self._lane, CLAIMED, self._after)
        if is_whole:
            self._whole_at, self._whole_seconds = time.monotonic(), time.monotonic() - began
        self._after = found.last or self._after
        return found.ids


@contextmanager
def snapshot(state: State) -> Iterator[Callable[[], int]]:
    """A reading transaction, as a backup has it for an hour: it sees what is there now, until the block ends.

    It gives a function that counts the items that wait, as the snapshot sees them.
    """
    engine = create_engine(state.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    waiting = text("SELECT COUNT(*) FROM item_steps WHERE lane = 'waiting.take' AND state = :state")
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        # SQLite has its snapshot only once something was read.
        connection.exec_driver_sql("SELECT COUNT(*) FROM item_pipelines").all()
        yield lambda: int(connection.execute(waiting, {"state": READY}).scalar_one())
        connection.exec_driver_sql("ROLLBACK")


def pages(kind: str, large: Filled, folder: Path) -> list[Line]:
    """Measure each page, and each answer of the API, that is about pipelines and items."""
    what, milliseconds = slowest(Settings.load(large.environment, dotenv=None).state_database_url, folder)
    name = f"the slowest page of pipelines, {large.number:,} items, {kind}: {what}"
    return [Line(name, milliseconds, "ms", "<= 200 ms", milliseconds <= 200)]


def memory(kind: str, large: Filled, few: Filled, seconds: float) -> list[Line]:
    """Measure the memory of a daemon at work while all others wait; the processes are new."""
    found = []
    for one in (large, few):
        work = processes.python("benchmarks.items_daemon", "waiting", str(seconds), environment=one.environment)
        found.append(float(work["peak_mb"]))
    mine, other = found
    goal = f"<= {MORE_MB:g} MB more than with {few.number:,}"
    name = f"memory while {large.number:,} items wait, {kind}"
    return [Line(name, mine, "MB", goal, mine <= other + MORE_MB, [Rival(f"itself with {few.number:,}", other)])]


def _ratio(name: str, mine: float, other: float, most: float) -> Line:
    values = f"({shown(mine, 'ms')} over {shown(other, 'ms')}, taking turns)"
    return Line(f"{name} {values}", mine / other, "times", f"<= {most:g} times", mine / other <= most)
