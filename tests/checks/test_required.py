"""Settings that a job cannot do without: a missing setting is named once, with all jobs that need it."""

import pytest

from janitor.checks.required import missing, require
from janitor.errors import BadSetting
from janitor.jobs import Job, schedules
from janitor.needs import DatabaseNeed, ExchangeNeed, Need
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
