"""A job: which options are refused; and the jobs of a clock, replaced all at once."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import Any

import pytest

from janitor.errors import BadSetting
from janitor.jobs import Job, Result, schedules
from janitor.jobs.job import Jobs, check_options
from janitor.settings import Settings

ZONE = Settings.load({}, None).schedule_timezone
JOB = Job("sync", print, (), {}, schedules.every(300))


class Unsent(dict[str, str]):
    """What cannot be sent to another process, in a way of its own."""

    def __reduce_ex__(self, protocol: object) -> str:
        raise RuntimeError("not with me")


@pytest.mark.parametrize(
    "options",
    [
        {"id": "a" * 64},
        {"id": "A.b_c-9"},
        {"timeout": 0.1, "retries": 0},
        {"isolation": "process", "catch_up": "none"},
        {"isolation": "process", "func": partial(print, "a", end="")},
        {"isolation": "process", "func": Settings.load},
        {"isolation": "process", "func": Jobs().keys},
        {"args": (Result("a"), [Result("b")]), "dependencies": ("a", "b")},
    ],
)
def test_options_at_their_limits_are_taken(options: dict[str, Any]) -> None:
    check_options(replace(JOB, **options))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"id": ""}, "id is '': give up to 64 letters, digits"),
        ({"id": "a" * 65}, "id is 'aaa"),
        ({"id": "-a"}, "id is '-a'"),
        ({"timeout": 0}, "timeout of job sync is '0': give a number of seconds above 0"),
        ({"timeout": float("nan")}, "timeout of job sync is 'nan'"),
        ({"retries": -1}, "retries of job sync is '-1': give 0 or more"),
        ({"catch_up": "all"}, 'catch_up of job sync is \'all\': give "last" or "none"'),
        ({"isolation": "pod"}, 'isolation of job sync is \'pod\': give "thread" or "process"'),
        ({"kwargs": {"rows": [Result("a")]}}, "Result of job sync is 'a': name a among its dependencies"),
        ({"func": lambda: None, "isolation": "process"}, "function of job sync is '<function"),
        ({"func": partial(print, Lock()), "isolation": "process"}, "function of job sync is 'functools.partial"),
        ({"func": Unsent().keys, "isolation": "process"}, "function of job sync is '<built-in method"),
    ],
)
def test_an_option_that_cannot_work_is_named(options: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSetting) as caught:
        check_options(replace(JOB, **options))
    assert str(caught.value).startswith(says)


def test_a_job_runs_after_others_only_if_its_schedule_says_so() -> None:
    found = {
        words: replace(JOB, trigger=schedules.parse(words, ZONE, "X")) for words in ("after", "by hand", "every 5m")
    }
    assert [words for words, job in found.items() if job.after] == ["after"]
    assert [job.schedule for job in found.values()] == ["after", "by hand", "every 5m"]


def test_a_job_that_runs_after_others_names_them() -> None:
    after = replace(JOB, trigger=schedules.parse("After", ZONE, "X"))
    check_options(replace(after, dependencies=("first",)))
    with pytest.raises(BadSetting, match="schedule of job sync is 'after': .* has none: name them"):
        check_options(after)


def test_jobs_that_a_check_refuses_replace_nothing() -> None:
    def check(jobs: Mapping[str, Job]) -> None:
        if "bad" in jobs:
            raise BadSetting("id", "bad", "give another")

    jobs = Jobs()
    jobs.consult(check)
    jobs.replace({"sync": JOB})
    with pytest.raises(BadSetting):
        jobs.replace({"bad": JOB})
    assert dict(jobs) == {"sync": JOB}


def test_whoever_walks_over_jobs_meets_the_old_or_the_new() -> None:
    jobs, given = Jobs(), {"sync": JOB, "copy": JOB}
    jobs.replace(given)
    given.clear()
    walk = iter(jobs.items())
    first = next(walk)
    jobs.replace({"other": JOB})
    assert [first, *walk] == [("sync", JOB), ("copy", JOB)]
    assert list(jobs) == ["other"]
