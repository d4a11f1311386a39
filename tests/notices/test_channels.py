"""The channels that the settings name."""

import pytest

from janitor.errors import BadSetting
from janitor.notices.channels import channels_of
from janitor.settings import Settings
from tests.notices.contents import only


def test_who_gets_digests() -> None:
    found = {"SLACK_URL": True, "TEAMS_URL": True, "WEBHOOK_URL": True}
    assert {name: only(**{name: "https://x.example/"}).together for name in found} == found
    assert not only(PAGERDUTY_KEY="k" * 32).together, "an incident is keyed by its notice"


def test_the_channels_are_those_set_email_first() -> None:
    settings = {
        "SLACK_URL": "https://hooks.example.org/T0",
        "MAIL_HOST": "mail.example.org",
        "MAIL_FROM": "janitor@example.org",
        "MAIL_TO": "anna@example.org",
    }
    found = channels_of(Settings.load(settings, dotenv=None))
    assert [channel.name for channel in found] == ["email", "slack"]
    assert list(channels_of(Settings.load({}, dotenv=None))) == []


def test_a_channel_set_only_in_part_is_refused() -> None:
    with pytest.raises(BadSetting, match="MAIL_FROM is missing: MAIL_HOST is set; give the address"):
        channels_of(Settings.load({"MAIL_HOST": "mail.example.org"}, dotenv=None))
