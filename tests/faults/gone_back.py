"""Sources that go backwards: a replica lags, a backup is restored, ids are given anew.

    lags            the newest rows are away; later they are back
    restored        the newest rows are gone for good, and AUTO_INCREMENT is set back
    given anew      other rows have the ids of the newest rows, and there are rows above them

All jobs of the source fail until it is as it was, or until a person sets the cursor. The writer stands still meanwhile,
so that whatever is written or published is wrong.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from janitor.errors import JanitorError
from janitor.operations import cursor
from janitor.state import State
from tests.faults.fault import A_SECOND, LEASE_SECONDS, Fault, address
from tests.faults.house import House
from tests.faults.source import Source
from tests.servers import SqlServer
from tests.small_engine import eventually
from tests.tasks.labware_location.oracle import stored

AWAY = "faults_away"
ROWS = 12
"""How many of the newest rows are concerned."""
MORE_FAILURES = 2
"""How often the job fails once more before it is looked at what it did."""
ENDS_BELOW, ANEW = "was read up to id", "has another row at id"


@dataclass(frozen=True)
class Followed:
    """A table that a job follows."""

    house: House
    job: str
    table: str
    id: str
    source: Source

    def after(self) -> int:
        """The id after which the newest rows come."""
        [[id]] = self.source.read(f"SELECT {self.id} FROM {self.table} ORDER BY 1 DESC LIMIT 1 OFFSET {ROWS}")
        return int(id)

    def put_away(self, after: int) -> None:
        """Take the rows after an id away, so that they can be put back."""
        with self.source.change("rows put away") as change:
            change.do(f"CREATE TABLE {AWAY} AS SELECT * FROM {self.table} WHERE {self.id} > {after}")
            change.do(f"DELETE FROM {self.table} WHERE {self.id} > {after}")
            if self.table == "audits":
                # MLWH's statuses have no such counter.
                change.do("ALTER TABLE audits AUTO_INCREMENT = 1")

    def put_back(self) -> None:
        """Put back what is away."""
        with self.source.change("rows put back") as change:
            change.do(f"INSERT INTO {self.table} SELECT * FROM {AWAY}")

    def forget_away(self) -> None:
        """Nothing is away any more."""
        with self.source.change("tables dropped") as change:
            change.do(f"DROP TABLE IF EXISTS {AWAY}")

    def lose(self, after: int) -> None:
        """Let the writer's book say that the rows after an id are gone, and that their labwares may keep a row."""
        ledger = self.house.writer.ledger
        kept = ledger.audits if self.table == "audits" else ledger.statuses
        kept -= {id for id in kept if id > after}
        if self.table == "audits":
            query = "SELECT barcode FROM labwares WHERE id NOT IN (SELECT COALESCE(auditable_id, 0) FROM audits)"
            ledger.labwares_deleted.update(barcode for [barcode] in self.source.read(query))

    def give_anew(self, after: int) -> None:
        """Give the ids after this one to other rows, and as many ids above them, in one transaction."""
        top = after + 2 * ROWS
        with self.source.change("ids given anew") as change:
            change.do(f"DELETE FROM {self.table} WHERE {self.id} > {after}")
            writer = self.house.writer
            deeds = writer.storage if self.table == "audits" else writer.sequencing
            deeds.give_anew(change, range(after + 1, top + 1))
        self.lose(top)

    def set_cursor(self, value: str) -> None:
        """Set the job's cursor as a person does, again if the job is just running."""
        state = State(self.house.state_url)

        def is_set() -> bool:
            try:
                cursor.move(state, self.job, value, "test", datetime.now(UTC), LEASE_SECONDS)
            except JanitorError as exc:
                assert "is running" in str(exc), exc
                return False
            return True

        eventually(is_set, f"the cursor of {self.job} is set to {value}")
        state.close()

    def done(self) -> tuple[object, ...]:
        """What was taken, written and published so far."""
        [[position]] = self.house.in_state(f"SELECT position FROM cursors WHERE name = '{self.job}'")
        return position, stored(self.house.warehouses.mlwh), len(self.house.consumer.drain())

    def failures(self, words: str) -> int:
        """How many runs of the job failed with these words."""
        found = self.house.in_state(f"SELECT reason FROM runs WHERE job = '{self.job}' AND outcome = 'failed'")
        return sum(words in reason for [reason] in found)


def gone_back(house: House, server: SqlServer) -> list[Fault]:
    """List the faults of sources that go backwards.

    If LabWhere has lost audits and its cursor is set to an id, only a reconcile finds what it has lost.
    """
    alone = "labware_location_reconcile" not in house.seconds
    storage, sequencing = house.writer.storage.source, house.writer.sequencing.mlwh
    labwhere = Followed(house, "labware_location", "audits", "id", storage)
    mlwh = Followed(house, "sequencing_publisher", "iseq_run_status", "id_run_status", sequencing)

    def fault(name: str, words: str, happens: Callable[[], AbstractContextManager[None]]) -> Fault:
        return Fault(name, happens, (address(server.admin),), (words,))

    return [
        fault("LabWhere lags", ENDS_BELOW, lambda: lagging(labwhere)),
        fault("LabWhere restored", ENDS_BELOW, lambda: restored(labwhere, begin_anew=alone)),
        fault("LabWhere's ids given anew", ANEW, lambda: given_anew(labwhere, begin_anew=True)),
        fault("MLWH lags", ENDS_BELOW, lambda: lagging(mlwh)),
        fault("MLWH restored", ENDS_BELOW, lambda: restored(mlwh, begin_anew=True)),
        fault("MLWH's ids given anew", ANEW, lambda: given_anew(mlwh, begin_anew=False)),
    ]


@contextmanager
def lagging(followed: Followed) -> Iterator[None]:
    """Let a source be a replica that lags."""
    with standing_still(followed, ENDS_BELOW) as after:
        followed.put_away(after)
        yield
    followed.put_back()
    go_on(followed)


@contextmanager
def restored(followed: Followed, begin_anew: bool) -> Iterator[None]:
    """Restore an older backup of a source; then a person sets the cursor."""
    with _set_by_hand(followed, ENDS_BELOW, begin_anew) as after:
        followed.put_away(after)
        followed.lose(after)
        yield


@contextmanager
def given_anew(followed: Followed, begin_anew: bool) -> Iterator[None]:
    """Give ids that were read to other rows; then a person sets the cursor."""
    with _set_by_hand(followed, ANEW, begin_anew) as after:
        followed.give_anew(after)
        yield


@contextmanager
def _set_by_hand(followed: Followed, words: str, begin_anew: bool) -> Iterator[int]:
    """Let rows go within the block, as `standing_still` does; then a person sets the cursor."""
    with standing_still(followed, words) as after:
        yield after
    followed.set_cursor(cursor.START if begin_anew else str(after))
    go_on(followed)


@contextmanager
def standing_still(followed: Followed, words: str) -> Iterator[int]:
    """Give the id after which rows go, while nobody writes; nothing may be done in the block but to fail."""
    house = followed.house
    house.writer.finish()
    house.settle(rounds=1)
    before = followed.done()
    yield followed.after()
    wanted = followed.failures(words) + MORE_FAILURES
    eventually(lambda: followed.failures(words) >= wanted, f"{followed.job} fails again and again")
    assert followed.done() == before, f"{followed.job} did something although its source went backwards"


def go_on(followed: Followed) -> None:
    """Let the writer go on."""
    followed.forget_away()
    followed.house.writer.start(a_second=A_SECOND)
