"""Overrides: a job's variable counts for more than its line, and what cannot work is refused by its name."""

from datetime import UTC, datetime
from typing import Any

import pytest
from apscheduler.triggers.base import BaseTrigger

from janitor.engine.overrides import disabled_because, trigger_of
from janitor.errors import BadSetting
from janitor.jobs import schedules
from janitor.jobs.slots import next_slot
from janitor.scheduler import Scheduler
from janitor.settings import Settings


def settings(**environ: str) -> Settings:
    return Settings.load(environ, None)


def made(trigger: BaseTrigger | str | None, environ: dict[str, str] | None = None, **arguments: Any) -> BaseTrigger:
    """The trigger of the job `nightly-report`, as its line and the environment say."""
    given = settings(**(environ or {}))
    return trigger_of(Scheduler(given), given, "nightly-report", trigger, arguments)


@pytest.mark.parametrize(
    ("trigger", "arguments", "told"),
    [
        ("interval", {"hours": 1}, "every 1h"),
        ("cron", {"hour": 2, "minute": 30}, "cron 30 2 * * *"),
        ("every 5m", {}, "every 5m"),
        ("after", {}, "after"),
        ("by hand", {}, "by hand"),
        ("@daily", {}, "cron 0 0 * * *"),
        ("02:00", {}, "cron 0 2 * * *"),
        ("cron", {"hour": 2, "day_of_week": 0}, "cron 0 2 * * mon"),
        (schedules.every(7), {}, "every 7s"),
    ],
)
def test_a_line_s_schedule_may_have_any_form(trigger: BaseTrigger | str, arguments: dict[str, Any], told: str) -> None:
    assert schedules.describe(made(trigger, **arguments)) == told


def test_a_variable_s_schedule_counts_for_more() -> None:
    environ = {"NIGHTLY_REPORT_SCHEDULE": "cron 0 2 * * 1", "OTHER_SCHEDULE": "every 1d"}
    assert schedules.describe(made("interval", environ, hours=1)) == "cron 0 2 * * mon"


@pytest.mark.parametrize(
    ("trigger", "environ", "arguments"),
    [
        ("cron", {}, {"hour": 2}),
        ("cron 0 2 * * *", {}, {}),
        ("every 1h", {"NIGHTLY_REPORT_SCHEDULE": "cron 0 2 * * *"}, {}),
        ("at 2026-07-01 02:00", {}, {}),
    ],
)
def test_times_of_day_are_in_the_stated_zone(trigger: str, environ: dict[str, str], arguments: dict[str, Any]) -> None:
    july = datetime(2026, 7, 1, 0, 30, tzinfo=UTC)
    found = made(trigger, {"SCHEDULE_TIMEZONE": "Europe/London", **environ}, **arguments)
    assert next_slot(found, july) == datetime(2026, 7, 1, 1, tzinfo=UTC)


def test_the_zone_of_a_line_s_cron_fields_counts_for_more() -> None:
    found = made("cron", {"SCHEDULE_TIMEZONE": "Europe/London"}, hour=2, timezone="UTC")
    assert next_slot(found, datetime(2026, 7, 1, tzinfo=UTC)) == datetime(2026, 7, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("trigger", "arguments"),
    [
        ("date", {"run_date": datetime(2026, 7, 1, 10)}),
        ("date", {"run_date": "2026-07-01 10:00:00"}),
        ("at 2026-07-01T10:00", {}),
        ("interval", {"days": 1, "start_date": datetime(2026, 7, 1, 10)}),
        ("date", {"run_date": datetime(2026, 7, 1, 9, tzinfo=UTC)}),
    ],
)
def test_a_moment_without_a_zone_is_in_the_stated_zone(trigger: str, arguments: dict[str, Any]) -> None:
    found = made(trigger, {"SCHEDULE_TIMEZONE": "Europe/London"}, **arguments)
    assert next_slot(found, datetime(2026, 6, 30, 20, tzinfo=UTC)) == datetime(2026, 7, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("trigger", "arguments", "said"),
    [
        ("interval", {"seconds": "often"}, "the schedule of job nightly-report is 'interval': with seconds='often': "),
        ("interval", {"fortnights": 2}, "the schedule of job nightly-report is 'interval': neither add_job nor"),
        ("often", {}, "the schedule of job nightly-report is 'often': give 'every'"),
        ("every never", {}, "the schedule of job nightly-report is 'every never': give 'every'"),
        ("cron", {"hour": 25}, "the schedule of job nightly-report is 'cron'"),
    ],
)
def test_a_malformed_schedule_is_refused_by_its_job(trigger: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSetting) as caught:
        made(trigger, **arguments)
    assert str(caught.value).startswith(said)


