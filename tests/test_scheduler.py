"""What `add_job` takes, refuses and makes of it; and how the clock starts."""

import inspect
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from apscheduler.jobstores.base import ConflictingIdError
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.date import DateTrigger

from janitor.errors import BadSetting
from janitor.scheduler import Scheduler, with_results
from janitor.settings import Settings
from tests.small_engine import nothing


def scheduler_with(**environ: str) -> Scheduler:
    return Scheduler(Settings.load(environ, None))


def test_add_job_keeps_apscheduler_s_signature() -> None:
    scheduler = scheduler_with()
    scheduler.add_job(nothing, "interval", None, None, "by_place", "A name", seconds=90)
    scheduler.add_job("tests.small_engine:nothing", "cron", hour=2, day_of_week="mon", id="by_text")
    scheduler.add_job(nothing, DateTrigger(datetime(2030, 1, 1, tzinfo=UTC)), id="by_trigger", coalesce=True)
    scheduler.add_job(nothing, "every 5m", id="in_words", max_instances=1)
    told = {job.id: (job.schedule, job.func) for job in scheduler.jobs.values()}
    assert told == {
        "by_place": ("every 90s", nothing),
        "by_text": ("cron 0 2 * * mon", nothing),
        "by_trigger": ("at 2030-01-01T00:00:00+00:00", nothing),
        "in_words": ("every 5m", nothing),
    }


def test_a_job_has_an_hour_no_retries_and_catches_up() -> None:
    scheduler = scheduler_with()
    scheduler.add_job(nothing, "interval", hours=1)
    job = scheduler.jobs["nothing"]
    assert (job.timeout, job.retries, job.catch_up, job.isolation) == (3600, 0, "last", "thread")


def test_the_scheduled_job_decorator_makes_a_job() -> None:
    scheduler = scheduler_with()
    scheduler.scheduled_job("interval", id="decorated", seconds=5)(nothing)
    assert scheduler.jobs["decorated"].schedule == "every 5s"


@pytest.mark.parametrize(
    ("options", "right"),
    [
        ({"timeout": 0}, "timeout of job nothing is '0': give a number of seconds above 0"),
        ({"timeout": "soon"}, "timeout of job nothing is 'soon': give a number of seconds above 0"),
        ({"retries": -1}, "retries of job nothing is '-1': give 0 or more"),
        ({"retries": 1.5}, "retries of job nothing is '1.5': give 0 or more"),
        ({"catch_up": "all"}, 'catch_up of job nothing is \'all\': give "last" or "none"'),
        ({"isolation": "container"}, "isolation of job nothing is 'container'"),
        ({"max_instances": 2}, "max_instances of job nothing is '2'"),
        ({"coalesce": False}, "coalesce of job nothing is 'False'"),
        ({"id": "a job"}, "id is 'a job': give up to 64 letters"),
        ({"seconds": "often"}, "the schedule of job nothing is 'interval'"),
        ({"fortnights": 2}, "the schedule of job nothing is 'interval'"),
    ],
)
def test_what_cannot_work_is_refused_by_name(options: dict[str, Any], right: str) -> None:
    with pytest.raises(BadSetting) as caught:
        scheduler_with().add_job(nothing, "interval", **({"hours": 1} | options))
    assert str(caught.value).startswith(right)


def test_a_process_needs_a_function_that_can_be_found() -> None:
    with pytest.raises(BadSetting, match="top level"):
        scheduler_with().add_job(lambda: None, "interval", hours=1, id="task", isolation="process")


def test_two_jobs_of_one_name_are_refused() -> None:
    scheduler = scheduler_with()
    scheduler.add_job(nothing, "interval", hours=1, id="nightly-report")
    with pytest.raises(ConflictingIdError):
        scheduler.add_job(nothing, "interval", hours=1, id="nightly-report")
    with pytest.raises(BadSetting, match="variables would be those of job nightly-report"):
        scheduler.add_job(nothing, "interval", hours=1, id="nightly_report")
    scheduler.add_job(nothing, "interval", hours=2, id="nightly-report", replace_existing=True)
    assert scheduler.jobs["nightly-report"].schedule == "every 2h"


