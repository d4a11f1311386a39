"""What `notices test` does: sends a notice through each channel, and a harmless ping to each watcher."""

import socket
from collections.abc import Iterator, Mapping
from datetime import datetime

from janitor.errors import BadSetting
from janitor.jobs.job import Job
from janitor.notices.channel import Channel, Undelivered
from janitor.notices.channels import channels_of
from janitor.notices.content import TEST, Content
from janitor.notices.wing import ping_urls
from janitor.settings.settings import Settings


def try_all(settings: Settings, jobs: Mapping[str, Job], now: datetime) -> Iterator[tuple[str, str]]:
    """Try each channel and each watcher; give "ok" or "failed" for each, and a sentence about it.

    Raises:
        BadSetting: no channel is set, or a channel is malformed.
    """
    channels, urls = channels_of(settings), ping_urls(settings, jobs)
    if not channels and not urls:
        names = "MAIL_HOST, SLACK_URL, TEAMS_URL, PAGERDUTY_KEY, WEBHOOK_URL and PING_URL"
        raise BadSetting("the channels", None, f"none is set; give one or more of {names}")
    for channel in channels:
        yield _try_channel(channel, now)
    for job, url in urls.items():
        from janitor.notices.pings import try_ping

        error = try_ping(url)
        yield ("failed", f"ping of {job}: {error}") if error else ("ok", f"ping of {job}")


def _try_channel(channel: Channel, now: datetime) -> tuple[str, str]:
    content = Content(
        key=f"janitor-{now:%Y%m%d%H%M%S}-test",
        kind=TEST,
        rule="test",
        job="janitor",
        text="this is a test: what is not as it should be will be told here",
        began_at=now,
        at=now,
        host=socket.gethostname(),
    )
    try:
        said = channel.send(content)
    except Undelivered as exc:
        return "failed", f"{channel.name} {channel.where}: {exc}"
    return "ok", f"{channel.name} {channel.where}{f': {said}' if said else ''}"
