"""The hub: the channels that somebody watches, and the polling of each, once a second."""

import asyncio
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Connection

from janitor.errors import JanitorError
from janitor.loops import Loops
from janitor.state import State
from janitor.web.live.channel import Channel
from janitor.web.live.jobs_channel import JobsChannel
from janitor.web.live.run_channel import Line, RunChannel, lines_after

POLL_SECONDS = 1.0
POLLING_THREADS = 2
MOST_VIEWERS = 100
UNREADABLE = "it cannot be read; the daemon's log tells why"


class Hub:
    """The channels that somebody watches."""

    def __init__(self, state: State, jobs: Mapping[str, Any], loops: Loops | None = None) -> None:
        """Nothing is polled until somebody watches; `loops` tell of what fails again and again."""
        self._state, self._jobs = state, jobs
        self._duty = (loops or Loops()).records("live streams")
        self._channels: dict[Hashable, Channel] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._limiter: CapacityLimiter | None = None
        self.is_closed = False

    @property
    def viewers(self) -> int:
        """How many watch any channel."""
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
        """Read a channel again and again, until nobody watches it or nothing more can come."""
        try:
            while channel.viewers and not channel.is_over and not self.is_closed:
                differs, trouble = False, UNREADABLE
                try:
                    with self._duty.aside(f"the stream of {name}"):
                        differs, trouble = channel.take(await self._in_thread(channel.read)), ""
                except JanitorError as exc:
                    trouble = str(exc)
                if differs or trouble != channel.trouble:
                    channel.trouble = trouble
                    channel.tell()
                await asyncio.sleep(POLL_SECONDS)
        finally:
            # A viewer who comes from now on gets a new channel.
            del self._channels[name]
            channel.is_over = True
            channel.tell()

    async def _in_thread(self, read: Callable[[Connection], Any]) -> Any:
        # The threads of requests are others: polling and requests do not wait for each other.
        self._limiter = self._limiter or CapacityLimiter(POLLING_THREADS)

        def asked() -> Any:
            with self._state.read() as connection:
                return read(connection)

        return await to_thread.run_sync(asked, limiter=self._limiter)