def test_a_malformed_schedule_is_refused_by_its_variable() -> None:
    with pytest.raises(BadSetting, match="^NIGHTLY_REPORT_SCHEDULE is 'often': give 'every'"):
        made("every 1h", {"NIGHTLY_REPORT_SCHEDULE": "often"})


@pytest.mark.parametrize(
    ("value", "enabled", "because"),
    [
        (None, True, ""),
        (None, False, "add_job(enabled=False)"),
        (None, "no URL is given", "no URL is given"),
        ("no", True, "NIGHTLY_REPORT_ENABLED=no"),
        ("no", "no URL is given", "NIGHTLY_REPORT_ENABLED=no"),
        ("yes", True, ""),
        ("yes", False, ""),
        ("1", "no URL is given", "no URL is given; NIGHTLY_REPORT_ENABLED=1 does not change that"),
    ],
)
def test_why_a_job_is_off_is_said(value: str | None, enabled: bool | str, because: str) -> None:
    environ = {} if value is None else {"NIGHTLY_REPORT_ENABLED": value}
    assert disabled_because(settings(**environ), "nightly-report", enabled) == because


def test_a_switch_that_is_no_switch_is_refused() -> None:
    with pytest.raises(BadSetting, match="^NIGHTLY_REPORT_ENABLED is 'perhaps': give true or false"):
        disabled_because(settings(NIGHTLY_REPORT_ENABLED="perhaps"), "nightly-report", True)


def test_a_variable_switches_on_what_a_line_or_an_entry_switches_off() -> None:
    # Given: jobs that are off by their line, by their moment and by their entry in a jobs file; a job without a URL.
    # What happens: the variable of each says true. What must hold: all run as scheduled but the job that cannot work.
    scheduler = Scheduler(settings(**{f"{name}_ENABLED": "true" for name in ("LINE", "MOMENT", "CANNOT", "ENTRY")}))
    scheduler.add_job(print, "every 1h", id="line", enabled=False)
    scheduler.add_job(print, "every 1h", id="moment", next_run_time=None)
    scheduler.add_job(print, "every 1h", id="cannot", enabled="no URL is given")
    entry = scheduler.make_job({"id": "entry", "func": print, "schedule": "every 1h", "enabled": False})
    scheduler.replace_jobs({"entry": entry})
    jobs = scheduler.jobs
    assert {name: job.disabled_because for name, job in jobs.items() if not job.enabled} == {
        "cannot": "no URL is given; CANNOT_ENABLED=true does not change that"
    }
    assert [getattr(scheduler.get_job(name), "next_run_time", 0) is None for name in jobs] == [
        False,
        False,
        True,
        False,
    ]
    off = Scheduler(settings()).make_job({"id": "entry", "func": print, "enabled": False})
    assert off.disabled_because == "enabled: false in the jobs file"


def test_a_first_moment_without_a_zone_is_in_the_stated_zone() -> None:
    scheduler = Scheduler(settings(SCHEDULE_TIMEZONE="Europe/London"))
    scheduler.add_job(print, "by hand", id="moment", next_run_time=datetime(2036, 7, 1, 10))
    assert scheduler.get_job("moment").next_run_time == datetime(2036, 7, 1, 9, tzinfo=UTC)
