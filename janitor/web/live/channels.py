"""Channels: each polls one thing in the state database once a second, for however many people watch it."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Collection, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
from anyio import CapacityLimiter, to_thread
from sqlalchemy import Connection, func, select

from janitor.errors import JanitorError
from janitor.state import State, job_records, notices, recent
from janitor.state.tables import run_logs, runs
from janitor.web.queries import jobs as queries
from janitor.web.queries import records

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
POLLING_THREADS = 2
MOST_VIEWERS = 100
KEPT_LINES = 1_000
"""How many log lines of a run are kept for its viewers; whoever is further behind reads them from the database."""
MOST_LINES = 500
"""How many log lines are read, or sent, at once."""

Line = tuple[int, bytes]


class Channel(ABC):
    """What is known of one thing, and a version that grows with each change; used in the event loop alone."""

    def __init__(self) -> None:
        """Nothing is known, and nobody watches."""
        self.version = 0
        self.viewers = 0
        self.is_over = False
        """Nothing will change any more."""
        self.trouble = ""
        """Why it cannot be read just now."""
        self._news = asyncio.Event()

    @abstractmethod
    def read(self, connection: Connection) -> Any:
        """Ask the database, in a thread; nothing of the channel changes."""

    @abstractmethod
    def take(self, found: Any) -> bool:
        """Keep what was read; whether anything differs."""

    def tell(self) -> None:
        """Wake everybody who waits."""
        self.version += 1
        self._news.set()
        self._news = asyncio.Event()

    async def wait(self, version: int, seconds: float) -> bool:
        """Wait until there is a later version; False where there is none within so many seconds."""
        if self.version > version:
            return True
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return False
        return True


class RunChannel(Channel):
    """One run: what its line says, how far it is, and what it logs."""

    def __init__(self, run_id: int) -> None:
        """Lines that were logged before the first look are not kept: `lines_after` tells where those kept begin."""
        super().__init__()
        self.run_id = run_id
        self.run, self.progress = b"", b""
        self.has_ended = False
        self.lines: deque[Line] = deque()
        self.lines_after: int | None = None
        self._last = 0

    def read(self, connection: Connection) -> Any:
        """The run's line and progress, and the lines that it logged since the last time."""
        row = connection.execute(select(*recent.LINE, runs.c.progress).where(runs.c.id == self.run_id)).one_or_none()
        if self.lines_after is None:
            newest = select(func.max(run_logs.c.id)).where(run_logs.c.run_id == self.run_id)
            return row, connection.execute(newest).scalar() or 0, []
        return row, self._last, lines_after(connection, self.run_id, self._last)

    def take(self, found: Any) -> bool:
        """Keep what was read; the run has ended for its viewers once its last lines are here too."""
        row, last, lines = found
        first = self.lines_after is None
        if self.lines_after is None:
            self.lines_after = self._last = last
        if row is None:
            self.is_over = self.has_ended = True
            return True
        told = records.progress(row.progress)
        run, progress = records.run_line(row).model_dump_json().encode(), (
            told.model_dump_json().encode() if told else b""
        )
        differs = first or bool(lines) or (run, progress) != (self.run, self.progress)
        self.run, self.progress = run, progress
        self.lines.extend(lines)
        self._last = lines[-1][0] if lines else self._last
        while len(self.lines) > KEPT_LINES:
            self.lines_after = self.lines.popleft()[0]
        # The end is written together with the last lines: these were read after it.
        self.has_ended = row.outcome is not None and len(lines) < MOST_LINES
        self.is_over = self.has_ended
        return differs or self.has_ended

    def kept_after(self, position: int) -> list[Line] | None:
        """The lines kept that come after a position, as many as are sent at once; None where some are not kept."""
        if self.lines_after is None or position < self.lines_after:
            return None
        return [line for line in self.lines if line[0] > position][:MOST_LINES]


