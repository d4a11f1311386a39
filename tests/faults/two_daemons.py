"""Two daemons on one state database, and what becomes of them: killed, frozen, cut off.

effects_daemon.py  writes a line into a file for each slot, when its task acts
a trigger          notes in the state database who saved a cursor, in order
check              each slot has one outcome; a slot that succeeded acted once, a missed slot never;
                   only the leader wrote
"""

import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.exc import OperationalError

from janitor.jobs import schedules
from janitor.state import State, ledger
from tests.daemons import Daemon
from tests.faults import effects_daemon
from tests.faults.proxy import Proxy
from tests.small_engine import check_slots, eventually, rows_of

LEASE_SECONDS = 4
LONG_SECONDS = 90.0
"""How long to wait for what takes a lease, a limit and a start, on a busy machine."""
EVERY_SECOND = schedules.every(1)


@dataclass
class Pair:
    """Two daemons on one state database; on a server each reaches it through a proxy of its own."""

    url: URL
    state: State
    start: Callable[..., Daemon]
    folder: Path
    proxies: dict[str, Proxy] = field(default_factory=dict)
    environments: dict[str, dict[str, str]] = field(default_factory=dict)
    living: dict[str, Daemon] = field(default_factory=dict)
    dead: list[Daemon] = field(default_factory=list)

    def begin(self, name: str) -> Daemon:
        """Start one of the two daemons, or start it again."""
        url = self.url.set(port=self.proxies[name].port) if self.proxies else self.url
        self.living[name] = self.start(url, f"{name}{len(self.dead)}", **self.environments.get(name, {}))
        return self.living[name]

    def leader(self) -> str | None:
        """Return which daemon holds the daemon's lease; None if neither does."""
        with self.state.read() as connection:
            holder = connection.exec_driver_sql("SELECT holder FROM leases WHERE name = 'daemon'").scalar()
        pid = int(holder.split("|")[3]) if holder else 0
        return next((name for name, daemon in self.living.items() if daemon.pid == pid), None)

    def leads(self, name: str) -> None:
        """Wait until this daemon leads and has run three more slots."""
        holder = f"|{self.living[name].pid}|"
        eventually(lambda: self.leader() == name, lambda: f"{name} leads: {self.said()}", LONG_SECONDS)
        before = self.count(holder)
        eventually(lambda: self.count(holder) > before + 2, lambda: f"{name} runs slots: {self.said()}", LONG_SECONDS)

    def count(self, holder: str) -> int:
        """Count the runs that a daemon has begun."""
        with self.state.read() as connection:
            query = "SELECT COUNT(*) FROM runs WHERE holder LIKE %s AND attempts > 0"
            if self.url.get_backend_name() == "sqlite":
                query = query.replace("%s", "?")
            return int(connection.exec_driver_sql(query, (f"%{holder}%",)).scalar_one())

    def leading(self) -> str:
        """Wait until a daemon leads and has run three more slots; return its name.

        On a busy machine the lead may go from one daemon to the other meanwhile.
        """
        before = {name: self.count(f"|{daemon.pid}|") for name, daemon in self.living.items()}

        def at_work() -> str | None:
            name = self.leader()
            return name if name and self.count(f"|{self.living[name].pid}|") > before[name] + 2 else None

        return str(eventually(at_work, lambda: f"whoever leads runs slots: {self.said()}", LONG_SECONDS))

    def said(self) -> str:
        """Tell who leads, and what each daemon said last: for whoever looks for a mistake."""
        last = "".join(f"\n--- {name}, {daemon.pid}:\n{daemon.text[-1500:]}" for name, daemon in self.living.items())
        return f"{self.leader()} holds the lease{last}"

    def goes_on(self, leaderships: int) -> None:
        """Wait until a daemon leads again, stop both, and check what they did."""
        self.leading()
        self.end()
        assert check(self) > 30 and self.leaderships >= leaderships

    def fenced_out(self, name: str) -> None:
        """Wait until a former leader stands by, then go on to the end."""
        self.living[name].says("stops its runs and stands by")
        self.goes_on(2)

    def kill(self, name: str) -> None:
        """End a daemon with SIGKILL, as `replace` does."""
        self.replace(name, signal.SIGKILL, -signal.SIGKILL)

    def replace(self, name: str, number: int, code: int) -> None:
        """End a daemon with a signal, wait until the other leads, and start a new process that stands by."""
        daemon = self.living.pop(name)
        assert daemon.end(number) == code, daemon.text[-2000:]
        self.dead.append(daemon)
        self.leads(other(name))
        begun = self.begin(name)
        eventually(lambda: "standing by" in begun.text or "leading with" in begun.text, f"{name} is up", LONG_SECONDS)

    def end(self) -> None:
        """Stop both with SIGTERM, the leader last."""
        leader = self.leader()
        for name in sorted(self.living, key=lambda each: each == leader):
            assert self.living[name].end() == 0, f"{name}: {self.living[name].text[-2000:]}"

    @property
    def leaderships(self) -> int:
        """How often a daemon came to lead."""
        return sum(daemon.text.count("leading with") for daemon in (*self.living.values(), *self.dead))


def watch(engine: Engine) -> None:
    """Let the state database note who saves the scribe's cursor, in order."""
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
    # A daemon that stands by locks the lease too while it looks, but for less than a second.
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
    """Stop a daemon with SIGSTOP inside a transaction on the state database, or outside of any."""
    for tried in range(500):
        daemon.freeze()
        if inside_a_transaction(url) is inside:
            return
        daemon.send(signal.SIGCONT)
        # Let it come out of the transaction that it was in.
        time.sleep(0.03 + tried % 7 * 0.02)
    pytest.fail(f"the daemon was never found {'inside' if inside else 'outside'} a transaction")


def freeze_until_followed(pair: Pair, name: str, inside: bool) -> None:
    """Freeze the leader until the other daemon leads, and let it go on."""
    freeze(pair.living[name], pair.url, inside)
    pair.leads(other(name))
    pair.living[name].send(signal.SIGCONT)


def other(name: str) -> str:
    """Name the other daemon of the pair."""
    return "second" if name == "first" else "first"


def check(pair: Pair) -> int:
    """Compare the history with the effects of the tasks; return how many slots there were."""
    state = pair.state
    jobs = sorted({row.job for row in rows_of(state)} - {"scribe"})
    slots = sum(check_slots(state, job, EVERY_SECOND) for job in jobs)
    check_slots(state, "scribe", EVERY_SECOND)
    lines = (pair.folder / "effects").read_text(encoding="ascii").splitlines()
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
    check_writers(pair)
    return slots


def check_ledger(state: State, job: str, slot: str, acted: int) -> None:
    """Every effect of a job with an even number is in the ledger too."""
    if acted and int(job.removeprefix("job")) % 2 == 0:
        with state.begin() as connection:
            assert ledger.entries(connection, effects_daemon.LEDGER, [effects_daemon.digest(job, slot)]), (job, slot)


def check_writers(pair: Pair) -> None:
    """Only the leader wrote: the writers change no more often than the lead did."""
    with pair.state.read() as connection:
        saved = connection.exec_driver_sql("SELECT pid FROM saved ORDER BY id").scalars().all()
    begun = [row.holder for row in rows_of(pair.state) if row.attempts]
    for writers in (saved, begun):
        assert len(writers) > 20, len(writers)
        assert stretches(writers) <= pair.leaderships, [(name, len([*group])) for name, group in groupby(writers)]


def stretches(writers: Sequence[str]) -> int:
    """Count the stretches of a sequence that have one writer each."""
    return sum(1 for _ in groupby(writers))
