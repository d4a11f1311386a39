"""Two daemons on one state database: whatever becomes of either, each slot has one outcome and at most one effect."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.exc import OperationalError

from janitor.jobs import schedules
from janitor.state import State, ledger
from tests.daemons import Daemon, daemons
from tests.faults import effects_daemon
from tests.faults.proxy import Proxy
from tests.small_engine import SECOND, check_slots, eventually, migrated, rows_of

LEASE_SECONDS = 4
LONG_SECONDS = 90.0
"""How long to wait for what takes a lease, a limit and a start, on a machine that has other things to do."""
EVERY_SECOND = schedules.every(1)
MODULE = "tests.faults.effects_daemon"
FAULTS_OF_SQLITE = ("kill", "freeze")
FAULTS_OF_A_SERVER = ("kill", "freeze inside", "cut")


@dataclass
class House:
    """A state database, two daemons on it, and on a server a proxy before each."""

    url: URL
    state: State
    start: Callable[..., Daemon]
    folder: Path
    proxies: dict[str, Proxy] = field(default_factory=dict)
    living: dict[str, Daemon] = field(default_factory=dict)
    dead: list[Daemon] = field(default_factory=list)

    def begin(self, name: str) -> Daemon:
        """Start one of the two (again)."""
        url = self.url.set(port=self.proxies[name].port) if self.proxies else self.url
        self.living[name] = self.start(url, f"{name}{len(self.dead)}")
        return self.living[name]

    def leader(self) -> str | None:
        """Which of the two holds the daemon's lease."""
        with self.state.read() as connection:
            holder = connection.exec_driver_sql("SELECT holder FROM leases WHERE name = 'daemon'").scalar()
        pid = int(holder.split("|")[3]) if holder else 0
        return next((name for name, daemon in self.living.items() if daemon.pid == pid), None)

    def leads(self, name: str) -> None:
        """Wait until one of the two leads, and has run slots since."""
        holder = f"|{self.living[name].pid}|"
        eventually(lambda: self.leader() == name, f"{name} leads", LONG_SECONDS)
        before = self.count(holder)
        eventually(lambda: self.count(holder) > before + 2, f"{name} runs slots", LONG_SECONDS)

    def count(self, holder: str) -> int:
        """How many runs a daemon has begun."""
        with self.state.read() as connection:
            query = "SELECT COUNT(*) FROM runs WHERE holder LIKE %s AND attempts > 0"
            if self.url.get_backend_name() == "sqlite":
                query = query.replace("%s", "?")
            return int(connection.exec_driver_sql(query, (f"%{holder}%",)).scalar_one())

    def leading(self) -> str:
        """Wait until either leads and runs slots; which one."""
        name = str(eventually(self.leader, "somebody leads", LONG_SECONDS))
        self.leads(name)
        return name

    def goes_on(self, leaderships: int) -> None:
        """Wait until either leads again, stop both, and check what they did."""
        self.leading()
        self.end()
        assert check(self) > 30 and self.leaderships >= leaderships

    def fenced_out(self, name: str) -> None:
        """Wait until one that led stands by, then go on to the end."""
        self.living[name].says("stops its runs and stands by")
        self.goes_on(2)

    def kill(self, name: str) -> None:
        """SIGKILL; the other one leads, and a new process stands by."""
        daemon = self.living.pop(name)
        assert daemon.end(signal.SIGKILL) == -signal.SIGKILL
        self.dead.append(daemon)
        self.leads(other(name))
        begun = self.begin(name)
        eventually(lambda: "standing by" in begun.text or "leading with" in begun.text, f"{name} is up", LONG_SECONDS)

    def end(self) -> None:
        """Stop both in order, the leader last."""
        leader = self.leader()
        for name in sorted(self.living, key=lambda one: one == leader):
            assert self.living[name].end() == 0, f"{name}: {self.living[name].text[-2000:]}"

    @property
    def leaderships(self) -> int:
        """How often any daemon came to lead."""
        return sum(daemon.text.count("leading with") for daemon in (*self.living.values(), *self.dead))


