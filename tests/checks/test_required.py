"""Settings that a job cannot do without: a missing setting is named once, with all jobs that need it."""

import pytest

from janitor.checks.required import is_usable, missing, require
from janitor.errors import BadSetting
from janitor.jobs import Job, schedules
from janitor.needs import DatabaseNeed, ExchangeNeed, FeedNeed, Need, ServiceNeed
from janitor.settings import Settings


def job(name: str, *needs: Need) -> Job:
    return Job(name, print, (), {}, schedules.every(300), needs=needs)


LAB, MESSAGES = DatabaseNeed("LAB_DATABASE_URL"), ExchangeNeed("HISTORY_DAYS")
JOBS = [job("sync", LAB, DatabaseNeed("LAB_DATABASE_URL")), job("publish", LAB, MESSAGES), job("plain")]


def test_a_missing_setting_is_named_once_with_its_jobs() -> None:
    lab, broker = map(str, missing(Settings.load({}, None), JOBS))
    assert lab.startswith(
        "LAB_DATABASE_URL is missing: sync and publish need it "
        "(SYNC_ENABLED=false and PUBLISH_ENABLED=false would do without); give a URL such as "
    )
    assert broker.startswith(
        "RABBITMQ_HOST is missing: publish needs it (PUBLISH_ENABLED=false would do without); give"
    )


@pytest.mark.parametrize("messages", [{"RABBITMQ_HOST": "localhost"}, {"MESSAGES_DIR": "out"}])
def test_a_broker_or_a_folder_is_enough_for_messages(messages: dict[str, str]) -> None:
    settings = Settings.load(messages | {"LAB_DATABASE_URL": "sqlite:///lab.db"}, None)
    assert missing(settings, JOBS) == []
    require(settings, JOBS)


def test_a_start_is_refused_with_the_first_missing_setting() -> None:
    with pytest.raises(BadSetting, match="^LAB_DATABASE_URL is missing: sync and publish need it"):
        require(Settings.load({}, None), JOBS)
    require(Settings.load({}, None), [job("plain")])


QUEUE = ServiceNeed("the queue requests", lambda settings: (), ("RABBITMQ_HOST", "LAB_TOKEN"))


def test_each_setting_of_a_service_is_needed() -> None:
    jobs = [job("p.i", QUEUE), job("p.k", QUEUE)]
    host, token = map(str, missing(Settings.load({}, None), jobs))
    assert host.startswith("RABBITMQ_HOST is missing: p.i and p.k need it (P_I_ENABLED=false and P_K_ENABLED=false ")
    assert host.endswith("; give " + str(Settings.variables()["RABBITMQ_HOST"].description))
    assert token.endswith("would do without); give what the queue requests wants there")
    assert missing(Settings.load({"RABBITMQ_HOST": "here", "LAB_TOKEN": "x"}, None), jobs) == []
    with pytest.raises(BadSetting, match="^LAB_TOKEN is missing: p.i needs it"):
        require(Settings.load({"RABBITMQ_HOST": "here"}, None), jobs[:1])


def test_a_setting_that_cannot_be_read_is_told_beside_those_that_are_missing() -> None:
    settings = Settings.load({"LAB_TOKEN": "'in quotes'"}, None)
    host, token = map(str, missing(settings, [job("p.i", QUEUE)]))
    assert host.startswith("RABBITMQ_HOST is missing") and token.startswith(
        "LAB_TOKEN is '(not shown)': leave its quotes"
    )
    assert not is_usable(settings, QUEUE)
    assert is_usable(Settings.load({"RABBITMQ_HOST": "here", "LAB_TOKEN": "x"}, None), QUEUE)


def test_a_feed_needs_its_database() -> None:
    feed = FeedNeed("LAB_DATABASE_URL", lambda url: None)
    assert [problem.name for problem in missing(Settings.load({}, None), [job("a", feed)])] == ["LAB_DATABASE_URL"]
    assert is_usable(Settings.load({"LAB_DATABASE_URL": "sqlite:///lab.db"}, None), feed)