class JobsChannel(Channel):
    """Every job: its newest record, and whether it is paused; and how many notices are open."""

    def __init__(self, jobs: Collection[str]) -> None:
        """`jobs` are the ids, of which there may be other ones later."""
        super().__init__()
        self._jobs = jobs
        self.states: dict[str, tuple[int, dict[str, Any]]] = {}
        """Each job's state, and the version in which it changed last."""
        self.open_notices = 0

    def read(self, connection: Connection) -> Any:
        """The newest record of each job, the records of jobs, and how many notices are open."""
        found = recent.newest(connection, list(self._jobs), 1)
        return found, job_records.all_jobs(connection), notices.count_open(connection)

    def take(self, found: Any) -> bool:
        """Keep what was read."""
        newest, records, opened = found
        wanted = list(self._jobs)
        differs = opened != self.open_notices or not self.states
        self.open_notices = opened
        for job in wanted:
            state = _state(newest.get(job, ()), records.get(job))
            if job not in self.states or self.states[job][1] != state:
                self.states[job], differs = (self.version + 1, state), True
        return bool(differs)

    def changed_since(self, version: int) -> Mapping[str, Any]:
        """The states of those jobs that changed after a version."""
        return {job: state for job, (at, state) in self.states.items() if at > version}


class Hub:
    """The channels that somebody watches."""

    def __init__(self, state: State, jobs: Mapping[str, Any]) -> None:
        """Nothing is polled before somebody watches."""
        self._state, self._jobs = state, jobs
        self._channels: dict[Hashable, Channel] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._limiter: CapacityLimiter | None = None
        self.is_closed = False

    @property
    def viewers(self) -> int:
        """How many watch, whatever it is."""
        return sum(channel.viewers for channel in self._channels.values())

    @contextmanager
    def run(self, run_id: int) -> Iterator[RunChannel]:
        """Watch a run for the length of a block."""
        with self._watched(run_id, self._channels.get(run_id) or RunChannel(run_id)) as channel:
            assert isinstance(channel, RunChannel)
            yield channel

    @contextmanager
    def jobs(self) -> Iterator[JobsChannel]:
        """Watch all jobs for the length of a block."""
        with self._watched("jobs", self._channels.get("jobs") or JobsChannel(self._jobs)) as channel:
            assert isinstance(channel, JobsChannel)
            yield channel

    async def older_lines(self, run_id: int, position: int) -> list[Line]:
        """Lines of a run after a position, from the database, as many as are sent at once.

        Raises:
            Unavailable, Rejected: the state database is away or says no.
        """
        found: list[Line] = await self._in_thread(lambda connection: lines_after(connection, run_id, position))
        return found

    def close(self) -> None:
        """Let every stream end; in the event loop."""
        self.is_closed = True
        for channel in self._channels.values():
            channel.tell()

    @contextmanager
    def _watched(self, name: Hashable, channel: Channel) -> Iterator[Channel]:
        if name not in self._channels:
            self._channels[name] = channel
            task = asyncio.get_running_loop().create_task(self._poll(name, channel))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        channel.viewers += 1
        try:
            yield channel
        finally:
            channel.viewers -= 1

    async def _poll(self, name: Hashable, channel: Channel) -> None:
        """Ask again and again, while anybody watches and there is anything to come."""
        try:
            while channel.viewers and not channel.is_over and not self.is_closed:
                try:
                    differs, trouble = channel.take(await self._in_thread(channel.read)), ""
                except JanitorError as exc:
                    differs, trouble = False, str(exc)
                if differs or trouble != channel.trouble:
                    channel.trouble = trouble
                    channel.tell()
                await asyncio.sleep(POLL_SECONDS)
        finally:
            # Whoever comes from now on gets a new channel.
            del self._channels[name]
            channel.is_over = True
            channel.tell()

    async def _in_thread(self, read: Any) -> Any:
        # Apart from the threads of requests: neither waits for the other.
        self._limiter = self._limiter or CapacityLimiter(POLLING_THREADS)

        def asked() -> Any:
            with self._state.read() as connection:
                return read(connection)

        return await to_thread.run_sync(asked, limiter=self._limiter)


def lines_after(connection: Connection, run_id: int, position: int) -> list[Line]:
    """A run's log lines after a position, each as JSON, as many as are sent at once."""
    found = queries.log(connection, run_id, position, MOST_LINES)
    return [(line.id, line.model_dump_json().encode()) for line in found.lines] if found else []


def _state(newest: Any, record: Any) -> dict[str, Any]:
    state: dict[str, Any] = {"run": None, "outcome": None, "at": None, "seconds": None, "slots": None}
    for row in newest:
        at = row.ended_at or row.started_at
        state = {"run": row.id, "outcome": row.outcome or "running", "at": at}
        state |= {"seconds": row.seconds, "slots": row.slots}
    return state | {"paused": record is not None and record.paused_at is not None}


def as_json(value: object) -> bytes:
    """A value as JSON, instants with a Z."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)