def test_the_last_of_many_jobs_costs_as_much_as_the_first() -> None:
    # Counted in calls, not in seconds: with each job compared in Python with all others, 1,000 jobs took a second.
    scheduler = scheduler_with()

    def calls(name: str) -> int:
        counted = 0

        def count(frame: object, event: str, argument: object) -> None:
            nonlocal counted
            counted += 1

        sys.setprofile(count)
        try:
            scheduler.add_job(nothing, "interval", hours=1, id=name)
        finally:
            sys.setprofile(None)
        return counted

    for name in ("one", "two"):
        calls(name)
    third = calls("three")
    for number in range(100):
        scheduler.add_job(nothing, "interval", hours=1, id=f"job_{number}")
    assert calls("late") <= third * 1.1


def test_the_environment_switches_and_schedules_any_job() -> None:
    scheduler = scheduler_with(NIGHTLY_REPORT_ENABLED="no", OTHER_SCHEDULE="cron 0 2 * * 1", OTHER_ENABLED="true")
    scheduler.add_job(nothing, "interval", hours=1, id="nightly-report")
    scheduler.add_job(nothing, "interval", hours=1, id="other")
    scheduler.add_job(nothing, "interval", hours=1, id="third", enabled="no URL is given")
    assert scheduler.jobs["nightly-report"].disabled_because == "NIGHTLY_REPORT_ENABLED=no"
    assert scheduler.jobs["other"].enabled and scheduler.jobs["other"].schedule == "cron 0 2 * * mon"
    assert scheduler.jobs["third"].disabled_because == "no URL is given"


def test_a_variable_of_no_job_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    scheduler = scheduler_with(NOTHNIG_ENABLED="false", NOTHING_SCHEDULE="every 5m", OTHER_SCHEDULE="x")
    scheduler.add_job(nothing, "interval", hours=1)
    scheduler.add_job(nothing, "interval", hours=1, id="second")
    with caplog.at_level(logging.WARNING):
        assert scheduler.report_unknown_variables() == ["NOTHNIG_ENABLED", "OTHER_SCHEDULE"]
    assert "NOTHNIG_ENABLED is set, and there is no job nothnig; the jobs are nothing, second" in caplog.text


def test_start_keeps_blockingscheduler_s_signature() -> None:
    ours, theirs = (inspect.signature(kind.start) for kind in (Scheduler, BaseScheduler))
    assert list(ours.parameters) == list(theirs.parameters)
    assert ours.parameters["paused"].default is theirs.parameters["paused"].default is False
    with pytest.raises(BadSetting, match="paused is 'True': leave it out"):
        scheduler_with().start(paused=True)


def test_jobs_that_others_depend_on_keep_their_results() -> None:
    scheduler = scheduler_with()
    scheduler.add_job(nothing, "interval", hours=1, id="first")
    scheduler.add_job(nothing, "after", id="second", dependencies=["first"])
    kept = with_results(scheduler.jobs)
    assert [kept[job].keeps_result for job in ("first", "second")] == ["always", "no"]


def test_a_job_that_others_depend_on_begins_when_it_was_told_to() -> None:
    begin = datetime(2036, 7, 1, 10, tzinfo=UTC)
    scheduler = scheduler_with()
    for name in ("first", "other"):
        scheduler.add_job(nothing, "interval", hours=1, id=name, next_run_time=begin)
    scheduler.add_job(nothing, "after", dependencies=["first"], id="second")
    scheduler.replace_jobs({})
    moments = {name: scheduler.get_job(name).next_run_time for name in ("first", "other")}
    assert scheduler.jobs["first"].keeps_result == "always" and moments == {"first": begin, "other": begin}
    scheduler.replace_jobs({"first": scheduler.make_job({"id": "first", "func": nothing, "schedule": "every 5h"})})
    assert getattr(scheduler.get_job("first"), "next_run_time", None) is None
