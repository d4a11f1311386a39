"""A simulated year, with all that happens to hosts, daemons, clocks and jobs: each slot has one outcome."""

import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Row, select, update

from janitor.settings import Settings
from janitor.state import State, job_records, migrations
from janitor.state.tables import jobs as job_table
from janitor.state.tables import leases, runs
from tests.faults.year import KEEP_SECONDS, LEASE_SECONDS, TICK_SECONDS, Host, World
from tests.faults.year_book import YearBook
from tests.small_engine import logging_to, settings_for

BEGIN = datetime(2026, 1, 5, 9, 17, 3, tzinfo=UTC)
ZONES = ("Europe/London", "America/New_York", "UTC", "Australia/Lord_Howe")
RELEASED = ("0001", "0002", "0003", "0004", "0005")
"""The schemas of the releases that a state database may come from."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def schedule_of(chance: random.Random) -> str:
    """Return a schedule: most jobs are due once a week or a day, few more often."""
    minute, hour = chance.randrange(60), chance.randrange(24)
    return chance.choices(
        [
            f"cron {minute} {hour} * * {chance.randrange(7)}",
            f"cron {minute} {hour} * * *",
            f"cron {minute} {hour} {chance.randrange(1, 29)} * *",
            f"every {chance.choice((8, 12, 36))}h",
            f"cron {minute} 1,2 * * *",
        ],
        [60, 22, 12, 5, 4],
    )[0]


class Year:
    """Two hosts, a true time, and what happens to them by chance."""

    def __init__(self, world: World, chance: random.Random, size: int) -> None:
        """`size` jobs are wanted; one of them is due each quarter of an hour. Both hosts are up."""
        self.world, self.chance, self.book = world, chance, YearBook()
        world.wanted = {f"job{number}": schedule_of(chance) for number in range(size - 2)}
        world.wanted |= {"often": "every 3h", "often_strict": "cron 15 */6 * * *"}
        self.made = size
        self.away: dict[str, str] = {}
        self.hosts = {name: Host(world, name, self.skew()) for name in ("left", "right")}
        self.killed: list[Host] = []
        self.later: list[tuple[float, str]] = []
        self.happened: Counter[str] = Counter()

    def skew(self) -> timedelta:
        """Return by how much a host's clock is off."""
        return timedelta(seconds=self.chance.choice((0, 1, -90, 90, -300, 300, -4000, 86_400 * 3)))

    @property
    def leader(self) -> Host | None:
        """The host whose clock goes; None if none does."""
        return next((host for host in self.hosts.values() if host.goes), None)

    def go_on(self, seconds: float) -> None:
        """Let so much time pass, with all that is due in it."""
        until = self.world.boot + seconds
        while self.world.boot < until:
            for name in [name for at, name in self.later if at <= self.world.boot]:
                self.start(name)
            step = min([until - self.world.boot, *(at - self.world.boot for at, _ in self.later)])
            for host in self.in_turn():
                step = min(step, self.step(host))
            self.world.pass_by(max(step, 0.000_001))

    def in_turn(self) -> list[Host]:
        """The hosts, the leader first: it renews its lease before the other looks."""
        return sorted(self.hosts.values(), key=lambda host: not host.goes)

    def step(self, host: Host, *, wait: bool = True) -> float:
        """Let a host do what it must; in how many seconds it must be looked at again."""
        if host.keep():
            self.book.counted(host.daemon.jobs, host.now)
        if not host.goes:
            return host.keep_at - self.world.boot
        counts_anew = host.counts_anew
        seconds = host.tick(wait=wait)
        # A daemon that lost its lease while it slept cannot count: it learns that others lead.
        if host.counted:
            if counts_anew:
                self.book.counted(host.daemon.jobs, host.now)
            self.book.alive(host.now)
        return min(seconds, host.keep_at - self.world.boot)

    def start(self, name: str) -> None:
        """Start a host's daemon, unless it runs."""
        self.later = [one for one in self.later if one[1] != name]
        if name not in self.hosts:
            self.hosts[name] = Host(self.world, name, self.skew())

    def start_later(self, name: str) -> None:
        """Start a host's daemon after minutes, or after days."""
        pause = self.chance.choice((60, 900, 7_200, 86_400 * 2))
        self.later.append((self.world.boot + pause, name))

    def happen(self) -> None:
        """Let something happen, by chance."""
        acts = {
            "a leader stops": 8,
            "a leader is killed": 6,
            "both stop": 3,
            "jobs are taken out": 6,
            "jobs come back": 6,
            "jobs get another schedule": 4,
            "jobs are renamed": 4,
            "a job is paused or resumed": 5,
            "the zone changes": 2,
            "a host's clock is set": 8,
            "the true clock is set forward": 2,
            "the true clock is set back": 2,
            "the leader sleeps": 4,
            "an older release leads": 3,
        }
        act = self.chance.choices(list(acts), list(acts.values()))[0]
        self.happened[act] += 1
        getattr(self, act.replace(" ", "_").replace("'", ""))()

    def a_leader_stops(self) -> None:
        """The leader ends in order, and starts again later."""
        if (leader := self.leader) is not None:
            del self.hosts[leader.name]
            leader.stop()
            self.start_later(leader.name)

    def both_stop(self) -> None:
        """Nobody leads for a while."""
        for name in list(self.hosts):
            self.hosts.pop(name).stop()
            self.start_later(name)

    def a_leader_is_killed(self) -> None:
        """The leader dies while runs are in their middle; what it still does later must be refused."""
        if (leader := self.leader) is None:
            return
        self.world.gate = threading.Event()
        for _ in range(2_000):
            seconds = self.step(leader, wait=False)
            if leader.daemon.runner.live or not leader.goes:
                break
            self.world.pass_by(max(0.000_001, min(seconds, TICK_SECONDS)))
        gate, self.world.gate = self.world.gate, None
        del self.hosts[leader.name]
        self.killed.append(leader)
        self.start_later(leader.name)
        self.go_on(3 * LEASE_SECONDS)
        gate.set()
        leader.bury()

    def jobs_are_taken_out(self) -> None:
        """Some jobs leave the jobs file."""
        for name in self.some():
            self.away[name] = self.world.wanted.pop(name)
        self.reload()

    def jobs_come_back(self) -> None:
        """Jobs that were taken out are put back, some with another schedule."""
        for name in self.chance.sample(sorted(self.away), min(4, len(self.away))):
            old = self.away.pop(name)
            self.world.wanted[name] = old if self.chance.random() < 0.7 else schedule_of(self.chance)
        self.reload()

    def jobs_get_another_schedule(self) -> None:
        """Some jobs get another schedule."""
        for name in self.some():
            self.world.wanted[name] = schedule_of(self.chance)
        self.reload()

    def jobs_are_renamed(self) -> None:
        """Some jobs get another name, and keep their schedule."""
        for name in self.some():
            self.made += 1
            self.world.wanted[f"job{self.made}"] = self.world.wanted.pop(name)
        self.reload()

    def some(self) -> list[str]:
        """Choose some jobs."""
        return self.chance.sample([name for name in self.world.wanted if name.startswith("job")], 4)

    def reload(self) -> None:
        """Let each daemon take the jobs anew; one that is down takes them at its start."""
        for host in self.hosts.values():
            host.reload()

    def a_job_is_paused_or_resumed(self) -> None:
        """Somebody pauses a job, or lets it go on."""
        (name,) = self.chance.sample(sorted(self.world.wanted), 1)
        if (host := self.leader) is not None:
            with host.runner.state.begin() as connection:
                identity = host.daemon.jobs[name].identity
                if not job_records.pause(connection, name, identity, host.now, "anna"):
                    job_records.resume(connection, name)

    def the_zone_changes(self) -> None:
        """SCHEDULE_TIMEZONE changes, and the daemons are started again."""
        self.world.zone = self.chance.choice(ZONES)
        self.both_stop()

    def a_hosts_clock_is_set(self) -> None:
        """Whatever it is set to, it must not matter."""
        for host in self.hosts.values():
            host.ahead = self.skew()

    def the_true_clock_is_set_forward(self) -> None:
        """The state database's clock leaps ahead."""
        self.world.now += timedelta(seconds=self.chance.uniform(30, 200_000))

    def the_true_clock_is_set_back(self) -> None:
        """The state database's clock is set back: what ran ahead of it comes again."""
        before = self.world.now
        self.world.now -= timedelta(seconds=self.chance.choice((20, 300, 7_200, 40_000)))
        self.book.was_set_back(before + 3 * HOUR, self.world.now)

    def the_leader_sleeps(self) -> None:
        """The leader stands still, for minutes or for hours; another daemon may lead meanwhile."""
        if (leader := self.leader) is not None:
            del self.hosts[leader.name]
            self.go_on(self.chance.choice((120, 4_000, 30_000)))
            self.hosts[leader.name] = leader

    def an_older_release_leads(self) -> None:
        """A daemon of an older release takes over for a while: it counts by its host's clock, and remembers less."""
        self.both_stop()
        self.later.clear()
        ahead = timedelta(seconds=self.chance.uniform(-500, 500))
        self.hosts["old"] = Host(self.world, "old", ahead, is_old=True)
        self.go_on(self.chance.uniform(20_000, 200_000))
        old = self.hosts.pop("old")
        words = {job.id: job.schedule for job in old.daemon.jobs.values()}
        with old.runner.state.begin() as connection:
            for name, schedule in words.items():
                connection.execute(update(job_table).where(job_table.c.id == name).values(schedule=schedule))
        old.stop()
        for name in ("left", "right"):
            self.start(name)

    def end(self) -> None:
        """Let all daemons end, and a last one close what is open."""
        for name in list(self.hosts):
            self.hosts.pop(name).stop()
        self.later.clear()
        self.go_on(DAY.total_seconds())
        self.start("left")
        self.go_on(KEEP_SECONDS)
        self.hosts.pop("left").stop()


