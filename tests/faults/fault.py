"""Faults of a server, or of the network to it: one after another, under one daemon that goes on."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import URL, make_url

from janitor.guard import foreign_code
from tests.faults import checker
from tests.faults.house import URLS, House
from tests.servers import SqlServer
from tests.small_engine import eventually

USER = "janitor"
A_SECOND = 15.0
STATEMENT_SECONDS = 5
"""Longer than any server takes on a busy machine: what it takes longer for is the fault."""
STATE_STATEMENT_SECONDS = 10
"""The limit of a statement on the state database; no setting changes it."""
SLACK_SECONDS = 2
"""How much longer a silent connection is waited for."""
LEASE_SECONDS = 15
"""Long enough for a busy machine. Other tests tell what becomes of a daemon without its lease."""
SEEN_SECONDS = 60.0
AGAIN_SECONDS = 0.01
LONGEST_REASON = 500

Happens = Callable[[], AbstractContextManager[None]]
Repeats = Literal["no group", "one group", "a group a failed run", "a group a run"]


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong during the block of `happens`, and is right again after it.

    It lasts `seconds`, and then until a run has failed for it. At least one failed run says one of the `words`; without
    words no run need fail. Each failed run names one of the `culprits`. `repeats` limits what may be published again:
    nothing; one group, whose confirms were lost; or a group for each run of the publisher, or for each that failed.
    `hides_history`: the history cannot be read meanwhile, so the daemon's log is read.
    """

    name: str
    happens: Happens
    culprits: tuple[str, ...]
    words: tuple[str, ...]
    repeats: Repeats = "no group"
    seconds: float = 0.0
    hides_history: bool = False
    slow: bool = False


@dataclass(frozen=True)
class Happened:
    """What came of a fault: how many runs failed, and of the publisher's, why, and when all was well again."""

    fault: Fault
    failed: int
    publishing_runs: int
    failed_publishing: int
    reason: str
    settled_seconds: float

    @property
    def repeatable(self) -> int:
        """How many groups may have been published again, at most."""
        groups: dict[Repeats, int] = {
            "no group": 0,
            "one group": 1,
            "a group a failed run": self.failed_publishing,
            "a group a run": self.publishing_runs,
        }
        return groups[self.fault.repeats]

    @property
    def line(self) -> str:
        """Everything in one line."""
        repeats = f", at most {self.repeatable} groups published again" if self.repeatable else ""
        settled = f"settled after {self.settled_seconds:.1f} s"
        return f"{self.fault.name}: {self.failed} runs failed{repeats}, {settled}; {self.reason or 'all succeeded'}"


def choose(faults: Sequence[Fault], count: int, seed: int) -> list[Fault]:
    """Choose some faults that do not take long, in a random order."""
    chance = random.Random(f"{seed} {faults[0].name}")
    return chance.sample([fault for fault in faults if not fault.slow], count)


def begin(house: House, *servers: SqlServer, follows_alone: bool = False) -> None:
    """Start the daemon and the writer. The daemon's user may write, but is no administrator.

    With `follows_alone` there are no reconciles: they would mend what a follow has lost.
    """
    if follows_alone:
        house.only("labware_location", "sequencing_publisher")
        house.writer.announced_only = True
    prepare(house, *servers)
    house.start()
    house.settle(rounds=1)
    house.writer.start(a_second=A_SECOND)


def prepare(house: House, *servers: SqlServer) -> None:
    """Make the daemon's user on the servers, and make the daemon's limits short, before it starts."""
    for server in servers:
        server.execute(f"CREATE USER IF NOT EXISTS {USER}@'%'", f"GRANT ALL PRIVILEGES ON `test\\_%`.* TO {USER}@'%'")
    for name in URLS.values():
        if not house.settings[name].startswith("sqlite"):
            own = make_url(house.settings[name]).set(username=USER)
            house.settings[name] = own.render_as_string(hide_password=False)
    house.settings |= {
        "STATEMENT_TIMEOUT_SECONDS": str(STATEMENT_SECONDS),
        "CONNECT_TIMEOUT_SECONDS": str(STATEMENT_SECONDS),
        "LEASE_SECONDS": str(LEASE_SECONDS),
    }


