"""Jobs as entries of a jobs file: what they say, and what is left out."""

import functools
import json
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from typing import Any

from janitor.jobs import Job, Result, schedules
from janitor.jobs.descriptions import described, entry, job_takes_settings, name_of
from janitor.settings import Settings


def with_settings(day: date, settings: Settings) -> None:
    """A task that takes settings."""


PLAIN = Job("plain", print, (), {}, schedules.parse("by hand", Settings.load({}, None).schedule_timezone, "X"))


def test_an_entry_leaves_out_what_is_the_default() -> None:
    assert entry(PLAIN) == {"id": "plain", "function": "builtins:print"}


def test_an_entry_says_all_that_is_not_the_default() -> None:
    job = Job(
        "copy",
        print,
        ("a",),
        {"end": ""},
        schedules.every(300),
        timeout=60.0,
        retries=2,
        catch_up="none",
        isolation="process",
        disabled_because="COPY_ENABLED=no",
        title="Copy",
        notes="n",
        dependencies=("plain",),
        tags=("lab",),
        protect=True,
        cleanup=repr,
    )
    assert entry(job) == {
        **{"id": "copy", "title": "Copy", "notes": "n", "function": "builtins:print", "args": ["a"]},
        **{"kwargs": {"end": ""}, "schedule": "every 5m", "dependencies": ["plain"], "enabled": False},
        **{"timeout": 60.0, "retries": 2, "catch_up": "none", "isolation": "process", "tags": ["lab"]},
        **{"protect": True, "cleanup": "builtins:repr"},
    }


def test_the_settings_of_a_function_are_in_no_entry() -> None:
    settings, day = Settings.load({}, None), date(2026, 7, 1)
    job = replace(PLAIN, func=with_settings)
    assert entry(replace(job, args=(day, settings)))["args"] == [day]
    assert "kwargs" not in entry(replace(job, kwargs={"settings": settings}))
    assert entry(replace(PLAIN, args=(settings,)))["args"] == [settings]


def test_a_description_is_json_whatever_the_arguments_are() -> None:
    values: dict[str, Any] = {"day": date(2026, 7, 1), "at": time(1, 30), "price": Decimal("1.10"), "of": Result("a")}
    told = described(replace(PLAIN, args=("ü", object()), kwargs=values))
    assert json.loads(told)["args"] == ["ü", "(object)"] and "ü" in told
    assert json.loads(told)["kwargs"] == {"day": "2026-07-01", "at": "01:30:00", "price": "1.10", "of": "!result a"}


def test_a_function_is_named_by_its_module() -> None:
    assert name_of(functools.partial(with_settings, date(2026, 7, 1))) == f"{__name__}:with_settings"
    assert name_of(Settings.load) == "janitor.settings.settings:Settings.load"
    assert name_of(functools.partial(functools.partial(print), 1)) == "builtins:print"


def test_a_partial_function_is_described_with_its_arguments() -> None:
    func = functools.partial(functools.partial(print, "a", sep="-"), "b", end="")
    told = entry(replace(PLAIN, func=func, args=("c",), kwargs={"end": "!"}))
    assert (told["function"], told["args"], told["kwargs"]) == (
        "builtins:print",
        ["a", "b", "c"],
        {"sep": "-", "end": "!"},
    )


def test_a_function_tells_whether_it_takes_settings() -> None:
    assert job_takes_settings(with_settings) and not job_takes_settings(name_of)
    assert job_takes_settings(functools.partial(with_settings, date(2026, 7, 1)))
    assert not job_takes_settings(dict)


class Mute:
    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__


def test_any_job_can_be_described() -> None:
    """Given jobs with arguments that JSON does not have, or too many.

    Each is described. The description must be JSON, short, and name the job.
    """
    within: list[Any] = []
    within.append(within)
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    odd: tuple[Any, ...] = (
        {(1, 2): 3},
        {"a": within},
        {"a": deep},
        {"a": 10**5_000},
        {"a": Mute()},
        {"a": "x" * 10_000_000},
        {7: 1, "b": 2},
    )
    for kwargs in odd:
        text = described(replace(PLAIN, kwargs=kwargs))
        assert json.loads(text)["id"] == "plain" and len(text) < 101_000