def state_of_release(url: URL, version: str) -> None:
    """Make a state database as the release with this schema made it."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    state = State(url)
    with state.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
    state.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a world without hosts."""
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    more = {"HISTORY_DAYS": "3650", "HISTORY_RUNS": "10000000", "LOG_LEVEL": "ERROR"}

    def settings(zone: str) -> Settings:
        made = settings_for(url, tmp_path, SCHEDULE_TIMEZONE=zone, **more)
        return made.model_copy(update={"lease_seconds": LEASE_SECONDS})

    with logging_to(settings("UTC")) as (mask, run_log):
        yield World(url, settings, BEGIN, mask, run_log)


def simulate(world: World, days: int, size: int, seed: int, every: timedelta) -> Counter[str]:
    """Simulate so many days, and check what is on record; how many slots have each outcome."""
    chance = random.Random(seed)
    year = Year(world, chance, size)
    end = world.boot + days * 86_400
    while world.boot < end:
        year.go_on(chance.uniform(0.2, 1.8) * every.total_seconds())
        year.happen()
    year.end()
    state = State(world.url)
    with state.read() as connection:
        found = connection.execute(select(runs).order_by(runs.c.slot_at)).all()
        assert connection.execute(select(leases.c.holder).where(leases.c.holder.is_not(None))).all() == []
    state.close()
    of_job = {name: [row for row in found if row.job == name] for name in year.book.times}
    outcomes: Counter[str] = sum((year.book.check(name, rows, world.now) for name, rows in of_job.items()), Counter())
    check_effects(world, found)
    print(f"{len(found)} records, {dict(outcomes)}, {dict(year.happened)}")
    return outcomes