def go_through(house: House, faults: Sequence[Fault], title: str) -> None:
    """Let the faults happen one after another, note a line for each, and check what came of them."""
    happened, groups = list[Happened](), 0
    for fault in faults:
        happened.append(let_happen(house, fault))
        house.note(f"{title}, {happened[-1].line}")
        assert house.alive == house.daemons, f"{fault.name} ended the daemon:\n{house.daemons[-1].text[-3000:]}"
        before, groups = groups, checker.groups_again(house).total()
        assert groups - before <= happened[-1].repeatable, f"{happened[-1].line}: {groups - before} groups came again"
    note, house.note = house.note, lambda line: note(line.replace(" crashes, ", " groups at risk, "))
    house.finish(f"{title}, {len(faults)} faults", crashes=sum(each.repeatable for each in happened))
    house.note = note


def let_happen(house: House, fault: Fault) -> Happened:
    """Let a fault happen, wait until each job succeeds again, and check what the failed runs say."""
    before = {run for run, outcome, _, _ in history(house) if outcome is not None}

    def ended() -> list[tuple[str, str, str]]:
        news = [row for row in history(house) if row[0] not in before and row[1] is not None]
        return [(outcome, job, reason) for _, outcome, job, reason in news]

    def failed() -> list[tuple[str, str]]:
        return [(job, reason) for outcome, job, reason in ended() if outcome == "failed"]

    def is_seen() -> bool:
        return not fault.words or any(word in reason for _, reason in failed() for word in fault.words)

    said_before = len(house.daemons[-1].text) if house.daemons else 0

    def is_said() -> bool:
        said = [line for line in house.daemons[-1].text[said_before:].splitlines() if " failed" in line]
        return not fault.words or any(word in line for line in said for word in fault.words)

    with fault.happens():
        time.sleep(fault.seconds)
        # The daemon's log says the same if the history cannot be read.
        met = is_said if fault.hides_history else is_seen
        eventually(met, lambda: f"{fault.name}: a run says {fault.words}; they say {set(failed())}", SEEN_SECONDS)
    cured_at = time.monotonic()
    house.settle(rounds=1)
    settled_seconds, found = time.monotonic() - cured_at, failed()
    assert is_seen(), f"{fault.name}: no run says any of {fault.words}; they say {set(found)}"
    for job, reason in found:
        clear = "\n" not in reason and len(reason) < LONGEST_REASON and "Traceback" not in reason
        assert clear and any(culprit in reason for culprit in fault.culprits), f"{fault.name}: {job} says {reason!r}"
    reasons = [reason for _, reason in found if any(word in reason for word in fault.words)]
    outcomes = [outcome for outcome, job, _ in ended() if job.startswith("sequencing_publisher")]
    failures = outcomes.count("failed")
    publishing_runs = outcomes.count("succeeded") + failures
    return Happened(fault, len(found), publishing_runs, failures, reasons[0] if reasons else "", settled_seconds)


def history(house: House) -> list[Any]:
    """Return each run's id, outcome, job and reason."""
    return house.in_state("SELECT id, outcome, job, reason FROM runs ORDER BY id")


@contextmanager
def again_and_again(act: Callable[[], object]) -> Iterator[None]:
    """Do something every few milliseconds during a block: doing it once may meet only idle connections."""
    stop, failures = threading.Event(), list[BaseException]()

    def loop() -> None:
        with foreign_code(failures.append, BaseException):
            while not stop.wait(AGAIN_SECONDS):
                act()

    thread = threading.Thread(target=loop, name="fault", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(SEEN_SECONDS)
    if failures:
        raise failures[0]


def address(url: URL) -> str:
    """Return how a reason names a database."""
    return f"{url.host}:{url.port}"
