"""Tasks that are coroutines: each run has an event loop of its own, which ends with it.

the run's thread            its event loop
run(awaitable) ───────────> the task, with all that it starts        current_run() works there
                    every tenth of a second: may the run go on?
                    <────── no: the task is cancelled once, and may clean up
raises why not      <────── the task has ended
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from janitor.errors import JanitorError
from janitor.runs import current_run

LOOK_SECONDS = 0.1
"""How often it is looked whether the run may go on."""


def run(awaitable: Awaitable[Any]) -> Any:
    """Run an awaitable to its end; what comes of it.

    Raises:
        DeadlineExceeded, Cancelled: as `Run.check` does, once the task was cancelled for it and has ended.
    """
    return _run(_value(awaitable))


def run_through(steps: AsyncGenerator[Any, Any], take: Callable[[Any], None]) -> None:
    """Run an async generator to its end, and hand each of its values to `take`.

    Raises:
        DeadlineExceeded, Cancelled: as `run` does.
    """
    _run(_each(steps, take))


class _Left(Exception):
    """Raised instead of a SystemExit, which would tear the loop down with a noise."""


class _Threads(ThreadPoolExecutor):
    """The loop's own threads; the end of a run that may not go on does not wait for them."""

    waits = True

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function in a thread, as a part of the run."""
        return super().submit(copy_context().run, fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads."""
        super().shutdown(wait and self.waits, cancel_futures=cancel_futures or not self.waits)


def _run(task: Coroutine[Any, Any, Any]) -> Any:
    try:
        with asyncio.Runner() as runner:
            return runner.run(_watched(task))
    except _Left as left:
        raise SystemExit(*left.args) from None


async def _watched(task: Coroutine[Any, Any, Any]) -> Any:
    """Wait for a task; cancel it as soon as its run may not go on."""
    current, threads = current_run(), _Threads()
    why: JanitorError | None = None
    asyncio.get_running_loop().set_default_executor(threads)
    working = asyncio.ensure_future(task)
    while not working.done():
        await asyncio.wait({working}, timeout=min(LOOK_SECONDS, current.remaining_seconds + 0.001))
        if why is None and not working.done():
            try:
                current.check()
            except JanitorError as exc:
                why, threads.waits = exc, False
                working.cancel()
    try:
        return working.result()
    except asyncio.CancelledError as exc:
        if why is None:
            raise
        raise why from exc


async def _value(awaitable: Awaitable[Any]) -> Any:
    try:
        return await awaitable
    except SystemExit as exc:
        raise _Left(exc.code) from exc


async def _each(steps: AsyncGenerator[Any, Any], take: Callable[[Any], None]) -> None:
    try:
        async with contextlib.aclosing(steps):
            async for step in steps:
                take(step)
    except SystemExit as exc:
        raise _Left(exc.code) from exc