def check_effects(world: World, found: Sequence[Row[Any]]) -> None:
    """Each run that succeeded acted once; none acted twice, and a slot without a run never."""
    assert {count for count in world.effects.values()} == {1}
    for row in found:
        acted = world.effects[row.id]
        outcome = row.outcome
        assert acted == 1 if outcome == "succeeded" else acted == 0 or outcome == "interrupted", row


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_a_simulated_year_gives_each_slot_one_outcome(world: World, faults_seed: int) -> None:
    """Given: two hosts whose clocks differ, 300 jobs, and a state database that the first release made.

    Happens: a year. Daemons stop, are killed, sleep and are upgraded; jobs come, go and change; clocks are set.
    Must hold: each slot of a time in which its job was there has exactly one outcome; no other slot has an outcome.
    """
    state_of_release(world.url, RELEASED[0])
    outcomes = simulate(world, 365, 300, faults_seed, every=DAY)
    assert outcomes.keys() == {"succeeded", "missed", "skipped", "interrupted"}
    assert outcomes["succeeded"] > 30_000


@pytest.mark.slow
@pytest.mark.parametrize("version", RELEASED)
def test_days_after_each_release_give_each_slot_one_outcome(world: World, version: str, faults_seed: int) -> None:
    state_of_release(world.url, version)
    assert simulate(world, 6, 40, faults_seed + int(version), every=4 * HOUR)["succeeded"] > 50
