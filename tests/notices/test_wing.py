"""The wing as a whole: the rules and the watcher of each job, and what stops a start."""

from datetime import timedelta
from pathlib import Path

import pytest

from janitor.errors import BadSetting
from janitor.logs.mask import mask_for
from janitor.notices import wing
from janitor.notices.pings import address
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.settings.notices import RULES
from tests.command_line import CommandLine

MAIL = {"MAIL_HOST": "mail.example.org", "MAIL_FROM": "janitor@example.org", "MAIL_TO": "anna@example.org"}
SECRET = "https://hc-ping.example.org/6f1dd2cb-9bd8-4a2f-a05a-b8f4d1a5e8c2"


def load(**environ: str) -> Settings:
    return Settings.load(environ, dotenv=None)


def clock(**environ: str) -> Scheduler:
    """Make a clock with two jobs."""
    scheduler = Scheduler(load(**environ))
    for job in ("nightly-report", "sync"):
        scheduler.add_job(print, "every 5m", id=job)
    return scheduler


def test_a_job_s_own_rules_go_before_those_of_all() -> None:
    scheduler = clock(
        NOTICE_FAILED_AFTER="2",
        NOTICE_REPEAT="90m",
        NIGHTLY_REPORT_NOTICE_FAILED_AFTER="3",
        NIGHTLY_REPORT_NOTICE_RULES="failed, ran_long",
        NIGHTLY_REPORT_NOTICE_REPEAT="1d",
        SYNC_NOTICE_RULES="all",
    )
    rules = wing.rules_of_jobs(scheduler.settings, scheduler.jobs)
    assert rules["nightly-report"].notice_rules == ("failed", "ran_long")
    assert (rules["nightly-report"].notice_failed_after, rules["sync"].notice_failed_after) == (3, 2)
    # The last four say something of a pipeline's jobs alone.
    assert rules["sync"].notice_rules == RULES[:-4] and RULES[-5] == "quarantine_growing"
    assert (rules["nightly-report"].notice_repeat, rules["sync"].notice_repeat) == (
        timedelta(days=1),
        timedelta(minutes=90),
    )


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("NOTICE_RULES", "failed often", "there is no rule often; give some of failed, recovered"),
        ("NOTICE_REPEAT", "hourly", "30s, 5m, 2h or 1d"),
        ("NOTICE_REPEAT", "0m", "30s, 5m, 2h or 1d"),
        ("NOTICE_FAILED_AFTER", "0", "give 1 or more"),
        ("NOTICE_LONG_SECONDS", "long", "give a number"),
    ],
)
def test_a_bad_rule_is_named_with_what_is_right(name: str, value: str, right: str) -> None:
    for prefix in ("", "SYNC_"):
        with pytest.raises(BadSetting) as caught:
            scheduler = clock(**{prefix + name: value})
            wing.rules_of_jobs(scheduler.settings, scheduler.jobs)
        assert str(caught.value).startswith(f"{prefix}{name} is {value!r}: ") and right in str(caught.value)


def test_a_rule_s_setting_that_there_is_not_is_refused() -> None:
    scheduler = clock(SYNC_NOTICE_FAILED="3")
    with pytest.raises(BadSetting, match="SYNC_NOTICE_FAILED is '3': there is no such setting; .*NOTICE_FAILED_AFTER"):
        wing.rules_of_jobs(scheduler.settings, scheduler.jobs)


def test_variables_of_no_job_are_warned_of() -> None:
    unknown = clock(SINK_NOTICE_RULES="all", SINK_PING_URL=SECRET, SYNC_PING_URL=SECRET).unknown_variables()
    assert list(unknown) == ["SINK_NOTICE_RULES", "SINK_PING_URL"]
    assert "there is no job sink" in unknown["SINK_PING_URL"]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"MAIL_TO": ""}, "MAIL_TO is missing"),
        ({"MAIL_FROM": ""}, "MAIL_FROM is missing"),
        ({"MAIL_USERNAME": "anna"}, "MAIL_PASSWORD is missing"),
        ({"MAIL_USERNAME": "anna", "MAIL_PASSWORD": "pw", "MAIL_TLS": "none"}, "MAIL_TLS is 'none'"),
        ({"MAIL_TO": "anna"}, "MAIL_TO is 'anna'"),
        ({"MAIL_CA_FILE": "/none"}, "MAIL_CA_FILE is '/none'"),
        ({"MAIL_FROM": "a@b.org, c@d.org"}, "give one mail address"),
    ],
)
def test_mail_that_cannot_be_sent_stops_the_start(changes: dict[str, str], name: str) -> None:
    with pytest.raises(BadSetting) as caught:
        wing.check(load(**(MAIL | changes)), {})
    assert name in str(caught.value)


