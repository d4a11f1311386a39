"""A daemon that prunes a backlog while a job runs each second: how much goes in a second, how late the runs begin."""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL, func, select

from benchmarks import clockwork
from benchmarks.years_house import RHYTHM_SECONDS, TICKS
from janitor.engine.pruning import FIRST_SECONDS
from janitor.runs import Outcome
from janitor.state import State
from janitor.state.tables import runs

LONGEST_SECONDS = 60.0
"""How long the daemon prunes at most."""


@dataclass(frozen=True)
class Pruned:
    """How many runs went each second, and how late a run began meanwhile at the latest, in seconds."""

    rate: float
    latest: float


def first_days(runs_in_all: int, jobs: int) -> int:
    """After how many days a run is old, so that most of the history is."""
    return max(1, runs_in_all // jobs * RHYTHM_SECONDS // 86_400 // 10)


def prune(url: URL, folder: Path, environment: Mapping[str, str], days: int) -> Pruned:
    """Let a daemon prune what is older than so many days, for a minute at most."""
    given = {**environment, "HISTORY_DAYS": str(days), "TICKS": "1", "WEB_ENABLED": "false"}
    arguments = ["-m", "benchmarks.years_house", "start"]
    with closing(State(url)) as state:
        before = _count(state)
        oldest, newest = _old(state, days)
        with clockwork.process(folder, arguments, given, environment["STATE_DATABASE_URL"]):
            clockwork.wait_for(lambda: not _is_there(state, oldest), FIRST_SECONDS + 60)
            began, until = datetime.now(UTC), time.monotonic() + LONGEST_SECONDS
            while _is_there(state, newest) and time.monotonic() < until:
                time.sleep(0.05)
            ended = datetime.now(UTC)
        return Pruned((before - _count(state)) / (ended - began).total_seconds(), _latest(state, began, ended))


def _old(state: State, days: int) -> tuple[int, int]:
    """The oldest run that goes, and the newest: a job's newest slot stays, so neither is among the newest runs."""
    old = runs.c.started_at < datetime.now(UTC) - timedelta(days=days)
    of_old = select(runs.c.id).where(old).limit(1)
    with state.read() as connection:
        first = connection.execute(of_old.order_by(runs.c.started_at)).scalar_one()
        last = connection.execute(of_old.order_by(runs.c.started_at.desc())).scalar_one()
    return int(first), int(last)


def _is_there(state: State, run: int) -> bool:
    with state.read() as connection:
        return connection.execute(select(runs.c.id).where(runs.c.id == run)).first() is not None


def _count(state: State) -> int:
    """How many runs of the history there are."""
    with state.read() as connection:
        return int(connection.execute(select(func.count()).where(runs.c.job != TICKS)).scalar_one())


def _latest(state: State, began: datetime, ended: datetime) -> float:
    """How late a run began at the latest. A slot without a run counts as late until the next slot."""
    query = select(runs.c.slot_at, runs.c.started_at, runs.c.outcome, runs.c.slots).where(
        runs.c.job == TICKS, runs.c.started_at >= began, runs.c.started_at <= ended
    )
    late = [0.0]
    with state.read() as connection:
        for slot_at, started_at, outcome, slots in connection.execute(query):
            ran = outcome in (Outcome.SUCCEEDED.value, None)
            late.append((started_at - slot_at).total_seconds() if ran else float(slots))
    return max(late)
