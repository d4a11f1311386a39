"""A notice in full, made up for the tests of the channels, and its way to a webhook."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from janitor.notices.channel import Channel
from janitor.notices.channels import channels_of
from janitor.notices.content import Content
from janitor.settings import Settings
from tests.outside import Hooks

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


CONTENT = Content(
    "janitor-1-7",
    "began",
    "failed",
    "copy",
    "failed: disk <full> & cold",
    NOON,
    NOON,
    "host7",
    run_id=9,
    error="disk <full> & cold",
    counts={"rows": 3},
    log=["12:00:01 INFO größer <b>"],
    next_run_at=NOON + timedelta(hours=1),
    web_url="https://janitor.example.org",
)


ENDED = replace(CONTENT, kind="ended", at=NOON + timedelta(minutes=90), over="run 10 succeeded")


def only(**environ: str) -> Channel:
    """Return the only channel that the settings name."""
    (channel,) = channels_of(Settings.load(environ, dotenv=None))
    return channel


def sent(hooks: Hooks, channel: Channel, content: Any = CONTENT) -> Any:
    """Send a notice, and return what the web server got."""
    channel.send(content)
    request = hooks.requests.pop()
    assert request.content_type == "application/json"
    return request.json
