"""A channel: whoever waits is woken by news, and misses none between two waits."""

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Connection

from janitor.web.live.channel import Channel, as_json


class Plain(Channel):
    """A channel of which nothing is read."""

    def read(self, connection: Connection) -> Any:
        """Nothing."""

    def take(self, found: Any) -> bool:
        """Nothing differs."""
        return False


def test_all_who_wait_are_woken_by_one_piece_of_news() -> None:
    async def wait() -> list[bool]:
        channel = Plain()
        waiting = [asyncio.create_task(channel.wait(0, 30.0)) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        channel.tell()
        return await asyncio.gather(*waiting)

    assert asyncio.run(wait()) == [True] * 3


def test_news_between_two_waits_is_not_missed() -> None:
    async def wait() -> tuple[bool, bool, bool]:
        channel = Plain()
        channel.tell()
        channel.tell()
        assert channel.version == 2
        return await channel.wait(0, 30.0), await channel.wait(1, 30.0), await channel.wait(2, 0.001)

    assert asyncio.run(wait()) == (True, True, False)


def test_instants_in_json_are_of_utc_with_a_z() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
    assert as_json({"at": noon, "text": "ü"}) == '{"at":"2026-03-02T12:00:00Z","text":"ü"}'.encode()
    assert as_json(noon.astimezone(timezone(timedelta(hours=2)))) == b'"2026-03-02T14:00:00+02:00"'
