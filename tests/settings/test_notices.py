"""The settings of notices: rules and durations as texts, a job's own rules, and addresses that stay secret."""

from datetime import timedelta

import pytest

from janitor.errors import BadSetting
from janitor.settings.notices import RULES, NoticeRules, NoticeSettings, ping_url_of, rules_of


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("failed", ("failed",)),
        ("Missed, failed  missed,", ("missed", "failed")),
        ("all", RULES),
        ("none", ()),
        (",", ()),
    ],
)
def test_rules_have_blanks_or_commas_between_them(text: str, rules: tuple[str, ...]) -> None:
    assert NoticeRules.read({"NOTICE_RULES": text}).notice_rules == rules


@pytest.mark.parametrize("text", ["failed often", "all failed", "none, failed"])
def test_a_rule_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(
        BadSetting, match="^NOTICE_RULES is .*: there is no rule (often|all|none); give some of failed, "
    ):
        NoticeRules.read({"NOTICE_RULES": text})


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        (" 1.5 H ", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
        ("5m", timedelta(minutes=5)),
    ],
)
def test_a_duration_is_a_number_with_its_unit(text: str, duration: timedelta) -> None:
    assert NoticeRules.read({"NOTICE_REPEAT": text}).notice_repeat == duration


@pytest.mark.parametrize("text", ["hourly", "5", "0m", "-5m", "5w", "99999999999999d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadSetting, match="^NOTICE_REPEAT is '.*': give a number with s, m, h or d, such as 30s, 5m"):
        NoticeRules.read({"NOTICE_REPEAT": text})


def test_a_job_keeps_the_house_s_rules_but_for_its_own() -> None:
    house = NoticeSettings.read({"NOTICE_FAILED_AFTER": "2", "NOTICE_REPEAT": "90m"})
    own = rules_of(house, {"SYNC_NOTICE_FAILED_AFTER": "7", "NOTICE_FAILED_AFTER": "5"}, "SYNC")
    assert (own.notice_failed_after, own.notice_repeat) == (7, timedelta(minutes=90))
    assert rules_of(house, {"SYNC_NOTICE_FAILED_AFTER": "7"}, "COPY") is house


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "SYNC_NOTICE_FAILED",
            "SYNC_NOTICE_FAILED is '0': there is no such setting; a job's are SYNC_ and one of NOTICE_",
        ),
        ("SYNC_NOTICE_FAILED_AFTER", "SYNC_NOTICE_FAILED_AFTER is '0': "),
    ],
)
def test_a_job_s_bad_rule_is_refused_by_its_name(name: str, says: str) -> None:
    with pytest.raises(BadSetting) as caught:
        rules_of(NoticeRules.read({}), {name: "0"}, "SYNC")
    assert str(caught.value).startswith(says)


def test_a_job_s_own_watcher_goes_before_the_house_s() -> None:
    house = NoticeSettings.read({"PING_URL": "https://hc.example.org/{job}"})
    environ = {"SYNC_PING_URL": "https://other.example.org/{job}/x"}
    assert ping_url_of(house, environ, "SYNC", "sync") == "https://other.example.org/sync/x"
    assert ping_url_of(house, environ, "COPY", "copy") == "https://hc.example.org/copy"
    assert ping_url_of(NoticeSettings.read({}), environ, "COPY", "copy") is None


@pytest.mark.parametrize(
    "address", ["hooks.example.org/secret", "ftp://x/secret", "https:///secret", "https://x:y/secret"]
)
def test_a_malformed_address_is_not_repeated(address: str) -> None:
    for refuse in (
        lambda: NoticeSettings.read({"SLACK_URL": address}),
        lambda: ping_url_of(NoticeSettings.read({}), {"SYNC_PING_URL": address}, "SYNC", "sync"),
    ):
        with pytest.raises(BadSetting, match="_URL is '.not shown.': give a URL such as https://host/path$") as caught:
            refuse()
        assert "secret" not in f"{caught.value} {caught.value.__cause__}"
