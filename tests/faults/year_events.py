"""What happens in a simulated year, by chance: to two hosts, their daemons, their clocks, and the jobs."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, select, update

from janitor.errors import JanitorError
from janitor.operations import renaming
from janitor.scheduler import Scheduler
from janitor.state import State, job_records
from janitor.state.tables import jobs as job_table
from janitor.state.tables import runs
from tests.faults.year import KEEP_SECONDS, LEASE_SECONDS, TICK_SECONDS, Host, World, jobs_of

ZONES = ("Europe/London", "America/New_York", "UTC", "Australia/Lord_Howe")
DAY_SECONDS = 86_400.0
TOGETHER = 4
"""So many jobs change at once."""
SCHEDULES = {
    "cron {minute} {hour} * * {day_of_week}": 72,
    "cron {minute} {hour} * * *": 10,
    "cron {minute} {hour} {day} * *": 14,
    "every {hours}h": 2,
    "cron {minute} 1,2 * * *": 2,
}
"""How jobs are due, and how many of a hundred are due so: most are due once a week."""


def schedule_of(chance: random.Random) -> str:
    """Choose a schedule."""
    text = chance.choices([*SCHEDULES], [*SCHEDULES.values()])[0]
    numbers = {"minute": 60, "hour": 24, "day_of_week": 7}
    chosen = {name: chance.randrange(most) for name, most in numbers.items()}
    return text.format(**chosen, day=chance.randrange(1, 29), hours=chance.choice((8, 12, 36)))


class Year:
    """Two hosts, and what happens to them; `happened` counts what really did."""

    def __init__(self, world: World, chance: random.Random, size: int) -> None:
        """`size` jobs are wanted; one of them is due every three hours. Both hosts are up."""
        self.world, self.chance = world, chance
        world.wanted = {f"job{number}": schedule_of(chance) for number in range(size - 2)}
        world.wanted |= {"often": "every 3h", "often_strict": "cron 15 */6 * * *"}
        self.made = size
        self.away: dict[str, str] = {}
        self.hosts = {name: Host(world, name, self.skew()) for name in ("left", "right")}
        self.later: list[tuple[float, str]] = []
        self.happened: Counter[str] = Counter()
        self.pruned: list[Row[Any]] = []
        self.names: dict[str, str] = {}
        self.acts: Mapping[Callable[[], None], int] = {
            self.a_leader_stops: 8,
            self.both_stop: 3,
            self.a_leader_is_killed: 6,
            self.a_leader_dies_while_it_counts: 4,
            self.a_leader_sleeps: 5,
            self.jobs_are_taken_out: 6,
            self.jobs_come_back: 6,
            self.jobs_get_another_schedule: 4,
            self.jobs_are_renamed: 5,
            self.jobs_are_renamed_while_no_daemon_runs: 4,
            self.jobs_are_paused_or_resumed: 6,
            self.the_zone_changes: 3,
            self.a_hosts_clock_is_set: 8,
            self.the_true_clock_is_set_forward: 3,
            self.the_true_clock_is_set_back: 3,
            self.an_older_release_leads: 3,
            self.the_history_is_pruned: 4,
        }

    def happen(self) -> None:
        """Let something happen."""
        self.chance.choices([*self.acts], [*self.acts.values()])[0]()

    def skew(self) -> timedelta:
        """Choose by how much a host's clock is off."""
        return timedelta(seconds=self.chance.choice((0, 1, -90, 90, -300, 300, -4000, 3 * DAY_SECONDS)))

    @property
    def leader(self) -> Host | None:
        """The host whose clock goes; None if no host's does."""
        return next((host for host in self.hosts.values() if host.goes), None)

    def go_on(self, seconds: float) -> None:
        """Let so much time pass, with all that is due in it."""
        until = self.world.boot + seconds
        while self.world.boot < until:
            for name in [name for at, name in self.later if at <= self.world.boot]:
                self.start(name)
            step = min([until - self.world.boot, *(at - self.world.boot for at, _ in self.later)])
            # The leader renews its lease before the other looks.
            for host in sorted(self.hosts.values(), key=lambda host: not host.goes):
                step = min(step, host.step())
            self.world.pass_by(max(step, 0.000_001))

    def start(self, name: str) -> None:
        """Start a host's daemon, unless it runs."""
        self.later = [one for one in self.later if one[1] != name]
        if name not in self.hosts:
            self.hosts[name] = Host(self.world, name, self.skew())

    def start_later(self, name: str) -> None:
        """Start a host's daemon after minutes, or after days."""
        self.later.append((self.world.boot + self.chance.choice((60, 900, 7_200, 2 * DAY_SECONDS)), name))

    def a_leader_stops(self) -> None:
        """The leader ends in order, and starts again later."""
        if (leader := self.leader) is not None:
            del self.hosts[leader.name]
            leader.stop()
            self.start_later(leader.name)
            self.happened["a leader stopped"] += 1

    def both_stop(self) -> None:
        """Nobody leads for a while."""
        for name in list(self.hosts):
            self.hosts.pop(name).stop()
            self.start_later(name)
        self.happened["both stopped"] += 1

    def a_leader_is_killed(self) -> None:
        """The leader dies, or stops dead, while runs are in their middle; what it still does later must be refused."""
        if (leader := self.leader) is None:
            return
        self.world.gate = gate = threading.Event()
        for _ in range(5_000):
            seconds = leader.step(wait=False)
            if leader.is_busy() or not leader.goes:
                break
            self.world.pass_by(max(0.000_001, min(seconds, TICK_SECONDS)))
        self.world.gate = None
        self.happened["a leader was killed in its runs"] += leader.is_busy()
        del self.hosts[leader.name]
        if self.chance.random() < 0.5:
            leader.die()
        self.start_later(leader.name)
        self.go_on(3 * LEASE_SECONDS)
        gate.set()
        leader.bury()

    def a_leader_dies_while_it_counts(self) -> None:
        """A daemon starts after a while without a daemon, and dies before it has recorded what was lost."""
        self.both_stop()
        self.later.clear()
        self.go_on(self.chance.uniform(0.5, 2) * DAY_SECONDS)
        if self.chance.random() < 0.5:
            self.change_schedules()
        dying = self.hosts["dying"] = Host(self.world, "dying", self.skew())
        dying.die_at_first_loss()
        for _ in range(100):
            if dying.goes:
                break
            self.go_on(KEEP_SECONDS)
        del self.hosts["dying"]
        self.happened["a leader died while it counted"] += dying.is_dead
        if dying.is_dead:
            dying.bury()
        else:
            dying.stop()
        for name in ("left", "right"):
            self.start_later(name)

    def a_leader_sleeps(self) -> None:
        """The leader stands still, for minutes or for hours; another daemon may lead meanwhile."""
        if (leader := self.leader) is None:
            return
        del self.hosts[leader.name]
        self.go_on(self.chance.choice((120, 4_000, 30_000)))
        self.hosts[leader.name] = leader
        led = leader.runner.lead.fence
        self.go_on(1)
        followed = self.world.book.leaders[-1] != led
        self.happened["a sleeper was fenced out" if followed else "a sleeper led on"] += 1

    def jobs_are_taken_out(self) -> None:
        """Some jobs leave the jobs file."""
        for name in self.some():
            self.away[name] = self.world.wanted.pop(name)
        self.reload("jobs were taken out")

    def jobs_come_back(self) -> None:
        """Jobs that were taken out are put back, some with another schedule."""
        for name in self.chance.sample(sorted(self.away), min(TOGETHER, len(self.away))):
            old = self.away.pop(name)
            self.world.wanted[name] = old if self.chance.random() < 0.7 else schedule_of(self.chance)
            self.happened["a job came back"] += 1
        self.reload("reloads")

    def jobs_get_another_schedule(self) -> None:
        """Some jobs get another schedule."""
        self.change_schedules()
        self.reload("jobs got another schedule")

    def change_schedules(self) -> None:
        """Let other schedules be wanted; no daemon knows yet."""
        for name in self.some():
            self.world.wanted[name] = schedule_of(self.chance)

    def jobs_are_renamed(self) -> None:
        """Some jobs get another name, and keep their schedule; then a person renames what is kept of them."""
        pairs = self.rename_some()
        self.reload("reloads")
        self.go_on(TICK_SECONDS)
        self.carry_over(pairs, "a job was renamed while a daemon led")

    def jobs_are_renamed_while_no_daemon_runs(self) -> None:
        """As `jobs_are_renamed`, but nothing runs meanwhile: the jobs owe what they would have owed."""
        pairs = self.rename_some()
        self.both_stop()
        self.carry_over(pairs, "a job was renamed while no daemon ran")

    def rename_some(self) -> Sequence[tuple[str, str]]:
        """Let some jobs have another name; the old names and the new."""
        pairs = []
        for old in self.some():
            self.made += 1
            pairs.append((old, f"job{self.made}"))
            self.world.wanted[pairs[-1][1]] = self.world.wanted.pop(old)
        return pairs

    def carry_over(self, pairs: Sequence[tuple[str, str]], what: str) -> None:
        """Rename what is kept of jobs. Where a daemon may still have a job, that is refused, and its history stays."""
        scheduler = Scheduler(self.world.settings(self.world.zone))
        jobs, state = jobs_of(scheduler, self.world), self.world.state()
        for old, new in pairs:
            try:
                renaming.rename(state, jobs, old, new, "anna", self.world.now, LEASE_SECONDS)
            except JanitorError:
                self.happened["a rename was refused"] += 1
            else:
                self.world.book.renamed(old, new)
                self.names[old] = new
                self.happened[what] += 1
        state.close()

    def some(self) -> list[str]:
        """Choose some jobs."""
        names = [name for name in self.world.wanted if name.startswith("job")]
        return self.chance.sample(names, min(TOGETHER, len(names)))

    def reload(self, what: str) -> None:
        """Let each daemon take the jobs anew; one that is down takes them at its start."""
        for host in self.hosts.values():
            host.reload()
        self.happened[what] += self.leader is not None

    def jobs_are_paused_or_resumed(self) -> None:
        """Somebody pauses some jobs, or lets all go on."""
        if (host := self.leader) is None:
            return
        names = self.some()
        with host.runner.state.begin() as connection:
            if paused := job_records.paused(connection):
                for name in sorted(paused):
                    job_records.resume(connection, name)
                self.happened["jobs were resumed"] += 1
            else:
                for name in (name for name in names if name in host.daemon.jobs):
                    job_records.pause(connection, name, host.daemon.jobs[name].identity, host.now, "anna")
                self.happened["jobs were paused"] += 1

    def the_zone_changes(self) -> None:
        """SCHEDULE_TIMEZONE changes, and the daemons are started again."""
        before, self.world.zone = self.world.zone, self.chance.choice(ZONES)
        self.both_stop()
        self.happened["the zone changed"] += before != self.world.zone

    def a_hosts_clock_is_set(self) -> None:
        """Whatever it is set to, it must not matter."""
        for host in self.hosts.values():
            before, host.ahead = host.ahead, self.skew()
            self.happened["the clock of a leader's host was set"] += host.goes and host.ahead != before

    def the_true_clock_is_set_forward(self) -> None:
        """The state database's clock leaps ahead."""
        self.set_true_clock(timedelta(seconds=self.chance.uniform(30, 2 * DAY_SECONDS)))
        self.happened["the true clock was set forward"] += 1

    def the_true_clock_is_set_back(self) -> None:
        """The state database's clock is set back: what ran ahead of it comes again."""
        self.set_true_clock(timedelta(seconds=-self.chance.choice((20, 300, 7_200, 40_000))))
        self.happened["the true clock was set back"] += 1

    def set_true_clock(self, ahead: timedelta) -> None:
        """Set the state database's clock."""
        before = self.world.now
        self.world.now += ahead
        self.world.book.doubt(before, self.world.now)

    def an_older_release_leads(self) -> None:
        """A daemon of an older release takes over for a while: it counts by its host's clock, and remembers less."""
        self.both_stop()
        self.later.clear()
        began, ahead = self.world.now, timedelta(seconds=self.chance.uniform(-500, 500))
        self.hosts["old"] = Host(self.world, "old", ahead, is_old=True)
        self.go_on(self.chance.uniform(0.2, 2) * DAY_SECONDS)
        old = self.hosts.pop("old")
        words = {job.id: job.schedule for job in old.daemon.jobs.values()}
        with old.runner.state.begin() as connection:
            for name, schedule in words.items():
                connection.execute(update(job_table).where(job_table.c.id == name).values(schedule=schedule))
        self.happened["an older release led"] += old.goes
        old.stop()
        self.world.book.doubt(began, self.world.now)
        if self.chance.random() < 0.5:
            self.a_leader_dies_while_it_counts()
        for name in ("left", "right"):
            self.start(name)

    def the_history_is_pruned(self) -> None:
        """The leader deletes what is old."""
        if (leader := self.leader) is not None:
            before = records(leader.runner.state)
            leader.prune()
            stay = {row.id for row in records(leader.runner.state)}
            gone = [row for row in before if row.id not in stay]
            self.pruned += gone
            self.happened["runs were pruned"] += bool(gone)

    def name_of(self, row: Row[Any]) -> str:
        """The name that a record's job has by now."""
        name: str = row.job
        while name in self.names:
            name = self.names[name]
        return name

    def end(self) -> None:
        """Let all daemons end, and a last daemon close what is open."""
        for name in list(self.hosts):
            self.hosts.pop(name).stop()
        self.later.clear()
        self.go_on(DAY_SECONDS)
        self.start("left")
        self.go_on(KEEP_SECONDS)
        self.hosts.pop("left").stop()


def records(state: State) -> Sequence[Row[Any]]:
    """All records of runs and of lost slots, in the order of their slots."""
    with state.read() as connection:
        return connection.execute(select(runs).order_by(runs.c.slot_at)).all()
