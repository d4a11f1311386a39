"""The arguments of `add_job`: each mistake is one sentence, with the file and line of the call."""

import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from apscheduler.jobstores.base import ConflictingIdError
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from janitor.errors import BadSetting, summary
from janitor.jobs import arguments
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from tests.small_engine import nothing


def greet(name: str, *, loudly: bool = False) -> None:
    """A task with arguments."""


def scheduler_with(**environ: str) -> Scheduler:
    return Scheduler(Settings.load(environ, None))


def refusal(call: Callable[[], object]) -> str:
    """The sentence that refuses a call of `add_job`."""
    with pytest.raises(BadSetting) as caught:
        call()
    told = str(caught.value)
    assert "\n" not in told and len(told) < 300
    return told


@pytest.mark.parametrize(
    ("func", "options", "right"),
    [
        (42, {}, "func is '42': give a function, without brackets behind it, or 'package.module:function'"),
        (None, {}, "func is missing: give a function, without brackets behind it"),
        ("nothing", {}, "func is 'nothing': ValueError: Invalid reference; give a function"),
        ("no.such:thing", {}, "func is 'no.such:thing': ModuleNotFoundError: No module named 'no'; give a function"),
        ("tests.small_engine:nothin", {}, "func is 'tests.small_engine:nothin': AttributeError: "),
        ("tests.small_engine:ROOT", {}, "func is '"),
        (greet, {}, "func of job greet is 'tests.jobs.test_arguments:greet': the following arguments have not been"),
        (greet, {"args": ["a", "b"]}, "func of job greet is 'tests.jobs.test_arguments:greet': the list of positional"),
        (greet, {"args": ["a"], "kwargs": {"louder": 1}}, "func of job greet is 'tests.jobs.test_arguments:greet': "),
        (nothing, {"args": "exports"}, "args of job nothing is 'exports': give a list"),
        (nothing, {"args": 5}, "args of job nothing is '5': give a list"),
        (nothing, {"kwargs": ["a"]}, "kwargs of job nothing is"),
        (nothing, {"kwargs": {5: 1}}, "kwargs of job nothing is '{5: 1}': give names and values"),
        (nothing, {"id": 5}, "id is '5': give up to 64 letters"),
        (lambda: None, {}, "id is '<lambda>': give up to 64 letters"),
        (nothing, {"dependencies": "crawl"}, "dependencies of job nothing is 'crawl': give a list"),
        (nothing, {"dependencies": [""]}, "dependencies of job nothing is \"['']\": give a list of texts"),
        (nothing, {"tags": 5}, "tags of job nothing is '5': give a list"),
        (nothing, {"needs": 5}, "needs of job nothing is '5': give a list"),
        (nothing, {"needs": [5]}, "needs of job nothing is '[5]': give a list of needs, such as [DatabaseNeed('LAB_"),
        (nothing, {"timeout": True}, "timeout of job nothing is 'True': give a number of seconds above 0"),
        (nothing, {"timeout": float("nan")}, "timeout of job nothing is 'nan': give a number of seconds above 0"),
        (nothing, {"retries": True}, "retries of job nothing is 'True': give 0 or more"),
        (nothing, {"retries": "3"}, "retries of job nothing is '3': give 0 or more"),
        (nothing, {"title": 5}, "title of job nothing is '5': give a text"),
        (nothing, {"notes": None}, "notes of job nothing is missing: give a text"),
        (nothing, {"protect": "no"}, "protect of job nothing is 'no': give True or False"),
        (nothing, {"enabled": None}, "enabled of job nothing is missing: give True, or False, or a text"),
        (nothing, {"cleanup": "later"}, "cleanup of job nothing is 'later': give a function"),
        (nothing, {"misfire_grace_time": "late"}, "misfire_grace_time of job nothing is 'late': give a number"),
        (nothing, {"misfire_grace_time": -1}, "misfire_grace_time of job nothing is '-1': give a number"),
        (nothing, {"next_run_time": "soon"}, "next_run_time of job nothing is 'soon': give a datetime, or None"),
        (nothing, {"next_run_time": 5}, "next_run_time of job nothing is '5': give a datetime, or None"),
        (nothing, {"max_instances": 2}, "max_instances of job nothing is '2': leave it out: runs never overlap"),
        (nothing, {"coalesce": False}, "coalesce of job nothing is 'False': leave it out: lost slots run once"),
        (nothing, {"jobstore": "mysql"}, "jobstore of job nothing is 'mysql': leave it out"),
        (nothing, {"executor": "processpool"}, "executor of job nothing is 'processpool': leave it out"),
        (nothing, {"trigger": "hourly at 5"}, "the schedule of job nothing is 'hourly at 5': give 'every'"),
        (nothing, {"trigger": 5}, "the schedule of job nothing is '5': "),
        (nothing, {"trigger": "interval"}, "the schedule of job nothing is 'interval': give a length"),
        (nothing, {"trigger": "cron"}, "the schedule of job nothing is 'cron': give a field"),
        (nothing, {"trigger": "cron", "hour": 25}, "the schedule of job nothing is 'cron': with hour=25: "),
        (nothing, {"trigger": "cron", "hour": 2, "timezone": "Mars"}, "the schedule of job nothing is 'cron': with "),
        (nothing, {"trigger": "cron", "month": 2, "day": 30}, "the schedule of job nothing is 'cron': with month=2"),
        (nothing, {"trigger": "interval", "minutes": 10**12}, "the schedule of job nothing is 'interval': with min"),
        (nothing, {"trigger": OrTrigger([5])}, "the schedule of job nothing is 'or[5]': give triggers to combine"),
        (
            nothing,
            {"trigger": "cron", "hour": 2, "retires": 3},
            "the schedule of job nothing is 'cron': neither add_job nor this trigger has the argument retires; "
            "did you mean 'retries'?",
        ),
        (
            nothing,
            {"trigger": "cron", "hour": 2, "folder": "x"},
            "the schedule of job nothing is 'cron': neither add_job nor this trigger has the argument folder; "
            "arguments of the task go into kwargs",
        ),
        (nothing, {"trigger": "every 5m", "seconds": 3}, "the schedule of job nothing is 'every 5m': neither add_job"),
        (nothing, {"trigger": CronTrigger(hour=2, timezone="UTC"), "tag": ["a"]}, "the schedule of job nothing is"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(func: Any, options: dict[str, Any], right: str) -> None:
    told = refusal(lambda: scheduler_with().add_job(func, **({"trigger": "every 1h"} | options)))
    line = sys._getframe().f_lineno - 1
    assert told.startswith(right)
    assert told.endswith(f" (tests/jobs/test_arguments.py:{line})")


def test_two_jobs_of_one_id_are_told_with_both_lines() -> None:
    scheduler = scheduler_with()
    scheduler.add_job(nothing, "every 1h", id="nightly")
    first = sys._getframe().f_lineno - 1
    with pytest.raises(ConflictingIdError) as caught:
        scheduler.add_job(nothing, "every 2h", id="nightly")
    second = sys._getframe().f_lineno - 1
    here = "tests/jobs/test_arguments.py"
    right = f"id is 'nightly': give another id: {here}:{first} has a job of this id ({here}:{second})"
    assert isinstance(caught.value, BadSetting)
    assert (str(caught.value), summary(caught.value)) == (right, f"JobExists: {right}")
    assert scheduler.jobs["nightly"].schedule == "every 1h"
    # The decorator's line is told too.
    told = refusal(lambda: scheduler.scheduled_job("interval", id="a job", hours=1)(nothing))
    assert told.endswith(f"({here}:{sys._getframe().f_lineno - 1})")


def test_what_is_refused_leaves_no_trace() -> None:
    scheduler = scheduler_with()
    given: list[dict[str, Any]] = [{"args": ["one too many"]}, {"retries": -1}, {"trigger": "sometimes"}]
    for options in given:
        refusal(partial(scheduler.add_job, nothing, **({"trigger": "every 1h"} | options)))
    assert dict(scheduler.jobs) == {} and scheduler.get_jobs() == []
    scheduler.add_job(nothing, "every 1h")


def test_a_mistake_in_a_variable_has_no_line() -> None:
    scheduler = scheduler_with(NOTHING_SCHEDULE="sometimes")
    told = refusal(lambda: scheduler.add_job(nothing, "every 1h"))
    assert told.startswith("NOTHING_SCHEDULE is 'sometimes': give") and not told.endswith(")")


def test_a_module_that_fails_is_told_whatever_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, code in (("fails", "1 / 0"), ("leaves", "raise SystemExit(0)"), ("typo", "def f(:")):
        (tmp_path / f"{name}_module.py").write_text(code, encoding="utf-8")
        told = refusal(partial(scheduler_with().add_job, f"{name}_module:task", "every 1h"))
        assert told.startswith(f"func is '{name}_module:task': ")


def test_what_apscheduler_takes_is_taken() -> None:
    scheduler = scheduler_with()
    scheduler.add_job(partial(greet, "anna"), "interval", hours=1, id="partial", max_instances=1, coalesce=True)
    scheduler.add_job(greet, "date", kwargs={"name": "ben"}, id="at_once", misfire_grace_time=None)
    scheduler.add_job(greet, args=("carl",), id="now", next_run_time=datetime(2030, 1, 1), jobstore="default")
    scheduler.add_job(print, CronTrigger(day_of_week=0, timezone="UTC"), ["x", "y"], id="built_in", tags=["a"])
    scheduler.add_job(nothing, "calendarinterval", weeks=2, id="calendar")
    scheduler.add_job(nothing, "interval", weeks=1, jitter=60, id="jitter", misfire_grace_time=0.5)
    assert len(scheduler.jobs) == 6


def test_the_place_is_short_inside_of_the_folder_of_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert arguments.place_of_call().startswith("tests/jobs/test_arguments.py:")
    monkeypatch.chdir(tmp_path)
    assert arguments.place_of_call().startswith(str(Path(__file__)))
