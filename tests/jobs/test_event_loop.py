"""Coroutines as tasks: each has an event loop of its own; deadline and stop come to it as cancellation."""

import asyncio
import functools
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from janitor.errors import Cancelled, DeadlineExceeded, Interrupted
from janitor.jobs.returned import Returned, call
from janitor.runs import Run, current_run, running


async def counted(rows: int = 1) -> dict[str, int]:
    await asyncio.sleep(0)
    return {"rows": rows, "run": current_run().id}


class Work:
    async def __call__(self) -> dict[str, int]:
        return await counted(2)

    async def method(self) -> dict[str, int]:
        return await counted(3)

    @staticmethod
    async def static() -> dict[str, int]:
        return await counted(4)


def decorated(func: Callable[..., Awaitable[Any]]) -> Callable[..., object]:
    @functools.wraps(func)
    def around(*args: Any) -> object:
        return func(*args)

    return around


class Promise:
    def __await__(self) -> Iterator[Any]:
        return counted(7).__await__()


async def in_steps() -> AsyncIterator[dict[str, Any]]:
    for rows in (1, 2, 4):
        await asyncio.sleep(0)
        yield {"rows": rows, "run": str(current_run().id)}


async def twice() -> object:
    return counted(9)


def called(function: Callable[[], object], run: Run | None = None) -> Returned:
    with running(run or Run(id=41)):
        return call(function, "no")


@pytest.mark.parametrize(
    ("function", "rows"),
    [
        (counted, 1),
        (functools.partial(counted, 5), 5),
        (Work(), 2),
        (Work().method, 3),
        (Work.static, 4),
        (decorated(counted), 1),
        (lambda: counted(6), 6),
        (Promise, 7),
        (twice, 9),
        (lambda: asyncio.wait_for(counted(8), 60), 8),
    ],
    ids=["function", "partial", "object", "method", "static", "decorated", "lambda", "awaitable", "twice", "wait_for"],
)
def test_every_form_of_a_coroutine_runs_to_its_end(function: Callable[[], object], rows: int) -> None:
    assert called(function).counts == {"rows": rows, "run": 41}


def test_an_async_generator_adds_up_like_a_generator() -> None:
    assert called(in_steps).counts == {"rows": 7, "run": "41"}


def test_tasks_and_threads_of_a_coroutine_are_part_of_its_run() -> None:
    async def task() -> dict[str, int]:
        ids = await asyncio.gather(asyncio.create_task(counted()), asyncio.to_thread(lambda: {"run": current_run().id}))
        inner = await asyncio.get_running_loop().run_in_executor(None, lambda: current_run().id)
        return {str(number): one["run"] for number, one in enumerate(ids)} | {"executor": inner}

    assert called(task).counts == {"0": 41, "1": 41, "executor": 41}


@pytest.mark.parametrize("asked", ["stop", "deadline"])
@pytest.mark.parametrize("form", ["coroutine", "async generator"])
def test_a_run_that_may_not_go_on_cancels_its_task(asked: str, form: str) -> None:
    run, seen = Run(), []

    async def work() -> None:
        try:
            if asked == "stop":
                run.ask_to_stop(Interrupted("going down"))
            else:
                run.deadline = time.monotonic()
            await asyncio.sleep(3_600)
        finally:
            await asyncio.sleep(0.001)
            seen.append("cleaned up")

    async def steps() -> AsyncIterator[None]:
        await work()
        yield

    kind = Interrupted if asked == "stop" else DeadlineExceeded
    with pytest.raises(kind) as raised:
        called(work if form == "coroutine" else steps, run)
    assert seen == ["cleaned up"] and isinstance(raised.value.__cause__, asyncio.CancelledError)


def test_each_step_of_an_async_generator_is_a_safe_point() -> None:
    run, seen = Run(), []

    async def endless() -> AsyncIterator[None]:
        try:
            while True:
                seen.append("step")
                run.ask_to_stop(Cancelled("enough"))
                yield
        finally:
            seen.append("closed")

    with pytest.raises(Cancelled, match="enough"):
        called(endless, run)
    assert seen == ["step", "closed"]


def test_a_run_that_is_stopped_waits_for_no_thread() -> None:
    """Given a coroutine that waits for a thread which does not end.

    The run is asked to stop. It must end although the thread goes on.
    """
    run, go_on = Run(), threading.Event()

    async def task() -> None:
        run.ask_to_stop(Cancelled("enough"))
        await asyncio.to_thread(go_on.wait)

    try:
        with pytest.raises(Cancelled):
            called(task, run)
    finally:
        go_on.set()


def test_a_thread_that_nobody_waited_for_is_waited_for() -> None:
    done, go_on = [], threading.Event()

    async def task() -> None:
        asyncio.get_running_loop().run_in_executor(None, lambda: done.append(go_on.wait(30)))
        threading.Timer(0.05, go_on.set).start()

    called(task)
    assert done == [True]


def test_a_coroutine_that_cancels_itself_has_failed() -> None:
    async def task() -> None:
        raise asyncio.CancelledError("leaked")

    with pytest.raises(asyncio.CancelledError, match="leaked"):
        called(task)


async def leave(code: object) -> None:
    sys.exit(code)  # type: ignore[arg-type]


async def leave_in_steps(code: object) -> AsyncIterator[dict[str, int]]:
    yield {"rows": 3}
    sys.exit(code)  # type: ignore[arg-type]


def test_a_coroutine_may_leave_with_sys_exit(caplog: pytest.LogCaptureFixture) -> None:
    assert called(lambda: leave(0)).counts is None
    assert called(lambda: leave_in_steps(None)).counts == {"rows": 3}
    for left in (leave, leave_in_steps):
        with pytest.raises(SystemExit) as raised:
            called(functools.partial(left, 3))
        assert raised.value.code == 3
    assert "never retrieved" not in caplog.text


def test_many_coroutines_run_at_once_each_in_its_loop() -> None:
    loops: list[int] = []
    together = threading.Barrier(8)

    async def task() -> None:
        together.wait(30)
        loops.append(id(asyncio.get_running_loop()))
        await asyncio.sleep(0.01)

    threads = [threading.Thread(target=called, args=(task,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(loops)) == 8


def test_a_coroutine_in_a_thread_may_start_programs() -> None:
    async def task() -> dict[str, int]:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "raise SystemExit(7)")
        return {"code": await process.wait()}

    found: list[Returned] = []
    thread = threading.Thread(target=lambda: found.append(called(task)))
    thread.start()
    thread.join()
    assert found[0].counts == {"code": 7}
