"""The checker: at the end it compares the sources, the target, the consumer, the ledger and the state database.

The oracles of tests/tasks work out what must be there: they read the sources whole, in plain Python.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tests.faults.consumer import Message, counted
from tests.faults.ledger import Ledger, RunPart
from tests.fixtures import Warehouses
from tests.tasks.labware_location.oracle import expected, stored
from tests.tasks.rows import Tables, moment
from tests.tasks.sequencing_publisher.oracle import Record, derived

if TYPE_CHECKING:
    from tests.faults.house import House

SHOWN = 5
LATE_SECONDS = 2.0
"""How late the clock may be on a busy machine. The next start accounts for what was due just before the end."""
FOREIGN = {"labware_barcode": "FOREIGN-1", "lims_id": "OTHER"}


@dataclass(frozen=True)
class Base:
    """What was there before the writer began: what messages of its runs may say, and a row of another owner."""

    parts: frozenset[RunPart]
    audits: int

    @classmethod
    def of(cls, warehouses: Warehouses) -> "Base":
        """Look at the warehouses, and put a row of another LIMS into the target."""
        names = ("location_barcode", "full_location_address", "location_name", "stored_by")
        long_ago = datetime(2020, 1, 1)
        dates = dict.fromkeys(("stored_at", "created_at", "updated_at"), long_ago)
        Tables(warehouses.mlwh).add("labware_location", **FOREIGN, **dict.fromkeys(names, "theirs"), **dates)
        made = derived(warehouses).messages.values()
        return cls(frozenset(map(part_of, made)), len(Tables(warehouses.labwhere).all("audits", "id")))


@dataclass(frozen=True)
class Report:
    """What came of it all; `lost`, `invented` and the lists name each thing.

    `groups` is how many groups came twice, at least; `groups_of_a_run` is the most that a single run published twice.
    """

    title: str
    seed: int
    changes: int
    failed: int
    lost: list[str]
    invented: list[str]
    twice: int
    groups: int
    groups_of_a_run: int
    crashes: int
    runs_without_outcome: int
    slots: int
    slots_without_outcome: list[str]
    slots_with_two: list[str]
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """Everything in one line."""
        kills = f"{self.crashes} crashes, " if self.crashes else ""
        failed = f" ({self.failed} refused)" if self.failed else ""
        return (
            f"{self.title} (seed {self.seed}): {kills}{self.changes} changes made{failed}, {len(self.lost)} lost, "
            f"{self.twice} published twice in {self.groups} groups (at most {self.crashes}), "
            f"{self.runs_without_outcome} runs without an outcome, "
            f"{len(self.slots_without_outcome)} of {self.slots} slots without an outcome, "
            f"{len(self.slots_with_two)} with two"
        )

    def demand(self) -> None:
        """Assert that every promise is kept."""
        assert not self.lost, f"{self.line}\nlost: {self.lost[:SHOWN]}"
        assert not self.invented, f"{self.line}\nnever so: {self.invented[:SHOWN]}"
        assert self.groups <= self.crashes and self.groups_of_a_run <= 1, self.line
        assert self.runs_without_outcome == 0, self.line
        assert not self.slots_without_outcome, f"{self.line}\n{self.slots_without_outcome[:SHOWN]}"
        assert not self.slots_with_two, f"{self.line}\n{self.slots_with_two[:SHOWN]}"


def check(house: "House", ledger: Ledger, title: str, crashes: int, asked_at: datetime) -> Report:
    """Compare everything, after all daemons have stopped; they were asked to stop at `asked_at`."""
    messages = house.consumer.drain()
    state = State(house.state_url)
    lost = source_lost(house.warehouses, ledger)
    lost_rows, invented_rows = compare_rows(house, ledger, state)
    lost_messages, invented_messages = compare_messages(house, ledger, messages)
    groups = groups_again(house)
    slots, without, with_two = compare_slots(state, house.seconds, asked_at)
    report = Report(
        title=title,
        seed=house.seed,
        changes=ledger.made,
        failed=ledger.failed["steps"],
        lost=lost + lost_rows + lost_messages + compare_quarantine(house, state),
        invented=invented_rows + invented_messages,
        twice=repeated(messages, house.refused).total(),
        groups=groups.total(),
        groups_of_a_run=max(groups.values(), default=0),
        crashes=crashes,
        runs_without_outcome=sum(run["outcome"] is None for run in state.runs),
        slots=slots,
        slots_without_outcome=without,
        slots_with_two=with_two,
        outcomes=Counter(str(run["outcome"]) for run in state.runs),
    )
    return report


class State:
    """The tables of the state database, read without Janitor."""

    def __init__(self, url: URL) -> None:
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            names = "id, job, origin, slot_at, slot_until_at, slots, outcome, reason, started_at"
            query = text(f"SELECT {names} FROM runs ORDER BY id")
            self.runs = [_with_moments(row) for row in connection.execute(query).mappings()]
            jobs = connection.execute(text("SELECT id, enabled_at FROM jobs")).all()
            self.enabled_at = {id: moment(at) for id, at in jobs}
            found = connection.execute(text("SELECT name, `key`, item FROM quarantine")).all()
            self.quarantine = {(name, key, item) for name, key, item in found}
        engine.dispose()


def source_lost(warehouses: Warehouses, ledger: Ledger) -> list[str]:
    """List what the ledger holds and the sources do not: the servers themselves have lost it."""
    audits = {row["id"] for row in Tables(warehouses.labwhere).all("audits", "id")}
    statuses = {row["id_run_status"] for row in Tables(warehouses.mlwh).all("iseq_run_status", "id_run_status")}
    gone = [f"audit {id}, by the source itself" for id in sorted(ledger.audits - audits)]
    return gone + [f"status {id}, by the source itself" for id in sorted(ledger.statuses - statuses)]


def compare_rows(house: "House", ledger: Ledger, state: State) -> tuple[list[str], list[str]]:
    """Return the target's missing or wrong rows, and the rows that must not be there."""
    wanted = expected(house.warehouses.labwhere)
    found = stored(house.warehouses.mlwh)
    foreign = found.pop(FOREIGN["labware_barcode"], {})
    lost = [f"{key}: {found.get(key)} instead of {row}" for key, row in wanted.rows.items() if found.get(key) != row]
    if foreign.get("lims_id") != FOREIGN["lims_id"] or foreign.get("location_name") != "theirs":
        lost.append(f"the row of another LIMS: {foreign}")
    # Deleted or broken labware keeps its last known location.
    may_stay = wanted.quarantined | ledger.labwares_deleted
    return lost, [f"row {key}: {found[key]}" for key in found.keys() - wanted.rows.keys() - may_stay]


