"""uvicorn as the daemon hosts it: how it ends, and that its handlers are few."""

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import FastAPI

from janitor.state import State
from janitor.web.live.hub import Hub
from janitor.web.serving.hosting import HANDLER_THREADS, Server
from tests.small_engine import empty_state


def made(folder: Path) -> tuple[Server, Hub]:
    """A server of an application without routes, and the hub of its streams."""
    request: Any = type("Request", (), {"param": "sqlite"})
    app, hub = FastAPI(), Hub(State(empty_state(request, folder)), {})
    app.state.hub = hub
    return Server(app), hub


def test_asked_to_stop_it_closes_every_stream(tmp_path: Path) -> None:
    server, hub = made(tmp_path)

    async def serve() -> float:
        loop = asyncio.create_task(server.main_loop())
        with hub.jobs() as channel:
            assert await channel.wait(0, 30.0) and not hub.is_closed
            threading.Thread(target=server.ask_to_stop).start()
            await asyncio.wait_for(loop, 30)
            assert hub.is_closed and await channel.wait(1, 30.0)
        return to_thread.current_default_thread_limiter().total_tokens

    assert asyncio.run(serve()) == HANDLER_THREADS


def test_asked_to_stop_before_it_serves_it_ends_at_once(tmp_path: Path) -> None:
    server, hub = made(tmp_path)
    server.ask_to_stop()
    asyncio.run(asyncio.wait_for(server.main_loop(), 30))
    assert hub.is_closed


def test_it_says_nothing_of_itself_and_trusts_only_this_machine(tmp_path: Path) -> None:
    config = made(tmp_path)[0].config
    assert (config.server_header, config.date_header, config.access_log) == (False, False, False)
    assert logging.getLogger("uvicorn").level == logging.WARNING
    assert config.forwarded_allow_ips == "127.0.0.1,::1"
