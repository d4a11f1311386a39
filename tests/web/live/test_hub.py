"""The hub: what is watched is read once for all who watch, and what nobody watches is not read."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import event, text

from janitor.errors import Rejected
from janitor.state import State
from janitor.web.live import hub as hubs
from janitor.web.live.hub import Hub
from tests.small_engine import now, remember_run

PATIENCE_SECONDS = 30.0


@pytest.fixture
def asked(state: State) -> Iterator[list[str]]:
    """The statements that the state database is asked."""
    found: list[str] = []

    def listen(*given: str) -> None:
        found.append(given[2])

    event.listen(state._reader, "before_cursor_execute", listen)
    yield found
    event.remove(state._reader, "before_cursor_execute", listen)


@pytest.mark.parametrize("many", [1, 20])
def test_all_who_watch_share_one_look(
    state: State, asked: list[str], monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(hubs, "POLL_SECONDS", 1_000.0)

    async def watch() -> None:
        hub = Hub(state, {"tick": None})
        with ExitStack() as stack:
            channels = [stack.enter_context(hub.jobs()) for _ in range(many)]
            assert len({id(channel) for channel in channels}) == 1 and hub.viewers == many
            assert all([await channel.wait(0, PATIENCE_SECONDS) for channel in channels])
        assert hub.viewers == 0

    asyncio.run(watch())
    assert len([statement for statement in asked if "FROM notices" in statement]) == 1


def test_what_nobody_watches_is_not_read(state: State, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "POLL_SECONDS", 0.001)

    async def watch() -> None:
        hub = Hub(state, {"tick": None})
        assert not hub._tasks and not asked
        with hub.jobs() as first:
            assert await first.wait(0, PATIENCE_SECONDS)
            [polling] = hub._tasks
        await asyncio.wait_for(polling, PATIENCE_SECONDS)
        assert first.is_over
        with hub.jobs() as second:
            assert second is not first and await second.wait(0, PATIENCE_SECONDS) and not second.is_over

    asyncio.run(watch())


def test_a_run_is_watched_until_it_has_ended(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "POLL_SECONDS", 0.001)
    remember_run(state, "tick", now())

    async def watch() -> None:
        hub = Hub(state, {})
        with hub.run(1) as channel:
            [polling] = hub._tasks
            await asyncio.wait_for(polling, PATIENCE_SECONDS)
            assert channel.is_over and b"succeeded" in channel.run
        assert await hub.older_lines(1, 0) == []

    asyncio.run(watch())


def test_trouble_is_kept_until_the_database_answers(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "POLL_SECONDS", 0.001)
    remember_run(state, "tick", now())

    def rename(table: str, name: str) -> None:
        with state.begin() as connection:
            connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))

    async def watch() -> None:
        hub = Hub(state, {"tick": None})
        rename("notices", "gone")
        with hub.jobs() as channel:
            assert await channel.wait(0, PATIENCE_SECONDS) and "no such table" in channel.trouble
            version = channel.version
            rename("gone", "notices")
            assert await channel.wait(version, PATIENCE_SECONDS) and channel.trouble == ""
        rename("run_logs", "gone")
        with pytest.raises(Rejected, match="no such table"):
            await hub.older_lines(1, 0)

    asyncio.run(watch())


def test_a_hub_that_closes_wakes_all_who_watch(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "POLL_SECONDS", 1_000.0)

    async def watch() -> None:
        hub = Hub(state, {"tick": None})
        with hub.jobs() as channel:
            assert await channel.wait(0, PATIENCE_SECONDS)
            version = channel.version
            hub.close()
            assert hub.is_closed and await channel.wait(version, PATIENCE_SECONDS)

    asyncio.run(watch())