def compare_quarantine(house: "House", state: State) -> list[str]:
    """List what should be in quarantine and is not, and what is and should not be."""
    rows = {key for name, key, _ in state.quarantine if name == "labware_location"}
    wrong = rows ^ expected(house.warehouses.labwhere).quarantined
    samples = {(key, int(item)) for name, key, item in state.quarantine if name == "sequencing_publisher"}
    misfits = samples ^ derived(house.warehouses).misfits
    return [f"quarantine of labware {key}" for key in wrong] + [f"quarantine of sample {key}" for key in misfits]


def compare_messages(house: "House", ledger: Ledger, messages: Iterable[Message]) -> tuple[list[str], list[str]]:
    """Return the missing messages, and the messages that say something never true."""
    wanted = list(derived(house.warehouses).messages.values())
    assert len(wanted) == len(set(wanted)), "the writer made two changes with one content"
    received = counted(messages).keys()
    parts = house.base.parts | ledger.parts_ever | set(map(part_of, wanted))
    never = [each for each in received if part_of(each) not in parts or status_of(each) not in ledger.statuses_ever]
    return [f"message {each}" for each in wanted if each not in received], [f"message {each}" for each in never]


def part_of(record: Record) -> RunPart:
    """Return what a message says apart from its status."""
    _, id_run, study, supplier, labware, _, *place = record
    return RunPart(id_run, study, supplier, labware, *place)


def status_of(record: Record) -> tuple[datetime, int, int]:
    """Return the status of a message: date, run, kind."""
    return record[0], record[1], record[5]


def repeated(messages: Iterable[Message], refused: Set[str] = frozenset()) -> Counter[str]:
    """Count the rows that came again, by the run that had published them before; without what a queue refused."""
    last: dict[str, str] = {}
    again: Counter[str] = Counter()
    for message in messages:
        if message.id in last and message.id not in refused:
            again[last[message.id]] += len(message.records)
        last[message.id] = message.run
    return again


def groups_again(house: "House") -> Counter[str]:
    """Count the groups that came again until now, at least, by the run that had published them before."""
    size = int(house.settings["SEQUENCING_PUBLISHER_GROUP_SIZE"])
    again = repeated(house.consumer.drain(), house.refused)
    return Counter({run: -(-count // size) for run, count in again.items()})


def compare_slots(state: State, seconds: Mapping[str, float], asked_at: datetime) -> tuple[int, list[str], list[str]]:
    """Return how many slots there were until `asked_at`, the slots without an outcome, and the slots with two.

    Slots are at whole multiples of the job's seconds since 1970. The first slot is after the job became known.
    """
    total = 0
    without: list[str] = []
    with_two: list[str] = []
    for job, every in seconds.items():
        taken: Counter[int] = Counter()
        for run in state.runs:
            if run["job"] == job and run["slot_at"] is not None:
                first, last = _number(run["slot_at"], every), _number(run["slot_until_at"], every)
                assert last - first + 1 == run["slots"], run
                taken.update(range(first, last + 1))
        enabled_at = state.enabled_at.get(job)
        if enabled_at is None:
            without.append(f"{job}: it is not known")
            continue
        until = asked_at.replace(tzinfo=None) - timedelta(seconds=LATE_SECONDS)
        due = range(_number(enabled_at, every) + 1, _number(until, every) + 1)
        total += len(due)
        without += [f"{job} at {_instant(slot, every)}" for slot in due if not taken[slot]]
        with_two += [f"{job} at {_instant(slot, every)}" for slot, count in taken.items() if count > 1]
    return total, without, with_two


def succeeded_since(url: URL, since: datetime) -> set[str]:
    """Return the jobs with a success that began after a moment; none while the state database is away."""
    query = text("SELECT DISTINCT job FROM runs WHERE outcome = 'succeeded' AND started_at > :since")
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return set(connection.execute(query, {"since": str(since.replace(tzinfo=None))}).scalars())
    except DBAPIError:
        return set()


def last_outcomes(url: URL) -> dict[str, str]:
    """Return each job's last outcome, and why."""
    return {run["job"]: f"{run['outcome']}: {run['reason']}" for run in State(url).runs}


def _number(at: datetime, every: float) -> int:
    """Return the number of the last slot up to a moment, counted from 1970."""
    return (at - datetime(1970, 1, 1)) // timedelta(seconds=every)


def _instant(number: int, every: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + number * timedelta(seconds=every)


def _with_moments(row: Mapping[Any, Any]) -> dict[str, Any]:
    return dict(row) | {name: moment(row[name]) for name in ("slot_at", "slot_until_at", "started_at")}
