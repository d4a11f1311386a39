"""The wing as a whole: what the daemon opens beside its clock, and what the verb `notices` does."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from janitor.engine.runner import Runner
from janitor.errors import BadSetting
from janitor.jobs.job import Job, Jobs
from janitor.jobs.variables import variable
from janitor.notices import channels
from janitor.notices.channel import Channel, Undelivered
from janitor.notices.content import TEST, Content
from janitor.notices.post import Post
from janitor.notices.watch import Watch
from janitor.settings.notices import NoticeRules, ping_url_of, rules_of
from janitor.settings.settings import Settings
from janitor.state import notices

STOP_SECONDS = 2.0
"""How long the threads together may take to end: what is not told by then, the next start tells."""

NOTICES = {
    "notice": "notice",
    "job": "job",
    "rule": "rule",
    "began_at": "since (UTC)",
    "told_at": "last told (UTC)",
    "run": "run",
    "text": "what",
}
CHANNELS = {
    "channel": "channel",
    "where": "",
    "waiting": "waiting",
    "delivered_at": "last delivered (UTC)",
    "error": "last error",
}


@contextmanager
def running(runner: Runner, jobs: Mapping[str, Job]) -> Iterator[None]:
    """Watch, tell and ping in threads of their own for the length of a block.

    Raises:
        BadSetting: a rule, a channel or a watcher's address is malformed.
    """
    settings = runner.settings
    posts = [Post(runner, channel) for channel in channels.of(settings)]
    found, urls = rules(settings, jobs), ping_urls(settings, jobs)
    watch = Watch(runner, jobs, found, posts)

    def take(jobs: Mapping[str, Job]) -> None:
        new = rules(settings, jobs)
        urls.update(ping_urls(settings, jobs))
        found.update(new)

    if isinstance(jobs, Jobs):
        jobs.consult(take)
    pinger = None
    if any(name.endswith("PING_URL") for name in settings.environ):
        from janitor.notices.pings import Pinger

        pinger = Pinger(urls)
        pinger.start()
        runner.observers.append(pinger)
    for post in posts:
        post.start()
    watch.start()
    try:
        yield
    finally:
        for post in posts:
            post.ask_to_stop()
        watch.stop(STOP_SECONDS)
        if pinger is not None:
            pinger.stop(STOP_SECONDS)
        for post in posts:
            post.wait(STOP_SECONDS / len(posts))


def check(settings: Settings, jobs: Mapping[str, Job]) -> None:
    """Refuse what `running` would refuse.

    Raises:
        BadSetting: a rule, a channel or a watcher's address is malformed.
    """
    channels.of(settings)
    rules(settings, jobs)
    ping_urls(settings, jobs)


def rules(settings: Settings, jobs: Mapping[str, Job]) -> dict[str, NoticeRules]:
    """The rules of each job.

    Raises:
        BadSetting: a variable that changes one is malformed.
    """
    return {job: rules_of(settings, settings.environ, variable(job)) for job in jobs}


def ping_urls(settings: Settings, jobs: Mapping[str, Job]) -> dict[str, str]:
    """Where each job's runs are told to a watcher, of those that have one.

    Raises:
        BadSetting: a variable that says so is malformed.
    """
    found = {job: ping_url_of(settings, settings.environ, variable(job), job) for job in jobs}
    return {job: url for job, url in found.items() if url is not None}


def of_notices(connection: Connection) -> list[dict[str, Any]]:
    """The notices that have not ended."""
    return [
        {
            "notice": row.id,
            "job": row.job,
            "rule": row.rule,
            "began_at": row.began_at,
            "told_at": row.told_at,
            "run": row.run_id,
            "text": row.text,
        }
        for row in notices.still_open(connection)
    ]


def of_channels(connection: Connection, settings: Settings) -> list[dict[str, Any]]:
    """The channels that are set, and those that still have something to tell; each with what is wrong with it."""
    known = {row["channel"]: row for row in notices.of_channels(connection)}
    rows = []
    for channel in channels.of(settings):
        row = {"channel": channel.name, "where": channel.where, "waiting": 0, "delivered_at": None, "error": None}
        rows.append(row | known.pop(channel.name, {}))
    return rows + [{**row, "where": "not set any more"} for row in known.values() if row["waiting"]]


def tried(settings: Settings, jobs: Mapping[str, Job], now: datetime) -> Iterator[tuple[str, str]]:
    """Send a notice through each channel, and tell each watcher something that changes nothing; what came of it.

    Each is "ok" or "failed", and what is to be said of it.

    Raises:
        BadSetting: none is set, or one is malformed.
    """
    found, urls = channels.of(settings), ping_urls(settings, jobs)
    if not found and not urls:
        names = "MAIL_HOST, SLACK_URL, TEAMS_URL, PAGERDUTY_KEY, WEBHOOK_URL and PING_URL"
        raise BadSetting("the channels", None, f"none is set; give one or more of {names}")
    for channel in found:
        yield _tried(channel, now)
    if urls:
        from janitor.notices.pings import try_ping
    for job, url in urls.items():
        error = try_ping(url)
        yield ("failed", f"ping of {job}: {error}") if error else ("ok", f"ping of {job}")


def _tried(channel: Channel, now: datetime) -> tuple[str, str]:
    key = f"janitor-{now:%Y%m%d%H%M%S}-test"
    text = "this is a test: what is not as it should be will be told here"
    try:
        said = channel.send(Content(key, TEST, "test", "janitor", text, now, now, socket.gethostname()))
    except Undelivered as exc:
        return "failed", f"{channel.name} {channel.where}: {exc}"
    return "ok", f"{channel.name} {channel.where}{f': {said}' if said else ''}"