@pytest.fixture
def house(database_url: URL, tmp_path: Path, whole: bool) -> Iterator[House]:
    """Two daemons of which the first leads; every save of the scribe's cursor is put down by a trigger."""
    state = migrated(database_url)
    watch(state.engine)
    with ExitStack() as stack:
        effects = str(tmp_path / "effects")
        start = stack.enter_context(
            daemons(MODULE, tmp_path, JOBS="20" if whole else "10", EFFECTS=effects, LEASE_SECONDS=str(LEASE_SECONDS))
        )
        made = House(database_url, state, start, tmp_path)
        if database_url.get_backend_name() != "sqlite":
            host, port = str(database_url.host), int(database_url.port or 3306)
            made.proxies = {name: stack.enter_context(Proxy(host, port)) for name in ("first", "second")}
        made.begin("first").says("leading with", seconds=LONG_SECONDS)
        second = made.begin("second")
        eventually(lambda: "standing by" in second.text or "leading with" in second.text, "second is up", LONG_SECONDS)
        yield made
        state.close()


def watch(engine: Engine) -> None:
    """Let the state database itself note who saves the scribe's cursor, in order."""
    number = (
        "INTEGER PRIMARY KEY AUTOINCREMENT" if engine.dialect.name == "sqlite" else "INT PRIMARY KEY AUTO_INCREMENT"
    )
    note = "FOR EACH ROW BEGIN INSERT INTO saved (pid) VALUES (NEW.position); END"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE saved (id {number}, pid VARCHAR(20))")
        connection.exec_driver_sql(f"CREATE TRIGGER cursor_made AFTER INSERT ON cursors {note}")
        connection.exec_driver_sql(f"CREATE TRIGGER cursor_moved AFTER UPDATE ON cursors {note}")


def inside_a_transaction(url: URL) -> bool:
    """Whether a frozen daemon holds locks in the state database."""
    sqlite = url.get_backend_name() == "sqlite"
    # A stand-by that looks at the lease holds its lock too, but not for a second.
    engine = create_engine(url, connect_args={"timeout": 1.0} if sqlite else {})
    try:
        with engine.connect() as connection:
            if not sqlite:
                connection.exec_driver_sql("SET SESSION innodb_lock_wait_timeout = 1")
            connection.exec_driver_sql("BEGIN IMMEDIATE" if sqlite else "SELECT * FROM leases FOR UPDATE")
            connection.rollback()
    except OperationalError:
        return True
    finally:
        engine.dispose()
    return False


def freeze(daemon: Daemon, url: URL, inside: bool) -> None:
    """SIGSTOP a daemon inside a transaction on the state database, or between two."""
    for tried in range(500):
        daemon.send(signal.SIGSTOP)
        if inside_a_transaction(url) is inside:
            return
        daemon.send(signal.SIGCONT)
        # Long enough to come out of the transaction that it was in.
        time.sleep(0.03 + tried % 7 * 0.02)
    pytest.fail("the daemon was never found so")


def freeze_until_followed(house: House, name: str, inside: bool) -> None:
    """Freeze the leader until the other one leads, and let it go on."""
    freeze(house.living[name], house.url, inside)
    house.leads(other(name))
    house.living[name].send(signal.SIGCONT)


def other(name: str) -> str:
    return "second" if name == "first" else "first"


def check(house: House) -> int:
    """Compare the history with what was done; how many slots there were."""
    state = house.state
    jobs = sorted({row.job for row in rows_of(state)} - {"scribe"})
    slots = sum(check_slots(state, job, EVERY_SECOND) for job in jobs)
    check_slots(state, "scribe", EVERY_SECOND)
    lines = (house.folder / "effects").read_text(encoding="ascii").splitlines()
    done = Counter(tuple(line.split()[:2]) for line in lines)
    assert [slot for slot, times in done.items() if times > 1] == []
    outcomes = Counter(row.outcome for row in rows_of(state))
    assert None not in outcomes, outcomes
    for row in rows_of(state):
        if row.job != "scribe":
            acted = done.pop((row.job, row.slot_at.isoformat()), 0)
            if row.outcome == "succeeded":
                assert acted == 1, row
            elif row.outcome in ("missed", "skipped"):
                assert acted == 0, row
            check_ledger(state, row.job, row.slot_at.isoformat(), acted)
    assert not done
    check_writers(house)
    return slots


