"""A canary: it fails if uvicorn changes the parts that Janitor extends or replaces."""

import asyncio
import inspect
import re
import socket

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from janitor.web.serving.uvicorn_private import Connection, SleepingServer


async def answer(scope: object, receive: object, send: object) -> None:
    """Answer nothing: no test asks."""


def config() -> uvicorn.Config:
    """uvicorn as the daemon has it, without an application."""
    made = uvicorn.Config(answer, http=Connection, ws="none", lifespan="off", log_config=None, loop="asyncio")
    made.load()
    return made


def test_uvicorn_still_wakes_ten_times_a_second() -> None:
    # If it sleeps one day, SleepingServer can go.
    source = inspect.getsource(uvicorn.Server.main_loop)
    assert "asyncio.sleep(0.1)" in source and "self.on_tick(" in source
    assert "await self.main_loop()" in inspect.getsource(uvicorn.Server._serve)


def test_a_tick_of_uvicorn_does_nothing_that_is_needed() -> None:
    # It refreshes headers that are switched off, and counts requests towards a limit that is not set.
    made = config()
    assert (made.callback_notify, made.limit_max_requests) == (None, None)
    used = set(re.findall(r"self\.(\w+)", inspect.getsource(uvicorn.Server.on_tick)))
    assert used <= {"config", "last_notified", "limit_max_requests", "server_state", "should_exit"}


def test_a_server_sleeps_until_it_is_woken() -> None:
    ticks = list[int]()

    class Counting(SleepingServer):
        async def on_tick(self, counter: int) -> bool:
            ticks.append(counter)
            return await super().on_tick(counter)

    async def serve() -> None:
        server = Counting(config())
        sleeping = asyncio.create_task(server.main_loop())
        await asyncio.sleep(0)
        assert not sleeping.done()
        server.wake()
        await asyncio.wait_for(sleeping, 30)
        assert server.should_exit

    asyncio.run(serve())
    assert ticks == []


def test_a_connection_has_what_its_limits_need() -> None:
    async def connect() -> None:
        loop = asyncio.get_running_loop()
        made = Connection(config(), ServerState(), {}, loop)
        here, there = socket.socketpair()
        there.settimeout(30)
        transport, _ = await loop.create_connection(lambda: made, sock=here)
        assert made in made.connections and made.cycle is None
        assert made.transport is transport and made.loop is loop
        made._give_up()
        assert await loop.run_in_executor(None, there.recv, 1) == b""
        there.close()

    asyncio.run(connect())
    assert issubclass(Connection, H11Protocol)
