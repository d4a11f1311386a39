"""The vital signs that the state database knows, read together for metrics and health, and kept for seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, text

from janitor import feeds
from janitor.engine import overdue
from janitor.engine.obstacles import RECORDING
from janitor.errors import Rejected, Unavailable
from janitor.items import waits
from janitor.jobs.counts import stored
from janitor.runs import Outcome
from janitor.state import item_counts, job_records, memories, quarantine, recent, tries
from janitor.state.item_counts import Count
from janitor.state.job_records import JobRecord
from janitor.state.tables import SCHEMA_VERSION, cursors, runs
from janitor.web.desk import Desk
from janitor.web.metrics.ledger_sizes import LedgerSizes
from janitor.web.metrics.readings import Reading

WAIT_SECONDS = 2.0
"""How long a scrape, or a question about health, waits for the state database."""
KEEP_SECONDS = 5.0
WRITE_KEEP_SECONDS = 10.0
"""How long it counts that the state database took a write, or did not."""
LEDGER_KEEP_SECONDS = 60.0
LEDGER_SHARE = 0.01
"""The share of the time that counting the ledgers may take, however large they are."""


@dataclass(frozen=True)
class Signs:
    """What the state database knew at `read_at`, by job.

    `completions` are the newest runs that nobody stopped. `successes` are the newest that succeeded, with their
    `counts`. `elsewhere` are the jobs that run in another process. `tops` are the highest ids that cursors reached.
    """

    read_at: datetime
    known: Mapping[str, JobRecord]
    completions: Mapping[str, Row[Any]]
    successes: Mapping[str, Row[Any]]
    counts: Mapping[str, Mapping[str, Any]]
    overdue: Mapping[str, datetime]
    elsewhere: frozenset[str]
    tops: Mapping[str, int]
    quarantined: Mapping[str, int]


@dataclass(frozen=True)
class ItemSigns:
    """How many items are where, in all pipelines; and since when items wait that could be taken, by job."""

    read_at: datetime
    counts: Sequence[Count]
    waiting: Mapping[str, datetime]


class Vitals:
    """Readings of the state database, each in a thread of its own: no page waits for a server that hangs."""

    def __init__(self, desk: Desk) -> None:
        """Nothing is read until somebody asks."""
        self._desk = desk
        self._tops: dict[str, tuple[datetime, int | None]] = {}
        self._ledger_sizes, loops = LedgerSizes(), desk.runner.loops
        self.signs = Reading(self._read_signs, KEEP_SECONDS, loops=loops)
        self.items = Reading(self._read_items, KEEP_SECONDS, loops=loops)
        self.ledger = Reading(self._count_ledger, LEDGER_KEEP_SECONDS, LEDGER_SHARE, loops)
        self.schema = Reading(self._check_schema, 1.0, loops=loops)
        self.writing = Reading(self._try_write, WRITE_KEEP_SECONDS, loops=loops)

    def _read_signs(self) -> Signs:
        now = self._desk.now()
        with self._desk.state.read() as connection:
            known, alive = job_records.all_jobs(connection), recent.signs_of_life(connection)
            newest = recent.last_ended(connection, recent.COMPLETED)
            successes = recent.last_ended(connection, (Outcome.SUCCEEDED,))
            late = overdue.among(self._desk.jobs.values(), known, successes, alive, now)
            counts = _counts(connection, [row.id for row in successes.values()])
            others = _running_elsewhere(connection, self._desk.runner.holder)
            owner = memories.owners(connection, self._desk.jobs)
            sizes = memories.by_owner(quarantine.sizes(connection), owner)
            tops = {owner.get(name, name): top for name, top in self._read_tops(connection).items()}
        return Signs(now, known, newest, successes, counts, late, others, tops, sizes)

    def _read_items(self) -> ItemSigns:
        now = self._desk.now()
        with self._desk.state.read() as connection:
            return ItemSigns(
                now, item_counts.read(connection), waits.of_steps(connection, self._desk.jobs.values(), now)
            )

    def _read_tops(self, connection: Connection) -> dict[str, int]:
        """The top of each cursor. Only positions that moved are read: a position may be a long text."""
        for name, at in connection.execute(select(cursors.c.name, cursors.c.updated_at)).all():
            if self._tops.get(name, (None, None))[0] != at:
                position = select(cursors.c.position).where(cursors.c.name == name)
                self._tops[name] = (at, _top(connection.execute(position).scalar()))
        return {name: top for name, (_, top) in self._tops.items() if top is not None}

    def _count_ledger(self) -> dict[str, int]:
        with self._desk.state.read() as connection:
            counts = self._ledger_sizes.count(connection)
            return memories.by_owner(counts, memories.owners(connection, self._desk.jobs))

    def _try_write(self) -> datetime:
        """When the state database took a write.

        Raises:
            Unavailable, Rejected: it does not, or it does not take what runs record: its disk is full, say.
        """
        # A server may have room for a small change, and none for rows that are new.
        if (why := self._desk.runner.obstacles.why(RECORDING)) is not None:
            raise Unavailable(f"nothing can be recorded: {why}")
        with self._desk.state.begin() as connection:
            now = self._desk.state.now(connection)
            tries.write(connection, now)
        return now

    def _check_schema(self) -> str:
        """The schema's version.

        Raises:
            Unavailable, Rejected: the state database is away, says no, or is another release's.
        """
        with self._desk.state.read() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if found != SCHEMA_VERSION:
            raise Rejected(f"the state database has schema {found}, and this release works with {SCHEMA_VERSION}")
        return SCHEMA_VERSION


def _counts(connection: Connection, ids: list[int]) -> dict[str, Mapping[str, Any]]:
    found = connection.execute(select(runs.c.job, runs.c.counts).where(runs.c.id.in_(ids)))
    return {job: stored(counts) or {} for job, counts in found}


def _running_elsewhere(connection: Connection, holder: str) -> frozenset[str]:
    query = select(runs.c.job).where(runs.c.outcome.is_(None), runs.c.holder != holder)
    return frozenset(connection.execute(query).scalars())


def _top(position: str | None) -> int | None:
    """The highest id that a cursor has reached; None for a cursor that is no feed's."""
    try:
        return None if position is None else int(feeds.describe(position)["top"])
    except (ValueError, LookupError, TypeError):
        return None