def check_ledger(state: State, job: str, slot: str, acted: int) -> None:
    """An effect whose line is there is in the ledger too, where the job keeps one."""
    if acted and int(job.removeprefix("job")) % 2 == 0:
        with state.begin() as connection:
            assert ledger.known(connection, effects_daemon.LEDGER, [effects_daemon.digest(job, slot)]), (job, slot)


def check_writers(house: House) -> None:
    """Nobody wrote between two writes of another one, but those who led then: each leads one stretch at a time."""
    with house.state.read() as connection:
        saved = connection.exec_driver_sql("SELECT pid FROM saved ORDER BY id").scalars().all()
    begun = [row.holder for row in rows_of(house.state) if row.attempts]
    for writers in (saved, begun):
        assert len(writers) > 20 and stretches(writers) <= house.leaderships


def stretches(writers: Sequence[str]) -> int:
    """Into how many stretches of one writer each a sequence falls."""
    return sum(1 for _ in groupby(writers))


# One fault each


@pytest.mark.whole_form
def test_a_killed_leader_is_followed(house: House) -> None:
    house.kill(house.leading())
    house.kill(house.leading())
    house.goes_on(3)


@pytest.mark.whole_form
def test_a_frozen_leader_is_fenced_out(house: House) -> None:
    name = house.leading()
    freeze_until_followed(house, name, inside=False)
    house.fenced_out(name)


@pytest.mark.whole_form
@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_one_frozen_in_a_transaction_is_fenced_out(house: House) -> None:
    name = house.leading()
    # The server ends its transaction: only so are its locks given up.
    freeze_until_followed(house, name, inside=True)
    house.fenced_out(name)


@pytest.mark.whole_form
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_on_sqlite_one_frozen_in_a_transaction_blocks(house: House) -> None:
    name = house.leading()
    led = house.leaderships
    freeze(house.living[name], house.url, inside=True)
    # A file has no server that could end the transaction: nobody leads, and nobody writes, until it goes on or dies.
    time.sleep(LEASE_SECONDS + 2.0)
    assert house.leaderships == led
    house.kill(name)
    house.goes_on(2)


@pytest.mark.whole_form
@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
@pytest.mark.parametrize("how", ["cut", "hangs"])
def test_one_without_its_state_database_is_followed(house: House, how: str) -> None:
    name = house.leading()
    proxy = house.proxies[name]
    with proxy.away() if how == "cut" else proxy.hanging():
        house.leads(other(name))
    house.fenced_out(name)


# All of them


@pytest.mark.timeout(900)
def test_over_many_slots_each_has_one_outcome(house: House, whole: bool, faults_seed: int) -> None:
    chance, wanted = random.Random(faults_seed), 1_050 if whole else 100
    faults: tuple[str, ...] = FAULTS_OF_SQLITE
    if house.proxies:
        faults = (*FAULTS_OF_A_SERVER, "hang", "freeze") if whole else FAULTS_OF_A_SERVER
    for _ in range(30):
        for fault in chance.sample(faults, len(faults)):
            trouble(house, fault, house.leading(), chance)
        if slots_so_far(house) >= wanted:
            break
    house.end()
    assert check(house) >= wanted


def slots_so_far(house: House) -> int:
    return sum(row.slots for row in rows_of(house.state) if row.job != "scribe")


def trouble(house: House, fault: str, leader: str, chance: random.Random) -> None:
    """One fault, at a moment by chance, and so long that the other one leads."""
    time.sleep(chance.uniform(0.2, 1.5))
    if fault == "kill":
        house.kill(leader)
    elif fault.startswith("freeze"):
        freeze_until_followed(house, leader, inside=fault == "freeze inside")
    else:
        proxy = house.proxies[leader]
        with proxy.away() if fault == "cut" else proxy.hanging():
            house.leads(other(leader))


def test_stretches_are_counted() -> None:
    assert stretches(["a", "a", "b", "a"]) == 3 and SECOND == EVERY_SECOND.interval