def test_a_malformed_address_is_not_repeated() -> None:
    for name in ("SLACK_URL", "PING_URL", "SYNC_PING_URL"):
        with pytest.raises(BadSetting) as caught:
            scheduler = clock(**{name: "hooks.example.org/T0/secret"})
            wing.ping_urls(scheduler.settings, scheduler.jobs)
        assert name in str(caught.value) and "secret" not in str(caught.value)


def test_addresses_are_masked_whole_and_in_part() -> None:
    mask = mask_for(load(SYNC_PING_URL=SECRET, SLACK_URL="https://hooks.example.org/services/T0/B1/x"))
    told = mask(f"{SECRET}/start failed; with url: /{SECRET.rpartition('/')[2]}/start; /services/T0/B1/x")
    assert told == "***/start failed; with url: /***/start; /***"


def test_each_job_has_its_watcher() -> None:
    scheduler = clock(PING_URL="https://hc.example.org/key/{job}?create=1", SYNC_PING_URL=SECRET)
    urls = wing.ping_urls(scheduler.settings, scheduler.jobs)
    assert urls == {"nightly-report": "https://hc.example.org/key/nightly-report?create=1", "sync": SECRET}
    assert address(urls["nightly-report"], "/start") == "https://hc.example.org/key/nightly-report/start?create=1"


@pytest.mark.parametrize("name", ["PING_URL", "SYNC_PING_URL"])
def test_a_watcher_s_address_that_is_replaced_in_its_file_counts_at_once(name: str, tmp_path: Path) -> None:
    # Given: the address of all watchers, or of a job's, in a file. What happens: it is replaced; then a half is there.
    # What must hold: the next ping goes to the newest address that could be right, and no text shows it.
    file = tmp_path / "url"
    file.write_text("https://hc.example.org/old-key/{job}", encoding="utf-8")
    scheduler = clock(**{f"{name}_FILE": str(file)})
    settings, urls = scheduler.settings, wing.ping_urls(scheduler.settings, scheduler.jobs)
    assert wing.ping_url_now(settings, "sync", urls["sync"]) == urls["sync"] == "https://hc.example.org/old-key/sync"
    for text in ("https://hc.example.org/new-key/{job}\n", "https:"):
        file.write_text(text, encoding="utf-8")
        assert wing.ping_url_now(settings, "sync", urls["sync"]) == "https://hc.example.org/new-key/sync"
    assert mask_for(settings)("https://hc.example.org/new-key/{job}") == "***"


def test_a_watcher_that_is_in_no_file_stays() -> None:
    scheduler = clock(PING_URL="https://hc.example.org/key/{job}", SYNC_PING_URL=SECRET)
    for job, url in wing.ping_urls(scheduler.settings, scheduler.jobs).items():
        assert wing.ping_url_now(scheduler.settings, job, url) == url


def test_a_bad_rule_stops_the_start(janitor: CommandLine) -> None:
    ended = janitor("start", COPY_NOTICE_RULES="broken")
    assert ended.code == 2 and ended.err.count("\n") == 1
    assert ended.err.startswith("janitor: COPY_NOTICE_RULES is 'broken': there is no rule broken; give some of failed,")


def test_a_watcher_s_file_that_cannot_be_read_is_refused_and_a_stranger_s_is_not() -> None:
    scheduler = clock(SYNC_PING_URL_FILE="/none", STRANGER_PING_URL_FILE="/none")
    with pytest.raises(
        BadSetting, match="^SYNC_PING_URL_FILE is '/none': give a readable file that holds SYNC_PING_URL "
    ):
        wing.ping_urls(scheduler.settings, scheduler.jobs)
    other = clock(STRANGER_PING_URL_FILE="/none")
    assert wing.ping_urls(other.settings, other.jobs) == {}
