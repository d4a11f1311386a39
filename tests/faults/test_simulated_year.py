"""A simulated year, with all that happens to hosts, daemons, clocks and jobs: each slot has one outcome.

Run it with another seed: FAULTS_SEED=7.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Row, select

from janitor.engine.leaps import ASLEEP, LEAPT
from janitor.settings import Settings
from janitor.state.tables import leases
from tests.faults.year import LEASE_SECONDS, World
from tests.faults.year_events import Year, records
from tests.small_engine import logging_to, settings_for
from tests.state.migrations.older import RELEASED, without_rows

BEGIN = datetime(2026, 1, 5, 9, 17, 3, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HISTORY_DAYS = 4
OUTCOMES = {"succeeded", "missed", "skipped", "interrupted"}
HAPPENED = {
    "a leader stopped",
    "both stopped",
    "a leader was killed in its runs",
    "a leader died while it counted",
    "a sleeper was fenced out",
    "a sleeper led on",
    "jobs were taken out",
    "a job came back",
    "jobs got another schedule",
    "a job was renamed while a daemon led",
    "a job was renamed while no daemon ran",
    "jobs were paused",
    "jobs were resumed",
    "the zone changed",
    "the clock of a leader's host was set",
    "the true clock was set forward",
    "the true clock was set back",
    "an older release led",
    "runs were pruned",
}
"""Each of them must happen twice at least."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a world without hosts."""
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    more = {"HISTORY_DAYS": str(HISTORY_DAYS), "HISTORY_RUNS": "10000000", "LOG_LEVEL": "ERROR"}

    def settings(zone: str) -> Settings:
        made = settings_for(url, tmp_path, SCHEDULE_TIMEZONE=zone, **more)
        return made.model_copy(update={"lease_seconds": LEASE_SECONDS})

    with logging_to(settings("UTC")) as (mask, run_log):
        yield World(url, settings, BEGIN, mask, run_log)


def simulate(world: World, year: Year, days: int, every: timedelta) -> Counter[str]:
    """Let so many days pass, and check what is on record; how many slots have each outcome."""
    end = world.boot + days * DAY.total_seconds()
    while world.boot < end:
        year.go_on(year.chance.uniform(0.2, 1.8) * every.total_seconds())
        year.happen()
    year.end()
    state = world.state()
    with state.read() as connection:
        assert connection.execute(select(leases.c.holder).where(leases.c.holder.is_not(None))).all() == []
    found = [*year.pruned, *records(state)]
    state.close()
    check_effects(world, found)
    of_job = defaultdict(list)
    for row in found:
        of_job[year.name_of(row)].append(row)
    outcomes = sum((world.book.check(name, of_job[name]) for name in [*world.book.times]), Counter[str]())
    assert of_job.keys() <= world.book.times.keys()
    print(f"{len(found)} records of {dict(outcomes)}; {dict(year.happened)}")
    return outcomes


def check_effects(world: World, found: Sequence[Row[Any]]) -> None:
    """Each run that succeeded acted once; none acted twice, and a slot without a run never."""
    assert {count for count in world.effects.values()} == {1}
    assert len({row.id for row in found}) == len(found)
    for row in found:
        acted, outcome = world.effects[row.id], row.outcome
        assert acted == 1 if outcome == "succeeded" else acted == 0 or outcome == "interrupted", row
    assert world.effects.keys() <= {row.id for row in found}


def reasons(found: Sequence[Row[Any]]) -> set[str]:
    """Tell why slots were missed, without the moments."""
    return {row.reason.partition(";")[0] for row in found if row.outcome == "missed"}


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_a_simulated_year_gives_each_slot_one_outcome(world: World, faults_seed: int) -> None:
    """Given: two hosts whose clocks differ, 300 jobs, and a state database that the first release made.

    Happens: a year. Daemons stop, are killed, sleep and are upgraded; jobs come, go and change; clocks are set.
    Must hold: each slot of a time in which its job was there has exactly one outcome; no other slot has an outcome.
    All of that did happen.
    """
    without_rows(world.url, RELEASED[0]).close()
    year = Year(world, random.Random(faults_seed), 300)
    outcomes = simulate(world, year, 365, every=DAY)
    assert outcomes.keys() == OUTCOMES and outcomes["succeeded"] > 15_000
    assert {what for what in HAPPENED if year.happened[what] < 2} == set()
    assert {"no daemon led then", ASLEEP, LEAPT} <= reasons(year.pruned)


@pytest.mark.slow
@pytest.mark.parametrize("version", RELEASED)
def test_days_after_each_release_give_each_slot_one_outcome(world: World, version: str, faults_seed: int) -> None:
    without_rows(world.url, version).close()
    year = Year(world, random.Random(faults_seed + int(version)), 40)
    assert simulate(world, year, 6, every=4 * HOUR)["succeeded"] > 50
